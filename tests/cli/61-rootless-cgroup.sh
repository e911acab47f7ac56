#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 200
# An ordinary user's container and its cgroup: in a group that was given to him, or without one.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/user.sh
. "$LIB/user.sh"
B=$T/b
sleeping='.process.args = ["/bin/sh", "-c", "sleep 1000 & wait"]'

t 'without a group of his own everything but the group works'
user_bundle "$B" "$sleeping"
user create -b "$B" "$ID"
expect_status 0
expect_quiet
user start "$ID"
expect_status 0
user state "$ID"
expect_json .status running
user list --quiet
expect_out "$ID"
user exec "$ID" id -u
expect_out 0
for verb in ps pause resume 'update --pids-limit 5'; do
    # shellcheck disable=SC2086 # a verb and its options
    user $verb "$ID"
    expect_status 1
    expect_err "sublet: container '$ID' has no cgroup: it was made by a user to whom none is delegated"
done
user stats "$ID"
expect_status 0
user kill --all "$ID" KILL
expect_status 0
user delete --force "$ID"
expect_status 0
expect_absent "$T/run-user/sublet/$ID"

t 'and a cgroup mount shows the group that he is in, without a cgroup namespace too'
user_bundle "$B" '.process.args = ["/bin/ls", "/tmp/cgroup.procs"]
    | .linux.namespaces |= map(select(.type != "cgroup"))
    | .mounts += [{destination: "/tmp", type: "cgroup", source: "cgroup", options: ["ro"]}]'
user run -b "$B" "$ID"
expect_status 0
expect_out /tmp/cgroup.procs
user_bundle "$B" "$sleeping"

t 'a path of the config outside of what is delegated is told'
edit_bundle "$B" ".linux.cgroupsPath = \"/$ID/c\" | .process.args = [\"/bin/true\"]"
user run -b "$B" "$ID"
expect_status 0
expect_err "sublet: warning: linux.cgroupsPath: '/$ID/c' is not below a cgroup delegated to uid $USER_ID: the container gets no cgroup of its own"

t 'the container is made in the group that was given to its user'
delegate "$GIVEN"
user_group=$GIVEN
user_bundle "$B" "$sleeping"
user run --detach -b "$B" "$ID"
expect_status 0
expect_quiet
group=$cli_cgroups/$GIVEN/sublet-$ID
until_true 10 grep -q . "$group/cgroup.procs"
expect_eq 'owner' "$(stat -c %u "$group")" "$USER_ID"
user exec "$ID" true
expect_status 0
user ps --format json "$ID"
expect_json length 2
user pause "$ID"
expect_status 0
expect grep -qx 'frozen 1' "$group/cgroup.events"
user state "$ID"
expect_json .status paused
user resume "$ID"
expect_status 0
user kill --all "$ID" KILL
expect_status 0
until_true 10 grep -qx 'populated 0' "$group/cgroup.events"
user delete "$ID"
expect_status 0
expect_quiet
expect_absent "$group"

t 'an exec from outside of that group says what is in its way'
user run --detach -b "$B" "$ID"
expect_status 0
user_group=
user exec "$ID" true
expect_status 125
expect_err_match '^sublet: .*cgroup'
user delete --force "$ID"
expect_status 0
expect_absent "$group"

t 'a group above the own one is taken where that is somebody else'"'"'s'
mkdir "$cli_cgroups/$GIVEN/own"
user_group=$GIVEN/own
user run --detach -b "$B" "$ID"
expect_status 0
expect test -d "$group"
user delete --force "$ID"
expect_status 0

t 'paths of the config count from the given group, or lead below it'
user_bundle "$B" '.linux.cgroupsPath = "some/where" | .process.args = ["/bin/sleep", "1000"]'
user run --detach -b "$B" "$ID"
expect_status 0
expect test -d "$cli_cgroups/$GIVEN/some/where"
user delete --force "$ID"
expect_status 0
expect_absent "$cli_cgroups/$GIVEN/some"
edit_bundle "$B" ".linux.cgroupsPath = \"/$GIVEN/else\""
user run --detach -b "$B" "$ID"
expect_status 0
expect test -d "$cli_cgroups/$GIVEN/else"
user delete --force "$ID"
expect_status 0
rmdir "$cli_cgroups/$GIVEN/own" "$cli_cgroups/$GIVEN"
user_group=

t 'limits of a controller that is bound to cgroup v1 are refused by name'
[ "$cli_cgroups" = /sys/fs/cgroup/unified ] || skip 'this host has no cgroup v1'
for limit in cpu:0.5:quota memory:8M:limit pids:5:limit; do
    IFS=: read -r name value field <<<"$limit"
    user run --rootfs "$B/rootfs" "--$name" "$value" --name "$ID" -- true
    expect_status 125
    expect_err_match "^sublet: linux.resources.$name.$field: this host binds the $name controller to cgroup v1; boot with"
done

t 'limits that are not delegated are refused by name'
has_controllers cpu memory pids || skip 'this host has no controllers in cgroup v2'
user run --rootfs "$B/rootfs" --cpu 0.5 --name "$ID" -- true
expect_status 125
expect_err_match "^sublet: linux.resources.cpu.quota: cpu: not delegated to uid $USER_ID: no cgroup at or above '/"

t 'a state root that may not be made is refused with the reason'
run env SUBLET="$SUBLET" bash -c 'as_user XDG_RUNTIME_DIR=/ "$SUBLET" run --overlay / -- true'
expect_status 125
expect_error 'sublet: /sublet: cannot make the state root: Permission denied'

t "the host's ledger is left out of metrics, and told by a report, where others may not read it"
mkdir -p "$T/log/sublet"
chmod 755 "$T/log" "$T/log/sublet"
(umask 077 && : >"$T/log/sublet/ledger.jsonl")
in_log() { run env SUBLET="$SUBLET" unshare -m bash -c 'mount --bind "$T/log" /var/log && as_user "$SUBLET" "$@"' - "$@"; }
in_log metrics
expect_status 0
expect_quiet
expect_out_has 'sublet_build_info{'
in_log report
expect_status 1
expect_error 'sublet: /var/log/sublet: cannot read the ledger: Permission denied'

t "the host's ledger is not that of root in the user namespace of an engine"
user_bundle "$B" '.process.args = ["/bin/true"] | .linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0'
run env SUBLET="$SUBLET" B="$B" ID="$ID" unshare -m bash -c 'mount --bind "$T/log" /var/log &&
    as_user unshare --map-root-user "$SUBLET" run -b "$B" "$ID"'
expect_status 0
expect_quiet
