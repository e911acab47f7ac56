#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who owns the group of a container: config-linux.md, "Cgroup ownership".
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
B=$T/b
group=$cli_cgroups/$ID
writable='.mounts = [.mounts[] | select(.destination != "/sys/fs/cgroup")]
    + [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw", "nosuid"]}]'
readonly=${writable/\"rw\"/\"ro\"}
cgroup_space='.linux.namespaces = [.linux.namespaces[] | select(.type != "cgroup")] + [{type: "cgroup"}]'
users='.linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'

# owned FILTER UID: a created container, whose group and the files that the kernel lists are that
# user's, all others root's, and the group of all is root.
owned() {
    local uid=$2 file owner
    make_bundle "$B" ".process.args = [\"/bin/sleep\", \"1000\"] | .linux.cgroupsPath = \"/$ID\" | del(.linux.resources) | $1"
    run sublet create -b "$B" "$ID"
    expect_status 0
    expect_quiet
    expect_eq 'owner of the group' "$(stat -c %u:%g "$group")" "$uid:0"
    for file in "$group"/*; do
        [ -f "$file" ] || continue
        owner=0:0
        ! grep -qxF "${file##*/}" /sys/kernel/cgroup/delegate || owner=$uid:0
        expect_eq "owner of ${file##*/}" "$(stat -c %u:%g "$file")" "$owner"
    done
}
gone() {
    run sublet delete --force "$ID"
    expect_status 0
    expect_quiet
}

t 'the group is the user'"'"'s who runs the process, where he can see and write it'
owned "$writable | $cgroup_space | .process.user = {uid: 1000, gid: 1000}" 1000
run sublet start "$ID"
expect_status 0
run sublet exec "$ID" sh -c 'mkdir /sys/fs/cgroup/below && echo $$ >/sys/fs/cgroup/below/cgroup.procs && cat /proc/self/cgroup'
expect_status 0
expect_out_has '0::/below'
run sublet exec "$ID" sh -c 'echo 5 >/sys/fs/cgroup/cgroup.max.depth'
expect_status 1
gone

t 'with a user namespace it is the id that is his on the host'
owned "$writable | $cgroup_space | $users" 200000
run sublet start "$ID"
run sublet exec "$ID" sh -c 'mkdir /sys/fs/cgroup/below && stat -c %u /sys/fs/cgroup'
expect_status 0
expect_out 0
gone
owned "$writable | $cgroup_space | $users | .process.user = {uid: 1000, gid: 1000}" 201000
gone

t 'it stays root'"'"'s where it is read-only, not shown, or of the namespace of the host'
for filter in "$readonly | $cgroup_space | $users" \
    "$writable | .process.user = {uid: 1000, gid: 1000} | .linux.namespaces -= [{type: \"cgroup\"}]" \
    "$cgroup_space | $users | .mounts = [.mounts[] | select(.destination != \"/sys/fs/cgroup\")]"; do
    owned "$filter" 0
    gone
done

t 'a user namespace with the cgroup namespace of the host is shown its own group and nothing else'
no_space='.linux.namespaces -= [{type: "cgroup"}]'
for filter in "$writable" "$readonly"; do
    owned "$filter | $no_space | $users" 0
    run sublet start "$ID"
    expect_status 0
    run sublet exec "$ID" sh -c 'cat /sys/fs/cgroup/cgroup.procs; tail -n 1 /proc/self/cgroup; mkdir /sys/fs/cgroup/x'
    expect_out_match '^1$'
    expect_out_has "0::/$ID"
    expect_err_match 'Permission denied|Read-only file system'
    expect_absent "$group/x"
    gone
done
