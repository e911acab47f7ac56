#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A host with both versions of cgroups: processes are tracked, frozen, killed and their CPU time is
# counted in version 2; a limit whose controller is bound to version 1 is refused.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
B=$T/b
group=$cli_cgroups/$ID

# Where the controller is bound to a mount of version 1.
bound_to_v1() { grep -qE " - cgroup [^ ]* ([^ ]*,)?$1(,|$)" /proc/self/mountinfo; }
bound_to_v1 memory || [ "$cli_cgroups" = /sys/fs/cgroup/unified ] ||
    { printf 'skip - a hybrid host: this one has version 2 alone\n' && exit 0; }

# shellcheck disable=SC2016 # for the shell inside
make_bundle "$B" '.linux.cgroupsPath = "/'"$ID"'" | .process.args = ["/bin/sh", "-c",
    "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; sleep 1000 & sleep 1000 & wait"]'
started() {
    run sublet run --detach -b "$B" "$ID"
    expect_status 0
    expect_quiet
}
asleep() { [ "$(wc -l <"$group/cgroup.procs")" -eq 3 ]; }
gone() {
    run sublet delete --force "$ID"
    expect_status 0
    expect_quiet
    expect_absent "$group"
}

t 'the mount of version 2 is found below that of version 1, and elsewhere'
started
expect_eq 'mount' "$(stat -f -c %T "$cli_cgroups")" cgroup2fs
expect_eq 'group' "$(sed -n 's/^0:://p' "/proc/$(sublet state "$ID" | jq .pid)/cgroup")" "/$ID"
gone
mount -t cgroup2 none /sys/fs/cgroup # over all of it: as a host without version 1
run sublet run --detach -b "$B" "$ID"
expect_status 0
expect grep -q . "/sys/fs/cgroup/$ID/cgroup.procs"
run sublet delete --force "$ID"
expect_status 0
expect_absent "/sys/fs/cgroup/$ID"
umount /sys/fs/cgroup

t 'processes are tracked, and their CPU time is counted'
started
until_true 20 asleep
run sublet ps --format json "$ID"
expect_json 'sort == (input | sort)' true <(cat "$T/out" <(jq -s . "$group/cgroup.procs"))
run sublet stats --json "$ID"
expect_json '.[0].cpu.usage_us' "$(sed -n 's/^usage_usec //p' "$group/cpu.stat")"
expect_json '.[0].cpu.usage_us > 1000' true
run sublet events --stats "$ID"
expect_json '.data.cpu.usage.total > 1000000' true
gone

t 'they are frozen and go on'
started
until_true 20 asleep
run sublet pause "$ID"
expect_status 0
expect grep -qx 'frozen 1' "$group/cgroup.events"
run sublet resume "$ID"
expect_status 0
expect grep -qx 'frozen 0' "$group/cgroup.events"
gone

t 'they are killed, all of them, and the group goes'
started
until_true 20 asleep
run sublet kill --all "$ID" KILL
expect_status 0
until_true 20 grep -qx 'populated 0' "$group/cgroup.events"
run sublet delete "$ID"
expect_status 0
expect_quiet
expect_absent "$group"

t 'a limit whose controller is bound to version 1 is refused by name, and nothing is left'
refused=0
while read -r controller bound field resources; do
    bound_to_v1 "$bound" || continue
    refused=$((refused + 1))
    make_bundle "$T/r" ".linux.resources = $resources | .linux.cgroupsPath = \"/$ID\""
    for manager in cgroupfs systemd; do
        run sublet --cgroup-manager "$manager" create -b "$T/r" "$ID"
        expect_status 1
        expect_err_has "sublet: linux.resources.$field: this host binds the $controller controller to cgroup v1; boot with systemd.unified_cgroup_hierarchy=1"
        expect_absent "$group"
        expect_absent "$T/root/$ID"
        [ "$manager" = systemd ] || edit_bundle "$T/r" ".linux.cgroupsPath = \"system.slice:x:$ID\""
    done
done <<'ROWS'
cpu cpu cpu.quota {cpu: {quota: 50000}}
cpu cpu cpu.shares {cpu: {shares: 512}}
cpuset cpuset cpu.cpus {cpu: {cpus: "0"}}
memory memory memory.limit {memory: {limit: 67108864}}
pids pids pids.limit {pids: {limit: 5}}
io blkio blockIO.weight {blockIO: {weight: 500}}
hugetlb hugetlb hugepageLimits[0].limit {hugepageLimits: [{pageSize: "2MB", limit: 2097152}]}
cpu cpu unified['cpu.weight'] {unified: {"cpu.weight": "5"}}
memory memory unified['memory.high'] {unified: {"memory.high": "5M"}}
ROWS
expect [ "$refused" -ge 1 ]

t 'a controller that version 2 has on such a host limits there'
has_controllers hugetlb || skip 'version 2 has no hugetlb here'
make_bundle "$T/r" '.linux.resources = {hugepageLimits: [{pageSize: "2MB", limit: 4194304}]} | .linux.cgroupsPath = "/'"$ID"'"
    | .process.args = ["/bin/sleep", "1000"]'
run sublet run --detach -b "$T/r" "$ID"
expect_status 0
expect_file "$group/hugetlb.2MB.max" 4194304
gone
