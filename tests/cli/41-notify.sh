#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 120
# sd_notify from inside a container, and a pidfd for the caller.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"

notify=$(helper notify)

# manager [ADDRESS]: listens; what it gets is in $T/told.
manager() {
    address=${1:-$T/manager}
    rm -f "$T/manager" "$T/told"
    python3 "$FEATURES/manager.py" "$address" >"$T/told" &
    manager_pid=$!
    until_true 10 test -s "$T/told"
}

dismiss() {
    kill "$manager_pid"
    wait "$manager_pid" 2>/dev/null
}

# notify_bundle FILTER WORD...: a container that sends these.
notify_bundle() {
    local filter=$1
    shift
    make_bundle "$T/b" ".process.args = $(words /bin/notify "$@") | $filter"
    cp "$notify" "$T/b/rootfs/bin/notify"
}

# told: every line that came, in one list.
told() { jq -cs '[.[] | .words // [] | .[]]' "$T/told"; }
expect_told() { expect_eq 'what the manager was told' "$(told)" "$1"; }
has_told() { told | grep -qF -- "$1"; }
manage() { run env NOTIFY_SOCKET="$address" "$SUBLET" --root "$T/root" "$@"; }

t 'a container in the foreground tells all that a service tells'
manager
notify_bundle . 'STATUS=getting up' $'READY=1\nSTATUS=up' 'RELOADING=1' 'WATCHDOG=1' 'barrier' \
    $'STOPPING=1\nERRNO=5'
manage run -b "$T/b" "$ID"
expect_status 0
expect_out 'barrier passed'
expect_quiet
expect_told '["STATUS=getting up","READY=1","STATUS=up","RELOADING=1","WATCHDOG=1","BARRIER=1","STOPPING=1","ERRNO=5"]'
expect_json 'select(.words == ["BARRIER=1"]) | .fds' 1 "$T/told"
dismiss

t 'the socket is the container'"'"'s own, and nothing can be put beside it'
manager
sh_bundle . 'echo $NOTIFY_SOCKET; stat -c %F $NOTIFY_SOCKET; ls /run/sublet-notify; touch /run/sublet-notify/x; rm $NOTIFY_SOCKET'
manage run -b "$T/b" "$ID"
expect_out $'/run/sublet-notify/socket\nsocket\nsocket'
expect_err_has 'Read-only file system'
expect_json '.fds' null "$T/told"
dismiss

t 'any user of the container may notify'
manager
notify_bundle '.process.user = {uid: 1000, gid: 1000}' 'READY=1'
manage run -b "$T/b" "$ID"
expect_out ''
expect_told '["READY=1"]'
dismiss

t 'pids are translated for the host, and only those of the container'
manager
notify_bundle . 'MAINPID=1' 'child:MAINPID=' 'MAINPID=9999' 'MAINPID=x' 'MAINPID=-1' stay
NOTIFY_SOCKET="$address" "$SUBLET" --root "$T/root" run -b "$T/b" "$ID" </dev/null >"$T/out" 2>"$T/err" &
runtime=$!
until_true 10 eval '[ "$(told | jq length)" -ge 2 ]'
pid=$(sublet state "$ID" | jq .pid)
child=$(cat "/proc/$pid/task/$pid/children")
expect_eq pids "$(told | jq -c sort)" "$(jq -cn --arg a "MAINPID=$pid" --arg b "MAINPID=${child% }" '[$a, $b] | sort')"
run sublet kill "$ID" KILL
wait "$runtime"
expect_eq status "$?" 137
dismiss

t 'in a pid namespace of others a container names only its own processes'
manager
notify_bundle "$(no_namespace pid)" 'MAINPID=1' "MAINPID=$$" 'STATUS=over'
manage run -b "$T/b" "$ID"
expect_told '["STATUS=over"]'
dismiss

t 'descriptors to keep, access rights and unknown words are not handed on'
manager
notify_bundle . fds $'NOTIFYACCESS=all\nFDNAME=x\nX_OTHER=1' 'READY=0' "STATUS=$(head -c 4200 /dev/zero | tr '\0' x)" 'READY=1'
manage run -b "$T/b" "$ID"
expect_told '["STATUS=with descriptors","READY=0","READY=1"]'
expect_json '.fds // 0' '0
0
0
0' "$T/told"
dismiss

t 'no file of the container reaches the manager, and a barrier is a pipe of ours'
manager
notify_bundle . file barrier 'STATUS=over'
manage run -b "$T/b" "$ID"
expect_status 0
expect_out 'barrier passed'
expect_told '["BARRIER=1","BARRIER=1","STATUS=over"]'
expect_eq 'descriptors, pipes' "$(jq -c 'select(.words == ["BARRIER=1"]) | [.fds, .pipes]' "$T/told")" $'[1,1]\n[1,1]'
dismiss

t 'start returns when the container is ready, and names its process'
manager
notify_bundle . 'STATUS=getting up' 'READY=1' stay
manage create -b "$T/b" "$ID"
expect_status 0
manage start "$ID"
expect_status 0
expect_quiet
expect_told "[\"STATUS=getting up\",\"READY=1\",\"MAINPID=$(sublet state "$ID" | jq .pid)\"]"
run sublet delete --force "$ID"
dismiss

t 'start waits for it without holding the container'
manager
notify_bundle . 'STATUS=never ready' stay
manage create -b "$T/b" "$ID"
NOTIFY_SOCKET="$address" "$SUBLET" --root "$T/root" start "$ID" >"$T/started" 2>&1 &
starter=$!
until_true 10 has_told never
expect kill -0 "$starter"
run sublet kill "$ID" KILL
expect_status 0
wait "$starter"
expect_eq 'status of start' "$?" 0
run sublet delete "$ID"
expect_status 0
dismiss

t 'run --detach returns when the container is ready'
manager
notify_bundle . 'READY=1' stay
manage run --detach -b "$T/b" "$ID"
expect_status 0
expect_told "[\"READY=1\",\"MAINPID=$(sublet state "$ID" | jq .pid)\"]"
run sublet delete --force "$ID"
dismiss

t 'a start that was not asked to, does not wait'
manager
notify_bundle . stay
manage create -b "$T/b" "$ID"
run sublet start "$ID"
expect_status 0
expect_eq status "$(container_status "$ID")" running
run sublet delete --force "$ID"
dismiss

t 'nothing hangs when nobody listens'
address=$T/nobody
notify_bundle . 'READY=1' 'barrier' 'STOPPING=1'
manage run -b "$T/b" "$ID"
expect_status 0
expect_out 'barrier passed'
manage create -b "$T/b" "$ID"
expect_status 0
manage start "$ID"
expect_status 0
until_true 10 container_is "$ID" stopped
run sublet delete "$ID"

t 'a manager that does not read holds up the words, not the container'
cat >"$T/deaf.py" <<'TEXT'
import socket, sys, time
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
time.sleep(100)
TEXT
rm -f "$T/deaf"
python3 "$T/deaf.py" "$T/deaf" &
manager_pid=$!
until_true 10 test -S "$T/deaf"
address=$T/deaf
sh_bundle . 'n=0; while [ $n -lt 300 ]; do n=$((n + 1)); /bin/notify STATUS=$n & done; sleep 0.5; echo over'
cp "$notify" "$T/b/rootfs/bin/notify"
manage run -b "$T/b" "$ID"
expect_status 0
expect_out_has over
dismiss

t 'an abstract socket of the manager is reached from the host'
manager "@$ID-manager"
notify_bundle . 'READY=1'
manage run -b "$T/b" "$ID"
expect_told '["READY=1"]'
dismiss

t 'in a user namespace it works as well'
manager
maps='[{containerID: 0, hostID: 100000, size: 65536}]'
notify_bundle "$(set_namespace user) | .linux.uidMappings = $maps | .linux.gidMappings = $maps" 'READY=1'
chown -R 100000:100000 "$T/b/rootfs"
chmod 755 "$T"
manage run -b "$T/b" "$ID"
expect_out ''
expect_status 0
expect_told '["READY=1"]'
chmod 700 "$T"
rm -rf "$T/b"
dismiss

t 'a link of the image does not lead the folder astray'
manager
notify_bundle . 'READY=1'
mkdir -p "$T/outside"
ln -s "$T/outside" "$T/b/rootfs/run/sublet-notify"
manage run -b "$T/b" "$ID"
expect_eq 'outside' "$(ls -A "$T/outside")" ''
rm -rf "$T/b/rootfs"
dismiss

# receive: the caller's side of --pidfd-socket.
cat >"$T/receive.py" <<'TEXT'
import os, signal, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(sys.argv[1])
server.listen(1)
data, fds, _, _ = socket.recv_fds(server.accept()[0], 64, 4)
with open(f"/proc/self/fdinfo/{fds[0]}") as info:
    pid = [line.split()[1] for line in info if line.startswith("Pid:")][0]
print(data.decode(), len(fds), pid, flush=True)
TEXT
receive() {
    rm -f "$T/receiver"
    python3 "$T/receive.py" "$T/receiver" >"$T/received" &
    receiver=$!
    until_true 10 test -S "$T/receiver"
}

t 'create sends a pidfd of the first process'
receive
sh_bundle . 'sleep 60'
create --pidfd-socket "$T/receiver" "$ID"
wait "$receiver"
expect_file "$T/received" "standard 1 $(sublet state "$ID" | jq .pid)"
run sublet delete --force "$ID"

t 'run sends one, too'
receive
sh_bundle . 'readlink /proc/self; exit 3'
run sublet run --pidfd-socket "$T/receiver" -b "$T/b" "$ID"
expect_status 3
wait "$receiver"
expect_eq 'what came' "$(cut -d ' ' -f 1,2 "$T/received")" 'standard 1'

t 'a pidfd socket that is not there is an error that leaves nothing'
run sublet create --pidfd-socket "$T/nowhere" -b "$T/b" "$ID"
expect_status 1
expect_error "sublet: --pidfd-socket: cannot connect to '$T/nowhere': No such file or directory"
