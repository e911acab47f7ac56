# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Tests of the meter and its ledger, in the guest. Sourced after cli.sh.
: "${T:?}" "${SUBLET:?}"

L=$T/ledger
TENANTS=$T/tenants
HOG=/sys/fs/cgroup/sublet.tenants
METER=(--interval 1s --window 200ms) # of start_meter

# The state root of cli.sh, and definitions and a ledger of our own.
start_meter() {
    "$SUBLET" --tenants "$TENANTS" --ledger "$L" meter "${METER[@]}" </dev/null >"$T/meter.out" 2>&1 &
    meter_pid=$!
}
stop_meter() {
    kill -TERM "$meter_pid"
    wait "$meter_pid" || fail "meter: status $?, $(cat "$T/meter.out")"
}
kill_meter() {
    kill -KILL "$meter_pid"
    wait "$meter_pid" 2>/dev/null
}

# set_tenant NAME CPU
set_tenant() {
    run sublet --tenants "$TENANTS" tenant set "$1" --cpu "$2"
    expect_status 0
}

# hog NAME SECONDS: burns one CPU in the tenant's group; hogs_end waits for all of them.
hogs=()
hog() {
    mkdir -p "$HOG/$1/h"
    bash -c "echo \$\$ >$HOG/$1/h/cgroup.procs && exec timeout $2 sh -c 'while :; do :; done'" &
    hogs+=($!)
}
hogs_end() {
    wait "${hogs[@]}" 2>/dev/null
    hogs=()
}

# busy NAME WORDS...: tests/tenants/load.c in a group of the tenant; busy_end ends all of them.
worker=$SUBLET_BUILD/load.elf
workers=()
busy() {
    local name=$1
    shift
    mkdir -p "$HOG/$name/h"
    bash -c "echo \$\$ >$HOG/$name/h/cgroup.procs && exec \"\$@\"" - "$worker" "$@" &
    workers+=($!)
}
busy_end() {
    kill -KILL "${workers[@]}"
    wait "${workers[@]}" 2>/dev/null
    workers=()
}

# lines KIND [TENANT]: as they are written, in order. In the emulated guest every program counts.
lines() { cat "$L"/*.jsonl 2>/dev/null | grep "\"k\":\"$1\"" | grep "${2:+\"tenant\":\"$2\"}"; }
count_records() { lines "$@" | wc -l; }
has_records() { [ "$(count_records "$1")" -ge "$2" ]; }
last() { lines "$1" "$2" | tail -n 1 | jq -c "$3"; }
has_note() { lines note "${2:-}" | grep -q "\"text\":\"$1"; }

# ---- what must hold ----

kernel_use() { awk '$1 == "usage_usec" { print $2 }' "$HOG/$1/cpu.stat"; }

# Nobody runs in the tenant's group any more, and the meter has ended.
expect_use() { expect_eq "use of $1 equals the kernel's" "$(last sample "$1" .cpu.use)" "$(kernel_use "$1")"; }

# Between the first and the last record, to the microsecond; and no counter went back.
expect_balance() {
    expect_eq "used + unused = entitled + borrowed of $1" "$(lines sample "$1" | jq -c -n '[inputs.cpu]
        | [.[-1].use - .[0].use + .[-1].unu - .[0].unu - (.[-1].ent - .[0].ent) - (.[-1].bor - .[0].bor),
           ([range(1; length) as $i | ("use", "ent", "bor", "unu") as $key | select(.[$i][$key] < .[$i - 1][$key])] | length)]')" \
        '[0,0]'
}

# The rows of the last host record.
expect_closed() {
    expect_eq 'the rows close to capacity within 1 %' "$(lines host | tail -n 1 | jq -r '.host
        | (.ten + .own + .idle + .steal) / .cap | if . > 0.99 and . < 1.01 then "yes" else . end')" yes
}

expect_sequence() {
    expect_eq 'sequence' "$(sed 's/.*"seq":\([0-9]*\).*/\1/' "$L"/*.jsonl |
        awk 'NR > 1 && $1 != last + 1 { bad++ } { last = $1 } END { print bad + 0 }')" 0
}
