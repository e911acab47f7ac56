# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What is done to a meter, its disk, its clock, its ledger and its host, and what must hold after
# each of it: what the report adds up is what the kernel counted, nothing is there twice, and what
# was not seen is told as a gap. Sourced after cli.sh by a test file of the host, where the groups
# are there and their limits are not, and by one of the guest, where a clock may be set. These say
# make_groups: what `a` (half a CPU) and `b` (a fifth) need for their groups, as after a boot.
: "${T:?}" "${SUBLET:?}" "${SUBLET_BUILD:?}"

# shellcheck source=tests/lib/meter.sh
. "$LIB/meter.sh"

SLOW=(--interval 150ms --window 50ms)
SILENT_MS=${SILENT_MS:-700} # two windows and a meter's beginning: a shorter hole is not told
BOOT=/proc/sys/kernel/random/boot_id
CLOCK_SET=
before_a=0 before_b=0 # what earlier boots have counted
ROOM_BYTES=$((16 << 20))
mkdir -p "$L" && mount -t tmpfs -o "size=$ROOM_BYTES" ledger "$L" && mkfifo "$T/never" || exit 1

has_small_disk() {
    mountpoint -q "$L" && [ "$(stat -f -c '%T %b %S' "$L")" = "tmpfs $((ROOM_BYTES / 4096)) 4096" ]
}
# After a test that failed its mounts are gone, and the folder is one of the host's disk. Nobody may
# fill that, and no test can go on without what the one before it has left.
need_small_disk() {
    has_small_disk || { fail "$L is no small disk: the test before this one has failed" || true; exit 1; }
}
# proves NAME: begins a test.
proves() {
    t "$1"
    need_small_disk
}
fill_disk() {
    need_small_disk
    head -c $((ROOM_BYTES + (1 << 20))) /dev/zero >"$L/fill" 2>/dev/null
}

# As in meter.sh, by one program and without lines that were torn.
lines() { grep -h "\"k\":\"$1\".*${2:+\"tenant\":\"$2\".*}"'"}$' "$L"/*.jsonl 2>/dev/null; }
expect_sequence() {
    expect_eq 'sequence' "$(lines '[a-z]*' | sed 's/.*"seq":\([0-9]*\).*/\1/' |
        awk 'NR > 1 && $1 != last + 1 { bad++ } { last = $1 } END { print bad + 0 }')" 0
}

# work NAME: a fifth of a CPU or so, until work_ends. Nothing but builtins, TURNS of them at a time.
work() {
    # shellcheck disable=SC2016 # for that shell
    bash -c 'mkdir -p "$1/h" && echo $$ >"$1/h/cgroup.procs" && exec 9<>"$2"
        for (( ; ; )); do
            for ((i = 0; i < $3; i++)); do :; done
            read -rt 0.02 -u 9
        done' - "$HOG/$1" "$T/never" "${TURNS:-1500}" &
    hogs+=($!)
}
work_ends() {
    kill -KILL "${hogs[@]}"
    hogs_end
}

# A meter, once it has written a round.
begin() {
    local written
    written=$(count_records host)
    start_meter
    until_true 30 has_records host $((written + 1))
}
more_rounds() { until_true 30 has_records host $(($(count_records host) + $1)); }
count_notes() { lines note | grep -c "\"text\":\"$1"; }
has_notes() { [ "$(count_notes "$1")" -ge "$2" ]; }

# All that the ledger knows, whatever the clock said.
report() {
    "$SUBLET" --ledger "$L" report --from 2000-01-01T00:00:00Z --to 2099-01-01T00:00:00Z --format json >"$T/report"
}
in_report() { jq -r "$1" "$T/report"; }

# Nobody runs in the tenants' groups, and the meter has ended.
expect_all() {
    local now_a now_b
    now_a=$((before_a + $(kernel_use a))) now_b=$((before_b + $(kernel_use b)))
    report
    expect_eq 'used as the kernel has counted; used + unused = entitled + borrowed + unmetered; missing, doubled' \
        "$(in_report '([.rows[] | select(.tenant == "a" or .tenant == "b") | .used_us] | join(" ")) + "; "
            + ([.rows[] | .used_us + .unused_us - .entitled_us - .borrowed_us - .unmetered_us] | unique | join(" "))
            + "; \(.ledger.missing) \(.ledger.doubled)"')" "$now_a $now_b; 0; 0 0"
    expect_entitled
    expect_told
    expect_sequence
    echo "# $(wc -l <"$L/ledger.jsonl") lines, $(count_records host) rounds, $(count_notes gap) gaps told;" \
        "used by the kernel and by the report: $now_a + $now_b us"
}

# Entitled is to time: with a part of it missing or there twice it is too little or too much. Of
# the last boot, to a tenth and what may pass between a look and its record: what a meter takes to
# begin is time that it has no word of.
expect_entitled() {
    expect_eq 'entitled, of the time that went by' "$(lines sample | jq -n -c --argjson silent $((SILENT_MS * 1000)) '[inputs]
        | (.[-1].boot) as $boot | map(select(.boot == $boot and .entmicro > 0)) | group_by(.tenant)
        | map((.[-1].mono - .[0].mono) as $us | (.[-1].cpu.ent - .[0].cpu.ent) * 1000000 / .[-1].entmicro
            | if . > 0.9 * $us - $silent and . < 1.01 * $us + $silent then "all" else "\(.) of \($us)" end)')" '["all","all"]'
}

# Between two host records lies more time than the later one has seen: a note says so. And no two
# notes tell of the same second.
expect_told() {
    expect_eq 'holes that are not told, and told twice' "$(lines '\(host\|note\)' | jq -n -c --argjson silent $((SILENT_MS * 1000)) '
        def pairs: [range(1; length) as $i | {a: .[$i - 1], b: .[$i]} | select(.a.boot == .b.boot)
            | . + {us: (.b.mono - .a.mono)}];
        [inputs | select(.k == "host" or (.text | startswith("gap: no meter")))]
        | [(pairs | map(select(.a.k == "host" and .b.k == "host" and .us > .b.winus + $silent)) | length),
           (map(select(.k == "note")) | pairs | map(select(.us < .b.count * 1000000)) | length)]')" '[0,0]'
}

# ---- what is done ----

# proof_kills COUNT LATEST_MS
proof_kills() {
    proves "a meter that is killed $1 times loses and doubles nothing"
    METER=(--interval 20ms --window 10ms) # most kills meet a write
    begin
    stop_meter
    work a
    work b
    run -t 280 "$SUBLET_BUILD/killer.elf" "$1" "$2" $((SILENT_MS + 50)) "$L/ledger.jsonl" \
        "$SUBLET" --tenants "$TENANTS" --ledger "$L" meter "${METER[@]}"
    expect_status 0
    expect_out "$1 killed, $(($1 / 2)) at a write"
    METER=("${SLOW[@]}")
    begin
    work_ends
    stop_meter
    expect_all
    expect_balance a
    expect_balance b
    expect test "$(wc -l <"$L/ledger.jsonl")" -gt $(($1 / 2)) # a round of the killer that waited for one has one
    expect test "$(count_notes 'gap: no meter ran')" -ge $(($1 / 20))
}

count_alive() {
    local pid alive=0
    for pid; do
        ! kill -0 "$pid" 2>/dev/null || alive=$((alive + 1))
    done
    echo "$alive"
}
is_alone() { [ "$(count_alive "$@")" -eq 1 ]; }

proof_two() {
    local pid pids=() i refused=0 ended=0 written rc
    proves 'of many meters that begin at once one goes on'
    written=$(count_records host)
    work a
    for i in 1 2 3 4 5 6; do
        "$SUBLET" --tenants "$TENANTS" --ledger "$L" meter "${SLOW[@]}" </dev/null >"$T/meter.$i" 2>&1 &
        pids+=($!)
    done
    until_true 20 is_alone "${pids[@]}"
    until_true 30 has_records host $((written + 2))
    work_ends
    kill -TERM "${pids[@]}" 2>/dev/null
    for pid in "${pids[@]}"; do
        wait "$pid"
        rc=$?
        refused=$((refused + (rc == 1))) ended=$((ended + (rc == 0)))
    done
    expect_eq 'refused, and ended well' "$refused $ended" '5 1'
    expect_eq 'said why' "$(cat "$T"/meter.? | grep -c 'another meter writes this ledger already')" 5
    expect_all
}

proof_full() {
    local gaps
    proves 'on a full disk records wait for room, and say so'
    begin
    work a
    fill_disk
    until_true 30 grep -q 'No space left' "$T/meter.out"
    sleep 0.3 # intervals that are lost
    rm "$L/fill"
    until_true 30 has_notes 'gap: records of that many seconds are one' 1

    # One that begins when nothing can be written owes the ledger what was before it as well. The
    # last page of a file on a full disk has room for a note: not one byte more, here.
    gaps=$(count_notes 'gap: no meter ran')
    kill_meter
    sleep 1.05
    prlimit --pid $$ --fsize="$(stat -c %s "$L/ledger.jsonl"):"
    start_meter
    prlimit --pid $$ --fsize=unlimited:
    until_true 30 grep -q 'File too large' "$T/meter.out"
    prlimit --pid "$meter_pid" --fsize=unlimited:
    until_true 30 has_notes 'gap: no meter ran' $((gaps + 1))
    expect_eq 'for a second at least' "$(lines note | grep 'no meter ran' | tail -n 1 | jq '.count >= 1')" true

    # and one that ends before its first round has told that
    kill_meter
    sed -n '/no meter ran/=' "$L/ledger.jsonl" | tail -n 1 >"$T/line"
    head -n "$(<"$T/line")" "$L/ledger.jsonl" >"$T/cut" && cat "$T/cut" >"$L/ledger.jsonl"
    begin
    more_rounds 1
    work_ends
    stop_meter
    expect_all
    expect_balance a
}

proof_clock() {
    local steps
    proves 'a clock that is set, to and fro, moves no total'
    CLOCK_SET=yes
    begin
    work b
    date -s "@$(($(date +%s) + 7200))" >/dev/null
    until_true 30 has_note 'clock step: forward'
    more_rounds 1
    date -s "@$(($(date +%s) - 18000))" >/dev/null
    until_true 30 has_note 'clock step: back'
    stop_meter
    date -s "@$(($(date +%s) - 3600))" >/dev/null # while no meter runs
    begin
    stop_meter
    date -s "@$(($(date +%s) + 14400))" >/dev/null
    begin
    work_ends
    stop_meter
    steps=$(lines note | jq -r 'select(.text | startswith("clock"))
        | "\(.text | sub("clock step: (?<way>[a-z]*).*"; "\(.way)")) \(.count / 3600 | round)"' | paste -sd ' ')
    expect_eq 'steps, in hours' "$steps" 'forward 2 back 5 back 1 forward 4'
    expect_all
    expect_balance b
}

proof_cut() {
    local gaps first
    proves 'a ledger that is cut within a line, and at one, loses no amount'
    begin
    work a
    kill_meter
    truncate -s -100 "$L/ledger.jsonl"
    begin
    until_true 10 has_note 'the line before this one was torn'
    more_rounds 1
    kill_meter
    gaps=$(count_notes 'gap: no meter ran')
    head -n -6 "$L/ledger.jsonl" >"$T/cut" && cat "$T/cut" >"$L/ledger.jsonl"
    begin
    expect test "$(count_notes 'gap: no meter ran')" -gt "$gaps"
    work_ends
    stop_meter
    expect_all
    expect_balance a
    expect_eq torn "$(in_report .ledger.torn)" 1

    proves 'a ledger that was emptied tells of what is since, and that it is not all'
    cp "$L/ledger.jsonl" "$T/kept"
    : >"$L/ledger.jsonl"
    begin
    first=$(jq -n '[inputs | select(.k == "sample" and .tenant == "a")][0].cpu.use' "$L/ledger.jsonl")
    work a
    more_rounds 1
    work_ends
    stop_meter
    report
    expect_eq 'use since' "$(in_report '.rows[] | select(.tenant == "a") | .used_us')" $(($(kernel_use a) - first))
    expect_eq 'gap before' "$(in_report '.gaps[0].reason')" 'before the first record'
    cat "$T/kept" >"$L/ledger.jsonl"
}

proof_boot() {
    local gaps
    proves 'after a reboot the counters begin at 0, and the totals go on'
    begin
    stop_meter
    report
    gaps=$(in_report .gap_count)
    before_a=$((before_a + $(kernel_use a))) before_b=$((before_b + $(kernel_use b)))
    rmdir "$HOG"/*/h "$HOG"/[ab]
    tr 0-9a-f 1-9a-f0 <"$BOOT" >"$T/boot_id"
    mount --bind "$T/boot_id" "$BOOT"
    sleep 1.55 # a shorter hole is none to the report
    make_groups
    expect test "$(kernel_use a)" -lt "$before_a"
    begin
    work a
    work b
    more_rounds 2
    kill_meter
    begin
    work_ends
    stop_meter
    expect_eq boots "$(lines host | jq -r .boot | uniq | wc -l)" 2
    expect_eq 'sums of the new boot begin at 0' "$(lines '\(host\|sample\)' | jq -n -c '[inputs] | (.[-1].boot) as $boot
        | map(select(.boot == $boot)) | [first(.[] | select(.k == "host")).host.cap,
            first(.[] | select(.tenant == "a")).cpu.ent, first(.[] | select(.tenant == "b")).cpu.ent]')" '[0,0,0]'
    expect_all
    # to a report, hours that the clock went through twice are covered
    [ -z "$CLOCK_SET" ] || return 0
    # and one of the kill, where a meter begins slowly
    expect grep -qx '[12]' <<<"$(($(in_report .gap_count) - gaps))"
}
