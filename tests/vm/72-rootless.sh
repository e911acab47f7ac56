#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# measures
# limit: 300
# Limits of an ordinary user's containers, where the controllers are delegated to him.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/user.sh
. "$LIB/user.sh"
make_rootfs "$T/rootfs"
chown -R "$USER_ID:$USER_ID" "$T/rootfs"

# The host's manager gives him cpu, memory and pids, and puts his session into a group below.
given=$cli_cgroups/$GIVEN
mkdir "$given"
echo '+cpu +memory +pids' >"$cli_cgroups/cgroup.subtree_control"
delegate "$GIVEN"
delegate "$GIVEN/session"
user_group=$GIVEN/session

t 'limits are held beside the group that the user came from'
user run --rootfs "$T/rootfs" --cpu 0.5 --memory 32M --pids 7 --detach --name "$ID" -- sleep 1000
expect_status 0
expect_quiet
expect_file "$given/sublet-$ID/cpu.max" '50000 100000'
expect_file "$given/sublet-$ID/memory.max" 33554432
expect_file "$given/sublet-$ID/pids.max" 7
user update --memory 16M "$ID"
expect_status 0
expect_file "$given/sublet-$ID/memory.max" 16777216
user stats --json "$ID"
expect_status 0
user delete --force "$ID"
expect_status 0
expect_absent "$given/sublet-$ID"

t 'more memory than asked for ends the process'
user run --rootfs "$T/rootfs" --memory 8M --swap 0 --name "$ID" -- tail -c 64m /dev/zero
expect_status 137
expect_err_has 'was killed (OOM): the memory limit of 8388608 bytes is too low'

t 'a fork more than asked for is refused'
user run --rootfs "$T/rootfs" --pids 2 --name "$ID" -- sh -c 'sleep 1000 & sleep 1000 & wait'
expect_err_has "can't fork"

t 'half a CPU is asked for and measured'
# shellcheck disable=SC2016 # for the shell inside
user run --rootfs "$T/rootfs" --cpu 0.5 --detach --name "$ID" -- sh -c 'while :; do :; done'
expect_status 0
usage_us() { awk '$1 == "usage_usec" { print $2 }' "$given/sublet-$ID/cpu.stat"; }
now_us() { echo "${EPOCHREALTIME/./}"; }
used=$(usage_us) began=$(now_us)
sleep 4
used=$(($(usage_us) - used)) took=$(($(now_us) - began))
percent=$((used * 100 / took))
printf '# cpu: asked 50 %%, measured %s %%\n' "$percent"
expect test "$percent" -ge 45 -a "$percent" -le 55
user delete --force "$ID"
expect_status 0

t 'who asks for no limit may do so later, and is counted from the start'
user run --rootfs "$T/rootfs" --detach --name "$ID" -- sleep 1000
expect_status 0
expect_quiet
expect test "$(cat "$given/sublet-$ID/memory.current")" -gt 0
user update --memory 16M "$ID"
expect_status 0
expect_file "$given/sublet-$ID/memory.max" 16777216
user delete --force "$ID"
expect_status 0

rmdir "$given/session" "$given"

# The host's manager gives him less: no cpu, as systemd does by default.
part=$cli_cgroups/$GIVEN-part
mkdir "$part"
echo '+memory +pids' >"$part/cgroup.subtree_control"
delegate "$GIVEN-part/user"
delegate "$GIVEN-part/user/session"
user_group=$GIVEN-part/user/session

t 'with memory and pids alone those are held, and a limit of CPU or disk is refused by name'
user run --rootfs "$T/rootfs" --memory 32M --pids 7 --detach --name "$ID" -- sleep 1000
expect_status 0
expect_quiet
expect_file "$part/user/sublet-$ID/memory.max" 33554432
expect_file "$part/user/sublet-$ID/pids.max" 7
user update --cpu-quota 50000 "$ID"
expect_status 1
expect_err "sublet: linux.resources: cgroup '/$GIVEN-part' cannot give 'cpu' to groups below: Permission denied"
expect_file "$part/user/sublet-$ID/memory.max" 33554432
user delete --force "$ID"
expect_status 0
expect_absent "$part/user/sublet-$ID"
user run --rootfs "$T/rootfs" --cpu 0.5 --memory 32M --name "$ID" -- true
expect_status 125
expect_err "sublet: linux.resources.cpu.quota: cpu: not delegated to uid $USER_ID with cgroup '/$GIVEN-part/user/session'"
user_bundle "$T/io" '.linux.resources = {blockIO: {weight: 500}} | .process.args = ["/bin/true"]'
user run -b "$T/io" "$ID"
expect_status 125
expect_err "sublet: linux.resources.blockIO.weight: io: not delegated to uid $USER_ID with cgroup '/$GIVEN-part/user/session'"
expect_absent "$part/user/sublet-$ID"
rmdir "$part/user/session" "$part/user" "$part"
