#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 300
# Malformed command lines, hooks that misbehave, and callers with strange descriptors, limits and
# environments. A row's number is that of the list of malformed input.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
B=$T/b

begin() {
    local filter
    rm -rf "${B:?}"
    make_bundle "$B" '.process.args = ["/bin/true"] | .root.readonly = false'
    for filter in "$@"; do
        edit_bundle "$B" "$filter"
    done
}

# hook KIND SCRIPT [MORE]: the bundle gets a hook that is this script.
hook() {
    printf '#!/bin/sh\n%s\n' "$2" >"$T/hook-$1"
    chmod 755 "$T/hook-$1"
    edit_bundle "$B" ".hooks.$1 = [{path: \"$T/hook-$1\"} + {${3:-}}]"
}

for kind in 'not there' 'not executable' fails 'is killed'; do
    t "row 101: a hook that ${kind}: its index, its status, all undone"
    begin
    hook createRuntime 'echo from the hook >&2; exit 3'
    what='status 3.*from the hook'
    case $kind in
        'not there') rm "$T/hook-createRuntime" && what='[Nn]o such file' ;;
        'not executable') chmod 644 "$T/hook-createRuntime" && what='[Pp]ermission denied' ;;
        'is killed') printf '#!/bin/sh\nkill -9 $$\n' >"$T/hook-createRuntime" && what='signal 9|[Kk]illed' ;;
    esac
    run sublet create -b "$B" "$ID"
    expect_status 1
    expect_err_match "^sublet: hooks\\.createRuntime\\[0\\].*($what)"
done

t 'row 102: a hook that takes too long is killed with its children, and nothing waits for its pipe'
begin
hook createRuntime "trap '' TERM; (sleep 40; echo $ID) & sleep 40" 'timeout: 1'
begun=$SECONDS
run -t 8 sublet create -b "$B" "$ID"
expect_status 1
expect_err_match '^sublet: hooks\.createRuntime\[0\].*(second|timeout|deadline)'
[ $((SECONDS - begun)) -le 5 ] || fail 'it waited'
t 'row 102: a hook that leaves a child with its output open holds nobody up'
begin
hook createRuntime 'sleep 3 & exit 0'
begun=$SECONDS
run -t 8 sublet run -b "$B" "$ID"
expect_status 0
[ $((SECONDS - begun)) -le 2 ] || fail 'it waited'
sleep 3
for timeout in 0 -1; do
    t "row 102: a timeout of $timeout"
    begin
    hook createRuntime 'exit 0' "timeout: $timeout"
    run sublet create -b "$B" "$ID"
    expect_status 1
    expect_err_has 'hooks.createRuntime[0].timeout'
done

t 'row 103: a hook may ask for the state; a delete from a hook finds the container busy'
begin
hook createRuntime "$SUBLET --root $T/root state $ID | grep -o '\"status\": \"creating\"' >$T/hook-state
timeout 14 $SUBLET --root $T/root delete $ID 2>$T/hook-delete; exit 0"
run sublet run -b "$B" "$ID"
expect_status 0
expect_file "$T/hook-state" '"status": "creating"'
expect_file "$T/hook-delete" "sublet: container '$ID' is busy: another command holds it"

t 'row 104: annotations are no strings, or hold control characters'
begin '.annotations = {"a": 1}'
run sublet create -b "$B" "$ID"
expect_status 1
expect_err_has annotations
begin '.annotations = {"a": "\u001b[31mred\nline"}'
run sublet create -b "$B" "$ID"
expect_status 0
run sublet state "$ID"
expect_json '.annotations.a' $'\e[31mred\nline'
expect_out_lacks $'\e'
run sublet list
expect_out_lacks $'\e'
run sublet delete "$ID"

for id in '' . .. .x a/b 'a b' $'a\nb' é $'a\eb' "$(printf 'x%.0s' {1..300})" 'a:b' '*'; do
    t "row 107, 108, 109: not an ID: $(printf %q "${id:0:20}")"
    begin
    for verb in "create -b $B" state start 'kill' delete; do
        # shellcheck disable=SC2086 # words
        run sublet $verb -- "$id"
        expect_status 2
        expect_err_match '^sublet: container id '
        expect_eq 'lines of error output' "$(wc -l <"$T/err")" 1
    done
    expect_eq 'state root' "$(ls -A "$T/root")" ''
done
t 'row 109: an ID may begin with - behind --, and hold + . _'
begin
run sublet create -b "$B" -- "-$ID+._"
expect_status 0
run sublet delete -- "-$ID+._"
expect_status 0

t 'row 110: an ID that exists'
begin
run sublet create -b "$B" "$ID"
expect_status 0
run sublet create -b "$B" "$ID"
expect_status 1
expect_error "sublet: container '$ID' already exists"
run sublet run -b "$B" "$ID"
expect_status 125
expect_error "sublet: container '$ID' already exists"
run sublet delete "$ID"
expect_status 0

t 'row 111: a state root that is not there is an empty list; create makes it; a relative one is one'
begin
run "$SUBLET" --root "$T/none" list --format json
expect_status 0
expect_out '[]'
expect_absent "$T/none"
(cd "$T" && "$SUBLET" --root rel/ative create -b "$B" "$ID" </dev/null >"$T/out" 2>"$T/err") || fail "$(cat "$T/err")"
run "$SUBLET" --root "$T/rel/ative" delete "$ID"
expect_status 0
run "$SUBLET" --root / list
expect_status 2

bundle_is() {
    t "row 112: the bundle is: $1"
    hostdiff_before "$T/folder"
    run sublet create -b "$2" "$ID"
    expect_status 1
    expect_err_match "^sublet: ($2|config.json): "
    expect_hostdiff_empty
}
: >"$T/plain"
mkdir "$T/folder"
bundle_is 'not there' "$T/nowhere"
bundle_is 'a file' "$T/plain"
bundle_is 'without a config' "$T/folder"

for kind in 'in a folder that is not there' 'a folder' 'in a file'; do
    t "row 112: the pid file is $kind"
    begin
    path=$T/nowhere/pid
    case $kind in 'a folder') path=$T/folder ;; 'in a file') path=$T/plain/pid ;; esac
    run sublet create -b "$B" --pid-file "$path" "$ID"
    expect_status 1
    expect_err_match '^sublet: --pid-file: '
    expect_eq 'the folder' "$(ls -A "$T/folder")" ''
done
t 'row 112: the pid file is a link: the link is replaced, nothing is written through it'
begin
printf 'known\n' >"$T/target"
ln -sf "$T/target" "$T/pid"
run sublet create -b "$B" --pid-file "$T/pid" "$ID"
expect_status 0
expect_file "$T/target" known
expect_eq 'the pid' "$(cat "$T/pid")" "$(sublet state "$ID" | jq .pid)"
run sublet delete "$ID"

t 'row 113: usage errors are one line and status 2'
for words in '--bogus list' 'bogus' 'state' 'state a b' 'create' '--log-format xml list' '--log /nowhere/log list' 'list --format xml' 'kill' \
    'start --bogus x' '--root' 'delete -x a' 'create --preserve-fds x a' 'create --preserve-fds -1 a'; do
    # shellcheck disable=SC2086 # words
    run "$SUBLET" $words
    expect_status 2
    expect_out ''
    expect_eq "lines of error output of '$words'" "$(wc -l <"$T/err")" 1
done

t 'row 114: signals by name and number'
begin '.process.args = ["/bin/sleep", "60"]'
run sublet create -b "$B" "$ID"
for signal in 0 CONT SIGCONT sigcont 18 WINCH; do
    run sublet 'kill' "$ID" "$signal"
    expect_status 0
done
for signal in 65 -1 bogus SIG '' 1x ' 9' 0x9 RTMIN+99 99999999999; do
    run sublet 'kill' -- "$ID" "$signal"
    expect_status 2
    expect_err_has 'unknown signal'
done
run sublet 'kill' "$ID" sigkill
expect_status 0
until_true 3 container_is "$ID" stopped
run sublet delete "$ID"
expect_status 0

t 'row 117: standard descriptors that are closed are no places for ours'
begin '.process.args = ["/bin/sh", "-c", "for n in 0 1 2; do readlink /proc/self/fd/$n; done >/answer"]'
run bash -c 'exec "$@" 0<&- 1>&- 2>&-' - "$SUBLET" --root "$T/root" run -b "$B" "$ID"
expect_status 0
expect_eq 'lines' "$(wc -l <"$B/rootfs/answer")" 3
expect_eq 'of our own' "$(grep -cE 'memfd|state|socket|root' "$B/rootfs/answer")" 0

t 'row 117: a thousand open descriptors, none is inherited; two that are to be kept are'
begin '.process.args = ["/bin/sh", "-c", "ls /proc/self/fd | wc -l"]'
run bash -c 'ulimit -n 4096; for n in {10..1000}; do eval "exec $n</dev/null"; done; exec "$@"' - "$SUBLET" --root "$T/root" run -b "$B" "$ID"
expect_status 0
expect_out 4
run bash -c 'exec 3</dev/null 4</dev/null 5</dev/null; exec "$@"' - "$SUBLET" --root "$T/root" run --preserve-fds 2 -b "$B" "$ID"
expect_out 6

t 'row 117: descriptors to keep that are not open'
run bash -c 'exec 3</dev/null 4</dev/null; exec "$@"' - "$SUBLET" --root "$T/root" run --preserve-fds 5 -b "$B" "$ID"
expect_status 125
expect_error 'sublet: --preserve-fds 5: descriptor 5 is not open'
run env LISTEN_FDS=3 "$SUBLET" --root "$T/root" run -b "$B" "$ID"
expect_status 125
expect_error 'sublet: LISTEN_FDS: the environment tells of 3 sockets from descriptor 3 on, but descriptor 3 is not open'
run bash -c 'exec 3</dev/null; LISTEN_FDS=1 exec "$@"' - "$SUBLET" --root "$T/root" run --preserve-fds 2 -b "$B" "$ID"
expect_status 125
expect_error 'sublet: --preserve-fds 2: descriptor 4 is not open'
run env LISTEN_FDS=junk LISTEN_PID=1 "$SUBLET" --root "$T/root" run -b "$B" "$ID"
expect_status 0

t 'row 117: output that nobody reads, or that is full'
run bash -c '"$@" >/dev/full' - "$SUBLET" --root "$T/root" list
expect_status 1
expect_error 'sublet: stdout: cannot write: No space left on device'
run bash -c '(ulimit -f 0; "$@" 2>&1 >"$0") | cat; exit ${PIPESTATUS[0]}' "$T/full" "$SUBLET" --root "$T/root" list
expect_status 1
expect_out 'sublet: stdout: cannot write: File too large'
begin '.process.args = ["/bin/true"]'
run bash -c '(ulimit -f 0; "$@" 2>&1) | cat; exit ${PIPESTATUS[0]}' - "$SUBLET" --root "$T/root" run -b "$B" "$ID"
expect_status 125
expect_out 'sublet: state.json.new: cannot write to the state folder: File too large'
expect_absent "$T/root/$ID"
run bash -c '"$@" | true; exit ${PIPESTATUS[0]}' - "$SUBLET" --root "$T/root" features
[ "$status" -le 1 ] || fail "status $status"

t 'row 118: a hostile environment of the caller'
begin
run env -i LD_PRELOAD=/nowhere.so LD_LIBRARY_PATH=/nowhere TZ=/dev/zero TMPDIR=/nowhere \
    XDG_RUNTIME_DIR=relative MALLOC_PERTURB_=85 LANG=xx GCONV_PATH=/nowhere \
    "$SUBLET" --root "$T/root" run -b "$B" "$ID"
expect_status 0
run env -i NOTIFY_SOCKET=/nowhere/socket "$SUBLET" --root "$T/root" run -b "$B" "$ID"
[ "$status" -eq 0 ] || expect_err_has NOTIFY_SOCKET
run env -i NOTIFY_SOCKET="/$(printf 'x%.0s' {1..300})" "$SUBLET" --root "$T/root" run -b "$B" "$ID"
[ "$status" -eq 0 ] || expect_err_has NOTIFY_SOCKET

t 'row 119: strange ways to be called'
begin
run sh -c 'ulimit -c 0 && ulimit -s 256 && exec "$@"' - "$SUBLET" --root "$T/root" run -b "$B" "$ID"
expect_status 0
run sh -c 'umask 0777 && exec "$@"' - "$SUBLET" --root "$T/root" run -b "$B" "$ID"
expect_status 0
run bash -c 'trap "" CHLD PIPE TERM; exec "$@"' - "$SUBLET" --root "$T/root" run -b "$B" "$ID"
expect_status 0
mkdir "$T/gone"
run bash -c 'cd "$1" && rmdir "$1" && shift && exec "$@"' - "$T/gone" "$SUBLET" --root "$T/root" run -b "$B" "$ID"
expect_status 0
mkdir "$T/gone"
run bash -c 'cd "$1" && rmdir "$1" && shift && exec "$@"' - "$T/gone" "$SUBLET" --root root create -b "$B" "$ID"
expect_status 1
expect_err_has 'current folder'
run python3 -c 'import ctypes, sys; libc = ctypes.CDLL(None); libc.execve(sys.argv[1].encode(), (ctypes.c_char_p * 1)(None), None)' "$SUBLET"
expect_status 2
expect_eq 'lines of error output' "$(wc -l <"$T/err")" 1

t 'row 119: without a /proc'
[ -z "${TEST_SANITIZED:-}" ] || skip 'a sanitizer reads its options from /proc'
run unshare --mount bash -c 'umount -l /proc; mount -t tmpfs none /proc; exec "$@"' - "$SUBLET" --root "$T/root" create -b "$B" "$ID"
expect_status 1
expect_eq 'lines of error output' "$(wc -l <"$T/err")" 1
