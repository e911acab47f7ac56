#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# conmon as CRI-O calls it: create and exec through conmon, everything else straight to the runtime.
# limit: 900
# shellcheck disable=SC2016 # for the shell of the row
# shellcheck source=tests/engines/lib/rows.sh
. "$(dirname "$0")/lib/rows.sh"
engines_world

rt() { XDG_RUNTIME_DIR=/run CRI_O_EXTERNAL=1 "/usr/sbin/$R" --root "$WORLD/root-$R" "$@"; }

# bundle PROCESS-FILTER...: $W/b with jq's changes.
bundle() {
    mkdir -p "$W/b" "$W/exit" "$W/sockets" "$W/persist"
    jq --arg root "$ROOTFS" --arg group "/${WORLD##*/}/$C" '.root.path = $root | .process.terminal = false
        | .linux.cgroupsPath = $group | '"${1:-.}" "$WORLD/config.json" >"$W/b/config.json"
}

# con ARGUMENT...: what conmon answers on its pipe, which it keeps open.
con() {
    mkfifo "$W/sync.$$" && (_OCI_SYNCPIPE=3 conmon -c "$C" -u "$C" -n "$C" -r "/usr/sbin/$R" -b "$W/b" \
        --runtime-arg "--root=$WORLD/root-$R" -l "k8s-file:$W/log" --exit-dir "$W/exit" \
        --persist-dir "$W/persist" --socket-dir-path "$W/sockets" --log-level error "$@" \
        3>"$W/sync.$$" >/dev/null 2>"$W/conmon.err" &)
    grep -m 1 '{' "$W/sync.$$"
    rm -f "$W/sync.$$"
}
# made FILTER: a container created through conmon.
made() { bundle "${1:-.}" && con -p "$W/pid" -P "$W/conmon.pid" >"$W/sync" && until_out 20 '[0-9]+' cat "$W/pid" >/dev/null; }
log_is() { until_out 20 "$1" sh -c "sed 's/^[^ ]* //' '$W/log'"; }
exit_is() { until_out 20 "$1" cat "$W/exit/$C"; }
export -f rt bundle con made log_is exit_is

op 'create: the pid on the pipe is that of the file' 'same created' '
    made ".process.args=[\"sleep\",\"1000\"]"; [ "$(jq -r ".data // .pid" $W/sync)" = "$(cat $W/pid)" ] &&
    echo same; rt state $C | jq -r .status; rt delete -f $C'
op 'create, start, log, exit code, delete' 'stdout F out 3 0' '
    made ".process.args=[\"sh\",\"-c\",\"echo out; exit 3\"]"; rt start $C; log_is "stdout F out"; exit_is 3
    rt delete $C; echo $?'
op 'create that fails: the reason on the pipe, no pid file' '~-1 .*no-such.*not found.* no' '
    bundle ".process.args=[\"no-such\"]"; con -p $W/pid | jq -r "(.data // .pid), .message"
    [ -e $W/pid ] || echo no; rt delete -f $C'
op 'state, pause, resume, kill by name' 'running paused running 137' '
    made ".process.args=[\"sleep\",\"1000\"]"; rt start $C; for v in true "rt pause $C" "rt resume $C"; do $v
    rt state $C | jq -r .status; done; rt kill $C KILL; exit_is 137; rt delete -f $C'
op 'kill -a with a number' '137' '
    made ".process.args=[\"sh\",\"-c\",\"sleep 1000 & sleep 1000\"]"; rt start $C; rt kill -a $C 9; exit_is 137
    rt delete -f $C'
op 'kill of a dead one says what CRI-O looks for' '~.*(no such process|container not running).*' '
    made ".process.args=[\"true\"]"; rt start $C; exit_is 0 >/dev/null; rt kill $C TERM 2>&1; rt delete -f $C'
op 'update --resources -' '67108864' '
    made ".process.args=[\"sleep\",\"1000\"]"; rt start $C; echo "{\"memory\":{\"limit\":67108864}}" |
    rt update --resources - $C; cat /sys/fs/cgroup/${WORLD##*/}/$C/memory.max; rt delete -f $C'
op 'exec through conmon' '0 stdout F hi' '
    made ".process.args=[\"sleep\",\"1000\"]"; rt start $C
    jq ".process | .args=[\"echo\",\"hi\"]" $W/b/config.json >$W/p; : >$W/log
    con -e --exec-process-spec $W/p -p $W/exec.pid >/dev/null; exit_is 0; log_is "stdout F hi"; rt delete -f $C'
op 'exec through conmon with a terminal' '~.*/dev/pts/0.*' '
    made ".process.args=[\"sleep\",\"1000\"]"; rt start $C
    jq ".process | .args=[\"tty\"] | .terminal=true" $W/b/config.json >$W/p; : >$W/log
    con -t -e --exec-process-spec $W/p -p $W/exec.pid >/dev/null; log_is ".*pts/0.*"; rt delete -f $C'
op 'exec that fails: the reason on the pipe, no pid file' '~.*no-such.*not found.* no' '
    made ".process.args=[\"sleep\",\"1000\"]"; rt start $C
    jq ".process | .args=[\"no-such\"]" $W/b/config.json >$W/p; con -e --exec-process-spec $W/p -p $W/exec.pid |
    jq -r ".message // empty"; [ -e $W/exec.pid ] || echo no; rt delete -f $C'
op 'exec straight: exit status' '7' '
    made ".process.args=[\"sleep\",\"1000\"]"; rt start $C
    jq ".process | .args=[\"sh\",\"-c\",\"exit 7\"]" $W/b/config.json >$W/p; rt exec --process $W/p $C; echo $?
    rt delete -f $C'
op 'a container with a terminal' '~stdout . /dev/pts/0.*' '
    bundle ".process.args=[\"tty\"] | .process.terminal=true"; con -t -p $W/pid >/dev/null; rt start $C
    log_is ".*pts/0.*"; rt delete -f $C'
op 'an OOM is seen' '137 oom' '
    made ".process.args=[\"dd\",\"if=/dev/zero\",\"of=/dev/null\",\"bs=64M\",\"count=1\"] | .linux.resources.memory={limit:16777216,swap:16777216}"
    rt start $C; exit_is 137; until_out 5 oom sh -c "[ -e $W/persist/oom ] && echo oom"; rt delete -f $C'
op 'features and version, stdout and stderr as one' '~1.* linux .*' '
    rt features 2>&1 | jq -r ".ociVersionMin, (.linux|keys|length>3|if . then \"linux\" else empty end)"
    rt --version 2>&1 | head -n 1'
op 'nothing is left behind' '' 'rt list -q; find /sys/fs/cgroup/${WORLD##*/} -mindepth 1 -type d 2>/dev/null'

/usr/sbin/sublet spec -b "$WORLD"
for runtime in ${TEST_RUNTIMES:-sublet $BESIDE}; do
    play conmon "$runtime"
done
verdicts conmon
