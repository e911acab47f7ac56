#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 180
# create, start, state, kill, delete, list, run: what each does in each state, and what it says.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"

# sleeper: $T/b ends at TERM, as process 1 would not by itself.
# Silent: what it printed after `start` would land in the output of whatever `run` comes next, which
# is the same file.
sleeper() {
    make_bundle "$T/b" ".process.args = $(words /bin/sh -c 'exec /bin/probe --pause >/dev/null')"
}

# says COMMAND... -- STATUS TEXT: fails with exactly this.
fails_with() {
    local wanted=$1 text=$2
    shift 2
    run "$@"
    expect_status "$wanted"
    expect_error "$text"
}

t 'a container is created, started, killed, stopped and deleted'
sleeper
create "$ID"
run sublet state "$ID"
expect_json '[.id, .status, .bundle, .rootfs, .ociVersion, .annotations, .pid > 1]' \
    "[\"$ID\",\"created\",\"$T/b\",\"$T/b/rootfs\",\"1.3.0\",{},true]"
expect_json '.created | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$")' true
pid=$(jq .pid "$T/out")
expect_eq 'what runs before start' "$(readlink "/proc/$pid/exe" | grep -c probe)" 0
run sublet start "$ID"
expect_status 0
expect_quiet
run sublet state "$ID"
expect_json '[.status, .pid]' "[\"running\",$pid]"
until_true 5 [ "$(readlink "/proc/$pid/exe")" = /bin/probe ]
sleep 0.2
run sublet kill "$ID" TERM
expect_status 0
until_true 5 container_is "$ID" stopped
run sublet state "$ID"
expect_json '[.status, .pid]' '["stopped",0]'
run sublet delete "$ID"
expect_status 0
fails_with 1 "sublet: container '$ID': container does not exist" sublet state "$ID"

t 'commands on a container that does not exist'
for command in state start kill delete; do
    fails_with 1 "sublet: container '$ID': container does not exist" sublet "$command" "$ID"
done
run sublet delete --force "$ID"
expect_status 0
expect_quiet

t 'commands on a created container'
sleeper
create "$ID"
fails_with 1 "sublet: container '$ID' already exists" sublet create -b "$T/b" "$ID"
fails_with 125 "sublet: container '$ID' already exists" sublet run -b "$T/b" "$ID"
run sublet delete "$ID"
expect_status 0
expect_quiet

t 'commands on a running container'
sleeper
run sublet run --detach -b "$T/b" "$ID"
expect_status 0
expect_quiet
fails_with 1 "sublet: container '$ID': cannot start an already running container" sublet start "$ID"
fails_with 1 "sublet: cannot delete container '$ID' that is not stopped: running" sublet delete "$ID"
run sublet delete --force "$ID"
expect_status 0

t 'commands on a stopped container'
sh_bundle . 'exit 0'
create "$ID"
run sublet start "$ID"
until_true 5 container_is "$ID" stopped
fails_with 1 "sublet: container '$ID': container not running: no such process" sublet kill "$ID"
fails_with 1 "sublet: container '$ID': container not running: no such process" sublet kill --all "$ID" KILL
fails_with 1 "sublet: container '$ID': cannot start a container that has stopped" sublet start "$ID"
run sublet delete "$ID"
expect_status 0

for signal in 15 TERM SIGTERM sigterm USR1 10 RTMIN+3; do
    t "kill takes the signal $signal"
    sleeper
    run sublet run --detach -b "$T/b" "$ID"
    sleep 0.2
    run sublet kill "$ID" "$signal"
    expect_status 0
    expect_quiet
    until_true 5 container_is "$ID" stopped
    run sublet delete "$ID"
done

t 'kill refuses a signal that there is not'
sleeper
create "$ID"
for signal in NOSUCH 65 -1 '' 9x; do
    run sublet kill "$ID" "$signal"
    expect_eq "status with '$signal'" "$status" 2
done
run sublet delete "$ID"

t 'kill --all reaches every process, kill without it the first one alone'
sh_bundle . 'sleep 60 & sleep 60 & wait'
run sublet run --detach -b "$T/b" "$ID"
group=$(find "$(cgroup_root)" -type d -name "*$ID*" | head -n 1)
until_true 5 eval "[ \$(wc -l <$group/cgroup.procs) = 3 ]"
run sublet kill --all "$ID" KILL
expect_status 0
until_true 5 eval "[ \$(wc -l <$group/cgroup.procs) = 0 ]"
# a pid namespace's first process leaves the list before it has seen the end of the others
until_true 5 container_is "$ID" stopped
run sublet delete "$ID"
expect_status 0

t 'kill --all reaches processes without a pid namespace too, and delete leaves none'
sh_bundle "$(no_namespace pid)" 'setsid sleep 60 & setsid sleep 60 & exec sleep 60'
run sublet run --detach -b "$T/b" "$ID"
group=$(find "$(cgroup_root)" -type d -name "*$ID*" | head -n 1)
until_true 5 eval "[ \$(wc -l <$group/cgroup.procs) = 3 ]"
run sublet kill "$ID" KILL
until_true 5 container_is "$ID" stopped
expect_eq 'processes left by a plain kill' "$(wc -l <"$group/cgroup.procs")" 2
run sublet kill --all "$ID" KILL
expect_status 0
until_true 5 eval "[ \$(wc -l <$group/cgroup.procs) = 0 ]"
run sublet delete "$ID"
expect_status 0

t 'run --keep leaves the container, stopped'
sh_bundle . 'exit 4'
run sublet run --keep -b "$T/b" "$ID"
expect_status 4
expect container_is "$ID" stopped
run sublet delete "$ID"
expect_status 0

t 'run gives back the status even if another command holds the container at its end'
sh_bundle . 'read -r _ </fifo; exit 4'
mkfifo "$T/b/rootfs/fifo"
timeout -k 2 20 "$SUBLET" --root "$T/root" run -b "$T/b" "$ID" >"$T/out" 2>"$T/err" &
until_true 5 container_is "$ID" running
flock "$T/root/$ID" sh -c "echo >$T/b/rootfs/fifo; sleep 0.5"
wait $!
expect_eq 'status of run' "$?" 4
expect_quiet
rm "$T/b/rootfs/fifo"

t 'list tells all, as a table, as names and as JSON'
sh_bundle . 'sleep 60'
create "$ID-a"
run sublet run --detach -b "$T/b" "$ID-b"
run sublet list -q
expect_out "$ID-a"$'\n'"$ID-b"
run sublet list
expect_quiet
expect_out_match '^ID +PID +STATUS +CREATED +OWNER +TENANT +BUNDLE$'
expect_out_match "^$ID-a +[0-9]+ +created +[-0-9T:.]+Z +[a-z0-9]+ +- +$T/b$"
run sublet list --format json
expect_json '[.[] | [.id, .status]]' "[[\"$ID-a\",\"created\"],[\"$ID-b\",\"running\"]]"
expect_json '.[0] | .pid > 1 and .bundle == "'"$T/b"'" and .owner == "root"' true
run sublet delete --force "$ID-a"
run sublet delete --force "$ID-b"
run sublet list --format json
expect_out '[]'

t 'what config.json says after create does not matter'
sh_bundle '.hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", "echo old >>'"$T/which"'"]}]' \
    "echo as created >/dev/null; sleep 60"
create "$ID"
echo 'not even JSON' >"$T/b/config.json"
run sublet start "$ID"
expect_status 0
expect container_is "$ID" running
run sublet delete --force "$ID"
expect_status 0
expect_quiet
expect_file "$T/which" old
rm -rf "$T/b/config.json"

t 'a start without a process in config.json fails, its create does not'
make_bundle "$T/b" 'del(.process)'
run sublet create -b "$T/b" "$ID"
if [ "$status" = 0 ]; then
    run sublet start "$ID"
    expect_status 1
    run sublet delete --force "$ID"
else
    expect_err_match '^sublet: process: '
fi

t 'IDs that are no name are refused'
sleeper
for name in .hidden ../up a/b '' 'a b' "$(printf 'x%.0s' {1..1025})"; do
    run sublet create -b "$T/b" -- "$name"
    expect [ "$status" -ne 0 ]
done

t 'the config may have another name, and the bundle be the current folder'
sh_bundle . 'exit 6'
mv "$T/b/config.json" "$T/b/other.json"
cd "$T/b" && run sublet run -f other.json "$ID"
expect_status 6
cd "$T" || exit 1

t 'without a cgroup manager no group is made'
sh_bundle . 'sleep 60'
run sublet --cgroup-manager disabled run --detach -b "$T/b" "$ID"
expect_status 0
expect_eq groups "$(find "$(cgroup_root)" -type d -name "*$ID*" | wc -l)" 0
run sublet delete --force "$ID"
expect_status 0

t 'without a cgroup manager a cgroup mount shows the caller'"'"'s group, with a cgroup namespace or without'
for filter in . '(.linux.namespaces |= map(select(.type != "cgroup")))'; do
    sh_bundle "$filter" 'cat /sys/fs/cgroup/cgroup.procs >/dev/null && stat -c %i /sys/fs/cgroup'
    run sublet --cgroup-manager disabled run -b "$T/b" "$ID"
    expect_status 0
    expect_out "$(stat -c %i "$(cgroup_root)$(sed -n s/^0:://p /proc/self/cgroup)")"
done

t 'a group that was there before is emptied, kept, and good for another container'
mkdir "$(cgroup_root)/$ID-kept"
make_bundle "$T/b" ".process.args = [\"/bin/sh\", \"-c\", \"sleep 60 & sleep 60\"]
    | .linux.cgroupsPath = \"/$ID-kept\""
for _ in 1 2; do
    run sublet run --detach -b "$T/b" "$ID"
    expect_status 0
    run sublet kill --all "$ID" KILL
    expect_status 0
    run sublet delete --force "$ID"
    expect_status 0
    expect_eq processes "$(wc -l <"$(cgroup_root)/$ID-kept/cgroup.procs")" 0
done
expect rmdir "$(cgroup_root)/$ID-kept"

t 'the log holds errors as JSON'
fails_with 1 "sublet: container '$ID': container does not exist" \
    sublet --log "$T/log.json" --log-format json start "$ID"
expect_json '[.level, .msg]' "[\"error\",\"container '$ID': container does not exist\"]" "$T/log.json"
