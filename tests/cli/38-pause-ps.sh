#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 120
# pause, resume and ps: what is frozen, who is listed, and every refusal.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
B=$T/b
make_bundle "$B" '.process.args = ["/bin/sh", "-c", "sleep 1001 & sleep 1002; wait"] | .linux.cgroupsPath = "/'"$ID"'"'
group=$cli_cgroups/$ID

frozen() { grep -qx 'frozen 1' "$group/cgroup.events"; }
running() {
    run sublet run --detach -b "$B" "$ID"
    expect_status 0
    until_true 10 three_processes
}
three_processes() { [ "$(wc -l <"$group/cgroup.procs")" -eq 3 ]; }
deleted() {
    run sublet delete --force "$ID"
    expect_status 0
    expect_quiet
}

t 'a paused container is frozen until it is resumed'
running
run sublet pause "$ID"
expect_status 0
expect_quiet
expect_out ''
expect frozen
run sublet state "$ID"
expect_json .status paused
run sublet list
expect_out_match "^$ID +[0-9]+ +paused "
run sublet resume "$ID"
expect_status 0
expect_quiet
expect_file "$group/cgroup.freeze" 0
run sublet state "$ID"
expect_json .status running
deleted

t 'pause and resume say what is in their way'
run sublet pause "$ID"
expect_status 1
expect_error "sublet: container '$ID': container does not exist"
running
run sublet resume "$ID"
expect_status 1
expect_error "sublet: container '$ID' is not paused"
run sublet pause "$ID"
run sublet pause "$ID"
expect_status 1
expect_error "sublet: container '$ID' is already paused"
run sublet kill "$ID" KILL
expect_status 0
until_true 5 container_is "$ID" stopped
for verb in pause resume; do
    run sublet "$verb" "$ID"
    expect_status 1
    expect_error "sublet: container '$ID': container not running: no such process"
done
deleted
run sublet --cgroup-manager disabled run --detach -b "$B" "$ID"
expect_status 0
run sublet pause "$ID"
expect_status 1
expect_error "sublet: container '$ID' has no cgroup: it was made with --cgroup-manager disabled"
run sublet ps --format json "$ID"
expect_status 1
expect_error "sublet: container '$ID' has no cgroup: it was made with --cgroup-manager disabled"
deleted

t 'a group frozen from above is neither paused nor resumed'
mkdir "$cli_cgroups/$ID-up"
jq ".linux.cgroupsPath = \"/$ID-up/in\"" "$B/config.json" >"$T/up.json"
run sublet run --detach -b "$B" --config "$T/up.json" "$ID"
expect_status 0
echo 1 >"$cli_cgroups/$ID-up/cgroup.freeze"
until_true 5 container_is "$ID" paused
for verb in pause resume; do
    run sublet "$verb" "$ID"
    expect_status 1
    expect_error "sublet: container '$ID': cgroup '/$ID-up' above it is frozen, only thawing that one helps"
done
expect_file "$cli_cgroups/$ID-up/in/cgroup.freeze" 0
deleted
rmdir "$cli_cgroups/$ID-up"

t 'a paused container is killed at once, and deleted at once'
running
run sublet pause "$ID"
run sublet kill "$ID" KILL
expect_status 0
until_true 5 container_is "$ID" stopped
deleted
running
run sublet pause "$ID"
run -t 5 sublet delete --force "$ID"
expect_status 0
expect_quiet
running
run sublet pause "$ID"
run sublet kill --all "$ID" 9
expect_status 0
until_true 5 container_is "$ID" stopped
deleted

t 'a paused container that is only created is not started'
run sublet create -b "$B" "$ID"
expect_status 0
run sublet pause "$ID"
expect_status 0
run -t 5 sublet start "$ID"
expect_status 1
expect_error "sublet: container '$ID' is paused: resume it first"
run sublet resume "$ID"
expect_status 0
run sublet state "$ID"
expect_json .status created
run sublet start "$ID"
expect_status 0
until_true 5 three_processes
deleted

t 'a group that was there before is thawed when the container goes'
mkdir "$group"
running
run sublet pause "$ID"
deleted
expect_file "$group/cgroup.freeze" 0
rmdir "$group"

t 'ps lists the processes of the group as JSON'
running
run sublet ps --format json "$ID"
expect_status 0
expect_quiet
expect_json 'sort' "$(sort -n "$group/cgroup.procs" | jq -sc .)"
# sub-groups of the container count
mkdir "$group/below"
tail -n 1 "$group/cgroup.procs" >"$group/below/cgroup.procs"
run sublet ps -f json "$ID"
expect_json length 3
rmdir "$group/below" 2>/dev/null
run sublet ps --format json "$ID" -o pid
expect_status 2
expect_error "sublet: '-o': with --format json no ps is run; see 'sublet ps --help'"
deleted

t 'ps shows the lines of ps(1) that are about the container'
running
run sublet ps "$ID"
expect_status 0
expect_quiet
expect_eq lines "$(wc -l <"$T/out")" 4
expect_out_match '^UID +PID +PPID +C +STIME +TTY +TIME +CMD$'
expect_out_has 'sleep 1002'
for form in '-o pid,args' '-o args:40,pid' '-eo lstart,pid,args' 'axo pid,args' '-eo user,pid,ppid,args'; do
    run sublet ps --format table "$ID" "$form"
    expect_status 0
    expect_eq "lines of $form" "$(wc -l <"$T/out")" 4
    expect_eq "sleepers of $form" "$(grep -c 'sleep 100[12]' "$T/out")" 3
done
run sublet ps "$ID" -o 'comm,pid'
expect_status 0
expect_eq lines "$(wc -l <"$T/out")" 4
deleted

t 'ps tells what keeps it from listing'
running
run sublet ps "$ID" -o comm
expect_status 1
expect_err_has "ps: no PID column in its first line 'COMMAND"
run sublet ps "$ID" --no-such-option
expect_status 1
expect_err_match '^sublet: ps: status 1: error: '
run env PATH=/var/empty "$SUBLET" --root "$T/root" ps "$ID"
expect_status 1
expect_error "sublet: ps: cannot run this program of the host: exec 'ps': executable file not found in \$PATH: no such file or directory"
# a ps that knows no -p, and numbers left of its heading
mkdir "$T/bin"
cat >"$T/bin/ps" <<TEXT
#!/bin/sh
case "\$*" in *-p*) exit 1 ;; esac
echo 'PID   USER     COMMAND'
while read -r pid; do printf '%5d root     a\n' "\$pid"; done <$group/cgroup.procs
printf '%5d root     b\n' 1
TEXT
chmod +x "$T/bin/ps"
run env PATH="$T/bin:$PATH" "$SUBLET" --root "$T/root" ps "$ID"
expect_status 0
expect_eq lines "$(wc -l <"$T/out")" 4
expect_out_lacks ' b'
deleted
run sublet ps "$ID"
expect_status 1
expect_error "sublet: container '$ID': container does not exist"

t 'a stopped container has no processes to list'
run sublet run --detach -b "$B" "$ID"
run sublet kill "$ID" KILL
until_true 5 container_is "$ID" stopped
run sublet ps --format json "$ID"
expect_status 1
expect_error "sublet: container '$ID': container not running: no such process"
deleted
