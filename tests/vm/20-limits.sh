#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every field of linux.resources that a start needs: asked is written, before the process runs; what
# the kernel refuses is told with file and value; and no cgroup stays. That what is written holds is
# proved by 25-limits-hold.sh.
# limit: 600
# vm: --disk 64M
# shellcheck disable=SC2016 # for the shell inside
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/limits.sh
. "$LIB/limits.sh"

vda=$(</sys/block/vda/dev)
major=${vda%:*}
minor=${vda#*:}

# ---- asked is written: read while the container waits for `start` ----

t 'memory: limit, reservation, and swap beyond the limit'
with_limits '{"memory": {"limit": 67108864, "reservation": 33554432, "swap": 100663296}}'
expect_knob memory.max 67108864
expect_knob memory.low 33554432
expect_knob memory.swap.max 33554432
gone

t 'memory: a limit alone leaves swap as it is, -1 is no limit'
with_limits '{"memory": {"limit": 67108864}}'
expect_knob memory.max 67108864
expect_knob memory.swap.max max
gone
with_limits '{"memory": {"limit": -1, "swap": -1, "reservation": -1}}'
expect_knob memory.max max
expect_knob memory.swap.max max
expect_knob memory.low max
gone

t 'cpu: shares, quota, period, burst, cpus, mems'
with_limits '{"cpu": {"shares": 512, "quota": 150000, "period": 50000, "burst": 20000, "cpus": "1", "mems": "0"}}'
expect_knob cpu.weight 59
expect_knob cpu.max '150000 50000'
expect_knob cpu.max.burst 20000
expect_knob cpuset.cpus 1
expect_knob cpuset.mems 0
expect_knob cpuset.cpus.effective 1
gone

t 'cpu: no quota but a period, and an idle group'
with_limits '{"cpu": {"quota": -1, "period": 20000, "idle": 1, "shares": 2048}}'
expect_knob cpu.max 'max 20000'
expect_knob cpu.idle 1
gone

t 'pids: 7, none at all, and 0'
with_limits '{"pids": {"limit": 7}}'
expect_knob pids.max 7
gone
with_limits '{"pids": {"limit": -1}}'
expect_knob pids.max max
gone
with_limits '{"pids": {"limit": 0}}' 'read a </sys/fs/cgroup/pids.max && echo "limit $a"; (:) || true; echo not reached'
expect_knob pids.max 0
run sublet start "$ID"
expect_status 0
until_true 5 container_is "$ID" stopped
gone

t 'blockIO: what each disk may read and write'
with_limits "{\"blockIO\": {
    \"throttleReadBpsDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": 1048576}],
    \"throttleWriteBpsDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": 2097152}],
    \"throttleReadIOPSDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": 100}],
    \"throttleWriteIOPSDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": 200}]}}"
expect_knob io.max "$vda rbps=1048576 wbps=2097152 riops=100 wiops=200"
gone

t 'blockIO: weights'
echo "$vda enable=1" >/sys/fs/cgroup/io.cost.qos
with_limits "{\"blockIO\": {\"weight\": 500, \"weightDevice\": [{\"major\": $major, \"minor\": $minor, \"weight\": 100}]}}"
expect_knob io.weight "default 4950
$vda 910"
gone
echo "$vda enable=0" >/sys/fs/cgroup/io.cost.qos

t 'hugepageLimits: pages and their reservations'
with_limits '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}, {"pageSize": "1GB", "limit": 0}]}'
expect_knob hugetlb.2MB.max 4194304
expect_knob hugetlb.2MB.rsvd.max 4194304
expect_knob hugetlb.1GB.max 0
gone

t 'unified: any file, and it wins'
with_limits '{"memory": {"limit": 67108864}, "cpu": {"shares": 1024}, "unified": {"memory.max": "33554432",
    "memory.high": "16777216", "memory.min": "4096", "memory.oom.group": "1", "cpu.weight": "77",
    "pids.max": "99", "cgroup.max.descendants": "5"}}'
expect_knob memory.max 33554432
expect_knob memory.high 16777216
expect_knob memory.min 4096
expect_knob memory.oom.group 1
expect_knob cpu.weight 77
expect_knob pids.max 99
expect_knob cgroup.max.descendants 5
gone

t 'v1 alone knows some limits: a warning, not a failure'
limits_bundle '{"memory": {"limit": 67108864, "swappiness": 10, "disableOOMKiller": true, "kernel": 1048576},
    "network": {"classID": 7}}'
run sublet create -b "$T/b" "$ID"
expect_status 0
expect_err_has swappiness
expect_knob memory.max 67108864
gone

t 'the process finds its limits when it starts'
run_limited '{"memory": {"limit": 50331648}, "pids": {"limit": 20}, "cpu": {"quota": 25000, "period": 100000}}' \
    'cd /sys/fs/cgroup && cat memory.max pids.max cpu.max'
expect_status 0
expect_quiet
expect_out $'50331648\n20\n25000 100000'

t 'a createRuntime hook finds the limits already'
printf '#!/bin/sh\ncat >/dev/null; cat %s/%s/memory.max >%s/hooked\n' "$cli_cgroups" "$ID" "$T" >"$T/hook"
chmod +x "$T/hook"
limits_bundle '{"memory": {"limit": 50331648}}'
config=$(<"$T/b/config.json")
printf '%s' "${config/\"root\":/\"hooks\": {\"createRuntime\": [{\"path\": \"$T/hook\"\}]\}, \"root\":}" >"$T/b/config.json"
run sublet run -b "$T/b" "$ID"
expect_status 0
expect_file "$T/hooked" 50331648

# A device in software, over one end of a cable.
t 'rdma: handles and objects of a device'
ip link add vm-r type veth peer name vm-s
modprobe rdma_rxe 2>"$T/err"
rdma link add vm-rdma type rxe netdev vm-r 2>>"$T/err" || skip "no rdma device in software: $(<"$T/err")"
with_limits '{"rdma": {"vm-rdma": {"hcaHandles": 2, "hcaObjects": 7}}}'
expect_knob rdma.max 'vm-rdma hca_handle=2 hca_object=7 '
printf '{"rdma": {"vm-rdma": {"hcaObjects": 9}}}' >"$T/resources"
run sublet update --resources "$T/resources" "$ID"
expect_status 0
expect_knob rdma.max 'vm-rdma hca_handle=2 hca_object=9 '
gone
[ -n "$cli_skipped" ] || rdma link delete vm-rdma
ip link delete vm-r

t 'misc: a resource that this machine lacks is refused by the kernel'
run_limited '{"unified": {"misc.max": "sev 1"}}'
expect_refused "sublet: linux.resources.unified['misc.max']: cannot write 'sev 1' to cgroup file 'misc.max': Invalid argument"

# ---- devices ----

# devices_seen RULES NODE...: for each node what opening gives: r, w or a dash for each refusal.
devices_seen() {
    local rules=$1
    shift
    LINUX=", \"devices\": [
        {\"path\": \"/dev/disk\", \"type\": \"b\", \"major\": $major, \"minor\": $minor},
        {\"path\": \"/dev/fuse\", \"type\": \"c\", \"major\": 10, \"minor\": 229},
        {\"path\": \"/dev/loop-control\", \"type\": \"c\", \"major\": 10, \"minor\": 237}]" \
        run_limited "{\"devices\": [$rules]}" "
        cd /dev
        for node in $*; do
            seen=
            (: <\$node) 2>/dev/null && seen=r || seen=-
            (: >>\$node) 2>/dev/null && seen=\${seen}w || seen=\$seen-
            echo \"\$node \$seen\"
        done"
    expect_status 0
}
deny_all='{"allow": false, "access": "rwm"}'

t 'devices: default ones only, when all is denied'
devices_seen "$deny_all" null zero full random urandom disk fuse loop-control
expect_out $'null rw\nzero rw\nfull rw\nrandom rw\nurandom rw\ndisk --\nfuse --\nloop-control --'

t 'devices: a listed one is allowed where no rule is given'
devices_seen '' disk fuse
expect_out $'disk rw\nfuse rw'

# ---- refused by the kernel ----

t 'a refusal names the field, the file and the value'
run_limited '{"unified": {"memory.max": "lots"}}'
expect_refused "sublet: linux.resources.unified['memory.max']: cannot write 'lots' to cgroup file 'memory.max': Invalid argument"
run_limited '{"cpu": {"cpus": "9"}}'
expect_refused "sublet: linux.resources.cpu.cpus: cannot write '9' to cgroup file 'cpuset.cpus': Numerical result out of range"
run_limited "{\"blockIO\": {\"throttleReadBpsDevice\": [{\"major\": 999, \"minor\": 1, \"rate\": 4096}]}}"
expect_refused "sublet: linux.resources.blockIO.throttleReadBpsDevice[0]: cannot write '999:1 rbps=4096' to cgroup file 'io.max': No such device"

t 'a file that this kernel lacks is named'
run_limited '{"unified": {"memory.nosuch": "1"}}'
expect_refused "sublet: linux.resources.unified['memory.nosuch']: this kernel has no cgroup file 'memory.nosuch'"
run_limited '{"hugepageLimits": [{"pageSize": "4MB", "limit": 4194304}]}'
expect_refused "sublet: linux.resources.hugepageLimits[0].limit: this kernel has no cgroup file 'hugetlb.4MB.max'"

t 'limits that contradict each other are refused before anything is made'
run_limited '{"memory": {"limit": 67108864, "swap": 1048576}}'
expect_refused 'sublet: linux.resources.memory.swap: 1048576 is below the memory limit 67108864, it counts memory and swap together'

# ---- where the group is ----

t 'a path: nested groups that were missing are made and removed'
CGROUP=/$ID-n/a/b with_limits '{"memory": {"limit": 67108864}, "pids": {"limit": 5}}'
expect_knob memory.max 67108864 "/$ID-n/a/b"
expect_knob memory.max max "/$ID-n/a"
gone
expect_absent "$cli_cgroups/$ID-n"

t 'a path: what was there before stays'
mkdir "$cli_cgroups/$ID-n" "$cli_cgroups/$ID-n/other"
CGROUP=/$ID-n/a/b with_limits '{"pids": {"limit": 5}}'
expect_knob pids.max 5 "/$ID-n/a/b"
gone
expect_absent "$cli_cgroups/$ID-n/a"
expect test -d "$cli_cgroups/$ID-n/other"
rmdir "$cli_cgroups/$ID-n/other" "$cli_cgroups/$ID-n"

t 'a path: relative is below the root, none given is named after the container'
CGROUP=$ID-r/x with_limits '{"pids": {"limit": 6}}'
expect_knob pids.max 6 "/$ID-r/x"
gone
CGROUP='' with_limits '{"pids": {"limit": 6}}'
expect_knob pids.max 6 "/sublet-$ID"
gone

t 'a path: an empty group is taken, and stays'
mkdir "$cli_cgroups/$ID"
with_limits '{"pids": {"limit": 8}}'
expect_knob pids.max 8
gone
expect rmdir "$cli_cgroups/$ID"

# inhabit GROUP: makes it, with one process.
inhabit() {
    mkdir "$cli_cgroups/$1"
    sleep 300 &
    inhabitant=$!
    echo "$inhabitant" >"$cli_cgroups/$1/cgroup.procs"
}
# expect_inhabited GROUP: its process has lived on; and away with both.
expect_inhabited() {
    expect_eq "$1" "$(knob cgroup.procs "/$1")" "$inhabitant"
    echo 1 >"$cli_cgroups/$1/cgroup.kill"
    wait "$inhabitant" 2>/dev/null
    rmdir "$cli_cgroups/$1"
}

t 'a path: a group with processes is refused, and they live on'
inhabit "$ID-p"
CGROUP=/$ID-p run_limited '{}'
expect_refused "sublet: linux.cgroupsPath: cgroup '/$ID-p' is in use by pid $inhabitant"
expect_inhabited "$ID-p"

t 'a path: a group of another container is refused, and that runs on'
with_limits '{}' 'sleep 300'
run sublet run -b "$T/b" "$ID-second"
expect_status 125
expect_err_has "linux.cgroupsPath: cgroup '/$ID' is in use by pid "
expect container_is "$ID" created
gone

t 'a path: below a group with processes no limits can be given'
inhabit "$ID-p"
CGROUP=/$ID-p/c run_limited '{"memory": {"limit": 67108864}}'
expect_refused "sublet: linux.cgroupsPath: cgroup '/$ID-p' cannot give 'memory' to groups below: processes live in it (pid $inhabitant)"
expect_absent "$cli_cgroups/$ID-p/c"
expect_inhabited "$ID-p"

t 'a path: below a frozen group nothing starts, and that is said at once'
inhabit "$ID-p"
echo 1 >"$cli_cgroups/$ID-p/cgroup.freeze"
CGROUP=/$ID-p/c run_limited '{}'
expect_refused "sublet: linux.cgroupsPath: cgroup '/$ID-p/c' or one above it is frozen: a process started in it would hang"
expect_absent "$cli_cgroups/$ID-p/c"
expect_inhabited "$ID-p"

t 'a path: one that leads elsewhere is refused'
CGROUP=/$ID/../../etc run_limited '{}'
expect_refused "$(tail -n 1 "$T/err")"
expect_err_has linux.cgroupsPath
