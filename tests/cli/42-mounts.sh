#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 120
# Mounts added to a running container and removed from it, also against its will.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"

mkdir -p "$T/data/sub" "$T/more"
echo from the host >"$T/data/file"
echo more >"$T/more/file"

# up FILTER [SCRIPT]: a container that runs; its first process is $pid.
up() {
    sh_bundle ".root.readonly = false | $1" "${2:-exec sleep 1000}"
    run sublet run --detach -b "$T/b" "$ID"
    expect_status 0
    pid=$(sublet state "$ID" | jq .pid)
    points >"$T/before"
}
down() { run sublet delete --force "$ID"; }

# file MOUNT...: $T/m.json.
file() {
    local IFS=,
    jq -n "[$*]" >"$T/m.json"
}
bind() { printf '{destination: "%s", type: "bind", source: "%s", options: ["%s"]}' "$1" "$2" "${3:-bind}"; }
mounts() { run sublet mounts "$1" "$ID" "$T/m.json"; }
inside() { nsenter -t "$pid" -m -- /bin/busybox "$@"; }
# points: every mount point of the container that is not of the config.
points() { awk '{print $5}' "/proc/$pid/mountinfo" | sort; }

t 'a folder and a file are added, and are what the options say'
up .
file "$(bind /data "$T/data" ro)" "$(bind /etc/extra "$T/data/file")"
sed -i 's/"ro"/"bind","ro","nosuid","noexec"/' "$T/m.json"
mounts add
expect_status 0
expect_quiet
expect_eq 'a file' "$(inside cat /data/file)" 'from the host'
expect_eq 'the other' "$(inside cat /etc/extra)" 'from the host'
expect_eq options "$(awk '$5 == "/data" {print $6}' "/proc/$pid/mountinfo")" ro,nosuid,noexec,relatime
expect_eq propagation "$(awk '$5 == "/data" {print $7}' "/proc/$pid/mountinfo")" -
mounts remove
expect_status 0
expect_quiet
points >"$T/after"
expect cmp "$T/before" "$T/after"
mounts remove
expect_status 1
expect_error "sublet: mounts[0]: '/data' was not put there by 'mounts add': nothing else is removed"
down

t 'a tmpfs is added with its options'
up .
file '{destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["size=64k", "mode=0711", "nodev"]}'
mounts add
expect_status 0
expect_eq mode "$(inside stat -c %a /scratch)" 711
expect_eq 'blocks of 4 KiB' "$(inside stat -f -c %b /scratch)" 16
mounts remove
expect_status 0
down

t 'one mount may stand on another, and goes with it'
up .
file "$(bind /outer "$T/data")" "$(bind /outer/sub "$T/more")"
mounts add
expect_status 0
expect_eq 'a file' "$(inside cat /outer/sub/file)" more
file "$(bind /outer x)"
mounts remove
expect_status 0
points >"$T/after"
expect cmp "$T/before" "$T/after"
file "$(bind /outer/sub x)"
mounts remove
expect_status 1
down

t 'of several, all are added or none'
up .
file "$(bind /one "$T/data")" "$(bind /two "$T/more")" "$(bind /three "$T/data/file")"
mkdir -p "$T/b/rootfs/three"
mounts add
expect_status 1
expect_error "sublet: mounts[2]: source is a file but the target '/three' is a directory"
points >"$T/after"
expect cmp "$T/before" "$T/after"
down

t 'of several, all are removed or none'
up .
file "$(bind /one "$T/data")"
mounts add
file "$(bind /one x)" "$(bind /proc x)"
mounts remove
expect_status 1
expect_error "sublet: mounts[1]: '/proc' was not put there by 'mounts add': nothing else is removed"
expect_eq 'a file' "$(inside cat /one/file)" 'from the host'
file "$(bind /one x)"
mounts remove
expect_status 0
down

t 'mounts of the configuration and masks cannot be removed'
up .
for path in /dev /proc /proc/kcore /sys /; do
    file "$(bind "$path" x)"
    mounts remove
    expect_status 1
done
file '{destination: "/one", type: "tmpfs", source: "t"}' '{destination: "/one", options: ["remount", "ro"]}'
mounts add
expect_status 1
expect_error 'sublet: mounts[1]: a remount can only come with the container'
points >"$T/after"
expect cmp "$T/before" "$T/after"
down

t 'a source that is not there, and no source, change nothing'
up .
file "$(bind /one "$T/data")" "$(bind /two "$T/nothing")"
mounts add
expect_status 1
expect_error "sublet: mounts[1].source: cannot open '$T/nothing': No such file or directory"
file '{destination: "/one", type: "bind", options: ["bind"]}'
mounts add
expect_status 1
points >"$T/after"
expect cmp "$T/before" "$T/after"
down

t 'the rules of create hold: /proc, unknown words, namespaces'
up .
file "$(bind /proc "$T/data")"
mounts add
expect_status 1
expect_error "sublet: mounts[0].destination: only a mount of type proc, or a bind of the host's /proc, may be at /proc"
file "$(bind /proc/sys/kernel "$T/data")"
mounts add
expect_status 1
file "$(bind /one "$T/data" rox)"
mounts add
expect_status 1
for type in proc sysfs mqueue cgroup2; do
    file "{destination: \"/one\", type: \"$type\", source: \"$type\"}"
    mounts add
    expect_status 1
    expect_error "sublet: mounts[0].type: '$type' shows the namespaces it was made in: it can only come with the container"
done
points >"$T/after"
expect cmp "$T/before" "$T/after"
down

t 'a file that is no array of mounts is refused'
up .
for text in '{}' '' '[' '[1]' '[{}]' '[],"x":[]'; do
    printf '%s' "$text" >"$T/m.json"
    mounts add
    expect_status 1
done
run sublet mounts change "$ID" "$T/m.json"
expect_status 2
down

t 'a link of the container leads to another place of the container, never out'
up .
mkdir -p "$T/outside"
inside ln -s "/../../..$T/outside" /way-out
inside ln -s / /to-root
inside ln -s /proc /to-proc
inside ln -s /proc/1/root /magic
file "$(bind /way-out/new "$T/data")"
mounts add
expect_status 0
expect_eq outside "$(ls -A "$T/outside")" ''
expect_eq 'a file' "$(inside cat "$T/outside/new/file")" 'from the host'
file "$(bind /way-out/new x)"
mounts remove
expect_status 0
file "$(bind /to-root "$T/data")"
mounts add
expect_status 1
expect_error "sublet: mounts[0].destination: '/to-root' leads to the root of the container"
file "$(bind /to-proc/tty "$T/data")"
mounts add
expect_status 1
expect_err_match "leads into a procfs through a symbolic link|cannot make"
file "$(bind /magic "$T/data")"
mounts add
expect_status 1
points >"$T/after"
expect cmp "$T/before" "$T/after"
down

t 'what was covered or unmounted from inside is not mistaken for what was added'
up .
file "$(bind /one "$T/data")"
mounts add
nsenter -t "$pid" -m -- /bin/busybox mount -t tmpfs none /one
mounts remove
expect_status 1
expect_error "sublet: mounts[0]: what is mounted at '/one' now is not what was added there: it was unmounted, or covered, from inside"
inside umount /one
mounts remove
expect_status 0
down

t 'a destination that is swapped all the time stays inside'
make_bundle "$T/b" .
cp "$(helper swap)" "$T/b/rootfs/bin/swap"
mkdir -p "$T/b/rootfs/a/real" "$T/outside2"
ln -s "/../../../../../..$T/outside2" "$T/b/rootfs/a/link"
up . 'exec /bin/swap /a/real /a/link'
cat /proc/self/mountinfo >"$T/host-before"
n=0
while [ $((n = n + 1)) -le 60 ]; do
    file "$(bind "/a/real/x$n" "$T/data")"
    "$SUBLET" --root "$T/root" mounts add "$ID" "$T/m.json" 2>>"$T/tries" || true
done
cat /proc/self/mountinfo >"$T/host-after"
expect cmp "$T/host-before" "$T/host-after"
expect_eq 'made on the host' "$(ls -A "$T/outside2")" ''
down

t 'a container with a user namespace'
maps='[{containerID: 0, hostID: 100000, size: 65536}]'
chmod 755 "$T"
rm -rf "$T/b"
make_bundle "$T/b" .
chown -R 100000:100000 "$T/b/rootfs"
up "$(set_namespace user) | .linux.uidMappings = $maps | .linux.gidMappings = $maps"
file "$(bind /data "$T/data")" '{destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["size=64k"]}'
mounts add
expect_status 0
expect_eq 'a file' "$(inside cat /data/file)" 'from the host'
expect_eq 'owner of the mount points that were made' \
    "$(stat -c %u:%g "$T/b/rootfs/data" "$T/b/rootfs/scratch" | sort -u)" 100000:100000
mounts remove
expect_status 0
down
chmod 700 "$T"

t 'a container that does not run has no place for mounts'
run sublet mounts add "$ID" "$T/m.json"
expect_status 1
expect_err_match 'container does not exist'

t 'a file system of the container that never answers holds neither the command nor a delete'
rm -rf "$T/b"
up .
cp "$(helper silent)" "$T/b/rootfs/bin/silent"
mknod "$T/b/rootfs/fuse" c 10 229
mkdir "$T/b/rootfs/silent"
group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
[ -e "$group" ] || group=/sys/fs/cgroup/unified${group#/sys/fs/cgroup}
timeout -k 1 60 nsenter -t "$pid" -m -- /bin/silent /fuse /silent >"$T/silent" &
server=$!
until_true 10 grep -q ready "$T/silent"
for process in $(cat "/proc/$server/task/$server/children") "$server"; do # its device is open by now
    echo "$process" >"$group/cgroup.procs"
done
in_group() { xargs -I{} readlink /proc/{}/exe <"$group/cgroup.procs" | grep -qxF "$SUBLET"; }
until_true 9 in_group && touch "$T/charged" &
file "$(bind /silent/x "$T/data")" '{destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}'
run timeout -k 1 50 "$SUBLET" --root "$T/root" mounts add "$ID" "$T/m.json"
wait $!
expect test -e "$T/charged" # the memory of tmpcopyup is the container's: who copies is in its group
expect_status 1
expect_error "sublet: the container's process did not answer within 10 s"
expect grep -q asked "$T/silent"
run sublet delete --force "$ID"
expect_status 0
expect_quiet
wait "$server" 2>/dev/null || true # how it ended is not the test's end

t 'a helper that does not come to its end holds nobody up'
[ -x "$(command -v strace)" ] || skip 'no strace here'
[ -z "${TEST_SANITIZED:-}" ] || skip 'the leak checker needs ptrace itself'
first_child() {
    local children
    children=$(<"/proc/$1/task/$1/children") && echo "${children%% *}"
}
[ -n "$cli_skipped" ] || up .
file "$(bind /data "$T/data")"
# stopped behind the record, and the helper before it is told to go
stop_helper() {
    local tracer parent helper
    strace -f -qq -o "$T/trace" -e inject=renameat,renameat2,rename:signal=STOP \
        "$SUBLET" --root "$T/root" mounts add "$ID" "$T/m.json" >"$T/late.out" 2>"$T/late.err" </dev/null &
    tracer=$!
    until_true 20 grep -q /data "$T/root/$ID/state.json"
    parent=$(first_child "$tracer")
    helper=$(first_child "$parent")
    kill -STOP "$helper"
    kill -CONT "$parent"
    wait "$tracer"
    expect_eq status $? 1
    expect_eq told "$(<"$T/late.err")" \
        'sublet: the process that worked in the container had done its work, but did not end within 10 s: killed'
    expect_eq 'a file' "$(inside cat /data/file)" 'from the host'
}
[ -n "$cli_skipped" ] || stop_helper
mounts remove
expect_status 0
down
