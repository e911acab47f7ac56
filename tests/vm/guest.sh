#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The guest itself: what tests in it count on.
# limit: 180
# vm: --disk 64M
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

t 'the guest has every controller, given to the groups below the root'
expect has_controllers cpuset cpu io memory pids hugetlb rdma misc
expect_file /sys/fs/cgroup/cgroup.subtree_control 'cpuset cpu io memory hugetlb pids rdma misc'

t 'a memory limit holds'
mkdir "/sys/fs/cgroup/$ID"
echo 16M >"/sys/fs/cgroup/$ID/memory.max"
run bash -c "echo \$\$ >/sys/fs/cgroup/$ID/cgroup.procs && exec tail -c 64M /dev/zero"
expect_status 137
expect grep -qx 'oom_kill 1' "/sys/fs/cgroup/$ID/memory.events"
rmdir "/sys/fs/cgroup/$ID"

t 'the host file system is there and cannot be changed'
expect cmp "$SUBLET" "$SUBLET_BUILD/sublet"
run touch "$LIB/guest-was-here"
expect_status 0
rm "$LIB/guest-was-here"

t 'the disk is writable'
expect test -b /dev/vda
run mkfs.ext4 -q /dev/vda
expect_status 0

t 'modules load on demand'
run ip link add vm-a type veth peer name vm-b
expect_status 0
ip link del vm-a

t 'pressure is accounted'
expect grep -q '^some avg10=' /proc/pressure/memory
