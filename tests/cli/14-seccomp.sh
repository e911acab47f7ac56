#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Filters: actions, errors, conditions, newer system calls, and an agent that is asked.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"

# profile DEFAULT RULE...: a filter that sets this profile.
profile() {
    local default=$1 IFS=,
    shift
    printf '.linux.seccomp = {defaultAction: "%s", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
        syscalls: [%s]}' "$default" "$*"
}
# rule ACTION NAME [FIELDS]
rule() { printf '{names: ["%s"], action: "%s"%s}' "$2" "$1" "${3:+, $3}"; }

t 'without a profile there is no filter'
look .
expect_json .seccomp '{"mode":0,"filters":0}'

t 'an error is the one asked for, EPERM if none is'
look "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ERRNO keyctl)" "$(rule SCMP_ACT_ERRNO setns 'errnoRet: 22')" \
    "$(rule SCMP_ACT_ERRNO bpf 'errnoRet: 0')")" --syscall keyctl --syscall setns --syscall bpf --syscall getpid
expect_json .seccomp '{"mode":2,"filters":1}'
expect_json .syscalls '{"keyctl":"EPERM","setns":"EINVAL","bpf":"ok","getpid":"ok"}'

t 'two profiles that differ by the error alone are two filters'
look "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ERRNO setns 'errnoRet: 5')")" --syscall setns
expect_json .syscalls.setns EIO
look "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ERRNO setns 'errnoRet: 6')")" --syscall setns
expect_json .syscalls.setns ENXIO

t 'defaultErrnoRet answers what no rule names'
# All that the shell needs is allowed by the lists of a real engine.
syscalls=$(jq -c '.linux.seccomp.syscalls | map(select(.action == "SCMP_ACT_ALLOW"))' \
    "$LIB/../bundles/docker/config.json")
look ".linux.seccomp = {defaultAction: \"SCMP_ACT_ERRNO\", defaultErrnoRet: 5, architectures: [\"SCMP_ARCH_X86_64\"],
    syscalls: $syscalls}" --syscall keyctl --syscall getpid --syscall newest
expect_json '.syscalls | [.keyctl, .getpid]' '["EIO","ok"]'

t 'a system call newer than the profile does not exist'
look ".linux.seccomp = {defaultAction: \"SCMP_ACT_ERRNO\", architectures: [\"SCMP_ARCH_X86_64\"],
    syscalls: $syscalls}" --syscall keyctl --syscall newest --syscall fchmodat2 --syscall-nr 4095
expect_json .syscalls '{"keyctl":"EPERM","newest":"ENOSYS","fchmodat2":"ENOSYS"}'

t 'conditions on arguments decide'
look "$(profile SCMP_ACT_ALLOW \
    "$(rule SCMP_ACT_ERRNO personality 'errnoRet: 22, args: [{index: 0, value: 8, op: "SCMP_CMP_EQ"}]')" \
    "$(rule SCMP_ACT_ERRNO unshare 'errnoRet: 5,
        args: [{index: 0, value: 268435456, valueTwo: 268435456, op: "SCMP_CMP_MASKED_EQ"}]')")" \
    --syscall personality --syscall personality-linux32 --syscall unshare --syscall unshare-user
expect_json .syscalls '{"personality":"ok","personality-linux32":"EINVAL","unshare":"ok","unshare-user":"EIO"}'

for op in NE:ok:EINVAL LT:ok:ok LE:EINVAL:ok EQ:EINVAL:ok GE:EINVAL:EINVAL GT:ok:EINVAL; do
    IFS=: read -r name at_8 at_max <<<"$op"
    t "SCMP_CMP_$name compares as it says"
    look "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ERRNO personality \
        "errnoRet: 22, args: [{index: 0, value: 8, op: \"SCMP_CMP_$name\"}]")")" \
        --syscall personality --syscall personality-linux32
    expect_json .syscalls "{\"personality\":\"$at_max\",\"personality-linux32\":\"$at_8\"}"
done

t 'KILL, TRAP, TRACE and LOG do what they say'
look "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_KILL_PROCESS keyctl)" "$(rule SCMP_ACT_KILL setns)" \
    "$(rule SCMP_ACT_TRAP bpf)" "$(rule SCMP_ACT_TRACE swapon 'errnoRet: 1')" "$(rule SCMP_ACT_LOG chroot)" \
    "$(rule SCMP_ACT_KILL_THREAD add_key)")" \
    --syscall keyctl --syscall setns --syscall bpf --syscall swapon --syscall chroot --syscall add_key
expect_json '.syscalls | [.keyctl, .setns, .bpf, .add_key] | unique' '["SIGSYS"]'
expect_json '.syscalls | [.swapon, .chroot]' '["ENOSYS","EFAULT"]'

t 'a container killed by its filter ends with 128 + SIGSYS'
shell "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_KILL_PROCESS sync)")" 'sync; echo survived'
expect_out survived
make_bundle "$T/b" ".process.args = [\"/bin/sync\"] | $(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_KILL_PROCESS sync)")"
run sublet run -b "$T/b" "$ID"
expect_status 159

t 'a name that no architecture knows is skipped'
look "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ERRNO no_such_call)" "$(rule SCMP_ACT_ERRNO keyctl)")" --syscall keyctl
expect_json .syscalls.keyctl EPERM

t 'a filter works without noNewPrivileges too'
look "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ERRNO keyctl)") | .process.noNewPrivileges = false
    | .process.user = {uid: 1000, gid: 1000}" --syscall keyctl
expect_json '[.seccomp.mode, .no_new_privs, .syscalls.keyctl]' '[2,0,"EPERM"]'

t 'an agent gets the state and the listener, and answers'
agent=$(helper agent)
"$agent" "$T/agent" "$T/told" &
agent_pid=$!
until_true 5 test -S "$T/agent"
look "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_NOTIFY keyctl)")
    | .linux.seccomp += {listenerPath: \"$T/agent\", listenerMetadata: \"some \\\"words\\\"\"}
    | .annotations = {\"a.b\": \"c\"}" --syscall keyctl --syscall getpid
expect_json .syscalls '{"keyctl":"EADDRNOTAVAIL","getpid":"ok"}'
wait "$agent_pid"
expect_eq 'status of the agent' $? 0
expect_json '[.ociVersion, .fds, .metadata, .state.id, .state.status, .state.bundle, .state.annotations]' \
    "[\"1.3.0\",[\"seccompFd\"],\"some \\\"words\\\"\",\"$ID\",\"creating\",\"$T/b\",{\"a.b\":\"c\"}]" "$T/told"
expect_json '.pid > 1 and .pid == .state.pid' true "$T/told"
rm -f "$T/agent"

t 'the agent has the listener before the container is created'
"$agent" "$T/agent" "$T/told" &
agent_pid=$!
until_true 5 test -S "$T/agent"
probe_bundle "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_NOTIFY keyctl)")
    | .linux.seccomp.listenerPath = \"$T/agent\""
create "$ID"
expect_json .state.status creating "$T/told"
expect_eq 'pid told' "$(jq .pid "$T/told")" "$(sublet state "$ID" | jq .pid)"
run sublet delete --force "$ID"
wait "$agent_pid"
rm -f "$T/agent"

# hooked MORE: a filter with the agent and a startContainer hook, which shows in the container's /tmp
# under what filter it runs and whether the agent had been told by then.
hooked() {
    printf '%s' "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_NOTIFY keyctl)")
        | .linux.seccomp += {listenerPath: \"$T/agent\", listenerMetadata: \"late\"}
        | $(add_mount "{destination: \"/shown\", source: \"$T/shown\", options: [\"bind\"]}")
        | .hooks.startContainer = [{path: \"/bin/sh\", args: [\"sh\", \"-c\",
            \"grep Seccomp: /proc/self/status >>/shown/filter; ls /proc/self/fd >/shown/fds\"]}]"
}
serve() {
    mkdir -p "$T/shown"
    rm -f "$T/shown/"* "$T/told"
    "$agent" "$T/agent" "$T/told" &
    agent_pid=$!
    until_true 5 test -S "$T/agent"
}

t 'with startContainer hooks, the agent is told behind them'
serve
look "$(hooked)" --syscall keyctl --syscall getpid
expect_json .syscalls '{"keyctl":"EADDRNOTAVAIL","getpid":"ok"}'
wait "$agent_pid"
expect_eq 'status of the agent' $? 0
expect_json '[.fds, .metadata, .state.id, .state.status]' "[[\"seccompFd\"],\"late\",\"$ID\",\"created\"]" "$T/told"
expect_json '.pid > 1 and .pid == .state.pid' true "$T/told"
expect_eq 'filter of the hook' "$(cat "$T/shown/filter")" $'Seccomp:\t0'
expect_eq 'descriptors of the hook' "$(wc -l <"$T/shown/fds")" 4
rm -f "$T/agent"

t 'the same by create and start, and create has ended long before'
serve
probe_bundle "$(hooked)" --syscall keyctl
create "$ID" >"$T/probe"
pid=$(sublet state "$ID" | jq .pid)
expect_eq 'told by create' "$(cat "$T/told")" ''
run sublet start "$ID"
expect_status 0
expect_quiet
until_true 5 container_is "$ID" stopped
wait "$agent_pid"
expect_eq 'status of the agent' $? 0
expect_json '[.state.id, .pid]' "[\"$ID\",$pid]" "$T/told"
expect_eq 'filter of the hook' "$(cat "$T/shown/filter")" $'Seccomp:\t0'
run sublet delete "$ID"
rm -f "$T/agent"

t 'an agent that has gone before start is an error of start'
serve
probe_bundle "$(hooked)" --syscall keyctl
create "$ID"
kill -9 "$agent_pid"
{ wait "$agent_pid"; } 2>/dev/null
run sublet start "$ID"
expect_status 1
expect_error 'sublet: linux.seccomp: cannot load the filter, or its agent has gone: Broken pipe'
run sublet state "$ID"
expect_status 1
rm -f "$T/agent"

t 'an agent that is not there is an error that leaves nothing'
probe_bundle "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_NOTIFY keyctl)")
    | .linux.seccomp.listenerPath = \"$T/agent\""
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_error "sublet: linux.seccomp.listenerPath: cannot connect to '$T/agent': No such file or directory"
