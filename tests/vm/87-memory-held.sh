#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Limits of a contract that hold for all containers of a tenant together: memory, swap, processes;
# memory that is protected from neighbours; and a container's own limit inside of it.
# long
# limit: 150
# vm: --disk 256M
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

top=/sys/fs/cgroup/sublet.tenants
sublet() { "$SUBLET" --root "$T/root" --ledger "$T/ledger" --tenants "$T/tenants" "$@"; }
contract() {
    run "$SUBLET" --ledger "$T/ledger" --tenants "$T/tenants" tenant set "$@"
    expect_status 0
}
# hold TENANT NAME MIB [OPTION...]: a container that takes so much memory and keeps it.
hold() {
    local tenant=$1 name=$2 mib=$3
    shift 3
    sublet run -d --tenant "$tenant" --rootfs "$T/rootfs" --name "$ID-$name" "$@" -- /load hold "$mib" </dev/null
}
ended() { for name in "$@"; do sublet delete -f "$ID-$name"; done; }
# value TENANT FILE [KEY]
value() { sed -n "s/^${3:+$3 }\([0-9]*\)$/\1/p" "$top/$1/$2"; }
above() { [ "$(value "${@:1:$#-1}")" -gt "${*: -1}" ]; }

mkdir "$T/rootfs" && cp "$SUBLET_BUILD/load.elf" "$T/rootfs/load"

t 'memory is that of all containers together'
contract acme --cpu 'elastic 1' --memory 64M --swap 0
hold acme a 40
until_true 20 above acme memory.current 41943040
expect_eq 'killed while one fits' "$(value acme memory.events oom_kill)" 0
hold acme b 40
until_true 20 above acme memory.events oom_kill 0
expect [ "$(value acme memory.peak)" -le 67108864 ]
ended a b

t 'a container with a limit of its own is held by that one'
met=$(value acme memory.events.local max)
hold acme a 40 --memory 16M --swap 0
until_true 20 container_is "$ID-a" stopped
expect_eq 'the limit of the tenant was met' "$(value acme memory.events.local max)" "$met"
ended a

t 'swap is as much as the contract has of it'
mkswap /dev/vda >/dev/null && swapon /dev/vda
killed=$(value acme memory.events oom_kill)
contract acme --memory 32M --swap 64M
hold acme a 60
until_true 40 above acme memory.swap.current 28000000
expect_eq 'killed while it fits' "$(value acme memory.events oom_kill)" "$killed"
ended a
contract acme --swap 16M
hold acme a 60
until_true 40 above acme memory.events oom_kill "$killed"
ended a
swapoff /dev/vda

t 'protected memory stays while the machine runs out of it'
contract acme --memory none --swap none --memory-low 48M
contract other --cpu 'elastic 0.5'
mkfs.ext4 -qF /dev/vda && mkdir "$T/mnt" && mount /dev/vda "$T/mnt"
head -c 40M /dev/zero >"$T/mnt/protected"
head -c 150M /dev/zero >"$T/mnt/wanted"
sync
read_file() { bash -c "echo \$\$ >$top/$1/r/cgroup.procs && exec cat $T/mnt/$2" >/dev/null; }
mkdir "$top/acme/r" "$top/other/r"
# run_out: the kernel looks for 100 MiB everywhere; what it left to acme, into $kept.
run_out() {
    echo 1 >/proc/sys/vm/drop_caches
    read_file acme protected
    read_file other wanted
    had=$(value acme memory.stat file)
    echo 100M >/sys/fs/cgroup/memory.reclaim
    kept=$(value acme memory.stat file)
}
run_out
expect [ "$had" -ge 41943040 ]
expect_eq 'kept with protection' "$kept" "$had"
contract acme --memory-low none
run_out
expect [ "$kept" -lt $((had * 9 / 10)) ]
rmdir "$top/acme/r" "$top/other/r"
umount "$T/mnt"

t 'processes are those of all containers together'
contract acme --pids 12
sublet run -d --tenant acme --overlay / --name "$ID-a" -- sh -c 'sleep 300 & sleep 300 & sleep 300 & wait' </dev/null
until_true 20 above acme pids.current 3
run sublet --tenants "$T/tenants" run --tenant acme --overlay / -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11; do sleep 300 & done; wait'
expect_status 2
expect_err_has 'Cannot fork'
expect [ "$(value acme pids.peak)" -le 12 ]
ended a
for name in acme other; do
    run sublet --tenants "$T/tenants" tenant remove --force "$name"
    expect_status 0
done
expect_absent "$top"
