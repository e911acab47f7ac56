#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ten thousand windows of random load, metered: used + unused = entitled + borrowed to the microsecond
# for every tenant in every record; the rows close to the capacity by the clock, those of the tenants
# are what the kernel counted for them, within one percent. The row of the host, which the meter has
# from what is left, has room for all that the kernel counted for the others, which it does not read;
# the rest of that row are interrupts, and what an emulated CPU takes to wake up and to fall asleep.
# (Ten thousand windows of random figures are in tests/unit/account/test_window.c.)
# long
# measures
# limit: 330
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/meter.sh
. "$LIB/meter.sh"

WINDOWS=10000
METER=(--interval 1s --window 10ms)
windows() { last sample a .win.n; }
# Not looked at all the time: in the emulated guest every program counts.
has_windows() { sleep 5 && [ "$(windows)" -ge "$1" ]; }
# kernel: what it has counted for the tenants, for the processes outside of them and for its own
# threads, in microseconds, and the moment. (Its columns of busy time are a sample of each tick.)
kernel() {
    local usage name
    moment=${EPOCHREALTIME/[.,]/} tenants=0
    for name in a b c; do
        read -r _ usage <"$HOG/$name/cpu.stat"
        tenants=$((tenants + usage))
    done
    outside=0
    for name in other rest; do
        read -r _ usage <"/sys/fs/cgroup/$name-$ID/cpu.stat"
        outside=$((outside + usage))
    done
    threads=0
    for name in "${kernel_threads[@]}"; do
        read -r usage _ <"/proc/$name/schedstat" && threads=$((threads + usage / 1000))
    done 2>/dev/null
}
# move FROM TO: the processes of a group, of which those of the kernel stay.
move() {
    local pid pids
    mapfile -t pids <"/sys/fs/cgroup/$1/cgroup.procs"
    for pid in "${pids[@]}"; do
        echo "$pid" >"/sys/fs/cgroup/$2/cgroup.procs"
    done 2>/dev/null
}
# near WHAT PROMISED MEASURED: in hundredths of a percent of the capacity; at most 1 % of it apart.
near() {
    printf '# %-50s promised %6d  measured %6d  of 10000\n' "$@"
    { [ $(($3 - $2)) -le 100 ] && [ $(($2 - $3)) -le 100 ]; } || fail "$1: $3, promised $2 of 10000"
}

t "over $WINDOWS windows the identity holds to the microsecond and the rows close"
set_tenant a 'elastic 0.5'
set_tenant b 'fixed 0.3'
set_tenant c 'elastic 0.4 ceiling 0.6'
start_meter
mkdir "/sys/fs/cgroup/rest-$ID"
move "" "rest-$ID"
mapfile -t kernel_threads </sys/fs/cgroup/cgroup.procs
renice -n -10 -p "$meter_pid" >/dev/null # as its unit does
until_true 30 has_records host 2
busy a random 1 7 20
busy b random 1 30 40
busy c random 3 11 90
busy "../other-$ID" random 1 10 60
sleep 2
before=$(lines host | tail -n 1)
kernel
began=$moment tenants_before=$tenants outside_before=$((outside + threads))
sleep 120
kernel
span=$(((moment - began) * $(nproc --all))) # capacity by the clock
after=$(lines host | tail -n 1)
until_true 120 has_windows "$WINDOWS"
busy_end
stop_meter
for name in a b c; do
    expect_balance "$name"
    expect_use "$name"
    expect_eq "records of $name that do not balance" "$(lines sample "$name" | jq -n '[inputs.cpu]
        | .[0] as $first | map(.use - $first.use + .unu - $first.unu - (.ent - $first.ent) - (.bor - $first.bor))
        | map(select(. != 0)) | length')" 0
done
expect_closed
# The rows of those seconds, in parts of their capacity.
read -r capacity rows own ten idle <<<"$(jq -nr --argjson a "$before" --argjson b "$after" --argjson cpus "$(nproc --all)" \
    '[$a, $b] | map(.host.cap) as [$c, $d] | ($d - $c) as $cap | map(.host) | [
        ($cap * 10000 / (($b.us - $a.us) * $cpus)),
        ((.[1] | .ten + .own + .idle + .steal) - (.[0] | .ten + .own + .idle + .steal)) * 10000 / $cap,
        (.[1].own - .[0].own) * 10000 / $cap, (.[1].ten - .[0].ten) * 10000 / $cap,
        (.[1].idle - .[0].idle) * 10000 / $cap] | map(round) | join(" ")')"
printf '# %d windows; of 10000: tenants %d, host %d, idle %d\n' "$(windows)" "$ten" "$own" "$idle"
near 'capacity, as by the clock' 10000 "$capacity"
near 'the rows together, of the capacity' 10000 "$rows"
near 'the tenants, as the kernel counted them' $(((tenants - tenants_before) * 10000 / span)) "$ten"
outside=$(((outside + threads - outside_before) * 10000 / span))
printf '# %-50s promised >%5d  measured %6d  of 10000\n' 'the host, of which its processes' "$outside" "$own"
expect [ "$outside" -gt 500 ] # there was something to see
expect [ "$own" -ge "$((outside - 100))" ]
move "rest-$ID" ""
rmdir "/sys/fs/cgroup/rest-$ID" "/sys/fs/cgroup/other-$ID"/{h,} "$HOG"/*/h
for name in a b c; do
    run sublet --tenants "$TENANTS" tenant remove "$name"
    expect_status 0
done
rmdir "$HOG"/* "$HOG" 2>/dev/null || true # what no test has asked for
