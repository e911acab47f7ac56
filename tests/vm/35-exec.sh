#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# exec where cgroups have controllers: into a container that has given them to groups of its own,
# and within its limits.
# limit: 300
# shellcheck disable=SC2016 # for the shell inside
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/limits.sh
. "$LIB/limits.sh"

# inside SCRIPT [RESOURCES]: a running container that has done this in its cgroup.
inside() {
    CGROUP_MODE=rw with_limits "${2:-"{}"}" "cd /sys/fs/cgroup && $1 && : >/ready && exec sleep 1000"
    rm -f "$T/b/rootfs/ready"
    run sublet start "$ID"
    expect_status 0
    until_true 30 test -e "$T/b/rootfs/ready"
}
# expect_group PATH ARGUMENT...: where an exec with these arguments gets.
expect_group() {
    run sublet exec "${@:2}" --detach --pid-file "$T/pid" "$ID" sleep 100
    expect_status 0
    expect_quiet
    expect_eq 'its cgroup' "$(sed -n 's/^0:://p' "/proc/$(cat "$T/pid")/cgroup")" "$1"
}
end() {
    run sublet delete --force "$ID"
    expect_status 0
    expect_absent "$cli_cgroups/$ID"
}

t 'a container that has given its controllers to groups below gets the process into the one of its init'
inside 'mkdir init.scope other && echo $$ >init.scope/cgroup.procs && echo +memory +pids >cgroup.subtree_control' \
    '{"memory": {"limit": 67108864}, "pids": {"limit": 50}}'
expect_eq 'what the container gives on' "$(cat "$cli_cgroups/$ID/cgroup.subtree_control")" 'memory pids'
expect_group "/$ID/init.scope"
expect_group "/$ID/other" --cgroup other
run sublet exec --cgroup / "$ID" true
expect_status 125
expect_err_has 'cgroup.subtree_control'
end

t 'where even the init has left its groups, the nearest leaf takes it'
inside 'mkdir -p a/b && echo $$ >a/b/cgroup.procs && echo +memory >cgroup.subtree_control && echo +memory >a/cgroup.subtree_control' \
    '{"memory": {"limit": 67108864}}'
sublet state "$ID" | jq .pid >"$cli_cgroups/cgroup.procs"
expect_group "/$ID/a/b"
end

t 'the limits of the container bind the process: number of processes'
inside true '{"pids": {"limit": 3}}'
run sublet exec "$ID" sh -c 'sleep 5 & sleep 5 & wait'
expect_status 2
expect_err_has fork
end

t 'and memory: more than the limit is killed, and that is the status'
inside true '{"memory": {"limit": 16777216, "swap": 16777216}}'
run sublet exec "$ID" sh -c 'dd if=/dev/zero of=/dev/null bs=64M count=1'
expect_status 137
end
