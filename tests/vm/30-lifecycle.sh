#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A container's life where its cgroup is whole: many processes, groups below, a first process that
# died before the others, very little memory, the freezer.
# limit: 600
# shellcheck disable=SC2016 # for the shell inside
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/limits.sh
. "$LIB/limits.sh"

# Inside: groups G/1/2/3/4/5 with ten processes each, half of the last ones stopped, then wait.
CROWD='cd /sys/fs/cgroup && for depth in 1 2 3 4 5; do
        mkdir $depth && cd $depth
        for n in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & echo $! >cgroup.procs; done
    done
    for n in 1 2 3 4 5; do sleep 1000 & echo $! >cgroup.procs; kill -STOP $!; done
    cd / && : >/ready && wait'

# processes_in GROUP: how many live in it and below.
processes_in() {
    find "$cli_cgroups$1" -name cgroup.procs -exec cat {} + 2>/dev/null | wc -l
}
no_process_in() { [ "$(processes_in "$1")" -eq 0 ]; }

# crowd: a running container of 56 processes in six groups.
crowd() {
    CGROUP_MODE=rw with_limits '{}' "$CROWD"
    rm -f "$T/b/rootfs/ready"
    run sublet start "$ID"
    expect_status 0
    until_true 30 test -e "$T/b/rootfs/ready"
    expect_eq 'processes' "$(processes_in "/$ID")" 56
}

t 'kill --all reaches every process in every group below'
crowd
run sublet kill --all "$ID" KILL
expect_status 0
expect_quiet
until_true 10 no_process_in "/$ID"
until_true 10 container_is "$ID" stopped
run sublet delete "$ID"
expect_status 0
expect_absent "$cli_cgroups/$ID"

t 'kill --all with another signal reaches them too'
CGROUP_MODE=rw with_limits '{}' 'cd /sys/fs/cgroup && mkdir 1
    for n in 1 2 3; do
        sh -c "trap \"echo got it >/got-$n; exit\" TERM; while :; do sleep 0.1; done" &
        echo $! >1/cgroup.procs
    done
    trap : TERM
    sleep 1 && : >/ready
    wait; wait; sleep 1000'
rm -f "$T/b/rootfs/ready"
run sublet start "$ID"
until_true 30 test -e "$T/b/rootfs/ready"
run sublet kill --all "$ID" TERM
expect_status 0
until_true 10 test -e "$T/b/rootfs/got-1" -a -e "$T/b/rootfs/got-2" -a -e "$T/b/rootfs/got-3"
gone

t 'delete of what runs is refused, and it runs on'
with_limits '{}' 'sleep 1000'
run sublet start "$ID"
run sublet delete "$ID"
expect_status 1
expect_err_has "cannot delete container '$ID' that is not stopped: running"
expect container_is "$ID" running
gone

t 'a first process that died leaves others in the host pid namespace: they are stopped with it'
NAMESPACES='ipc uts mount cgroup' with_limits '{}' 'sleep 1000 & sleep 1000 & exit 3'
run sublet start "$ID"
expect_status 0
until_true 10 container_is "$ID" stopped
expect_eq 'processes left' "$(processes_in "/$ID")" 2
run sublet kill --all "$ID" KILL
expect_status 0
until_true 10 no_process_in "/$ID"
run sublet delete "$ID"
expect_status 0
expect_absent "$cli_cgroups/$ID"

t 'the same without kill: delete kills what is left'
NAMESPACES='ipc uts mount cgroup' with_limits '{}' 'sleep 1000 & exit 3'
run sublet start "$ID"
until_true 10 container_is "$ID" stopped
run sublet delete "$ID"
expect_status 0
expect_quiet
expect_absent "$cli_cgroups/$ID"

t 'a foreground run takes along what its process left behind'
NAMESPACES='ipc uts mount cgroup' run_limited '{}' 'sleep 1000 >/dev/null 2>&1 & exit 3'
expect_status 3
expect_absent "$cli_cgroups/$ID"

t 'a frozen group is a paused container, and thawed it runs'
with_limits '{}' 'sleep 1000'
run sublet start "$ID"
echo 1 >"$cli_cgroups/$ID/cgroup.freeze"
until_true 10 container_is "$ID" paused
run sublet list --format json
expect_json '.[0].status' paused
echo 0 >"$cli_cgroups/$ID/cgroup.freeze"
until_true 10 container_is "$ID" running
gone

t 'a paused container dies of KILL and of delete --force'
with_limits '{}' 'sleep 1000'
run sublet start "$ID"
echo 1 >"$cli_cgroups/$ID/cgroup.freeze"
until_true 10 container_is "$ID" paused
run sublet kill "$ID" KILL
expect_status 0
until_true 10 container_is "$ID" stopped
gone
with_limits '{}' 'sleep 1000'
run sublet start "$ID"
echo 1 >"$cli_cgroups/$ID/cgroup.freeze"
gone

# ---- little memory ----

# starts_within BYTES: whether a container with this memory.max is created and started.
starts_within() {
    limits_bundle "{\"memory\": {\"limit\": $1, \"swap\": $1}}" 'exit 7'
    run sublet create -b "$T/b" "$ID"
    [ "$status" -eq 0 ] || return
    run sublet start "$ID"
    [ "$status" -eq 0 ] && until_true 10 container_is "$ID" stopped && sublet delete "$ID"
}

# lowest: prints the least of these KiB that starts, and what comes below.
lowest() {
    local kib least=512
    for kib in 384 256 192 128 96 64 32; do
        if ! starts_within $((kib * 1024)); then
            printf '# memory.max that create starts with: %s KiB; with %s: status %s, %s\n' \
                "$least" "$kib" "$status" "$(tail -n 1 "$T/err")"
            break
        fi
        least=$kib
    done
    clean
}

t 'the process that waits for start is tiny'
with_limits '{"memory": {"limit": 67108864}}'
printf '# memory of a created container: %s bytes\n' "$(knob memory.current)"
expect [ "$(knob memory.current)" -lt 524288 ]
pid=$(sublet state "$ID" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
rss_kib=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
printf '# of that the process itself: %s KiB\n' "$rss_kib"
expect [ "${rss_kib:-9999}" -le 128 ]
gone

t '512 KiB of memory are enough for create and start'
expect starts_within 524288
lowest

t 'too little memory is told as such'
run_limited '{"memory": {"limit": 16384, "swap": 16384}}'
expect_status 125
expect_err_has 'memory'
