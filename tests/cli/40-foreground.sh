#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 240
# A run in the foreground: its terminal, the caller's, signals, jobs, and not a byte lost.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"

BIG_BYTES=$((${TEST_SANITIZED:-0} == 1 ? 10000000 : 100000000))
head -c "$BIG_BYTES" /dev/urandom >"$T/big"
HERE=("$SUBLET" --root "$T/root" run -b "$T/b")

# person STEP... -- COMMAND: somebody at a terminal; what the command writes there is $T/seen.
person() { run -t 60 python3 "$FEATURES/terminal.py" "$T/seen" "$@"; }

# terminal_bundle SCRIPT
terminal_bundle() { sh_bundle '.process.terminal = true | .root.readonly = false' "$1"; }

# full_pipe: a pipe at $T/pipe, open as 7, that takes 4 KiB more and no reader.
full_pipe() {
    rm -f "$T/pipe"
    mkfifo "$T/pipe"
    exec 7<>"$T/pipe"
    dd if=/dev/zero bs=4096 count=15 status=none >&7
}

# in_background: a run whose output goes into that pipe; its number is $runtime.
in_background() {
    "${HERE[@]}" "$ID" </dev/null >"$T/pipe" 2>"$T/err" 7>&- &
    runtime=$!
}

# is_idle PID: neither reads nor writes.
is_idle() {
    local before
    before=$(cat "/proc/$1/io")
    sleep 0.1
    [ "$before" = "$(cat "/proc/$1/io")" ]
}

# big_bundle FILTER SCRIPT: with the large file at /big.
big_bundle() {
    sh_bundle "$(add_mount "{destination: \"/big\", type: \"bind\", source: \"$T/big\", options: [\"bind\", \"ro\"]}") | $1" "$2"
}

t 'much output through a pipe arrives whole'
big_bundle . 'exec cat /big'
run -t 60 bash -c "'${HERE[0]}' --root '$T/root' run -b '$T/b' $ID | cmp - '$T/big'; echo \${PIPESTATUS[0]}"
expect_out 0

t 'much output of a terminal arrives whole in a pipe'
big_bundle '.process.terminal = true' 'stty -opost; exec cat /big'
run -t 60 bash -c "'${HERE[0]}' --root '$T/root' run -b '$T/b' $ID | cmp - '$T/big'; echo \${PIPESTATUS[0]}"
expect_out 0

t 'much output of a terminal arrives whole in a file'
run -t 60 "${HERE[@]}" "$ID"
expect_status 0
expect cmp "$T/out" "$T/big"

t 'a reader that is slow at the end loses nothing'
terminal_bundle 'stty -opost; seq 1 1500; exit 6'
full_pipe
in_background
until_true 10 container_is "$ID" stopped
head -c $((15 * 4096)) <&7 >"$T/filling"
seq 1 1500 >"$T/wanted"
head -c "$(stat -c %s "$T/wanted")" <&7 >"$T/got"
exec 7>&-
wait "$runtime"
expect_eq 'status of the run' "$?" 6
expect cmp "$T/wanted" "$T/got"

t 'a signal arrives although nobody reads the output'
terminal_bundle 'trap "exit 9" TERM; touch /ready; while :; do echo more and more output; done'
rm -f "$T/b/rootfs/ready"
full_pipe
in_background
until_true 10 test -e "$T/b/rootfs/ready"
until_true 10 is_idle "$runtime"
kill -TERM "$runtime"
until_true 10 is_idle "$runtime"
timeout 10 cat <&7 >/dev/null &
reader=$!
wait "$runtime"
expect_eq 'status of the run' "$?" 9
kill "$reader"
wait "$reader" 2>/dev/null
exec 7>&-

t 'after the end, a wait for the reader can be ended'
terminal_bundle 'stty -opost; seq 1 1500; exit 4'
full_pipe
in_background
until_true 10 container_is "$ID" stopped
expect kill -0 "$runtime"
kill -INT "$runtime"
wait "$runtime"
expect_eq 'status of the run' "$?" 4
exec 7>&-

t 'so can it by a signal that comes before the end was seen'
terminal_bundle 'stty -opost; seq 1 1500; touch /ready; until test -e /end; do sleep 0.05; done; exit 4'
rm -f "$T/b/rootfs/ready" "$T/b/rootfs/end"
full_pipe
in_background
until_true 10 test -e "$T/b/rootfs/ready"
until_true 10 is_idle "$runtime"
kill -STOP "$runtime"
touch "$T/b/rootfs/end"
until_true 10 container_is "$ID" stopped
kill -INT "$runtime"
kill -CONT "$runtime"
wait "$runtime"
expect_eq 'status of the run' "$?" 4
exec 7>&-

t 'such a signal costs no output that the reader takes'
terminal_bundle 'stty -opost; touch /ready; until test -e /end; do sleep 0.05; done; seq 1 300; exit 4'
rm -f "$T/b/rootfs/ready" "$T/b/rootfs/end"
"${HERE[@]}" "$ID" </dev/null >"$T/got" 2>"$T/err" &
runtime=$!
until_true 10 test -e "$T/b/rootfs/ready"
kill -STOP "$runtime"
touch "$T/b/rootfs/end"
until_true 10 container_is "$ID" stopped
kill -INT "$runtime"
kill -CONT "$runtime"
wait "$runtime"
expect_eq 'status of the run' "$?" 4
expect_file "$T/got" "$(seq 1 300)"

t 'a reader that goes away hangs the terminal up'
terminal_bundle 'trap "exit 3" HUP; while :; do echo more; done'
run bash -c "'${HERE[0]}' --root '$T/root' run -b '$T/b' $ID </dev/null | head -n 1; echo \${PIPESTATUS[0]}"
expect_out $'more\r\n3'

t 'output that finds no room is an error, not a silent loss'
terminal_bundle 'trap "" HUP; while echo more; do :; done; exit 0'
run bash -c "'${HERE[0]}' --root '$T/root' run -b '$T/b' $ID </dev/null >/dev/full"
expect_status 125
expect_error 'sublet: output of the process is lost: No space left on device'

t 'the end of a file as input is the end of input'
terminal_bundle 'cat >/got; echo over'
printf 'one\ntwo' >"$T/input"
rm -f "$T/b/rootfs/got"
run -i "$T/input" "${HERE[@]}" "$ID"
expect_status 0
expect_file "$T/b/rootfs/got" $'one\ntwo'
expect_out_has over

t 'much input arrives whole'
terminal_bundle 'stty -echo raw; echo go; head -c 1000000 | md5sum >/sum'
head -c 1000000 "$T/big" >"$T/part"
run bash -c "{ until grep -q go '$T/out'; do sleep 0.02; done; cat '$T/part'; } | '${HERE[0]}' --root '$T/root' run -b '$T/b' $ID"
expect_status 0
expect_eq sum "$(cut -c -32 "$T/b/rootfs/sum")" "$(md5sum <"$T/part" | cut -c -32)"

t 'the terminal is raw while the container runs, and as before afterwards'
terminal_bundle 'echo go; read line; echo "got $line"; exit 7'
person expect:go raw 'type:some words\r' 'expect:got some words' -- "${HERE[@]}" "$ID"
expect_status 7
expect_quiet

t 'keys are bytes for the container: Ctrl-C and Ctrl-D'
terminal_bundle 'trap "echo interrupted" INT; echo go; cat; cat; echo over'
person expect:go raw 'type:one\r' 'expect:one\r\none' 'type:\x03' expect:interrupted \
    'type:two\r\x04' expect:over -- "${HERE[@]}" "$ID"
expect_status 0
expect_quiet

t 'the terminal is as before when a signal ends the container'
terminal_bundle 'trap "exit 8" TERM HUP; echo go; while :; do sleep 0.05; done'
for signal in TERM HUP; do
    person expect:go raw "signal:$signal" -- "${HERE[@]}" "$ID"
    expect_status 8
    expect_quiet
done

t 'the terminal is as before when the start fails'
make_bundle "$T/b" '.process.terminal = true | .process.args = ["/not/there"]'
person -- "${HERE[@]}" "$ID"
expect_status 127

t 'the window size is there from the start and follows'
terminal_bundle 'trap "stty size" WINCH; stty size; echo go; while :; do read line && exit 0; done'
person 'expect:24 80' expect:go raw size:50x132 'expect:50 132' 'type:x\r' -- "${HERE[@]}" "$ID"
expect_status 0
expect_quiet

t 'a job that is stopped gives the terminal back, and takes it when it goes on'
terminal_bundle 'echo go; read line; echo "got $line"'
person expect:go raw signal:TSTP stopped fg raw 'type:words\r' 'expect:got words' -- "${HERE[@]}" "$ID"
expect_status 0
expect_quiet

t 'a job that goes on in the background leaves the terminal alone'
person expect:go raw signal:TSTP stopped bg stopped fg raw 'type:words\r' 'expect:got words' -- "${HERE[@]}" "$ID"
expect_status 0
expect_quiet

t 'Ctrl-Z stops a container without a terminal of its own as well'
sh_bundle '.root.readonly = false' 'n=0; echo go; while [ $n -lt 100 ]; do n=$((n + 1)); echo $n >/count; sleep 0.05; done; echo over'
person expect:go 'type:\x1a' stopped fg expect:over -- "${HERE[@]}" "$ID"
expect_status 0
expect_quiet

t 'a terminal that hangs up is hung up for the container'
terminal_bundle 'trap "echo hung up >/told; exit 5" HUP; echo go; while :; do sleep 0.05; done'
rm -f "$T/b/rootfs/told"
person expect:go raw hangup -- "${HERE[@]}" "$ID"
expect_status 5
expect_file "$T/b/rootfs/told" 'hung up'

t 'a process that closes its terminal can open it again'
terminal_bundle 'exec <&- >&- 2>&-; sleep 0.2; exec >/dev/console; echo again'
run "${HERE[@]}" "$ID"
expect_status 0
expect_out $'again\r'

t 'a process that keeps the terminal does not keep the run'
sh_bundle ".process.terminal = true | $(no_namespace pid)" 'sleep 1000 & echo over'
run -t 10 "${HERE[@]}" "$ID"
expect_status 0
expect_out $'over\r'
