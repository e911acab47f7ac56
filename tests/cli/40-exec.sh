#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 240
# exec: one more process in a container, and everything that can be said about it.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"
# shellcheck source=tests/cli/helpers/exec.sh
. "$(dirname "$0")/helpers/exec.sh"
console=$(helper console)

t 'the process is in all namespaces and in the group of the container'
begin
pid=$(init_pid)
enter "$ID" sh -c 'for kind in mnt pid net ipc uts cgroup user time; do readlink /proc/self/ns/$kind; done; cat /proc/1/comm'
expect_status 0
expect_quiet
expect_out "$(for kind in mnt pid net ipc uts cgroup user time; do ns_of "$pid" "$kind"; done; echo sleep)"
enter --detach --pid-file "$T/pid" "$ID" sleep 100
expect_status 0
expect_eq 'its cgroup' "$(grep ^0:: "/proc/$(cat "$T/pid")/cgroup")" "$(grep ^0:: "/proc/$pid/cgroup")"
end

t 'the status of the process is given back, and 128 + n for a signal'
begin
enter "$ID" sh -c 'exit 7'
expect_status 7
enter "$ID" sh -c 'kill -TERM $$'
expect_status 143
enter --detach "$ID" sh -c 'exit 7'
expect_status 0
end

t 'a program that is not there is 127, one that cannot be executed 126, and no pid file is left'
begin
for form in --detach ''; do
    # shellcheck disable=SC2086 # none where it is empty
    enter $form --pid-file "$T/none" "$ID" nope
    expect_status 127
    expect_error "sublet: process.args[0]: exec 'nope': executable file not found in \$PATH: no such file or directory"
    # shellcheck disable=SC2086
    enter $form --pid-file "$T/none" "$ID" /etc/passwd
    expect_status 126
    expect_error "sublet: process.args[0]: exec '/etc/passwd': permission denied"
    # shellcheck disable=SC2086
    enter $form --pid-file "$T/none" "$ID" /etc
    expect_status 126
    expect_error "sublet: process.args[0]: exec '/etc': is a directory: permission denied"
    expect_absent "$T/none"
done
printf '#!/no/interpreter\n' >"$T/b/rootfs/bin/script"
chmod +x "$T/b/rootfs/bin/script"
enter --detach --pid-file "$T/none" "$ID" script
expect_status 127
expect_error "sublet: process.args[0]: cannot execute the program: No such file or directory"
printf 'nothing' >"$T/b/rootfs/bin/script"
enter --detach --pid-file "$T/none" "$ID" script
expect_status 126
expect_absent "$T/none"
end

t 'a pid file is whole and names the process; one that cannot be written ends it'
begin
enter --detach --pid-file "$T/pid" "$ID" sleep 77
expect_status 0
expect_eq 'its command' "$(tr '\0' ' ' <"/proc/$(cat "$T/pid")/cmdline")" 'sleep 77 '
enter --detach --pid-file "$T/no/such" "$ID" sleep 78
expect_status 125
expect_err_has --pid-file
expect_alone 2
end

t 'a pid file does not take the place of a device'
begin
mknod -m 666 "$T/null" c 1 3
enter --detach --pid-file "$T/null" "$ID" sleep 78
expect_status 125
expect_error "sublet: --pid-file: '$T/null' is no regular file, which could be replaced"
expect_eq type "$(stat -c %F "$T/null")" 'character special file'
expect_alone 1
end

t 'a pidfd is sent over the socket; without a receiver nothing runs'
begin
cat >"$T/receive.py" <<'PY'
import socket, sys, os, signal, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(1)
open(sys.argv[1] + ".ready", "w").close()
c, _ = s.accept()
data, fds, _, _ = socket.recv_fds(c, 64, 4)
info = open("/proc/self/fdinfo/%d" % fds[0]).read()
print(len(fds), [l.split()[1] for l in info.splitlines() if l.startswith("Pid:")][0])
while not os.path.exists(sys.argv[2]):
    time.sleep(0.01)
signal.pidfd_send_signal(fds[0], signal.SIGKILL)
PY
timeout 10 python3 "$T/receive.py" "$T/fd" "$T/pid" >"$T/received" &
receiver=$!
rm -f "$T/pid"
until_true 5 test -e "$T/fd.ready"
enter --pidfd-socket "$T/fd" --pid-file "$T/pid" "$ID" sleep 100
expect_status 137
wait "$receiver"
expect_file "$T/received" "1 $(cat "$T/pid")"
enter --pidfd-socket "$T/nobody" "$ID" touch /dev/shm/ran
expect_status 125
expect_err_has "--pidfd-socket: cannot connect to '$T/nobody'"
enter "$ID" test -e /dev/shm/ran
expect_status 1
end

t 'descriptors are preserved, and no others leak'
begin
run bash -c 'exec 3<<<three 4<<<four 5</ 9</etc; exec "$@"' - "$SUBLET" --root "$T/root" exec --preserve-fds 2 "$ID" \
    sh -c 'cat <&3; cat <&4; for n in 5 6 7 8 9 10 11 12 13 14 15 16; do
        (eval ": <&$n") 2>/dev/null && echo open $n; done; echo end'
expect_status 0
expect_out $'three\nfour\nend'
run bash -c 'exec 3<&- 4<&-; exec "$@"' - "$SUBLET" --root "$T/root" exec --preserve-fds 2 "$ID" true
expect_status 125
expect_err_has '--preserve-fds 2: descriptor 3 is not open'
end

t 'folder, environment, user and groups of the command line'
begin '.process.env = ["PATH=/bin", "KEPT=1", "CHANGED=1"] | .process.cwd = "/tmp" | .process.user = {uid: 5, gid: 6, additionalGids: [7]}'
enter "$ID" sh -c 'pwd; id; echo $KEPT $CHANGED $HOME'
expect_out $'/tmp\nuid=5 gid=6 groups=7\n1 1 /'
enter --cwd /home -e CHANGED=2 -e NEW='a b' -u 1000:1001 -g 8 -g 9 "$ID" sh -c 'pwd; id; echo $KEPT $CHANGED $NEW $HOME'
expect_out $'/home\nuid=1000(user) gid=1001 groups=8,9\n1 2 a b /home'
enter -g 8 "$ID" id
expect_out 'uid=5 gid=6 groups=7,8'
enter --env junk "$ID" true
expect_status 2
enter -g x "$ID" true
expect_status 2
enter --cwd relative "$ID" true
expect_status 125
expect_err_has process.cwd
enter --cwd /not/there "$ID" true
expect_status 125
expect_error "sublet: process.cwd: cannot enter '/not/there': No such file or directory"
expect_absent "$T/b/rootfs/not"
end

t 'capabilities, no new privileges and the system call filter'
begin '.process.noNewPrivileges = false | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 99}]}'
enter "$ID" sh -c 'grep -E "^(Cap|NoNew)" /proc/self/status; mkdir /tmp/x'
own=$(cat "$T/out")
expect_out_has $'NoNewPrivs:\t0'
expect_err "mkdir: can't create directory '/tmp/x': Cannot assign requested address"
enter --cap CAP_NET_RAW --cap CAP_CHOWN --no-new-privs "$ID" sh -c 'grep -E "^(Cap|NoNew)" /proc/self/status; mkdir /tmp/x'
expect_out "$(sed 's/0*20000420$/0000000020002421/; s/Privs:\t0/Privs:\t1/' <<<"$own")"
expect_err "mkdir: can't create directory '/tmp/x': Cannot assign requested address"
enter --cap CAP_FLY "$ID" true
expect_status 2
expect_err_has "unknown capability 'CAP_FLY'"
end

t 'a filter that forbids to make processes or sessions does not keep exec from its work'
begin '.process.noNewPrivileges = false | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls:
    [{names: ["clone", "clone3", "fork", "vfork", "setsid", "ioctl"], action: "SCMP_ACT_ERRNO"}]}'
enter "$ID" sh -c 'echo ran; (true); true'
expect_out ran
expect_err_has fork
end

t 'limits, also that of processes to the last one'
begin '.process.rlimits = [{type: "RLIMIT_NPROC", soft: 2, hard: 2}, {type: "RLIMIT_NOFILE", soft: 64, hard: 99}]
    | .process.user = {uid: 54321, gid: 0}'
enter "$ID" sh -c 'ulimit -u; ulimit -Hn'
expect_status 0
expect_out $'2\n99'
end

t 'a process file is taken as it is, and what it lacks comes from the container'
begin '.process.env = ["PATH=/bin", "A=own"] | .process.user = {uid: 5, gid: 6} | .process.oomScoreAdj = 321'
process 'del(.env, .user, .capabilities, .rlimits, .oomScoreAdj) | .args = ["sh", "-c",
    "id; echo $A; cat /proc/self/oom_score_adj; grep CapBnd /proc/self/status; ulimit -n"]'
enter --process "$T/process.json" "$ID"
expect_status 0
expect_out $'uid=5 gid=6\nown\n321\nCapBnd:\t0000000020000420\n1024'
process '.env = ["PATH=/bin"] | .user = {uid: 7, gid: 8, umask: 63} | .capabilities = {} | .rlimits = [{type: "RLIMIT_NOFILE", soft: 9, hard: 9}]
    | .oomScoreAdj = 400 | .noNewPrivileges = true | .scheduler = {policy: "SCHED_IDLE"} | .ioPriority = {class: "IOPRIO_CLASS_IDLE"}
    | .args = ["sh", "-c",
    "id; echo $A; cat /proc/self/oom_score_adj; grep -E \"CapBnd|NoNew\" /proc/self/status; ulimit -n; umask; " +
    "cut -d \" \" -f 41 /proc/self/stat; ionice -p $$"]'
enter --process "$T/process.json" "$ID"
expect_status 0
expect_out $'uid=7 gid=8\n\n400\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n9\n0077\n5\nidle'
enter --process "$T/process.json" --user 9 --cwd /tmp -e A=option "$ID"
expect_out_match '^uid=9 gid=0'
expect_out_match '^option$'
enter --process "$T/process.json" "$ID" true
expect_status 2
expect_err_has "option '--process' goes without a command"
end

t 'labels are asked of the kernel, or refused where it has none'
begin
if [ ! -d /sys/kernel/security/apparmor ]; then
    enter --apparmor sublet-box "$ID" true
    expect_status 125
    expect_err_has 'process.apparmorProfile: '
fi
if ! grep -q selinuxfs /proc/mounts; then
    enter --process-label system_u:system_r:container_t:s0 "$ID" true
    expect_status 125
    expect_err_has 'process.selinuxLabel: '
fi
end

t 'umask is 0022 where it is not said'
begin
run bash -c 'umask 0; exec "$@"' - "$SUBLET" --root "$T/root" exec "$ID" sh -c umask
expect_out 0022
end

# Each is refused, names the place, and runs nothing.
t 'malformed process files are refused with the place of the mistake'
begin
broken() {
    printf '%s' "$1" >"$T/process.json"
    enter --process "$T/process.json" "$ID"
    expect_status 125
    expect_out ''
    expect_err_has "$2"
}
broken '' 'process.json:1:1'
broken '{"args": ["true"], "cwd": "/"' 'process.json:1:'
broken '[]' 'process.json:1:1'
broken '{"cwd": "/"}' process.args
broken '{"args": ["true"]}' process.cwd
broken '{"args": [], "cwd": "/"}' process.args
broken '{"args": [""], "cwd": "/"}' 'process.args[0]'
broken '{"args": ["true"], "cwd": "x"}' process.cwd
broken '{"args": ["tr\u0000ue"], "cwd": "/"}' 'process.args[0]'
broken '{"args": ["true"], "args": ["false"], "cwd": "/"}' process.args
broken '{"args": ["true"], "cwd": "/", "user": {"uid": 4294967295}}' process.user.uid
broken '{"args": ["true"], "cwd": "/", "user": {"uid": -1}}' process.user.uid
broken '{"args": ["true"], "cwd": "/", "user": {"uid": "0"}}' process.user.uid
broken '{"args": ["true"], "cwd": "/", "user": {"umask": 512}}' process.user.umask
broken '{"args": ["true"], "cwd": "/", "env": ["FOO"]}' 'process.env[0]'
broken '{"args": ["true"], "cwd": "/", "rlimits": [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]}' 'process.rlimits[0].type'
broken '{"args": ["true"], "cwd": "/", "oomScoreAdj": 5000}' process.oomScoreAdj
broken '{"args": ["true"], "cwd": "/", "noNewPrivileges": "true"}' process.noNewPrivileges
broken '{"args": ["true"], "cwd": "/", "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 9}}' process.ioPriority.priority
broken '{"args": ["true"], "cwd": "/", "scheduler": {"policy": "SCHED_X"}}' process.scheduler.policy
broken '{"args": ["true"], "cwd": "/", "execCPUAffinity": {"initial": "0-"}}' process.execCPUAffinity.initial
broken '{"args": ["true"], "cwd": "/", "execCPUAffinity": {"final": "a"}}' process.execCPUAffinity.final
broken '{"args": ["true"], "cwd": "/", "capabilities": {"effective": ["CAP_KILL"]}}' 'process.capabilities.effective[0]'
broken '{"args": ["true"], "cwd": "/", "terminal": true, "consoleSize": {"height": 70000, "width": 1}}' process.consoleSize
mkfifo "$T/fifo"
for file in "$T" "$T/none" "$T/fifo"; do
    enter --process "$file" "$ID"
    expect_status 125
    expect_err_has "$file"
done
end

t 'CPUs: initial before the group, final in it'
[ "$(nproc)" -ge 2 ] || skip 'one CPU'
begin
for pair in '{"initial": "1"}=1' '{"final": "0"}=0' '{"initial": "0", "final": "1"}=1' '{"final": "0-1"}=0-1'; do
    process ".execCPUAffinity = ${pair%=*} | .args = [\"grep\", \"Cpus_allowed_list\", \"/proc/self/status\"]"
    enter --process "$T/process.json" "$ID"
    expect_status 0
    expect_out $'Cpus_allowed_list:\t'"${pair##*=}"
done
process '.execCPUAffinity.final = "1000000"'
enter --process "$T/process.json" "$ID"
expect_status 125
expect_error 'sublet: process.execCPUAffinity.final: the kernel refused these CPUs: Invalid argument'
end

t 'a terminal for a foreground exec'
begin
run script -qefc "stty rows 44 cols 88; '$SUBLET' --root '$T/root' exec --tty $ID sh -c 'tty; stty size; exit 9'" /dev/null
expect_status 9
expect_out_has /dev/pts/0
expect_out_has '44 88'
end

t 'the size of the terminal of a foreground exec follows the caller'
begin
run -t 60 python3 "$FEATURES/terminal.py" "$T/seen" 'expect:24 80' expect:go raw size:50x132 'expect:50 132' 'type:x\r' -- \
    "$SUBLET" --root "$T/root" exec --tty "$ID" sh -c 'trap "stty size" WINCH; stty size; echo go; while :; do read line && exit 7; done'
expect_status 7
expect_quiet
end

t 'a terminal is sent over the console socket, with the size of the process file'
begin
rm -f "$T/console"
"$console" "$T/console" "$T/said" >"$T/name" &
console_pid=$!
until_true 5 test -S "$T/console"
process '.terminal = true | .consoleSize = {height: 33, width: 99} | .args = ["/bin/probe"] | .user = {uid: 1000, gid: 1000}'
enter --detach --process "$T/process.json" --console-socket "$T/console" "$ID"
expect_status 0
expect_quiet
wait "$console_pid"
expect_file "$T/name" /dev/ptmx
expect_json '.tty | [.isatty, .rows, .columns, .session_leader, .controlling, .foreground]' \
    "[[true,true,true],33,99,true,true,$(jq -c .tty.foreground "$T/said")]" "$T/said"
expect_json '[.fds[].target] | unique' '["/dev/pts/0"]' "$T/said"
enter --detach --tty "$ID" true
expect_status 125
expect_err_has process.terminal
enter --console-socket "$T/console" "$ID" true
expect_status 125
expect_err_has '--console-socket is given'
end

t 'signals of the caller go to the process'
begin
"$SUBLET" --root "$T/root" exec "$ID" sh -c 'trap "echo got it; exit 3" TERM; echo ready; while :; do sleep 0.05; done' >"$T/said" </dev/null &
caller=$!
until_true 5 grep -q ready "$T/said"
kill -TERM "$caller"
wait "$caller"
expect_eq status $? 3
expect_file "$T/said" $'ready\ngot it'
end

t 'standard input reaches the process, and its end'
begin
printf 'one\ntwo\n' >"$T/in"
run -i "$T/in" sublet exec "$ID" wc -l
expect_out 2
end

t 'what there is no running container for is refused in the words that engines know'
make_bundle "$T/b" '.process.args = ["/bin/sleep", "1000"]'
run sublet exec "$ID" true
expect_status 125
expect_error "sublet: container '$ID': container does not exist"
run sublet create -b "$T/b" "$ID"
enter "$ID" echo in a created one
expect_status 0
expect_out 'in a created one'
run sublet start "$ID"
run sublet kill "$ID" KILL
until_true 5 container_is "$ID" stopped
enter --detach --pid-file "$T/none" "$ID" true
expect_status 125
expect_error "sublet: container '$ID': cannot exec in a stopped container (container not running: no such process)"
expect_absent "$T/none"
end

t 'a command is missing, also behind two dashes'
for dashes in '' --; do
    # shellcheck disable=SC2086 # none is none
    run sublet exec "$ID" $dashes
    expect_status 2
    expect_err "sublet: a command to run is missing; see 'sublet exec --help'"
done

t 'a paused container is refused, or waited for'
begin
run sublet pause "$ID"
expect_status 0
enter "$ID" true
expect_status 125
expect_error "sublet: container '$ID': cannot exec in a paused container (use --ignore-paused to override)"
sublet exec --ignore-paused "$ID" echo waited >"$T/said" </dev/null &
caller=$!
sleep 0.3
expect_file "$T/said" ''
run sublet resume "$ID"
expect_status 0
wait "$caller"
expect_eq status $? 0
expect_file "$T/said" waited
end

t 'an exec that waits for a paused container ends with its caller, and leaves nothing'
begin
run sublet pause "$ID"
"$SUBLET" --root "$T/root" exec --ignore-paused "$ID" sleep 55 </dev/null &
caller=$!
sleep 0.2
expect group_has 1
kill -TERM "$caller"
wait "$caller" 2>/dev/null
expect_eq 'status of the caller' $? 143
run sublet resume "$ID"
expect_alone 1
end

t 'with hooks, and without a procfs of its own'
begin '.hooks = {createRuntime: [{path: "/bin/true"}], startContainer: [{path: "/bin/true"}], poststart: [{path: "/bin/true"}]}
    | .mounts |= map(select(.destination != "/proc")) | .linux |= del(.maskedPaths, .readonlyPaths)'
enter "$ID" echo inside
expect_status 0
expect_out inside
end

t 'an agent is asked for a process of exec, too'
agent=$(helper agent)
rm -f "$T/agent"
make_bundle "$T/b" '.process.args = ["/bin/sleep", "1000"]'
begin ".linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", listenerPath: \"$T/agent\", listenerMetadata: \"m\",
    syscalls: [{names: [\"mkdir\", \"mkdirat\"], action: \"SCMP_ACT_NOTIFY\"}]} | .process.terminal = false" 2>/dev/null
cli_reason=
for what in run exec; do
    "$agent" "$T/agent" "$T/told" &
    agents="${agents:-} $!"
    until_true 5 test -S "$T/agent"
    if [ "$what" = run ]; then
        run sublet run --detach -b "$T/b" "$ID"
        expect_status 0
        rm -f "$T/agent"
    fi
done
enter "$ID" sh -c 'mkdir /tmp/x'
expect_err "mkdir: can't create directory '/tmp/x': Cannot assign requested address"
expect_json '[.fds, .metadata, .state.status, .state.id, (.pid != .state.pid), .state.pid]' \
    "[[\"seccompFd\"],\"m\",\"running\",\"$ID\",true,$(init_pid)]" "$T/told"
end
# shellcheck disable=SC2086 # two numbers
wait $agents

t 'a process of an exec that stands still on its way in does not hold up the end of the container'
command -v strace >/dev/null || skip 'strace is not installed'
begin
strace -f -q -o "$T/trace" -e trace=exit_group -e inject=exit_group:delay_enter=9000000 \
    "$SUBLET" --root "$T/root" exec "$ID" sleep 60 </dev/null >/dev/null 2>&1 &
tracer=$!
until_true 5 group_has 3
run sublet kill "$ID" KILL
expect_status 0
[ -n "$cli_skipped" ] || until_true 5 container_is "$ID" stopped
kill -KILL "$tracer" 2>/dev/null
wait "$tracer" 2>/dev/null || true
end

t 'delete --force gives the container 200 ms to end by itself, then kills what holds up its end'
command -v strace >/dev/null || skip 'strace is not installed'
begin
group=$(group_dir)
# Who entered the pid namespace and stands still: his child cannot be waited for, and so the first
# process of the namespace cannot end, until he is killed as one of the group.
bash -c 'echo $$ >"$1/cgroup.procs" && exec nsenter -t "$2" -p sleep 60' hold "$group" "$(init_pid)" &
holder=$!
disown "$holder" # the shell has no need to tell of its end
until_true 5 group_has 3
kill -STOP "$holder"
began=$SECONDS
ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 run strace -o "$T/trace" -e trace=pidfd_send_signal,poll,openat \
    "$SUBLET" --root "$T/root" delete --force "$ID"
expect_status 0
expect_quiet
[ $((SECONDS - began)) -lt 6 ] || fail "waited $((SECONDS - began)) s for an end that does not come"
sed -nE 's/^(pidfd_send_signal).*SIGKILL.*/\1/p; s/^poll.* (200)\) += 0 \(Timeout\)$/\1/p; s/^openat.*"(cgroup\.kill)".*/\1/p' \
    "$T/trace" >"$T/order"
expect_file "$T/order" 'pidfd_send_signal
200
cgroup.kill'
expect_absent "$group"
kill -KILL "$holder" 2>/dev/null || true

t 'two hundred in a row leave nothing'
begin

for _ in $(seq 200); do
    "$SUBLET" --root "$T/root" exec "$ID" true </dev/null >/dev/null 2>"$T/failed" || fail "one failed: $(cat "$T/failed")"
done
expect_alone 1
expect_eq 'files of its state' "$(find "$T/root/$ID" -type f -printf '%f\n' | sort | paste -sd ' ')" 'config.json state.json'

end

t 'many at once while the container ends: each runs or says that it does not'
begin
for _ in $(seq 24); do
    timeout -k 1 10 "$SUBLET" --root "$T/root" exec "$ID" sleep 0.1 </dev/null >/dev/null 2>>"$T/said.$_" &
    callers="${callers:-} $!"
done
sleep 0.1
run sublet delete --force "$ID"
expect_status 0
for caller in $callers; do
    wait "$caller"
    code=$?
    case $code in
        0 | 125 | 137) ;;
        *) fail "status $code" ;;
    esac
done
grep -hv -e 'container does not exist' -e 'container not running' -e 'deleted by another command' -e 'not any more' \
    "$T"/said.* >"$T/odd" 2>/dev/null
expect_file "$T/odd" ''
