#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 300
# Malformed input that is no text of a config: files of the bundle, paths of the root, programs,
# sizes, namespaces, cgroups. A row's number is that of the list of malformed input.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
B=$T/b

# begin [JQ-FILTER]: a new bundle.
begin() {
    local filter
    rm -rf "${B:?}"
    make_bundle "$B" '.process.args = ["/bin/true"] | .root.readonly = false'
    for filter in "$@"; do
        edit_bundle "$B" "$filter"
    done
}

# quick_create: the time of the best of three tries is below 2 s; what else the host does may hold one up.
quick_create() {
    local begun try
    for try in 1 2 3; do
        begun=${EPOCHREALTIME/./}
        run -t 10 sublet create -b "$B" "$ID"
        [ -z "${TEST_SANITIZED:-}" ] && [ $((${EPOCHREALTIME/./} - begun)) -ge 2000000 ] || return 0
    done
    fail "it took too long, $try times"
}

# refused PATTERN: create says one line that matches, has no effect, and is quick.
refused() {
    hostdiff_before "$B"
    quick_create
    expect_status 1
    expect_out ''
    expect_eq 'lines of error output' "$(grep -vc '^sublet: warning: ' "$T/err")" 1
    expect_err_match "^sublet: $1"
    [ "${2:-}" = touched ] || expect_hostdiff_empty
}

t 'row 9: a million nested arrays'
begin
python3 -c 'print("{\"x\":" + "[" * 1000000)' >"$B/config.json"
refused 'config.json:1:[0-9]+: .*64'

t 'row 10, 11: 200 MB of a string'
begin
{ printf '{"x":"' && head -c 200000000 /dev/zero | tr '\0' x && printf '"}'; } >"$B/config.json"
refused 'config.json: 200000008 bytes, at most 16777216 are allowed'

t 'row 12: eight million elements'
begin
{ printf '{"x":[0' && yes ,0 | head -n 8000000 | tr -d '\n' && printf ']}'; } >"$B/config.json"
refused 'config.json(:1:[0-9]+)?: '

config_as() {
    rm "$B/config.json"
    case $1 in
        folder) mkdir "$B/config.json" ;;
        FIFO) mkfifo "$B/config.json" ;;
        device) mknod "$B/config.json" c 1 5 ;;
        link) ln -s /proc/kmsg "$B/config.json" ;;
        loop) ln -s config.json "$B/config.json" ;;
        socket) python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$B/config.json" ;;
        absent) ;;
    esac
}
for kind in folder FIFO device socket loop absent; do
    t "row 16: config.json is a: $kind"
    begin
    config_as "$kind"
    refused 'config.json: (not a regular file|cannot open: )'
done

root_as() {
    rm -rf "${B:?}/rootfs"
    case $1 in
        file) : >"$B/rootfs" ;;
        link) mkdir "$B/other" && ln -s other "$B/rootfs" ;;
        FIFO) mkfifo "$B/rootfs" ;;
        absent) ;;
    esac
}
for kind in file link FIFO absent; do
    t "row 20: root.path is a: $kind"
    begin
    root_as "$kind"
    refused 'root\.path: '
done
t 'row 20: root.path is the root of the host'
begin '.root.path = "/"'
refused 'root\.path: '
begin '.root.path = "/../.."'
refused 'root\.path: '

program_as() {
    case $1 in
        'not found') rm -f "$B/rootfs/prog" ;;
        'not executable') printf '#!/bin/sh\n' >"$B/rootfs/prog" ;;
        folder) mkdir "$B/rootfs/prog" ;;
    esac
}
for kind in 'not found' 'not executable' folder; do
    t "row 22: the program is: $kind"
    begin '.process.args = ["/prog"]'
    program_as "$kind"
    refused 'process\.args\[0\]: ' touched
done
t 'row 22: the program is not in PATH'
begin '.process.args = ["prog"]'
refused 'process\.args\[0\]: .*executable file not found in \$PATH: no such file or directory' touched

for kind in 'another machine' 'no interpreter' text; do
    t "row 22: the kernel refuses the program: $kind"
    begin '.process.args = ["/prog"]'
    case $kind in
        'another machine') { printf '\177ELF\002\001\001' && head -c 9 /dev/zero && printf '\002\000\363\000' && head -c 100 /dev/zero; } >"$B/rootfs/prog" ;;
        'no interpreter') printf '#!/nowhere\n' >"$B/rootfs/prog" ;;
        text) printf 'text\n' >"$B/rootfs/prog" ;;
    esac
    chmod 755 "$B/rootfs/prog"
    run sublet create -b "$B" "$ID"
    expect_status 0
    run sublet start "$ID"
    expect_status 1
    expect_err_match '^sublet: process\.args\[0\]: .*([Ee]xec format error|[Nn]o such file)'
    run sublet delete --force "$ID"
    expect_status 0
    run sublet run -b "$B" "$ID"
    [ "$status" -eq 126 ] || [ "$status" -eq 127 ] || fail "run: status $status"
done

t 'row 23: more arguments than the kernel takes'
begin '.process.args = ["/bin/true"] + [range(40) | "x" * 100000]'
run sublet run -b "$B" "$ID"
expect_status 126
expect_err_match '^sublet: process\.args\[0\]: .*[Aa]rgument list too long'
begin '.process.args = ["/bin/true"] + [range(300000) | "xxxxxxxxxxxxxxxxxxxxxxxx"]'
refused 'process: arguments and environment are larger than'

t 'row 24: a working folder that is a file'
begin '.process.cwd = "/etc/passwd"'
refused 'process\.cwd: ' touched
t 'row 24: a working folder that is not there is made in the root'
begin '.process.cwd = "/new/folder"' '.process.args = ["/bin/pwd"]'
run sublet run -b "$B" "$ID"
expect_status 0
expect_out /new/folder

t 'row 25: a working folder by the root of another process is not outside of the root'
begin '.process.cwd = "/proc/1/root"' '.process.args = ["/bin/sh", "-c", "pwd -P; test -e /boot || echo inside"]'
run sublet run -b "$B" "$ID"
[ "$status" -eq 125 ] || expect_out $'/\ninside'
begin '.process.cwd = "/etc/../.."' '.process.args = ["/bin/sh", "-c", "test -e ./boot || echo inside"]'
run sublet run -b "$B" "$ID"
expect_out inside

t 'row 38: more open files than the kernel can count'
begin '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 99999999999, hard: 99999999999}]'
run sublet run -b "$B" "$ID"
expect_status 125
expect_err_match '^sublet: process\.rlimits(\[0\])?.*99999999999'

for kind in 'no socket given' 'a socket without terminal' 'a file' 'nobody listens' 'absent' 'a long path'; do
    t "row 40: console: $kind"
    begin
    case $kind in
        'a socket without terminal') edit_bundle "$B" '.process.terminal = false' ;;
        *) edit_bundle "$B" '.process.terminal = true' ;;
    esac
    rm -f "$T/sock"
    socket=$T/sock
    case $kind in
        'no socket given') socket= ;;
        'a file') : >"$socket" ;;
        'nobody listens') python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$socket" ;;
        'a long path') socket=$T/$(printf 'x%.0s' {1..200}) ;;
    esac
    hostdiff_before "$B"
    run sublet create -b "$B" ${socket:+--console-socket "$socket"} "$ID"
    expect_status 1
    expect_err_match '^sublet: (--console-socket|process\.terminal): '
    expect_hostdiff_empty
done

t 'row 44, 45: a profile this host does not know'
[ ! -d /sys/kernel/security/apparmor ] || skip 'AppArmor is here'
begin '.process.apparmorProfile = "bogus"'
refused 'process\.apparmorProfile: '
begin '.process.selinuxLabel = "bogus"'
refused 'process\.selinuxLabel: '

mount_case() {
    t "row $1: $2"
    begin ".mounts += [$3]"
    mkdir "$B/folder"
    : >"$B/file"
    mkfifo "$B/fifo"
    refused "mounts\\[7\\].*$4" touched
}
mount_case 54 'bind without a source' '{destination: "/m", type: "bind", options: ["bind"]}' 'source'
mount_case 54 'bind of what is not there' '{destination: "/m", type: "bind", source: "/nowhere/at/all", options: ["bind"]}' 'source: .*/nowhere/at/all'
mount_case 55 'bind with an option of tmpfs' '{destination: "/m", type: "bind", source: "folder", options: ["bind", "size=1k"]}' 'size'
mount_case 58 'a file over a folder' '{destination: "/etc", type: "bind", source: "file", options: ["bind"]}' 'folder|directory'
mount_case 58 'a folder over a file' '{destination: "/etc/passwd", type: "bind", source: "folder", options: ["bind"]}' 'folder|directory'
mount_case 59 'two propagations' '{destination: "/m", type: "bind", source: "folder", options: ["bind", "shared", "private"]}' 'options'
mount_case 53 'a type the kernel does not know' '{destination: "/m", type: "bogusfs", source: "x"}' 'type: .*bogusfs'
mount_case 53 'an option tmpfs does not know' '{destination: "/m", type: "tmpfs", source: "x", options: ["bogus=1"]}' 'bogus'
mount_case 60 'overlay whose upper layer is not there' \
    '{destination: "/m", type: "overlay", source: "overlay", options: ["lowerdir=/etc", "upperdir=/nowhere/u", "workdir=/nowhere/w"]}' '/nowhere'

t 'row 54: a relative source is in the bundle; a FIFO and a socket can be bound'
begin '.mounts += [{destination: "/m", type: "bind", source: "folder", options: ["bind"]},
    {destination: "/p", type: "bind", source: "fifo", options: ["bind"]}]' \
    '.process.args = ["/bin/sh", "-c", "ls /m; test -p /p && echo fifo"]'
mkdir "$B/folder"
: >"$B/folder/here"
mkfifo "$B/fifo"
run sublet run -b "$B" "$ID"
expect_status 0
expect_out $'here\nfifo'

t 'row 56, 57: the last of contradicting options holds'
begin '.mounts += [{destination: "/m", type: "tmpfs", source: "x", options: ["rw", "ro"]},
    {destination: "/n", type: "tmpfs", source: "x", options: ["ro", "rw", "nosuid", "suid"]}]' \
    '.process.args = ["/bin/sh", "-c", "awk \"\\$5 ~ /^.[mn]\\$/ { print \\$5, \\$6 }\" /proc/self/mountinfo"]'
run sublet run -b "$B" "$ID"
expect_out_match '^/m ro,'
expect_out_match '^/n rw,relatime'

t 'row 60: layers whose names hold commas, colons and backslashes'
begin ".process.args = [\"/bin/ls\", \"/m\"]
    | .mounts += [{destination: \"/m\", type: \"overlay\", source: \"overlay\", options: [\"lowerdir=$T/lo,w\\\\\\\\er\"]}]"
mkdir -p "$T/lo,w\\er"
: >"$T/lo,w\\er/here"
run sublet run -b "$B" "$ID"
[ "$status" -eq 0 ] && expect_out here
[ "$status" -eq 0 ] || expect_err_match '^sublet: mounts\[7\]'

join_case() {
    t "row 65: a namespace path: $1"
    begin "(.linux.namespaces[] | select(.type == \"network\")).path = \"$2\""
    refused "$3"
}
: >"$T/plain"
mkfifo "$T/fifo"
join_case 'not there' /nowhere/net 'linux\.namespaces\[1\](\.path)?: .*/nowhere/net'
join_case 'of another type' /proc/self/ns/uts 'linux\.namespaces\[1\](\.path)?: .*network'
join_case 'a plain file' "$T/plain" 'linux\.namespaces\[1\](\.path)?: '
join_case 'a folder' /etc 'linux\.namespaces\[1\](\.path)?: '
join_case 'relative' proc/self/ns/net 'linux\.namespaces\[1\](\.path)?: '
join_case 'a FIFO' "$T/fifo" 'linux\.namespaces\[1\](\.path)?: '

# A name is a bind mount of the namespace's file: without the mount the name stays, a plain file.
t 'row 65: a namespace path: deleted, so that an empty file is left'
: >"$T/deleted"
unshare --net="$T/deleted" true
umount "$T/deleted"
edit_bundle "$B" "(.linux.namespaces[] | select(.type == \"network\")).path = \"$T/deleted\""
refused "linux\.namespaces\[1\]: '$T/deleted' is not a namespace, expected type network"
t 'row 65: a namespace path: of a process that has gone'
sleep 0 &
gone=$!
wait $gone
edit_bundle "$B" "(.linux.namespaces[] | select(.type == \"network\")).path = \"/proc/$gone/ns/net\""
refused "linux\.namespaces\[1\]: cannot open '/proc/$gone/ns/net': "

t 'row 66: no mount namespace'
begin '.linux.namespaces |= map(select(.type != "mount"))'
refused 'linux\.namespaces: '
begin '.linux.namespaces = [] | del(.hostname)'
refused 'linux\.namespaces: '

t 'row 73: a cgroup that somebody uses'
begin ".linux.cgroupsPath = \"/$ID-used\""
mkdir "$cli_cgroups/$ID-used"
sleep 100 &
echo $! >"$cli_cgroups/$ID-used/cgroup.procs"
refused 'linux\.cgroupsPath: '
kill $!
wait $! 2>/dev/null
until_true 3 rmdir "$cli_cgroups/$ID-used"

t 'row 73: a cgroup that is frozen holds nobody up'
mkdir "$cli_cgroups/$ID-frozen"
echo 1 >"$cli_cgroups/$ID-frozen/cgroup.freeze"
edit_bundle "$B" ".linux.cgroupsPath = \"/$ID-frozen/in\""
refused 'linux\.cgroupsPath: .*frozen'
rmdir "$cli_cgroups/$ID-frozen"

# A threaded child makes its parent the domain of its processes: no place for a container.
t 'row 73: a cgroup that is threaded'
mkdir -p "$cli_cgroups/$ID-domain/threaded"
echo threaded >"$cli_cgroups/$ID-domain/threaded/cgroup.type"
edit_bundle "$B" ".linux.cgroupsPath = \"/$ID-domain/threaded\""
refused 'linux\.cgroupsPath: .*threaded'
rmdir "$cli_cgroups/$ID-domain/threaded" "$cli_cgroups/$ID-domain"

t 'row 97: two rules of one system call that contradict are taken or refused, with the field'
begin '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{names: ["chmod"], action: "SCMP_ACT_ERRNO"}, {names: ["chmod"], action: "SCMP_ACT_KILL_PROCESS"}]}'
run sublet run -b "$B" "$ID"
[ "$status" -eq 0 ] || expect_err_match '^sublet: linux\.seccomp'

t 'row 98: a filter that denies execve to its own start'
begin '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["execve"], action: "SCMP_ACT_ERRNO"}]}'
refused 'linux\.seccomp.*execve' touched

t 'row 99: more rules than a filter may have'
begin '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{names: ["ioctl"], action: "SCMP_ACT_ERRNO", args: [{index: 1, value: 1, op: "SCMP_CMP_EQ"}]}]}' \
    '.linux.seccomp.syscalls = [range(9000) as $i | {names: ["ioctl"], action: "SCMP_ACT_ERRNO", args: [{index: 1, value: ($i * 3), op: "SCMP_CMP_EQ"}]}]'
refused 'linux\.seccomp'
