#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A thousand windows of uneven load, metered: used + unused = entitled + borrowed to the microsecond
# for every tenant in every record, and the rows close to the capacity of the machine; what the host
# used itself is what is left of it.
# (Ten thousand windows of random figures are in tests/unit/account/test_window.c.)
# long
# measures
# limit: 150
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/meter.sh
. "$LIB/meter.sh"

METER=(--interval 1s --window 20ms)
worker=$SUBLET_BUILD/load.elf
workers=()
# busy GROUP WORDS...: a worker in a group below /sys/fs/cgroup.
busy() {
    local group=/sys/fs/cgroup/$1
    shift
    mkdir -p "$group"
    bash -c "echo \$\$ >$group/cgroup.procs && exec \"\$@\"" - "$worker" "$@" &
    workers+=($!)
}
windows() { last sample a .win.n; }
has_windows() { [ "$(windows)" -ge "$1" ]; }

t 'over a thousand windows the identity holds to the microsecond and the rows close'
set_tenant a 'elastic 0.5'
set_tenant b 'fixed 0.3'
set_tenant c 'elastic 0.4 ceiling 0.6'
start_meter
until_true 30 has_records host 2
busy sublet.tenants/a/h pulse 2 7 13
busy sublet.tenants/b/h pulse 1 30 20
busy sublet.tenants/c/h pulse 3 11 29
busy "other-$ID" pulse 1 5 45
sleep 2
before=$(lines host | tail -n 1)
sleep 20
after=$(lines host | tail -n 1)
until_true 60 has_windows 1000
kill -KILL "${workers[@]}"
wait "${workers[@]}" 2>/dev/null
stop_meter
for name in a b c; do
    expect_balance "$name"
    expect_use "$name"
    expect_eq "records of $name that do not balance" "$(lines sample "$name" | jq -n '[inputs.cpu]
        | .[0] as $first | map(.use - $first.use + .unu - $first.unu - (.ent - $first.ent) - (.bor - $first.bor))
        | map(select(. != 0)) | length')" 0
done
expect_closed
# The rows of those seconds, in parts of the capacity.
read -r capacity own tenants idle <<<"$(jq -n --argjson a "$before" --argjson b "$after" \
    '[($b.host.cap - $a.host.cap), ($b.host.own - $a.host.own), ($b.host.ten - $a.host.ten), ($b.host.idle - $a.host.idle)] | join(" ")' -r)"
printf '# %d windows; in %d us of capacity tenants %d, host %d, idle %d\n' "$(windows)" "$capacity" "$tenants" "$own" "$idle"
expect [ "$own" -gt 0 ]
rmdir "/sys/fs/cgroup/other-$ID" "$HOG"/*/h
for name in a b c; do
    run sublet --tenants "$TENANTS" tenant remove "$name"
    expect_status 0
done
rmdir "$HOG"/* "$HOG" 2>/dev/null || true # what no test has asked for
