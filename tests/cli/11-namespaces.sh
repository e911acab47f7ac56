#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 240
# Namespaces: new ones, ones joined by path, names, clocks, user namespaces and propagation.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"

# The type in config.json | the file in /proc/PID/ns | how unshare(1) makes one.
KINDS=(pid:pid:--pid network:net:--net ipc:ipc:--ipc uts:uts:--uts cgroup:cgroup:--cgroup
    time:time:--time user:user:--user)
MAPS='.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    | .linux.gidMappings = [{"containerID": 0, "hostID": 200000, "size": 65536}]'

# hold OPTION...: a process in new namespaces, its pid in $held; release ends it. It sleeps behind
# a fork, so that a new pid or time namespace is one with a process in it.
hold() {
    unshare --fork --kill-child "$@" -- sleep 60 &
    holder=$!
    disown
    until_true 5 has_child
    held=$(pgrep -P "$holder")
}
has_child() { [ "$(cat "/proc/$(pgrep -P "$holder")/comm")" = sleep ]; }
release() {
    kill -KILL "$holder"
    until_true 5 eval "! [ -e /proc/$held ] && ! [ -e /proc/$holder ]"
}

host_ns() { readlink "/proc/self/ns/$1"; }

for kind in "${KINDS[@]}"; do
    IFS=: read -r type file option <<<"$kind"
    filter=$(set_namespace "$type")
    [ "$type" != user ] || filter+=" | $MAPS"

    t "a $type namespace is new where it is named"
    look "$filter"
    expect_json ".namespaces.$file != \"$(host_ns "$file")\"" true

    t "a $type namespace is the host's where it is not named"
    filter=$(no_namespace "$type")
    [ "$type" != uts ] || filter+=' | del(.hostname)'
    look "$filter"
    expect_json ".namespaces.$file" "$(host_ns "$file")"

    t "a $type namespace is joined by its path"
    hold "$option"
    [ "$type" != user ] || for file in uid gid; do echo 0 100000 65536 >"/proc/$held/${file}_map"; done
    [ "$type" != user ] || file=user
    expect [ "$(readlink "/proc/$held/ns/$file")" != "$(host_ns "$file")" ]
    look "$(set_namespace "$type" "/proc/$held/ns/$file")"
    expect_json ".namespaces.$file" "$(readlink "/proc/$held/ns/$file")"
    release

    t "a namespace of another type is refused as a $type namespace"
    other=mnt
    probe_bundle "$(set_namespace "$type" "/proc/self/ns/$other")"
    run sublet run -b "$T/b" "$ID"
    expect_status 125
    expect_err_match "namespaces\[[0-9]\]: '/proc/self/ns/mnt' is a namespace of type mount, expected type $type$"
done

t 'all eight namespaces are new at once'
look "$(set_namespace user) | $(set_namespace time) | $MAPS"
expect_json '[.namespaces[]] | unique | length' 8
for file in cgroup ipc mnt net pid time user uts; do
    expect_json ".namespaces.$file == \"$(host_ns "$file")\"" false
done

t 'several namespaces are joined at once'
hold --net --ipc --uts --pid
look "$(for kind in network:net ipc:ipc uts:uts pid:pid; do
    printf '%s | ' "$(set_namespace "${kind%:*}" "/proc/$held/ns/${kind#*:}")"
done) del(.hostname)"
for file in net ipc uts pid; do
    expect_json ".namespaces.$file" "$(readlink "/proc/$held/ns/$file")"
done
expect_json '.pid > 1' true
release

t 'a mount namespace is joined, and the root is the bundle there'
hold --mount --propagation private
look "$(set_namespace mount "/proc/$held/ns/mnt")" --write /tmp/here --masked /bin
expect_json .namespaces.mnt "$(readlink "/proc/$held/ns/mnt")"
expect_json '.masked["/bin"]' 'not empty'
release

t 'a path that is no namespace is refused'
probe_bundle "$(set_namespace network /etc/passwd)"
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_err_match "^sublet: linux.namespaces\[[0-9]\]: '/etc/passwd' is not a namespace, expected type network$"

t 'a path that is not there is refused'
probe_bundle "$(set_namespace network /nowhere)"
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_err_match "^sublet: linux.namespaces\[[0-9]\]: cannot open '/nowhere': No such file or directory$"

t 'a container without a mount namespace is refused'
probe_bundle "$(no_namespace mount)"
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_error "sublet: linux.namespaces: no entry of type 'mount', expected one"

t 'a network namespace has a loopback device that is up'
shell . 'cat /sys/class/net/lo/flags; timeout 5 nc -l -p 7 -e /bin/cat &
    until echo word | nc 127.0.0.1 7 2>/dev/null; do sleep 0.1; done'
expect_out "0x9"$'\n'"word"

t 'host name and domain name are set'
look '.hostname = "one.example" | .domainname = "nis.example"'
expect_json .hostname one.example
expect_json .domainname nis.example
expect [ "$(hostname)" != one.example ]

t 'the domain name is set without a cgroup manager, too'
make_bundle "$T/b" '.domainname = "nis.example" | .process.args = ["/bin/cat", "/proc/sys/kernel/domainname"]
    | .linux |= del(.cgroupsPath, .resources)'
run sublet --cgroup-manager disabled run -b "$T/b" "$ID"
expect_status 0
expect_out nis.example

t 'names are set in a joined uts namespace as well'
hold --uts
look "$(set_namespace uts "/proc/$held/ns/uts") | .hostname = \"joined\""
expect_json .hostname joined
expect_eq 'name seen there' "$(nsenter -t "$held" --uts hostname)" joined
release

t 'a host name without a uts namespace is refused'
probe_bundle "$(no_namespace uts)"
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_error "sublet: hostname: needs a namespace of type 'uts' in linux.namespaces"

t 'clocks are moved by timeOffsets'
look "$(set_namespace time) | .linux.timeOffsets = {monotonic: {secs: 86400, nanosecs: 7},
    boottime: {secs: 172800, nanosecs: 0}}"
expect_json .time.offsets '{"monotonic":{"secs":86400,"nanosecs":7},"boottime":{"secs":172800,"nanosecs":0}}'
expect_json "(.time.monotonic | tonumber) - $(cut -d' ' -f 1 /proc/uptime) | . > 86300 and . < 86500" true
expect_json "(.time.boottime | tonumber) - $(cut -d' ' -f 1 /proc/uptime) | . > 172700 and . < 172900" true

t 'timeOffsets without a time namespace are refused'
probe_bundle '.linux.timeOffsets = {monotonic: {secs: 1, nanosecs: 0}}'
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_error "sublet: linux.timeOffsets: needs a namespace of type 'time' in linux.namespaces"

t 'a user namespace maps ids as asked'
look "$(set_namespace user) | $MAPS | .process.user = {uid: 1000, gid: 1001, additionalGids: [5]}"
expect_json .uid_map '[{"container":0,"host":100000,"size":65536}]'
expect_json .gid_map '[{"container":0,"host":200000,"size":65536}]'
expect_json .uid.real 1000
expect_json .gid.real 1001
expect_json .groups '[5]'

t 'several ranges are mapped'
look "$(set_namespace user) | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 10},
        {containerID: 1000, hostID: 300000, size: 2}] | .linux.gidMappings = .linux.uidMappings"
expect_json '[.uid_map[] | [.container, .host, .size]]' '[[0,100000,10],[1000,300000,2]]'
expect_json '[.gid_map[] | [.container, .host, .size]]' '[[0,100000,10],[1000,300000,2]]'

t 'the process in a user namespace is nobody special on the host'
sh_bundle "$(set_namespace user) | $MAPS" 'sleep 60'
create "$ID"
pid=$(sublet state "$ID" | jq .pid)
expect_eq uids "$(awk '/^Uid/ { print $2, $3, $4, $5 }' "/proc/$pid/status")" '100000 100000 100000 100000'
run sublet delete --force "$ID"

t 'devices in a user namespace are the host'"'"'s by bind mounts'
look "$(set_namespace user) | $MAPS" --write /dev/null --readonly /dev/full
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
    IFS=: read -r name major minor <<<"$device"
    expect_json ".devices[] | select(.name == \"$name\") | [.type, .major, .minor, .mode]" \
        "[\"char\",$major,$minor,\"0666\"]"
    expect_mount "/dev/$name" '.root | endswith("/'"$name"'")' true
done
expect_json '.writes["/dev/null"]' ok

t 'the root of a user namespace owns what is made for it'
look "$(set_namespace user) | $MAPS"
for path in /dev /dev/shm /dev/mqueue /dev/pts; do
    expect_json ".paths[\"$path\"] | [.uid, .gid]" '[0,0]'
done

# piped VERB ARGUMENT...: sublet with a pipe as stdout and stderr.
piped() {
    run bash -o pipefail -c '"$@" 2>&1 | cat' - "$SUBLET" --root "$T/root" "$@"
    expect_status 0
    expect_out $'out\nerr'
}
AS_USER='.process.user = {uid: 1000, gid: 1000}'
AGAIN='echo out >/proc/self/fd/1; echo err >/proc/self/fd/2'

t 'pipes as stdio go to the process in a user namespace, which may open them again'
sh_bundle "$(set_namespace user) | $MAPS | $AS_USER" "$AGAIN"
piped run -b "$T/b" "$ID"

t 'in a user namespace that is joined they do, too'
hold --user
for file in uid gid; do echo 0 100000 65536 >"/proc/$held/${file}_map"; done
sh_bundle "$(set_namespace user "/proc/$held/ns/user") | $AS_USER" "$AGAIN"
piped run -b "$T/b" "$ID"
release

t 'and so do those of exec'
sh_bundle "$(set_namespace user) | $MAPS" 'sleep 60'
run sublet run --detach -b "$T/b" "$ID"
expect_status 0
piped exec --user 1000:1000 "$ID" sh -c "$AGAIN"
run sublet delete --force "$ID"
expect_status 0

for pair in private:empty shared:shared slave:master unbindable:empty; do
    t "rootfsPropagation ${pair%:*} is what the root has"
    look ".linux.rootfsPropagation = \"${pair%:*}\""
    case ${pair#*:} in
        empty) wanted=$([ "${pair%:*}" = private ] && echo '[]' || echo '["unbindable"]') ;;
        shared) wanted='["shared:N"]' ;;
        master) wanted='["master:N"]' ;;
    esac
    expect_json '.mounts[] | select(.target == "/") | .optional | map(sub("[0-9]+"; "N"))' "$wanted"
done

t 'with rootfsPropagation slave a mount of the host arrives'
sh_bundle '.linux.rootfsPropagation = "slave" | .root.readonly = false
    | .mounts += [{destination: "/mnt", source: "'"$T/shared"'", options: ["rbind", "rslave"]}]' \
    'until [ -e /mnt/below/file ]; do sleep 0.02; done; echo arrived'
mkdir -p "$T/shared/below"
mount --bind "$T/shared" "$T/shared"
create "$ID"
mount -t tmpfs none "$T/shared/below"
touch "$T/shared/below/file"
run sublet start "$ID"
expect_status 0
until_true 5 container_is "$ID" stopped
run sublet delete "$ID"
umount "$T/shared/below" "$T/shared"

t 'with the default propagation nothing that is mounted inside reaches the host'
before=$(wc -l </proc/self/mountinfo)
shell '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"]) | .root.readonly = false' \
    'mount -t tmpfs none /tmp && echo mounted'
expect_out mounted
expect_eq 'mounts of the host' "$(wc -l </proc/self/mountinfo)" "$before"
