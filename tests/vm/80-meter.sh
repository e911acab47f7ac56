#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The meter and its ledger: what is written adds up, whatever happens to the meter, the disk, the
# clock and the tenants.
# limit: 300
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

L=$T/ledger
TENANTS=$T/tenants
HOG=/sys/fs/cgroup/sublet.tenants

# The state root of cli.sh, and definitions and a ledger of our own.
meter() { exec "$SUBLET" --tenants "$TENANTS" --ledger "$L" meter --interval 1s --window 200ms; }

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

# records KIND [FILTER]: sound lines, as JSON, in order.
records() { jq -c "select(.k == \"$1\") | ${2:-.}" "$L"/*.jsonl; }
last() { records "$1" "select(.tenant == \"$2\") | $3" | tail -n 1; }

start_meter() {
    meter </dev/null >"$T/meter.out" 2>&1 &
    meter_pid=$!
}
stop_meter() {
    kill -TERM "$meter_pid"
    wait "$meter_pid" || fail "meter: status $?, $(cat "$T/meter.out")"
}
has_records() { [ "$(records "$1" 2>/dev/null | wc -l)" -ge "$2" ]; }

t 'what tenants used is written, and it adds up'
run sublet --tenants "$TENANTS" tenant set calm --cpu 'elastic 1'
expect_status 0
run sublet --tenants "$TENANTS" tenant set loud --cpu 'elastic 0.5'
expect_status 0
start_meter
until_true 20 has_records sample 3
hog loud 4
hog loud 4
hogs_end
sleep 1.5
stop_meter
expect test "$(records head | wc -l)" -eq 1
expect_eq 'use equals the kernel' "$(last sample loud .cpu.use)" "$(awk '$1 == "usage_usec" { print $2 }' "$HOG/loud/cpu.stat")"
expect_eq 'used + unused = entitled + borrowed' "$(records sample | jq -c '
    select(.tenant == "loud" or .tenant == "calm")' | jq -s '
    group_by(.tenant) | map(.[-1].cpu.use - .[0].cpu.use + .[-1].cpu.unu - .[0].cpu.unu
        - (.[-1].cpu.ent - .[0].cpu.ent) - (.[-1].cpu.bor - .[0].cpu.bor)) | unique' -c)" '[0]'
expect test "$(last sample loud .cpu.bor)" -gt 2000000
expect test "$(last sample calm .cpu.lent)" -gt 1000000
expect_eq 'class' "$(records sample 'select(.tenant == "loud") | .cls' | grep -c 'borrowing\|squeezed' | awk '{ print ($1 > 1) }')" 1
host=$(records host .host | tail -n 1)
expect_eq 'the rows close to capacity within 1 %' "$(jq '(.cap - .ten - .own - .idle - .steal) / .cap
    | if . > -0.01 and . < 0.01 then "yes" else . end' -r <<<"$host")" yes

t 'a second meter is refused'
start_meter
until_true 20 has_records sample 3
run timeout 10 bash -c "exec '$SUBLET' --tenants '$TENANTS' --ledger '$L' meter"
expect_status 1
expect_err_has 'another meter writes this ledger already'
stop_meter

t 'a meter that is killed again and again loses and doubles nothing'
hog loud 6
for ((round = 0; round < 10; round++)); do
    start_meter
    sleep "0.$((round % 5 + 1))"
    kill -KILL "$meter_pid"
    wait "$meter_pid" 2>/dev/null
done
start_meter
hogs_end
sleep 1.5
stop_meter
expect_eq 'use equals the kernel' "$(last sample loud .cpu.use)" "$(awk '$1 == "usage_usec" { print $2 }' "$HOG/loud/cpu.stat")"
expect_eq 'no counter went back' "$(records sample 'select(.tenant == "loud") | [.cpu.use, .cpu.ent, .cpu.bor]' |
    jq -s '[range(1; length) as $i | range(3) as $j | select(.[$i][$j] < .[$i - 1][$j])] | length')" 0
expect_eq 'sequence' "$(jq -c .seq "$L"/*.jsonl | awk 'NR > 1 && $1 != last + 1 { bad++ } { last = $1 } END { print bad + 0 }')" 0
expect test "$(records note 'select(.text | startswith("gap"))' | wc -l)" -ge 1

t 'processes killed at a memory limit are noted at once'
run sublet --tenants "$TENANTS" tenant set calm --cpu 'elastic 1' --memory 24M --swap 0
expect_status 0
start_meter
until_true 20 has_records host 2
mkdir "$HOG/calm/h"
bash -c "echo \$\$ >$HOG/calm/h/cgroup.procs && exec busybox tail -c 200000000 /dev/zero" >/dev/null 2>&1
expect_eq "status" $? 137
oom_noted() { records note 'select(.tenant == "calm" and (.text | startswith("oom")))' | grep -q .; }
until_true 10 oom_noted
stop_meter
expect test "$(last sample calm .mem.oomkill)" -ge 1

t 'a full disk costs resolution and nothing else'
mkdir "$T/small"
mount -t tmpfs -o size=64k none "$T/small"
L=$T/small
start_meter
until_true 20 has_records sample 2
head -c 1M /dev/zero >"$L/fill" 2>/dev/null
hog loud 2
hogs_end
sleep 1.5
rm "$L/fill"
unwritten() { records note 'select(.text | startswith("records could not"))' | grep -q .; }
until_true 10 unwritten
stop_meter
expect_eq 'use equals the kernel' "$(last sample loud .cpu.use)" "$(awk '$1 == "usage_usec" { print $2 }' "$HOG/loud/cpu.stat")"
umount "$T/small"

t 'a tenant that is removed leaves the sums of the others alone'
L=$T/ledger
start_meter
until_true 20 has_records host 2
rmdir "$HOG"/*/h
run sublet --tenants "$TENANTS" tenant remove calm
expect_status 0
sleep 1
stop_meter
run sublet --tenants "$TENANTS" tenant remove loud
expect_status 0
rmdir "$HOG"/* "$HOG" 2>/dev/null # what no test has asked for
