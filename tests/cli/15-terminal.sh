#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 180
# Terminals, and what the caller hands over: descriptors, sockets, the pid file, the keyring.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"

console=$(helper console)
# listen: the engine's side of --console-socket.
listen() {
    rm -f "$T/console"
    "$console" "$T/console" "$T/said" >"$T/name" &
    console_pid=$!
    until_true 5 test -S "$T/console"
}

t 'a terminal is sent over the console socket'
listen
probe_bundle '.process.terminal = true | .process.consoleSize = {height: 33, width: 99}'
run sublet run --console-socket "$T/console" -b "$T/b" "$ID"
expect_status 0
expect_quiet
wait "$console_pid"
expect_eq 'status of the receiver' $? 0
expect_file "$T/name" /dev/ptmx
expect_json '.tty | [.isatty, .rows, .columns, .session_leader, .controlling, .foreground]' \
    '[[true,true,true],33,99,true,true,1]' "$T/said"
expect_json '[.fds[].target] | unique' '["/dev/pts/0"]' "$T/said"
expect_json '.paths["/dev/console"] | .type' char "$T/said"
expect_json '[.mounts[] | select(.target == "/dev/console") | .type] | first' devpts "$T/said"

t 'a created container with a terminal lives on when the runtime has gone'
listen
sh_bundle '.process.terminal = true' 'echo from inside; tty'
run sublet create --console-socket "$T/console" -b "$T/b" "$ID"
expect_status 0
run sublet start "$ID"
expect_status 0
wait "$console_pid"
expect_file "$T/said" $'from inside\r\n/dev/pts/0\r'
until_true 5 container_is "$ID" stopped
run sublet delete "$ID"
expect_status 0

t 'the terminal belongs to the user of the process'
listen
sh_bundle '.process.terminal = true | .process.user = {uid: 1000, gid: 1000}' \
    'stat -c "%u %g %a" "$(tty)"; echo x >/dev/tty'
run sublet run --console-socket "$T/console" -b "$T/b" "$ID"
expect_status 0
wait "$console_pid"
expect_file "$T/said" $'1000 5 620\r\nx\r'

t 'a terminal without a console socket is refused for create'
probe_bundle '.process.terminal = true'
run sublet create -b "$T/b" "$ID"
expect_status 1
expect_err_match 'console-socket'

t 'a console socket without a terminal is refused'
listen
probe_bundle .
run sublet create --console-socket "$T/console" -b "$T/b" "$ID"
expect_status 1
expect_err_match 'console-socket'
kill "$console_pid" && wait "$console_pid"

t 'a console socket that is not there is an error that leaves nothing'
probe_bundle '.process.terminal = true'
run sublet create --console-socket "$T/nowhere" -b "$T/b" "$ID"
expect_status 1
expect_error "sublet: --console-socket: cannot connect to '$T/nowhere': No such file or directory"

# on_terminal COMMAND: under a terminal of its own, whose output goes to $T/out.
on_terminal() { run script --quiet --return --command "$1" "$T/typescript"; }

t 'in the foreground the terminal is relayed'
sh_bundle '.process.terminal = true' 'test -t 0 && test -t 1 && echo it is one; exit 5'
on_terminal "stty rows 41 cols 83; '$SUBLET' --root '$T/root' run -b '$T/b' $ID"
expect_status 5
expect_out_has $'it is one\r'

t 'the size of the caller'"'"'s terminal goes inside'
sh_bundle '.process.terminal = true' 'stty size'
on_terminal "stty rows 41 cols 83; '$SUBLET' --root '$T/root' run -b '$T/b' $ID"
expect_status 0
expect_out_has $'41 83\r'

t 'what is typed arrives, and the terminal is as before when the container has ended'
sh_bundle '.process.terminal = true' 'read line; echo "got $line"'
printf 'some words\n' >"$T/typed"
run -i "$T/typed" script --quiet --return --command \
    "stty -g >'$T/before'; '$SUBLET' --root '$T/root' run -b '$T/b' $ID; stty -g >'$T/after'" "$T/typescript"
expect_status 0
expect_out_has 'got some words'
expect_file "$T/after" "$(cat "$T/before")"

t 'much output is not cut'
sh_bundle '.process.terminal = true' 'seq 1 20000'
on_terminal "'$SUBLET' --root '$T/root' run -b '$T/b' $ID"
expect_status 0
expect_eq lines "$(wc -l <"$T/out")" 20000
expect_eq 'last line' "$(tail -n 1 "$T/out")" $'20000\r'

t 'the pid file holds the pid of the process, and nothing else'
sh_bundle . 'sleep 60'
create --pid-file "$T/pid" "$ID"
expect_eq pid "$(cat "$T/pid")" "$(sublet state "$ID" | jq .pid)"
expect_eq size "$(stat -c %s "$T/pid")" "$(printf %s "$(cat "$T/pid")" | wc -c)"
run sublet delete --force "$ID"

t 'the pid file is not there if the container was not made'
rm -f "$T/pid"
sh_bundle '.process.args = ["/not/there"]' ''
run sublet create -b "$T/b" --pid-file "$T/pid" "$ID"
expect_status 1
expect_absent "$T/pid"

t 'a pid file that cannot be written undoes all'
sh_bundle . 'sleep 60'
run sublet create -b "$T/b" --pid-file "$T/none/pid" "$ID"
expect_status 1
expect_error "sublet: --pid-file: cannot write '$T/none/pid': No such file or directory"

t 'preserved descriptors arrive, others do not'
probe_bundle .
run bash -c "exec 3<'$T/b/config.json' 4>/dev/null 5</etc/passwd 9</etc/group
    exec '$SUBLET' --root '$T/root' run --preserve-fds 2 -b '$T/b' $ID"
expect_status 0
expect_json '[.fds[].fd]' '[0,1,2,3,4]'
expect_json '.fds[3].target' "$T/b/config.json"

t 'more preserved descriptors than there are is refused'
run sublet run --preserve-fds 5 -b "$T/b" "$ID"
expect_status 125
expect_error 'sublet: --preserve-fds 5: descriptor 3 is not open'

t 'descriptors of socket activation arrive with their variables'
run env LISTEN_FDS=2 LISTEN_PID=1 bash -c "exec 3<'$T/b/config.json' 4>/dev/null 5</etc/passwd
    LISTEN_PID=\$\$ exec '$SUBLET' --root '$T/root' run -b '$T/b' $ID"
expect_status 0
expect_json '[.fds[].fd]' '[0,1,2,3,4]'
expect_json '.env | map(select(startswith("LISTEN"))) | sort' '["LISTEN_FDS=2","LISTEN_PID=1"]'

t 'closed standard descriptors are /dev/null'
run bash -c "exec '$SUBLET' --root '$T/root' run -b '$T/b' $ID <&-"
expect_status 0
expect_json '[.fds[].target][0]' /dev/null

t 'NOTIFY_SOCKET is handed in'
cat >"$T/notify.py" <<'TEXT'
import socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
server.settimeout(10)
print(server.recv(4096).decode())
TEXT
python3 "$T/notify.py" "$T/notify" >"$T/notified" &
notify_pid=$!
until_true 5 test -S "$T/notify"
probe_bundle .
run env NOTIFY_SOCKET="$T/notify" "$SUBLET" --root "$T/root" run -b "$T/b" "$ID"
expect_status 0
expect_json '.env | map(select(startswith("NOTIFY_SOCKET="))) | length' 1
kill "$notify_pid"
wait "$notify_pid"

t '--no-pivot gives the same root by other means'
run sublet run --no-pivot -b "$T/b" "$ID"
expect_status 0
expect_json '.mounts[] | select(.target == "/") | .root | endswith("/b/rootfs")' true
expect_json '[.mounts[].target] | map(select(startswith("/tmp/"))) | length' 0

t 'a session keyring of its own, or with --no-new-keyring the caller'"'"'s'
sh_bundle '.linux.maskedPaths = []' 'grep -o " keyring .*" /proc/keys | tr -s " " | sort -u'
run sublet run -b "$T/b" "$ID"
expect_status 0
expect_out_has " keyring $ID: empty"
# The kernel takes its time to forget the one above.
run sublet run --no-new-keyring -b "$T/b" "$ID-two"
expect_status 0
expect_out_lacks "$ID-two"
