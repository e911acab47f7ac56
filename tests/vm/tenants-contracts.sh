#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tenants in the kernel: what a contract writes, what a change does to containers that run, drift,
# where containers go, and what of all that is refused. What the limits are worth is measured in
# tenants-proof.sh.
# limit: 200
# vm: --disk 64M
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

disk=$(</sys/block/vda/dev)
definitions=$T/tenants
top=/sys/fs/cgroup/sublet.tenants
sublet() { "$SUBLET" --root "$T/root" --ledger "$T/ledger" --tenants "$definitions" "$@"; }
run_here() { run "$SUBLET" --root "$T/root" --ledger "$T/ledger" --tenants "$definitions" "$@"; }
tenant() { run_here tenant "$@"; }
# knob GROUP FILE: what it says, the blanks at line ends as one blank.
knob() { tr '\n' ' ' <"$top/$1/$2" | sed 's/ $//'; }
expect_knob() { expect_eq "$1/$2" "$(knob "$1" "$2")" "$3"; }
# start ID [OPTION...] [-- COMMAND...]: a container that sleeps, or runs that.
start() {
    local id=$1
    shift
    [[ " $* " == *' -- '* ]] || set -- "$@" -- sleep 300
    run_here run -d --overlay / --name "$id" "$@"
    expect_status 0
}
group_of() { sed -n 's/^0:://p' "/proc/$(sublet state "$1" | jq .pid)/cgroup"; }

t 'without tenants a container lies where it always did'
start "$ID"
expect_eq group "$(group_of "$ID")" "/sublet-$ID"
expect_eq tenant "$(sublet state "$ID" | jq .tenant)" null
sublet delete -f "$ID"
expect_absent "$top"

t 'a contract is in the kernel at once'
tenant set acme --cpu 'elastic 0.5 ceiling 1 burst 50ms' --memory 256M --memory-high 200M \
    --swap 0 --io /dev/vda=1MB/s,write:100iops --pids 200
expect_status 0
expect_quiet
expect_knob . cpu.weight 900
expect_knob acme cpu.weight 50
expect_knob acme cpu.max '100000 100000'
expect_knob acme cpu.max.burst 50000
expect_knob acme memory.max 268435456
expect_knob acme memory.high 209715200
expect_knob acme memory.swap.max 0
expect_knob acme pids.max 200
expect_knob acme io.max "$disk rbps=1048576 wbps=1048576 riops=max wiops=100"
expect_knob default cpu.weight 1

t 'containers go to their tenant, and the record knows it'
start "$ID-a" --tenant acme
start "$ID-d"
expect_eq group "$(group_of "$ID-a")" "/sublet.tenants/acme/sublet-$ID-a"
expect_eq group "$(group_of "$ID-d")" "/sublet.tenants/default/sublet-$ID-d"
expect_eq tenants "$(sublet list --format json | jq -r 'map(.tenant) | join(" ")')" 'acme default'
expect_eq state "$(sublet state "$ID-a" | jq -r '.tenant')" acme
tenant show acme
expect_status 0
expect_out_match '^containers: +1$'
expect_out_match '^state: +applied$'
sublet delete -f "$ID-a"
sublet delete -f "$ID-d"

t 'a change holds for the container that runs'
start "$ID-a" --tenant acme
pid=$(sublet state "$ID-a" | jq .pid)
tenant set acme --cpu 'fixed 0.25' --io none --pids none
expect_status 0
expect_knob acme cpu.max '25000 100000'
expect_knob acme cpu.max.burst 0
expect_knob acme cpu.weight 25
expect_knob acme io.max ''
expect_knob acme pids.max max
expect_knob acme memory.max 268435456
expect test -d "/proc/$pid"
expect_eq group "$(group_of "$ID-a")" "/sublet.tenants/acme/sublet-$ID-a"
sublet delete -f "$ID-a"

t 'protected memory, swap and the share of disks are written, and taken back'
tenant set acme --memory-low 32M --swap 16M --io-weight 300
expect_status 0
expect_knob acme memory.low 33554432
expect_knob . memory.low 33554432
expect_knob acme memory.swap.max 16777216
expect_knob acme io.weight 'default 300'
tenant set acme --memory-low none --swap none --io-weight none
expect_status 0
expect_knob acme memory.low 0
expect_knob . memory.low 0
expect_knob acme memory.swap.max max
expect_knob acme io.weight 'default 100'

t 'what the kernel refuses changes nothing'
tenant set acme --io /dev/vda=1B/s --memory 64M
expect_status 1
expect_err "sublet: sublet.tenants/acme: io.max: cannot write '$disk rbps=1 wbps=1 riops=max wiops=max': Invalid argument"
expect_eq definition "$(jq -c '[.cpu, .io.limits, .memory.max]' "$definitions/acme.json")" '["fixed 0.25",null,"256M"]'
expect_knob acme memory.max 268435456
tenant show acme
expect_status 0

t 'what somebody else wrote is found, told, and put right'
echo '50000 100000' >"$top/acme/cpu.max"
echo "$disk wiops=7" >"$top/acme/io.max"
tenant show acme
expect_status 1
expect_out_has "sublet.tenants/acme/cpu.max '25000 100000', is '50000 100000'"
expect_out_has "sublet.tenants/acme/io.max '$disk rbps=max wbps=max riops=max wiops=max', is '$disk rbps=max wbps=max riops=max wiops=7'"
tenant apply --dry-run
expect_out_has "sublet.tenants/acme/cpu.max '25000 100000', is '50000 100000'"
expect_knob acme cpu.max '50000 100000'
tenant apply
expect_status 0
expect_knob acme cpu.max '25000 100000'
expect_knob acme io.max ''
tenant show acme
expect_status 0

t 'what is right is not written again'
run strace -f -e trace=openat -o "$T/trace" "$SUBLET" --tenants "$definitions" tenant apply
expect_status 0
expect_eq 'files opened to write' "$(grep -c O_WRONLY "$T/trace")" 0

t 'remove is refused while containers run'
start "$ID-a" --tenant acme
tenant remove acme
expect_status 1
expect_err_has "tenant 'acme' has containers, --force kills them: cgroup busy: pid "
expect test -f "$definitions/acme.json"
expect container_is "$ID-a" running
sublet delete -f "$ID-a"

t 'after a reboot apply makes it all again, and a start makes it by itself'
rmdir "$top"/* "$top" 2>/dev/null
expect_absent "$top"
tenant show acme
expect_status 1
expect_out_match '^state: +not applied'
tenant apply
expect_status 0
expect_knob acme cpu.max '25000 100000'
rmdir "$top"/* "$top" 2>/dev/null
start "$ID-a" --tenant acme
expect_knob acme cpu.max '25000 100000'
sublet delete -f "$ID-a"
expect test -d "$top/acme"

t 'a container limit above the tenant is told; limits of both are written'
run_here run --tenant acme --overlay / --cpu 1 --memory 32M -- sh -c 'cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/memory.max'
expect_status 0
expect_out $'100000 100000\n33554432'
expect_err_has "linux.resources.cpu.quota: more than tenant 'acme' has in all, 0.25 CPUs: the rest is of no use"

t 'the address space of processes is limited'
tenant set acme --virtual 512M
run_here run --tenant acme --overlay / -- sh -c 'ulimit -v; ulimit -r'
expect_status 0
expect_out_has 524288
tenant set acme --virtual none

t 'an unknown tenant is an error'
run_here run --tenant nobody --overlay / -- true
expect_status 125
expect_err "sublet: --tenant: no tenant 'nobody' is defined; 'sublet tenant list' tells them"

t 'a path that an engine chose inside the tenant is in the contract, another is not'
mkdir "$T/b" && mv "$(rootfs_template)" "$T/b/rootfs"
bundle() {
    cat >"$T/b/config.json" <<TEXT
{"ociVersion": "1.3.0", "root": {"path": "rootfs"}, "annotations": {$2},
 "process": {"cwd": "/", "args": ["sleep", "300"], "env": ["PATH=/bin"]${3:-}},
 "linux": {"cgroupsPath": "$1", "namespaces": [{"type": "mount"}, {"type": "pid"}]}}
TEXT
}
bundle "/sublet.tenants/acme/libpod-$ID" ''
run_here run -d -b "$T/b" "$ID"
expect_status 0
expect_quiet
expect_eq record "$(sublet state "$ID" | jq -c '[.tenant, .tenantOutside]')" '["acme",null]'
sublet delete -f "$ID"
bundle "/elsewhere/$ID" '"org.sublet.tenant": "acme"'
run_here run -d -b "$T/b" "$ID"
expect_status 0
expect_err_has "the container is outside of tenant 'acme', whose cgroup is /sublet.tenants/acme"
expect_eq record "$(sublet state "$ID" | jq -c '[.tenant, .tenantOutside]')" '["acme",true]'
sublet delete -f "$ID"
expect_absent /sys/fs/cgroup/elsewhere

t 'real-time scheduling is refused unless the contract allows it'
bundle '' '"org.sublet.tenant": "acme"' ', "scheduler": {"policy": "SCHED_FIFO", "priority": 1}'
run_here run -d -b "$T/b" "$ID"
expect_status 125
expect_err_has "process.scheduler.policy: real-time scheduling escapes every CPU limit; the contract of tenant 'acme' does not allow it"
tenant set acme --realtime yes
run_here run -d -b "$T/b" "$ID"
expect_status 0
sublet delete -f "$ID"

t 'an exec into a tenant is held to the same'
tenant set acme --realtime no
start "$ID" --tenant acme
run_here exec --cap CAP_SYS_NICE "$ID" true
expect_status 125
expect_err_has "CAP_SYS_NICE allows real-time scheduling; the contract of tenant 'acme' does not"
run_here exec "$ID" true
expect_status 0
sublet delete -f "$ID"

t 'a pinned tenant has its CPUs alone, and gives them back'
tenant set solo --cpu 'pinned 1'
expect_status 0
expect_eq 'left to others' "$(</sys/fs/cgroup/cpuset.cpus.effective)" 0
start "$ID" --tenant solo
expect_eq 'allowed' "$(sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$(sublet state "$ID" | jq .pid)/status")" 1
expect_knob . cpu.weight 400
tenant show solo
expect_status 0
expect_out_match '^cpus: +1$'
if [ -d "$top/solo" ]; then # Linux 6.7: the group stays where it is
    expect_eq group "$(group_of "$ID")" "/sublet.tenants/solo/sublet-$ID"
    tenant set solo --cpu 'elastic 0.1'
    expect_status 0
    expect test -d "/proc/$(sublet state "$ID" | jq .pid)"
    # it runs on, where the next one that is pinned does not
    tenant set acme --cpu 'pinned 1'
    expect_status 0
    expect_knob solo cpuset.cpus.effective 0
    tenant set acme --cpu 'fixed 0.25'
    expect_status 0
    expect_knob solo cpuset.cpus.effective 0-1
else
    expect_eq group "$(group_of "$ID")" "/sublet.pinned-solo/sublet-$ID"
    tenant set solo --cpu 'elastic 0.1'
    expect_status 1
    expect_err_has 'before Linux 6.7 a tenant that becomes pinned, or is no longer, gets another cgroup: end them first (cgroup busy: pid '
    expect_eq definition "$(jq -r .cpu "$definitions/solo.json")" 'pinned 1'
    sublet delete -f "$ID"
    tenant set solo --cpu 'elastic 0.1'
    expect_status 0
fi
expect_eq 'all for all' "$(</sys/fs/cgroup/cpuset.cpus.effective)" 0-1
tenant set solo --cpu 'pinned 2'
expect_status 1
expect_err "sublet: tenant 'solo': 2 CPUs pinned in all, but of 2 CPUs 0.2 are the host's reserve"
tenant remove --force solo
expect_status 0
run_here delete -f "$ID"

t 'a disk is found from what lies on it'
mkfs.ext4 -q /dev/vda && mkdir "$T/mnt" && mount /dev/vda "$T/mnt" && mkdir "$T/mnt/deep"
tenant set acme --io "$T/mnt/deep=read:2MB/s"
expect_status 0
expect_knob acme io.max "$disk rbps=2097152 wbps=max riops=max wiops=max"
mkdir "$T/mnt/u" "$T/mnt/w" "$T/over"
mount -t overlay overlay -o "lowerdir=/usr,upperdir=$T/mnt/u,workdir=$T/mnt/w" "$T/over"
tenant set acme --io "$T/over=1MB/s"
expect_status 0
expect_knob acme io.max "$disk rbps=1048576 wbps=1048576 riops=max wiops=max"
tenant set acme --io /run=1MB/s
expect_status 1
expect_err_match "^sublet: tenant 'acme': io '/run': lies in a file system of type (tmpfs|ramfs|rootfs), which has no disk$"
umount "$T/over" "$T/mnt"

t 'a dry removal tells what it would write for the others, and is refused where a removal is'
tenant set other --cpu 'pinned 1'
expect_status 0
tenant remove other -n
expect_status 0
expect_out_has '2 CPUs - 0 pinned - 0.2 reserve = 1.8 for sale, 0.25 sold'
expect_out_match '^sublet[.](tenants/|pinned-)other removed$'
expect_out_has "sublet.tenants/cpu.weight '900', is '400'"
start "$ID" --tenant other
tenant remove other -n
expect_status 1
expect_err_has "tenant 'other' has containers, --force kills them: cgroup busy: pid "
tenant remove other -n --force
expect_status 0
expect container_is "$ID" running
sublet delete -f "$ID"
tenant remove other
expect_status 0
tenant remove acme -n
expect_status 0
expect_out_match '^sublet.tenants removed$'
expect test -d "$top/acme"

t 'a removal with --force waits for no cap of its own'
tenant set throng --cpu 'elastic 0.5'
expect_status 0
start "$ID" --tenant throng -- sh -c "for n in $(seq -s ' ' 150); do sleep 300 & done; : >/ready; wait"
until_true 60 sublet exec "$ID" test -e /ready
tenant set throng --cpu 'fixed 0.01' # at which the last would be gone after minutes
expect_status 0
tenant remove --force throng
expect_status 0
expect_absent "$top/throng"
run_here delete -f "$ID"

t 'the last one takes everything with it'
tenant remove acme
expect_status 0
expect_absent "$top"
