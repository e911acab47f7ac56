# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # variables of lib.sh
# `sublet update` changes the limits of a container that lives, and the new ones hold at once.

update() {
    run sublet update "$@"
    expect_status 0
    expect_quiet
}

# update_by JSON: of container a, as linux.resources.
update_by() {
    printf '%s' "$1" >"$T/new"
    update --resources "$T/new" "${2:-$ID-a}"
}

# More CPU time, less, and other CPUs.
update_cpu() {
    local in out less=$((CPU_COUNT * 250)) more=$((CPU_COUNT * 500))
    scene
    container a "{\"cpu\": {\"quota\": $((less * 100)), \"period\": 100000, \"cpus\": \"$CPUS\"}}" spin 2
    window 2000
    cpus a
    row "before: $(milli $less) CPUs" "$(milli "$in")" "$(milli "$out")" near $less 5 "$in" "$out"
    update --cpu-quota $((more * 100)) "$ID-a"
    window 2000
    cpus a
    row "--cpu-quota $((more * 100)): $(milli $more) CPUs" "$(milli "$in")" "$(milli "$out")" near $more 5 "$in" "$out"
    update --cpu-quota -1 --cpuset-cpus "${CPUS%,*}" "$ID-a"
    window 2000
    cpus a
    row "--cpu-quota -1 --cpuset-cpus ${CPUS%,*}: 1.000 CPUs" "$(milli "$in")" "$(milli "$out")" near 1000 5 "$in" "$out"
    over
}

# Another weight while both are busy.
update_weight() {
    local in out low
    scene
    container a "{\"cpu\": {\"cpus\": \"$CPUS\"}, \"unified\": {\"cpu.weight\": \"100\"}}" spin 4
    container b "{\"cpu\": {\"cpus\": \"$CPUS\"}, \"unified\": {\"cpu.weight\": \"100\"}}" spin 4
    window 1500
    cpus a
    low=$in
    cpus b
    row 'before: 1:1' "1:$(milli "$(ratio "$in" "$low")")" - near 1000 5 "$(ratio "$in" "$low")"
    update_by '{"unified": {"cpu.weight": "300"}}' "$ID-b"
    window 2500
    cpus a
    low=$in
    cpus b
    row 'one of them cpu.weight 300: 1:3' "1:$(milli "$(ratio "$in" "$low")")" - near 3000 5 "$(ratio "$in" "$low")"
    update --cpu-idle 1 "$ID-b"
    window 1000
    cpus b
    row '--cpu-idle 1: it runs where nobody else wants to' "$(milli "$in")" "$(milli "$out")" \
        within 0 $((CPU_COUNT * 50)) "$in" "$out"
    over
}

update_burst() {
    scene
    container a '{"cpu": {"quota": 100000, "period": 100000}}' burst 2 70 270
    window 2500
    row 'before: stopped in some periods' - "$(got a.throttled) periods" within 3 99 "$(got a.throttled)"
    update --cpu-burst 50000 "$ID-a"
    window 2500
    row '--cpu-burst 50000: in hardly any' - "$(got a.throttled) periods" \
        within 0 $(($(got a.periods) / 12)) "$(got a.throttled)"
    over
}

# The worker and its threads are three, the one that tries is the fourth.
update_pids() {
    scene
    container a '{"pids": {"limit": 100}}' spin 2
    window --warm 0 100
    update --pids-limit 6 "$ID-a"
    run sublet exec "$ID-a" /worker /board 7 fork 20
    row '--pids-limit 6, four there are: forks' "$(<"$T/out")" - equal "$(<"$T/out")" 'forked 2 EAGAIN'
    over
}

# Nobody drives the device c 60:1: an open that the rules let through ends beyond them.
update_devices() {
    local was
    scene
    container a '{"devices": [{"allow": false}, {"allow": true, "type": "c", "major": 60, "access": "rw"}]}' spin 1
    window --warm 0 100
    run sublet exec "$ID-a" /worker /board 7 open c:60:1:r
    was=$(<"$T/out")
    update_by '{"devices": [{"allow": false}, {"allow": true, "type": "c", "major": 60, "access": "w"}]}'
    run sublet exec "$ID-a" /worker /board 7 open c:60:1:r c:60:1:w
    row 'devices: from rw to w of c 60' "${was#* } -> $(sed 's/.* //' "$T/out" | xargs)" - \
        equal "$was $(xargs <"$T/out")" 'c:60:1:r yes c:60:1:r no c:60:1:w yes'
    over
}

update_memory() {
    scene
    container a '{"memory": {"limit": 67108864, "swap": 67108864}}' touch 32M
    window --warm 0 1500
    row 'before: 32 MiB within 64 MiB' "$(mib "$(got a.inside.total_bytes)")" "$(mib "$(text a memory.current)")" \
        equal "$(got a.inside.total_bytes)" 33554432
    update --memory 16M --memory-swap 16M "$ID-a"
    ended a
    row '--memory 16M: it does not fit, status 137' - "${status_of[a]}" equal "${status_of[a]}" 137
    names=()
    scene
    container a '{"unified": {"memory.high": "16777216", "memory.swap.max": "0"}}' touch 64M
    window --warm 0 --still 1000
    row 'before: slowed from 16 MiB on' "$(mib "$(got a.inside.total_bytes)")" - \
        within 14680064 33554432 "$(got a.inside.total_bytes)"
    update_by '{"unified": {"memory.high": "max"}}'
    window --warm 0 --still 1500
    row 'memory.high max: it gets its 64 MiB' "$(mib "$(got a.inside.total_bytes)")" - \
        equal "$(got a.inside.total_bytes)" 67108864
    over
}

# Four containers on one disk, each with a limit of its own, which is doubled.
update_io() {
    local in out
    scene
    container rbps "{$SCRATCH_RULE, \"blockIO\": {$(at_most ReadBps 1048576)}}" disk read direct /dev/scratch 64K 1
    container wbps "{$SCRATCH_RULE, \"blockIO\": {$(at_most WriteBps 1048576)}}" disk write direct /dev/scratch 64K 1
    container riops "{$SCRATCH_RULE, \"blockIO\": {$(at_most ReadIOPS 50)}}" disk read direct /dev/scratch 4K 4
    container wiops "{$SCRATCH_RULE, \"blockIO\": {$(at_most WriteIOPS 50)}}" disk write direct /dev/scratch 4K 4
    window --warm 500 --disk "$SCRATCH_NUMBER" 2000
    update_io_rows before 1048576 50
    update_by "{\"blockIO\": {$(at_most ReadBps 2097152)}}" "$ID-rbps"
    update_by "{\"blockIO\": {$(at_most WriteBps 2097152)}}" "$ID-wbps"
    update_by "{\"blockIO\": {$(at_most ReadIOPS 100)}}" "$ID-riops"
    update_by "{\"blockIO\": {$(at_most WriteIOPS 100)}}" "$ID-wiops"
    window --warm 500 --disk "$SCRATCH_NUMBER" 2000
    update_io_rows doubled 2097152 100
    over
}
update_io_rows() {
    rates rbps bytes read_bytes
    row "$1: read $(mib "$2")/s" "$(mib "$in")/s" "$(mib "$out")/s" near "$2" 10 "$in" "$out"
    rates wbps bytes write_bytes
    row "$1: write $(mib "$2")/s" "$(mib "$in")/s" "$(mib "$out")/s" near "$2" 10 "$in" "$out"
    rates riops rounds reads
    row "$1: $3 reads a second" "$in/s" "$out/s" near "$3" 10 "$in" "$out"
    rates wiops rounds writes
    row "$1: $3 writes a second" "$in/s" "$out/s" near "$3" 10 "$in" "$out"
}

prove_update() {
    measure update_cpu
    measure update_weight
    measure update_burst
    measure update_pids
    measure update_devices
    measure update_memory
    disk_begin
    measure update_io
    disk_end
}
