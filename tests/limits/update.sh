# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # variables of lib.sh
# `sublet update` changes the limits of a container that lives, and the new ones hold at once.

update() {
    run sublet update "$@"
    expect_status 0
    expect_quiet
}

# More CPU time, less, and other CPUs.
update_cpu() {
    local in out less=$((CPU_COUNT * 250)) more=$((CPU_COUNT * 500))
    scene
    container a "{\"cpu\": {\"quota\": $((less * 100)), \"period\": 100000, \"cpus\": \"$CPUS\"}}" spin 2
    window 3000
    cpus a
    row "before: $(milli $less) CPUs" "$(milli "$in")" "$(milli "$out")" near $less 5 "$in" "$out"
    update --cpu-quota $((more * 100)) "$ID-a"
    window 3000
    cpus a
    row "--cpu-quota $((more * 100)): $(milli $more) CPUs" "$(milli "$in")" "$(milli "$out")" near $more 5 "$in" "$out"
    update --cpu-quota -1 --cpuset-cpus "${CPUS%,*}" "$ID-a"
    window 3000
    cpus a
    row "--cpu-quota -1 --cpuset-cpus ${CPUS%,*}: 1.000 CPUs" "$(milli "$in")" "$(milli "$out")" near 1000 5 "$in" "$out"
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
}

update_io() {
    local in out
    scene
    container a "{$SCRATCH_RULE, \"blockIO\": {$(at_most ReadIOPS 50)}}" disk read direct /dev/scratch 4K 4
    window --warm 500 --disk "$SCRATCH_NUMBER" 2000
    rates a rounds reads
    row 'before: 50 reads a second' "$in/s" "$out/s" near 50 10 "$in" "$out"
    printf '{"blockIO": {%s}}' "$(at_most ReadIOPS 100)" >"$T/new"
    update --resources "$T/new" "$ID-a"
    window --warm 500 --disk "$SCRATCH_NUMBER" 2000
    rates a rounds reads
    row '--resources FILE: 100 reads a second' "$in/s" "$out/s" near 100 10 "$in" "$out"
    over
}

prove_update() {
    measure update_cpu
    measure update_pids
    measure update_memory
    disk_begin
    measure update_io
    disk_end
}
