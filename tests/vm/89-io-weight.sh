#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shares of a disk that the kernel divides by io.cost: a tenant with three times the weight gets more
# than its neighbour, and alone each gets all. The kernel keeps the ratio in order, not exactly.
# long
# measures
# limit: 150
# vm: --disk 256M
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

disk=$(</sys/block/vda/dev)
top=/sys/fs/cgroup/sublet.tenants
worker=$SUBLET_BUILD/load.elf
workers=()
# busy TENANT: eight readers of the disk.
busy() {
    mkdir -p "$top/$1/load"
    bash -c "echo \$\$ >$top/$1/load/cgroup.procs && exec $worker read /dev/vda 4096 8" &
    workers+=($!)
}
reads() { sed -n "s/^$disk .*\brios=\([0-9]*\).*/\1/p" "$top/$1/io.stat"; }
# measure: operations a second of both tenants, into light and heavy.
measure() {
    local light_before heavy_before began took
    sleep 2
    began=${EPOCHREALTIME/[.,]/} light_before=$(reads light) heavy_before=$(reads heavy)
    sleep 8
    light=$(($(reads light) - ${light_before:-0})) heavy=$(($(reads heavy) - ${heavy_before:-0}))
    took=$((${EPOCHREALTIME/[.,]/} - began))
    light=$((light * 1000000 / took)) heavy=$((heavy * 1000000 / took))
}

t 'the weight of a contract is a share of the disk while both want it; what one does not want the other gets'
echo "$disk enable=1 ctrl=user rpct=0 rlat=0 wpct=0 wlat=0 min=100 max=100" >/sys/fs/cgroup/io.cost.qos ||
    fail 'the kernel has no io.cost'
echo "$disk ctrl=user model=linear rbps=500000000 rseqiops=1000 rrandiops=1000 wbps=500000000 wseqiops=1000 wrandiops=1000" \
    >/sys/fs/cgroup/io.cost.model
for name in light heavy; do
    weight=50
    [ "$name" = light ] || weight=150
    run "$SUBLET" --tenants "$T/tenants" tenant set "$name" --cpu 'elastic 0.5' --io-weight "$weight"
    expect_status 0
    expect_file "$top/$name/io.weight" "default $weight"
done
busy light
busy heavy
for _ in 1 2 3; do
    measure
    [ $((heavy * 10)) -lt $((light * 17)) ] || [ $((heavy * 10)) -gt $((light * 36)) ] || break
done
printf '# io weight 150 beside 50, hundredths of a share   promised  300  measured %4d  (%d and %d operations a second)\n' \
    $((heavy * 100 / (light + (light == 0)))) "$heavy" "$light"
expect [ "$light" -ge 100 ]
expect [ $((heavy * 10)) -ge $((light * 17)) ]
expect [ $((heavy * 10)) -le $((light * 36)) ]

both=$((light + heavy))
echo 1 >"$top/heavy/load/cgroup.kill"
for _ in 1 2 3; do
    measure
    [ $((light * 10)) -lt $((both * 8)) ] || break
done
printf '# io weight 50, alone, operations a second          promised %4d  measured %4d\n' "$both" "$light"
expect [ $((light * 10)) -ge $((both * 8)) ]
kill -KILL "${workers[@]}" 2>/dev/null
wait "${workers[@]}" 2>/dev/null
echo "$disk enable=0" >/sys/fs/cgroup/io.cost.qos
for name in light heavy; do
    until_true 10 rmdir "$top/$name/load"
    run "$SUBLET" --tenants "$T/tenants" tenant remove "$name"
    expect_status 0
done
expect_absent "$top"
