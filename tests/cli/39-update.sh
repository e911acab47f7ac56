#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 120
# update, as far as a host of any kind can show it: the command line, what is kept, what is refused,
# and that a refusal leaves no trace. tests/vm/70-update.sh has the limits themselves.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
B=$T/b
make_bundle "$B" '.process.args = ["/bin/sleep", "1000"] | .linux.cgroupsPath = "/'"$ID"'"
    | .linux.resources.unified = {"cgroup.max.depth": "7"}'
group=$cli_cgroups/$ID

running() {
    run sublet run --detach -b "$B" "$ID"
    expect_status 0
}
deleted() {
    run sublet delete --force "$ID"
    expect_status 0
    expect_quiet
}
update_by() {
    printf '%s' "$1" >"$T/resources"
    run sublet update --resources "$T/resources" "$ID"
}
# refused TEXT: `run` failed so, and the group, the record and the folder are as before.
refused() {
    expect_status 1
    expect_error "sublet: $1"
    expect_file "$group/cgroup.max.descendants" max
    expect_file "$group/cgroup.max.depth" 7
    expect_absent "$T/root/$ID/state.json.new"
    run sublet state "$ID"
    expect_json .resources null
}

t 'what is given changes, the rest stays, and the state has all of it'
running
run sublet state "$ID"
expect_json .resources null
update_by '{"unified": {"cgroup.max.descendants": "5"}}'
expect_status 0
expect_quiet
expect_out ''
expect_file "$group/cgroup.max.descendants" 5
expect_file "$group/cgroup.max.depth" 7
run sublet state "$ID"
expect_json .status running
expect_json .resources.unified '{"cgroup.max.depth":"7","cgroup.max.descendants":"5"}'
run -i <(printf '{"unified": {"cgroup.max.depth": "max"}}') sublet update -r - "$ID"
expect_status 0
expect_file "$group/cgroup.max.depth" max
run sublet state "$ID"
expect_json .resources.unified '{"cgroup.max.depth":"max","cgroup.max.descendants":"5"}'
run sublet list --format json
expect_json '.[0].status' running
deleted

t 'a created and a paused container are updated as well'
run sublet create -b "$B" "$ID"
update_by '{"unified": {"cgroup.max.depth": "3"}}'
expect_status 0
run sublet start "$ID"
expect_status 0
run sublet pause "$ID"
update_by '{"unified": {"cgroup.max.descendants": "4"}}'
expect_status 0
expect_file "$group/cgroup.max.depth" 3
expect_file "$group/cgroup.max.descendants" 4
run sublet state "$ID"
expect_json .status paused
deleted

t 'what the kernel refuses puts the earlier rows back'
running
update_by '{"unified": {"cgroup.max.depth": "4", "cgroup.max.descendants": "many"}}'
refused "linux.resources.unified['cgroup.max.descendants']: cannot write 'many' to cgroup file 'cgroup.max.descendants': Invalid argument"
deleted

t 'all is checked before anything is written'
running
update_by '{"unified": {"cgroup.max.descendants": "9"}, "cpu": {"period": 5}}'
refused 'linux.resources.cpu.period: 5 microseconds, expected 1000 to 1000000'
update_by '{"unified": {"cgroup.max.descendants": "9", "cgroup.procs": "1"}}'
refused "linux.resources.unified['cgroup.procs']: not a limit, expected a controller's file"
update_by '{"unified": {"cgroup.max.descendants": 9}}'
refused "$T/resources:1:40: linux.resources.unified['cgroup.max.descendants']: expected string, got number"
run sublet update --blkio-weight 5000 "$ID"
refused 'linux.resources.blockIO.weight: 5000 is out of range, expected 10 to 1000'
run sublet update --memory-swap 64M --memory 128M "$ID"
refused 'linux.resources.memory.swap: 67108864 is below the memory limit 134217728, it counts memory and swap together'
deleted

t 'a limit whose controller is bound to v1 is refused by name'
if has_controllers memory; then skip 'this host has them all'; fi
running
run sublet update --memory 64M "$ID"
refused 'linux.resources.memory.limit: this host binds the memory controller to cgroup v1; boot with systemd.unified_cgroup_hierarchy=1'
run sublet update --memory -1 --pids-limit -1 "$ID"
expect_status 0
expect_quiet
deleted

t 'limits of v1 alone are a warning each'
running
run sublet update --kernel-memory 5M --kernel-memory-tcp 5M --cpu-rt-period 5 --cpu-rt-runtime 5 "$ID"
expect_status 0
for field in memory.kernel memory.kernelTCP cpu.realtimeRuntime cpu.realtimePeriod; do
    expect_err_has "sublet: warning: linux.resources.$field: ignored, cgroup v2 has no such limit"
done
expect_eq lines "$(wc -l <"$T/err")" 4
run sublet --log "$T/log" --log-format json update --kernel-memory 5M "$ID"
expect_quiet
deleted

# The hardware for it is rare: what is written to a class is a unit test's.
t 'a cache class is changed where it was made with the container'
running
run sublet update --l3-cache-schema L3:0=f "$ID"
refused "linux.intelRdt: container '$ID' has no cache class of its own: only one that was made with it can be changed"
run sublet update --mem-bw-schema L3:0=f "$ID"
refused "linux.intelRdt.memBwSchema: 'L3:0=f' is not one line that starts with 'MB:'"
run sublet update --l3-cache-schema $'\n' "$ID"
refused "linux.intelRdt.l3CacheSchema: has no line such as 'L3:0=f;1=f'"
jq -c '.resctrlGroup = "gold" | .l3CacheSchema = "L3:0=1"' "$T/root/$ID/state.json" >"$T/state"
cp "$T/state" "$T/root/$ID/state.json"
run sublet state "$ID"
expect_json .intelRdt '{"l3CacheSchema":"L3:0=1"}'
if ! grep -q ' - resctrl ' /proc/self/mountinfo; then
    run sublet update --pids-limit -1 --l3-cache-schema L3:0=f "$ID"
    refused 'linux.intelRdt: no resctrl file system is mounted'
fi
deleted

t 'a dry run says what would be written'
running
printf '{"unified": {"cgroup.max.depth": "4", "cgroup.max.descendants": "3"}, "devices": [{"allow": false}]}' >"$T/resources"
run sublet update --dry-run --resources "$T/resources" "$ID"
expect_status 0
expect_out $'cgroup.max.depth 4\ncgroup.max.descendants 3\ndevices: a program of 12 rules'
run sublet state "$ID"
expect_json .resources null
expect_file "$group/cgroup.max.depth" 7
deleted

t 'a command line that says nothing, or nonsense'
running
run sublet update "$ID"
expect_status 2
expect_error "sublet: nothing to update: an option with a limit is needed; see 'sublet update --help'"
run sublet update --memory 12Q "$ID"
expect_status 2
expect_err_has "sublet: option '--memory' of 'update': '12Q' is no size: a number with an optional unit K, M, G or T, or -1 for no limit; see"
while read -r option value allowed; do
    run sublet update --pids-limit -1 "$option" "$value" "$ID"
    expect_status 2
    expect_error "sublet: option '$option' of 'update': expected $allowed; see 'sublet update --help'"
done <<TEXT
--memory 0 a size above 0, or -1 for no limit
--memory-swap 0M a size above 0, or -1 for no limit
--memory-reservation 0 a size above 0, or -1 for all
--cpu-quota 0 1000 or more, or -1 for no cap
--cpu-period 0 1000 to 1000000
--cpu-share 0 2 to 262144
--blkio-weight 0 10 to 1000
--blkio-weight 5000000000 10 to 1000
TEXT
# what engines write for a field that they do not set
update_by '{"memory": {"limit": 0, "swap": 0, "reservation": 0}, "cpu": {"quota": 0, "period": 0, "shares": 0}, "blockIO": {"weight": 0}}'
expect_status 0
expect_quiet
run sublet update --pids-limit -2 "$ID"
expect_status 2
expect_error "sublet: option '--pids-limit' of 'update': '-2' is no whole number; see 'sublet update --help'"
run sublet update --resources "$T/none" "$ID"
expect_status 1
expect_err_match "^sublet: $T/none: .*No such file or directory"
run -i /dev/null sublet update --resources - "$ID"
expect_status 1
expect_err_match '^sublet: standard input'
run -t 5 -i /dev/zero sublet update --resources - "$ID"
expect_status 1
expect_error 'sublet: --resources: more than 16777216 bytes'
deleted

t 'there is nothing to update'
run sublet update --pids-limit 5 "$ID"
expect_status 1
expect_error "sublet: container '$ID': container does not exist"
running
run sublet kill "$ID" KILL
until_true 5 container_is "$ID" stopped
run sublet update --pids-limit 5 "$ID"
expect_status 1
expect_error "sublet: container '$ID': container not running: no such process"
deleted
jq 'del(.linux.resources)' "$B/config.json" >"$B/bare.json"
run sublet --cgroup-manager disabled run --detach -b "$B" --config bare.json "$ID"
expect_status 0
run sublet update --pids-limit 5 "$ID"
expect_status 1
expect_error "sublet: container '$ID' has no cgroup: it was made with --cgroup-manager disabled"
deleted

t 'a record that cannot be written leaves the group alone'
mkdir -p "$T/small"
mount -t tmpfs -o size=64k,mode=755 small "$T/small"
mkdir -m 0700 "$T/small/root"
run "$SUBLET" --root "$T/small/root" run --detach -b "$B" "$ID"
expect_status 0
head -c 64k /dev/zero >"$T/small/full" 2>/dev/null
printf '{"unified": {"cgroup.max.depth": "4"}}' >"$T/resources"
run "$SUBLET" --root "$T/small/root" update -r "$T/resources" "$ID"
expect_status 1
expect_err_match '^sublet: state\.json\.new: .*No space left on device'
expect_file "$group/cgroup.max.depth" 7
expect_absent "$T/small/root/$ID/state.json.new"
run "$SUBLET" --root "$T/small/root" delete --force "$ID"
expect_status 0
umount "$T/small"
