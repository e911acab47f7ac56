#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Kills create, start, delete and exec at each of their system calls, in the runtime and in the child,
# and lets each of their calls fail with EIO, ENOMEM, EMFILE, EPERM and ENOSYS. After every blow
# `delete --force` must leave no process, cgroup, mount or state. Ends with a table.
#
# usage: tests/torture/run.sh [EVERY [ERRORS]]   every EVERY-th call (1), how many errnos (5)
set -eu

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
sublet=$(realpath -- "${SUBLET:-$here/../../build/release/sublet}")
every=${1:-1}
errors=${2:-5}
group=torture-$$

work=$(mktemp -d "${TMPDIR:-/tmp}/sublet-torture.XXXXXX")
cgroup=/sys/fs/cgroup
[ "$(stat -f -c %T "$cgroup")" = cgroup2fs ] || cgroup=/sys/fs/cgroup/unified
trap 'rm -rf "$work"; rmdir "$cgroup/$group" 2>/dev/null || true' EXIT

cc -std=gnu17 -D_GNU_SOURCE -O2 -o "$work/torture" "$here"/*.c
mkdir -p "$work/bundle/rootfs/bin" "$work/bundle"/rootfs/{proc,dev,sys,tmp} "$work/hooks"
cp "$(command -v busybox)" "$work/bundle/rootfs/bin/busybox"
"$sublet" spec --bundle "$work/bundle"
mkdir "$work/mapped"
jq --arg group "/$group" --arg mapped "$work/mapped" '
    .process.terminal = false
    | .process.args = ["/bin/busybox", "sleep", "1000"]
    | .linux.cgroupsPath = $group
    | .linux.namespaces += [{"type": "time"}]
    | .linux.sysctl = {"net.ipv4.ip_forward": "1"}
    | .process.oomScoreAdj = 0
    | .hooks.createRuntime = [{"path": "/bin/true"}]
    | .hooks.poststop = [{"path": "/bin/true"}]
    | .mounts += [{"destination": "/mnt", "type": "bind", "source": "/etc", "options": ["rbind", "ro"]},
        {"destination": "/mapped", "type": "bind", "source": $mapped, "options": ["bind", "idmap"],
         "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
         "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}]}]
    | .linux.netDevices = {"torture0": {"name": "moved0"}}
    | .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["swapon"], "action": "SCMP_ACT_ERRNO"}]}
' "$work/bundle/config.json" >"$work/config.json"
mv "$work/config.json" "$work/bundle/config.json"

unshare --mount --propagation private --net -- \
    "$work/torture" "$sublet" "$work/root" "$work/bundle" "$cgroup" "$group" "$every" "$errors" torture0
