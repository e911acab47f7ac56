#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 300
# Every command as an ordinary user of this host: ids, groups, and what the kernel keeps from him.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
NAMED=47110 # with a name and ranges of ids
ALONE=47111 # known to nobody
NAME=sublet-user
B=$T/b

# Accounts of this file's mount namespace alone.
for file in passwd group subuid subgid; do
    cat "/etc/$file" >"$T/$file" 2>/dev/null || : >"$T/$file"
    [ -e "/etc/$file" ] || { touch "/etc/$file" && made_files+=("/etc/$file"); }
done
echo "$NAME:x:$NAMED:$NAMED::/:/bin/sh" >>"$T/passwd"
echo "$NAME:x:$NAMED:" >>"$T/group"
for file in subuid subgid; do
    printf '%s:300000:1000\n%s:400000:500\n' "$NAME" "$NAMED" >>"$T/$file"
done
for file in passwd group subuid subgid; do
    chmod 644 "$T/$file"
    mount --bind "$T/$file" "/etc/$file"
done

# as UID COMMAND...: that user, with nothing of ours but a state root.
as() {
    local uid=$1
    shift
    mkdir -p "$T/run-$uid"
    chown "$uid:$uid" "$T/run-$uid"
    chmod 700 "$T/run-$uid"
    setpriv --reuid "$uid" --regid "$uid" --clear-groups \
        env -i PATH="$PATH" XDG_RUNTIME_DIR="$T/run-$uid" ${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"} "$@"
}
as_user() { as "$NAMED" "$@"; }
export -f as as_user
export T NAMED ALONE PATH

# user ARGUMENT...: sublet as the user with ranges, in a group of his where a test made one.
user_group=
user() {
    run bash -c '[ -z "$0" ] || echo $$ >"$0/cgroup.procs" || exit; as_user "$@"' "$user_group" "$SUBLET" "$@"
}

# user_bundle JQ-FILTER: what spec --rootless writes for the user, no terminal, then the filter.
user_bundle() {
    rm -f "$B/config.json"
    as_user "$SUBLET" spec --rootless --bundle "$B" || fail 'spec --rootless'
    edit_bundle "$B" ".process.terminal = false | $1"
}

chmod 711 "$T" "$T/.cli"
make_rootfs "$B/rootfs"
mkdir -p "$B"
chown -R "$NAMED:$NAMED" "$B"

t 'the config of spec --rootless runs as it is'
user_bundle '.process.args = ["/bin/sh", "-c", "id -u; cat /proc/self/uid_map /proc/self/setgroups; hostname; test -e /sys/kernel && echo sys"]'
user run -b "$B" "$ID"
expect_status 0
expect_quiet
expect_out "$(printf '0\n         0      %s          1\ndeny\nsublet\nsys' "$NAMED")"

t 'the state root is the user'"'"'s own'
expect_eq 'mode and owner' "$(stat -c '%a %u' "$T/run-$NAMED/sublet")" "700 $NAMED"
run bash -c 'as_user "$@"' - env -u XDG_RUNTIME_DIR "$SUBLET" list
expect_status 1
expect_err 'sublet: XDG_RUNTIME_DIR: not an absolute path: set it, or give the folder of states by --root'

t 'it is that too in the user namespace of an engine, of one id or with a range'
user_bundle '.process.args = ["/bin/sleep", "1000"]'
user run --detach -b "$B" "$ID"
for range in '' --map-auto; do
    run bash -c 'as_user "$@"' - unshare --map-root-user $range "$SUBLET" list -q
    expect_status 0
    expect_out "$ID"
done
user delete --force "$ID"
expect_status 0

t 'maps that the config leaves open are the own id and the ranges of the name and of the number'
user_bundle 'del(.linux.uidMappings, .linux.gidMappings)
    | .process.args = ["/bin/cat", "/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/setgroups"]'
user run -b "$B" "$ID"
expect_status 0
expect_quiet
map=$(printf '%10d %10d %10d\n' 0 "$NAMED" 1 1 300000 1000 1001 400000 500)
expect_out "$map
$map
allow"

t 'an exec finds the maps that were filled in'
user_bundle 'del(.linux.uidMappings, .linux.gidMappings) | .process.args = ["/bin/sleep", "1000"]'
user run --detach -b "$B" "$ID"
expect_status 0
user exec --user 1000:1000 --additional-gids 1200 "$ID" id
expect_status 0
expect_out 'uid=1000(user) gid=1000(user) groups=1200'
user exec --user 1501 "$ID" id
expect_status 125
expect_err 'sublet: process.user.uid: 1501 is in no mapping of the user namespace'
user delete --force "$ID"
expect_status 0

t 'a config without a user namespace gets one'
user_bundle 'del(.linux.uidMappings, .linux.gidMappings) | .process.args = ["/bin/id"]
    | .linux.namespaces |= map(select(.type != "user"))'
user run -b "$B" "$ID"
expect_status 0
expect_out 'uid=0(root) gid=0(root)'
expect_err "sublet: warning: linux.namespaces: a 'user' namespace is added, without which uid $NAMED cannot make the others"

t 'maps of the config within the ranges are written by newuidmap'
user_bundle '.linux.uidMappings = [{containerID: 0, hostID: 300000, size: 1000}]
    | .linux.gidMappings = [{containerID: 0, hostID: 300500, size: 500}]
    | .process.args = ["/bin/cat", "/proc/self/uid_map", "/proc/self/gid_map"]'
chmod 755 "$B"
user run -b "$B" "$ID"
expect_status 0
expect_out "$(printf '%10d %10d %10d\n' 0 300000 1000 0 300500 500)"

t 'maps outside of the ranges are refused in the words of the tool'
edit_bundle "$B" '.linux.uidMappings[0].hostID = 299999'
user run -b "$B" "$ID"
expect_status 125
expect_err_has "sublet: linux.uidMappings: /usr/bin/newuidmap failed: newuidmap: uid range [0-1000) -> [299999-300999) "
expect_err_has "not allowed (uid $NAMED gets its ranges from /etc/subuid)"
edit_bundle "$B" '.linux.uidMappings[0].hostID = 300000 | .linux.gidMappings[0].size = 501'
user run -b "$B" "$ID"
expect_status 125
expect_err_match "^sublet: linux.gidMappings: /usr/bin/newgidmap failed: newgidmap: .*/etc/subgid"

t 'newuidmap is never one of the caller'"'"'s $PATH'
mkdir -p "$T/path"
printf '#!/bin/sh\ntouch %s/was-run\n' "$T/run-$NAMED" | tee "$T/path/newuidmap" >"$T/path/newgidmap"
chmod 755 "$T/path" "$T/path/"*
user_bundle 'del(.linux.uidMappings, .linux.gidMappings) | .process.args = ["/bin/true"]'
run bash -c 'as_user "$@"' - env PATH="$T/path:$PATH" "$SUBLET" run -b "$B" "$ID"
expect_status 0
expect_absent "$T/run-$NAMED/was-run"

t 'a user without ranges gets the id that he has'
run bash -c 'as "$@"' - "$ALONE" "$SUBLET" run --rootfs "$B/rootfs" --name "$ID" -- cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
expect_status 0
expect_quiet
expect_out "$(printf '%10d %10d %10d\n' 0 "$ALONE" 1 0 "$ALONE" 1)
deny"
run bash -c 'as "$@"' - "$ALONE" "$SUBLET" run --rootfs "$B/rootfs" --user 5 --name "$ID" -- true
expect_status 125
expect_err "sublet: warning: linux.uidMappings: /etc/subuid has no ids for user '$ALONE'
sublet: process.user.uid: 5 is in no mapping of the user namespace"

t 'groups that nobody can set are left out with a word'
user_bundle '.process.user.additionalGids = [10] | .process.args = ["/bin/id", "-G"]'
user run -b "$B" "$ID"
expect_status 0
expect_out 0
expect_err 'sublet: warning: process.user.additionalGids: cannot be set: one mapped group and no right to setgroups(2)'

t 'devices are those of the host, and no others can be made'
user_bundle '.process.args = ["/bin/sh", "-c",
        "echo x >/dev/null && head -c 3 /dev/zero | od -An -tx1 && stat -c %t:%T /dev/null /dev/random && mknod /dev/mine c 1 3"]
    | .process.capabilities |= map_values(. + ["CAP_MKNOD"])'
user run -b "$B" "$ID"
expect_status 1
expect_out "$(printf ' 00 00 00\n1:3\n1:8')"
expect_err_has 'Operation not permitted'

t 'a network of its own has nothing but loopback, which is up'
user run --rootfs "$B/rootfs" --name "$ID" -- sh -c 'ls /sys/class/net; ping -c 1 -W 5 127.0.0.1 >/dev/null && echo up'
expect_status 0
expect_out "$(printf 'lo\nup')"

t 'the hostname is the container'"'"'s'
before=$(hostname)
user run --rootfs "$B/rootfs" --hostname inside --name "$ID" -- hostname
expect_status 0
expect_out inside
expect_eq 'of the host' "$(hostname)" "$before"

t 'mqueue, devpts and shm are made; the cgroup hierarchy shows'
user_bundle '.process.args = ["/bin/sh", "-c",
    "touch /dev/mqueue/q /dev/shm/s && ls /dev/pts/ptmx && test -e /sys/fs/cgroup/cgroup.procs && echo all"]'
user run -b "$B" "$ID"
expect_status 0
expect_out "$(printf '/dev/pts/ptmx\nall')"

t 'a sysfs that cannot be new is the one of the host, read-only as asked'
user_bundle '.mounts |= map(if .destination == "/sys" then {destination: "/sys", type: "sysfs", source: "sysfs", options: ["ro"]} else . end)
    | .process.args = ["/bin/sh", "-c", "ls /sys/class/net; grep \" /sys \" /proc/self/mounts | cut -d\" \" -f 3,4 | cut -c 1-8"]'
user run -b "$B" "$ID"
expect_status 0
expect_quiet
expect_out "$(ls /sys/class/net)
sysfs ro"

t 'limits of processes can be lowered, not raised'
user_bundle '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 64, hard: 64}] | .process.args = ["/bin/sh", "-c", "ulimit -n"]'
user run -b "$B" "$ID"
expect_status 0
expect_out 64
edit_bundle "$B" '.process.rlimits[0] |= (.soft = 1048570 | .hard = 1048570)'
run bash -c 'ulimit -n 1024 && as_user "$@"' - "$SUBLET" run -b "$B" "$ID"
expect_status 125
expect_err_match '^sublet: process.rlimits\[0\]: .*Operation not permitted'

t 'a score for the OOM killer can be raised, not lowered'
user_bundle '.process.oomScoreAdj = 500 | .process.args = ["/bin/sleep", "100"]'
user run --detach -b "$B" "$ID"
expect_status 0
user exec "$ID" cat /proc/self/oom_score_adj /proc/1/oom_score_adj
expect_status 0
expect_out $'500\n500'
user delete --force "$ID"
expect_status 0
edit_bundle "$B" '.process.oomScoreAdj = -500'
user run -b "$B" "$ID"
expect_status 125
expect_err 'sublet: process.oomScoreAdj: the kernel refused -500: Permission denied'

t 'layers are mounted in a user namespace'
user run --overlay "$B/rootfs" --name "$ID" -- sh -c 'touch /new && rm /bin/probe; cat /etc/passwd | head -n 1'
expect_status 0
expect_out 'root:x:0:0:root:/root:/bin/sh'
expect_absent "$B/rootfs/new"
mkdir -m 0700 "$B/upper"
chown "$NAMED:$NAMED" "$B/upper"
user run --overlay "$B/rootfs" --upper "$B/upper" --name "$ID" -- touch /new
expect_status 0
expect_eq 'kept' "$(find "$B/upper" -name new -printf '%u\n')" "$NAME"
user run --overlay / --name "$ID" -- true
[ "$status" -eq 0 ] || expect_err "sublet: --overlay: '/' has mounts below it, which a user namespace may not uncover"

t 'a container in a container of a user'
mkdir -p "$B/rootfs/in/rootfs/bin" "$B/rootfs/in/rootfs/proc" "$B/rootfs/in/rootfs/dev" "$B/rootfs/in/rootfs/sys"
cp "$B/rootfs/bin/busybox" "$B/rootfs/in/rootfs/bin/busybox"
cp "$SUBLET" "$B/rootfs/in/sublet"
chown -R "$NAMED:$NAMED" "$B/rootfs/in"
[ -z "${TEST_SANITIZED:-}" ] || skip 'the program is not static'
user_bundle '.process.args = ["/in/sublet", "--root", "/tmp/state", "run", "--rootfs", "/in/rootfs", "--",
        "/bin/busybox", "sh", "-c", "busybox cat /proc/self/uid_map; busybox ls /sys/class/net"]
    | .root.readonly = false | .linux.maskedPaths = [] | .linux.readonlyPaths = []
    | .process.capabilities |= map_values(["CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SYS_CHROOT", "CAP_NET_ADMIN",
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETPCAP", "CAP_SETFCAP",
        "CAP_NET_BIND_SERVICE", "CAP_MKNOD", "CAP_AUDIT_WRITE", "CAP_NET_RAW"])'
user run -b "$B" "$ID"
expect_status 0
expect_err "sublet: warning: mounts[2].options[5]: 'gid=5' is left out: the group is not in linux.gidMappings"
expect_out "$(printf '%10d %10d %10d\n' 0 "$NAMED" 1)
lo"
