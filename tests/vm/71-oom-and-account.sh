#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A death for want of memory is named, and every container can be accounted, limits or not.
# limit: 300
# vm: --disk 64M
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/limits.sh
. "$LIB/limits.sh"

t 'a foreground run says that the kernel killed for want of memory'
ARGS='["/bin/tail", "-c", "64m", "/dev/zero"]' limits_bundle '{"memory": {"limit": 8388608, "swap": 8388608}}'
run sublet run -b "$T/b" "$ID"
expect_status 137
expect_err "sublet: warning: linux.resources.memory: the container's process was killed (OOM): the memory limit of 8388608 bytes is too low"
# shellcheck disable=SC2016 # for the shell inside
NAMESPACES='ipc uts mount cgroup' limits_bundle '{"memory": {"limit": 8388608}}' 'kill -9 $$'
run sublet run -b "$T/b" "$ID"
expect_status 137
expect_quiet

t 'a limit that not even a start fits into is named'
limits_bundle '{"memory": {"limit": 65536, "swap": 65536}}' 'exit 0'
run sublet create -b "$T/b" "$ID"
expect_status 1
expect_error "sublet: linux.resources.memory: the container's process was killed while it was set up (OOM): the memory limit of 65536 bytes is too low"
expect_absent "$T/root/$ID"

t 'a container killed for want of memory before its start says so'
with_limits '{"memory": {"limit": 16777216, "swap": 16777216}}' 'exit 0'
bash -c "echo \$\$ >$cli_cgroups/$ID/cgroup.procs && exec busybox tail -c 64m /dev/zero" >/dev/null 2>&1
run sublet kill "$ID" KILL
until_true 5 container_is "$ID" stopped
run sublet start "$ID"
expect_status 1
expect_error "sublet: container '$ID': cannot start a container that has stopped (OOM-killed): the memory limit of 16777216 bytes is too low"
gone

t 'a container without limits has the files that it is accounted by'
CGROUP=/$ID-up/in limits_bundle '{}' 'while :; do sleep 1000; done'
run sublet run --detach -b "$T/b" "$ID"
expect_status 0
expect_quiet
for file in cpu.stat memory.current memory.events io.stat pids.current cpuset.cpus.effective; do
    expect test -e "$cli_cgroups/$ID-up/in/$file"
done
expect grep -q '^nr_throttled ' "$cli_cgroups/$ID-up/in/cpu.stat"
gone
