#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 240
# The process: ids, capabilities, limits, scheduling, its folder, and sysctls.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"

# caps SET NAME...: a filter that asks for these.
caps() { printf '.process.capabilities.%s = %s' "$1" "$(words "${@:2}")"; }
ALL_SETS=bounding,effective,permitted,inheritable,ambient

t 'rlimits are as asked, and the others as the caller had them'
probe_bundle '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200},
    {type: "RLIMIT_CORE", soft: 0, hard: 4096}, {type: "RLIMIT_STACK", soft: 1048576, hard: "UNLIMITED"},
    {type: "RLIMIT_NPROC", soft: 50, hard: 60}]'
# Not by jq, whose numbers are not that exact.
sed -i 's/"UNLIMITED"/18446744073709551615/' "$T/b/config.json"
run sublet run -b "$T/b" "$ID"
expect_status 0
expect_json .rlimits.RLIMIT_NOFILE '{"soft":100,"hard":200}'
expect_json .rlimits.RLIMIT_CORE '{"soft":0,"hard":4096}'
expect_json .rlimits.RLIMIT_STACK '{"soft":1048576,"hard":"unlimited"}'
expect_json .rlimits.RLIMIT_NPROC '{"soft":50,"hard":60}'
expect_json .rlimits.RLIMIT_MEMLOCK "$("$(probe_program)" | jq -c .rlimits.RLIMIT_MEMLOCK)"

t 'an rlimit above what the caller may give is told'
probe_bundle '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 9999999999, hard: 9999999999}]'
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_err_match 'process.rlimits'

t 'oomScoreAdj is as asked, and inherited if not'
look '.process.oomScoreAdj = 500'
expect_json .oom_score_adj 500
look .
expect_json .oom_score_adj "$(cat /proc/self/oom_score_adj)"

t 'root has the capabilities asked for'
sets="$(caps bounding CAP_CHOWN CAP_KILL CAP_SYS_TIME) | $(caps permitted CAP_CHOWN CAP_KILL)
    | $(caps effective CAP_CHOWN) | $(caps inheritable) | $(caps ambient)"
look "$sets | .process.noNewPrivileges = true"
expect_json .capabilities.bounding 0000000002000021
expect_json .capabilities.permitted 0000000000000021
expect_json .capabilities.ambient 0000000000000000

t 'a program that root executes has all of the bounding set, unless noNewPrivileges keeps it from that'
# execve(2) as root: permitted and effective become the inheritable and bounding sets.
look "$sets | .process.noNewPrivileges = false"
expect_json .capabilities.permitted 0000000002000021
expect_json .capabilities.effective 0000000002000021

t 'no capabilities at all where none are named'
look 'del(.process.capabilities)'
for set in bounding effective permitted inheritable ambient; do
    expect_json ".capabilities.$set" 0000000000000000
done

t 'a user other than root keeps none through execve but ambient ones'
look ".process.user = {uid: 1000, gid: 1000} | $(caps bounding CAP_CHOWN CAP_KILL)
    | $(caps permitted CAP_CHOWN CAP_KILL) | $(caps effective CAP_CHOWN CAP_KILL)"
expect_json .uid.real 1000
expect_json .capabilities.effective 0000000000000000
expect_json .capabilities.permitted 0000000000000000
expect_json .capabilities.bounding 0000000000000021
look ".process.user = {uid: 1000, gid: 1000} | .process.capabilities = (\"$ALL_SETS\" / \",\"
    | map({key: ., value: [\"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"]}) | from_entries)"
for set in bounding effective permitted inheritable ambient; do
    expect_json ".capabilities.$set" 0000000000000420
done

t 'ambient capabilities that are not inheritable are left out with a warning'
probe_bundle ".process.user = {uid: 1000, gid: 1000} | $(caps ambient CAP_KILL CAP_CHOWN)
    | $(caps inheritable CAP_KILL) | $(caps permitted CAP_KILL CAP_CHOWN) | $(caps effective)
    | $(caps bounding CAP_KILL CAP_CHOWN)"
run sublet run -b "$T/b" "$ID"
expect_status 0
expect_json .capabilities.ambient 0000000000000020
expect_err 'sublet: warning: process.capabilities.ambient: CAP_CHOWN is left out: not inheritable'

t 'an unknown capability is a warning'
probe_bundle "$(caps bounding CAP_KILL CAP_FLY) | $(caps permitted CAP_KILL) | $(caps effective CAP_KILL)"
run sublet run -b "$T/b" "$ID"
expect_status 0
expect_json .capabilities.bounding 0000000000000020
expect_err_has CAP_FLY

t 'noNewPrivileges is set if asked, and not if not'
look '.process.noNewPrivileges = true'
expect_json .no_new_privs 1
look '.process.noNewPrivileges = false'
expect_json .no_new_privs 0

t 'a set-uid program gives no rights under noNewPrivileges'
probe_bundle .
cp "$(probe_program)" "$T/b/rootfs/usr/suid" && chmod 4755 "$T/b/rootfs/usr/suid"
look '.process.user = {uid: 1000, gid: 1000} | .process.args[0] = "/usr/suid" | .process.noNewPrivileges = true'
expect_json .uid.effective 1000
look '.process.user = {uid: 1000, gid: 1000} | .process.args[0] = "/usr/suid" | .process.noNewPrivileges = false'
expect_json .uid.effective 0

for policy in SCHED_OTHER:nice:5 SCHED_BATCH:nice:3 "SCHED_IDLE:nice:$(nice)" SCHED_FIFO:priority:7 SCHED_RR:priority:9; do
    IFS=: read -r name field value <<<"$policy"
    t "scheduler $name is as asked"
    look ".process.scheduler = {policy: \"$name\", $field: $value}"
    expect_json .scheduler.policy "$name"
    expect_json ".scheduler.$field" "$value"
done

t 'scheduler SCHED_DEADLINE and flags are as asked'
look '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 20000000, period: 30000000}'
expect_json '.scheduler | [.policy, .runtime, .deadline, .period]' '["SCHED_DEADLINE",1000000,20000000,30000000]'
look '.process.scheduler = {policy: "SCHED_FIFO", priority: 3, flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
expect_json '.scheduler | [.policy, .flags]' '["SCHED_FIFO",1]'

for class in IOPRIO_CLASS_BE:6 IOPRIO_CLASS_IDLE:0 IOPRIO_CLASS_RT:2; do
    t "ioPriority ${class%:*} is as asked"
    look ".process.ioPriority = {class: \"${class%:*}\", priority: ${class#*:}}"
    expect_json .io_priority "{\"class\":\"${class%:*}\",\"priority\":${class#*:}}"
done

t 'personality is as asked'
look '.linux.personality = {domain: "LINUX32"}'
expect_json .personality 00000008
look '.linux.personality = {domain: "LINUX"}'
expect_json .personality 00000000

t 'umask is as asked, and 0022 if not'
look '.process.user.umask = 63'
expect_json .umask 0077
(umask 0 && look .)
expect_json .umask 0022

t 'supplementary groups are as asked, and none if not'
look '.process.user = {uid: 0, gid: 7, additionalGids: [10, 5, 4294967294]}'
expect_json '.groups | sort' '[5,10,4294967294]'
expect_json .gid '{"real":7,"effective":7,"saved":7,"fs":7}'
look '.process.user = {uid: 5, gid: 6}'
expect_json .groups '[]'

t 'environment and arguments arrive unchanged'
look '.process.env = ["A=", "B=x y", "HOME=/tmp", "C==", "UMLAUT=äö"]' --sysctl 'a b' --sysctl $'new\nline'
expect_json '.env | sort' '["A=","B=x y","C==","HOME=/tmp","UMLAUT=Ã¤Ã¶"]'
expect_json '.argv[1:]' '["--sysctl","a b","--sysctl","new\nline"]'

t 'HOME is that of the user in the container where it is not given'
look '.process.user = {uid: 1000, gid: 1000} | .process.env = ["PATH=/bin"]'
expect_json '.env | sort' '["HOME=/home","PATH=/bin"]'

t 'cwd is where the process begins, and it is made if it is not there'
look '.process.cwd = "/usr"'
expect_json .cwd /usr
look '.process.cwd = "/new/folder" | .root.readonly = false'
expect_json .cwd /new/folder
rmdir "$T/b/rootfs/new/folder" "$T/b/rootfs/new"

t 'a relative cwd is refused'
probe_bundle '.process.cwd = "usr"'
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_err_match '^sublet: process.cwd: '

t 'a cwd that only root may enter is where a user begins, as with the other runtimes'
probe_bundle .
mkdir -m 0700 "$T/b/rootfs/closed"
look '.process.cwd = "/closed" | .process.user = {uid: 1000, gid: 1000}'
expect_json .cwd /closed

t 'a cwd that is a file is refused'
probe_bundle '.process.cwd = "/etc/passwd"'
run sublet run -b "$T/b" "$ID"
expect_err_match '^sublet: process.cwd: .*[Nn]ot a directory'

t 'sysctls of the own namespaces are set'
look '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "4096", "net/ipv4/conf/lo/forwarding": "0",
    "kernel.shm_rmid_forced": "1"}' --sysctl net.ipv4.ip_forward --sysctl kernel.msgmax --sysctl kernel.shm_rmid_forced
expect_json .sysctl '{"net.ipv4.ip_forward":"1","kernel.msgmax":"4096","kernel.shm_rmid_forced":"1"}'
expect [ "$(cat /proc/sys/kernel/msgmax)" != 4096 ]

t 'a sysctl of the host is refused'
probe_bundle '.linux.sysctl = {"vm.swappiness": "1"}'
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_err_match '^sublet: linux.sysctl'

t 'a sysctl of a namespace that is shared with the host is refused'
probe_bundle "$(no_namespace network) | .linux.sysctl = {\"net.ipv4.ip_forward\": \"1\"}"
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_err_match '^sublet: linux.sysctl'

t 'a value that the kernel refuses is told'
probe_bundle '.linux.sysctl = {"kernel.msgmax": "many"}'
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_error "sublet: linux.sysctl: cannot set 'kernel/msgmax' to 'many': Invalid argument"

t 'a device may be named twice, as engines do for a folder of devices and one of them'
look '.linux.devices = [{path: "/dev/made", type: "c", major: 1, minor: 3}, {path: "/dev/other", type: "c", major: 1, minor: 5},
    {path: "/dev/made", type: "c", major: 1, minor: 3, fileMode: 384}]'
expect_json '.devices[] | select(.name == "made") | [.type, .mode, .major, .minor]' '["char","0600",1,3]'

t 'devices are made with the mode and the owner asked for'
look '.linux.devices = [{path: "/dev/made", type: "c", major: 1, minor: 3, fileMode: 434, uid: 5, gid: 6},
    {path: "/dev/pipe", type: "p", fileMode: 384}] | .linux.resources.devices = []' --write /dev/made
expect_json '.devices[] | select(.name == "made") | [.type, .mode, .uid, .gid, .major, .minor]' \
    '["char","0662",5,6,1,3]'
expect_json '.devices[] | select(.name == "pipe") | [.type, .mode]' '["fifo","0600"]'
expect_json '.writes["/dev/made"]' ok

t 'a device that no rule allows cannot be opened'
look '.linux.devices = [{path: "/dev/made", type: "c", major: 1, minor: 11, fileMode: 438}]' --readonly /dev/made \
    --readonly /dev/null
expect_json .readonly '{"/dev/made":"EPERM","/dev/null":"ok"}'
look '.linux.devices = [{path: "/dev/made", type: "c", major: 1, minor: 11, fileMode: 438}]
    | .linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 11, access: "w"}]' --readonly /dev/made
expect_json .readonly '{"/dev/made":"ok"}'

t 'signals are as if nothing had been before'
(trap '' HUP PIPE && look .)
expect_json .signals \
    '{"SigBlk":"0000000000000000","SigIgn":"0000000000000000","SigCgt":"0000000000000000","parent_death":0}'
