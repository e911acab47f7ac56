#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 120
# exec into user, time and joined namespaces, without root, and into groups of its own.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"
# shellcheck source=tests/cli/helpers/exec.sh
. "$(dirname "$0")/helpers/exec.sh"
KINDS='mnt pid net ipc uts cgroup user time'
# same_namespaces PID: what the process of an exec sees is what that one has.
same_namespaces() {
    run sublet exec "$ID" sh -c 'for kind in '"$KINDS"'; do readlink /proc/self/ns/$kind; done'
    expect_status 0
    expect_quiet
    expect_out "$(for kind in $KINDS; do ns_of "$1" "$kind"; done)"
}

t 'a user namespace: ids are those inside, and the terminal belongs to the user'
chmod 0755 "$T"
USERNS='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
    | .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
make_bundle "$T/b"
chown -R 100000:200000 "$T/b/rootfs"
begin "$USERNS"
same_namespaces "$(init_pid)"
enter --user 5:6 --detach --pid-file "$T/pid" "$ID" sleep 100
expect_status 0
expect_eq 'ids on the host' "$(awk '/^[UG]id/ {print $2}' "/proc/$(cat "$T/pid")/status" | paste -sd ' ')" '100005 200006'
enter --cap CAP_SYS_ADMIN "$ID" grep CapEff /proc/self/status
expect_out $'CapEff:\t0000000020200420'
run script -qefc "'$SUBLET' --root '$T/root' exec --tty --user 7:8 $ID sh -c 'stat -c %u \$(tty); echo x >/dev/tty'" /dev/null
expect_status 0
expect_out_has 7
enter --user 70000 "$ID" true
expect_status 125
expect_error 'sublet: process.user.uid: 70000 is in no mapping of the user namespace'
end

t 'a time namespace: the clock inside is the container'\''s'
begin "$(set_namespace time) | .linux.timeOffsets = {boottime: {secs: 8640000, nanosecs: 0}}"
same_namespaces "$(init_pid)"
enter "$ID" sh -c 'cut -d . -f 1 /proc/uptime'
[ "$(cat "$T/out")" -ge 8640000 ] || fail "up for $(cat "$T/out") s"
end

t 'namespaces that the container has joined, and those that it shares with the host'
unshare --net --ipc --uts sleep 100 &
other=$!
apart() { [ "$(ns_of "$other" net)" != "$(ns_of self net)" ]; }
until_true 5 apart
leftovers_base
begin "$(set_namespace network "/proc/$other/ns/net") | $(no_namespace ipc) | $(set_namespace uts "/proc/$other/ns/uts") | del(.hostname)"
expect_eq net "$(ns_of "$(init_pid)" net)" "$(ns_of "$other" net)"
expect_eq ipc "$(ns_of "$(init_pid)" ipc)" "$(ns_of self ipc)"
same_namespaces "$(init_pid)"
end
kill "$other"
wait "$other" 2>/dev/null

t 'a pid namespace that is shared with the host'
begin "$(no_namespace pid)"
same_namespaces "$(init_pid)"
enter --pid-file "$T/pid" "$ID" sh -c 'echo $$'
expect_status 0
expect_out "$(cat "$T/pid")"
enter --user 1000 "$ID" sh -c 'exit 3'
expect_status 3
run script -qefc "'$SUBLET' --root '$T/root' exec --tty $ID sh -c 'echo x >/dev/tty; exit 4'" /dev/null
expect_status 4
end

t 'the mount namespace of an init that has moved to another root inside'
begin '.process.args = ["/bin/sh", "-c", "exec chroot /var /bin/sleep 1000"] | .process.capabilities |= map_values(. + ["CAP_SYS_CHROOT"])
    | .mounts += [{destination: "/var/bin", source: "'"$T/b/rootfs/bin"'", type: "bind", options: ["bind", "ro"]}]'
until_true 5 grep -q sleep "/proc/$(init_pid)/comm"
enter "$ID" test -d /etc
expect_status 0
end

t 'without root, in a namespace of its own'
chmod 0755 "$T"
mkdir -m 0700 "$T/home"
chown 1000:1000 "$T/home"
user=(setpriv --reuid 1000 --regid 1000 --clear-groups --)
make_rootfs "$T/home/rootfs"
chown -R 1000:1000 "$T/home/rootfs"
mkdir -m 0700 "$T/home/root"
chown 1000:1000 "$T/home/root"
(cd "$T/home" && "${user[@]}" "$SUBLET" spec --rootless)
jq '.process.terminal = false | .process.args = ["/bin/sleep", "1000"]' "$T/home/config.json" >"$T/home/config" && mv "$T/home/config" "$T/home/config.json"
chmod a+r "$T/home/config.json"
run "${user[@]}" "$SUBLET" --root "$T/home/root" --cgroup-manager disabled run --detach -b "$T/home" "$ID"
expect_status 0
run "${user[@]}" "$SUBLET" --root "$T/home/root" exec "$ID" sh -c 'id -u; cat /proc/1/comm'
expect_status 0
expect_out $'0\nsleep'
run "${user[@]}" "$SUBLET" --root "$T/home/root" exec --detach --pid-file "$T/home/pid" "$ID" sleep 50
expect_status 0
expect_eq 'its user on the host' "$(awk '/^Uid/ {print $2}' "/proc/$(cat "$T/home/pid")/status")" 1000
run "${user[@]}" "$SUBLET" --root "$T/home/root" delete --force "$ID"
expect_status 0

t 'a group below the container'\''s by --cgroup, and never one beside it'
begin
group=$(sed -n 's/^0:://p' "/proc/$(init_pid)/cgroup")
cgroup=/sys/fs/cgroup
[ -e "$cgroup$group/cgroup.procs" ] || cgroup=$cgroup/unified
mkdir -p "$cgroup$group/a/b" "$cgroup${group}0"
for name in a/b /a/b a/b/; do
    enter --cgroup "$name" --detach --pid-file "$T/pid" "$ID" sleep 100
    expect_status 0
    expect_eq 'its cgroup' "$(sed -n 's/^0:://p' "/proc/$(cat "$T/pid")/cgroup")" "$group/a/b"
done
enter --cgroup / --detach --pid-file "$T/pid" "$ID" sleep 100
expect_eq 'its cgroup' "$(sed -n 's/^0:://p' "/proc/$(cat "$T/pid")/cgroup")" "$group"
for name in .. ../x "../${group#/}0" a/../.. a/../b a//b ./a .. "a/.."; do
    enter --cgroup "$name" "$ID" true
    expect_status 125
    expect_err_match "^sublet: --cgroup: '.*': expected the path of a group below the container's, without '\.\.'"
done
enter --cgroup none "$ID" true
expect_status 125
expect_error "sublet: --cgroup: the container has no group 'none'"
rmdir "$cgroup${group}0"
end

t 'without a cgroup of its own'
make_bundle "$T/b" '.process.args = ["/bin/sleep", "1000"]'
run sublet --cgroup-manager disabled run --detach -b "$T/b" "$ID"
expect_status 0
enter "$ID" echo inside
expect_out inside
enter --cgroup a "$ID" true
expect_status 125
expect_error 'sublet: --cgroup: the container has no cgroup of its own'
end

t 'a container that has given its controllers to groups below: the group of its init, or the nearest leaf'
cgroup=/sys/fs/cgroup
[ "$(stat -f -c %T "$cgroup")" = cgroup2fs ] || cgroup=$cgroup/unified
read -r controller _ <"$cgroup/cgroup.subtree_control"
if [ -z "${controller:-}" ]; then
    skip 'the root of the cgroups gives no controller to groups below'
else
    mkdir "$cgroup/$ID-top" && echo "+$controller" >"$cgroup/$ID-top/cgroup.subtree_control"
    begin ".linux.cgroupsPath = \"/$ID-top/own\""
    own=$cgroup/$ID-top/own
    mkdir "$own/init" && init_pid >"$own/init/cgroup.procs"
    echo "+$controller" >"$own/cgroup.subtree_control"
    expect_eq 'what it gives on' "$(cat "$own/cgroup.subtree_control")" "$controller"
    enter --detach --pid-file "$T/pid" "$ID" sleep 100
    expect_status 0
    expect_eq 'the group of its init' "$(sed -n 's/^0:://p' "/proc/$(cat "$T/pid")/cgroup")" "/$ID-top/own/init"
    enter --cgroup / "$ID" true
    expect_status 125
    expect_err_has "--cgroup: no process can start in a cgroup that gives controllers to groups below it"
    init_pid >"$cgroup/$ID-top/../cgroup.procs"
    enter --detach --pid-file "$T/pid" "$ID" sleep 100
    expect_status 0
    expect_eq 'the nearest leaf' "$(sed -n 's/^0:://p' "/proc/$(cat "$T/pid")/cgroup")" "/$ID-top/own/init"
    end
    rmdir "$cgroup/$ID-top"
fi
