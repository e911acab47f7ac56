#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# containerd through ctr and the shim for runc, which is what Kubernetes and docker stand on.
# limit: 2400
# vm: --memory 3072 --disk 512M
# shellcheck disable=SC2016 # for the shell of the row
# shellcheck source=tests/engines/lib/rows.sh
. "$(dirname "$0")/lib/rows.sh"
# shellcheck source=tests/engines/lib/containerd.sh
. "$ENGINES/lib/containerd.sh"
engines_world

# new ARGUMENT...: ctr run with the runtime of the play, over a copy of the root file system.
new() { ctr run --env PATH=/bin --runc-binary "/usr/sbin/$R" --rootfs "$@"; }
task_is() { ctr task ls | awk -v id="$1" '$1 == id { print $3 }'; }
gone() { ctr task kill -s KILL "$1" >/dev/null 2>&1; until_out 20 'STOPPED' task_is "$1" >/dev/null; ctr task rm "$1" >/dev/null 2>&1; ctr container rm "$1"; }
# limits ID FILE...: ctr mounts no cgroup file system in its containers.
limits() {
    local id=$1 pid
    shift
    pid=$(ctr task ls | awk -v id="$id" '$1 == id { print $2 }')
    cd "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")" && cat "$@"
}
export -f new task_is gone limits

op 'run' 'hi' 'new --rm $ROOTFS $C echo hi'
op 'run: exit status' '7' 'new --rm $ROOTFS $C sh -c "exit 7"; echo $?'
op 'run: no such program' '~.*no-such.*not found.*' 'new --rm $ROOTFS $C no-such 2>&1'
op 'run: with a terminal' '~.*/dev/pts/0' '
    script -qec "ctr run --runc-binary /usr/sbin/$R --rm -t --rootfs $ROOTFS $C tty" /dev/null'
op 'run --detach, task ls' 'RUNNING' 'new -d $ROOTFS box-$R sleep 100000; task_is box-$R'
op 'create, start, delete, the runtime found as runc' '0' '
    ctr container create --rootfs $ROOTFS $C /bin/true && ctr task start $C; echo $?
    ctr task rm $C >/dev/null 2>&1; ctr container rm $C'
op 'task exec' 'hi' 'ctr task exec --exec-id e1 box-$R echo hi'
op 'task exec: exit status' '7' 'ctr task exec --exec-id e2 box-$R sh -c "exit 7"; echo $?'
op 'task exec: with a terminal' '~.*/dev/pts/0.*' 'script -qec "ctr task exec -t --exec-id e3 box-$R tty" /dev/null'
op 'task exec: directory, user' '/tmp 1000' '
    ctr task exec --cwd /tmp --user 1000 --exec-id e4 box-$R sh -c "pwd; id -u"'
op 'task exec: no such program' '~.*no-such.*not found.*' 'ctr task exec --exec-id e5 box-$R no-such 2>&1'
op 'task exec --detach' 'there' '
    ctr task exec -d --exec-id e6 box-$R sh -c "echo there >/tmp/there-$R"
    until_out 20 there cat $ROOTFS/tmp/there-$R'
op 'task ps' '~[0-9]+ .*' 'ctr task ps box-$R | tail -n +2'
op 'task metrics' '~.*memory.*|.*pids.*' 'ctr task metrics box-$R'
op 'task pause, resume' 'PAUSED RUNNING' 'ctr task pause box-$R; task_is box-$R; ctr task resume box-$R; task_is box-$R'
op 'task attach' 'later' 'new -d $ROOTFS $C sh -c "sleep 3; echo later" ; ctr task attach $C; gone $C'
op 'task kill: a signal' '9' '
    new $ROOTFS $C sh -c "trap \"exit 9\" USR1; : >/tmp/ready-$C; while :; do sleep 0.1; done" & p=$!
    until_out 30 yes sh -c "[ -e $ROOTFS/tmp/ready-$C ] && echo yes" >/dev/null; ctr task kill -s USR1 $C; wait $p
    echo $?; ctr container rm $C'
op 'task kill --all' 'STOPPED' '
    new -d $ROOTFS $C sh -c "sleep 1000 & sleep 1000"; ctr task kill -a -s KILL $C
    until_out 20 STOPPED task_is $C; ctr task rm $C >/dev/null; ctr container rm $C'
op 'task rm --force of a running one' '0' '
    new -d $ROOTFS $C sleep 1000; ctr task rm -f $C >/dev/null 2>&1; ctr task ls | grep -c "^$C "
    ctr container rm $C'
op 'container info' '~.*io.containerd.runc.v2.*' 'ctr container info box-$R | grep io.containerd.runc.v2'
op '--memory-limit, --cpus' '67108864 50000 100000' '
    new -d --memory-limit 67108864 --cpus 0.5 $ROOTFS $C sleep 1000; limits $C memory.max cpu.max; gone $C'
op '--cpu-quota, --cpu-period, --cpu-shares' '~20000 50000 (20|59)' '
    new -d --cpu-quota 20000 --cpu-period 50000 --cpu-shares 512 $ROOTFS $C sleep 1000
    limits $C cpu.max cpu.weight; gone $C'
op '--read-only' '~.*Read-only file system.*' 'new --rm --read-only $ROOTFS $C touch /x 2>&1'
op '--mount type=bind, ro' 'there 1' '
    echo there >$W/f
    new --rm --mount type=bind,src=$W,dst=/tmp,options=rbind:ro $ROOTFS $C sh -c "cat /tmp/f; touch /tmp/g 2>/dev/null; echo \$?"'
op '--env, --cwd' 'v /tmp' 'new --rm --env K=v --cwd /tmp $ROOTFS $C sh -c "echo \$K; pwd"'
op '--label' 'b' 'new -d --label a=b $ROOTFS $C sleep 1000; ctr container info $C | jq -r .Labels.a; gone $C'
op '--cap-add, --cap-drop' '00000000a82425fa' '
    new --rm --cap-add CAP_SYS_ADMIN --cap-drop CAP_CHOWN $ROOTFS $C grep CapEff /proc/self/status |
    awk "{ print \$2 }"'
op '--privileged' '1' '
    new --rm --privileged $ROOTFS $C sh -c "mount -t tmpfs none /tmp; grep -c \" /tmp \" /proc/mounts"'
op '--seccomp' '2' 'new --rm --seccomp $ROOTFS $C grep Seccomp: /proc/self/status | awk "{ print \$2 }"'
op '--net-host' 'same' '
    [ "$(new --rm --net-host $ROOTFS $C readlink /proc/self/ns/net)" = "$(readlink /proc/self/ns/net)" ] &&
    echo same'
op '--with-ns' 'same' '
    [ "$(new --rm --with-ns uts:/proc/1/ns/uts $ROOTFS $C readlink /proc/self/ns/uts)" = "$(readlink /proc/1/ns/uts)" ] &&
    echo same'
op '--cgroup' '/engines-ctr' '
    new --rm --cgroup /engines-ctr --with-ns cgroup:/proc/1/ns/cgroup $ROOTFS $C cut -d: -f3 /proc/self/cgroup'
op '--device' '~.*fuse' 'new --rm --device /dev/fuse $ROOTFS $C ls /dev/fuse'
op '--no-pivot, the runtime found as runc' 'hi' 'ctr run --rm --no-pivot --rootfs $ROOTFS $C echo hi'
op '--pid-file' '0' 'new --pid-file $W/pid -d $ROOTFS $C sleep 1000; kill -0 $(cat $W/pid); echo $?; gone $C'
op '--allow-new-privs' '0' '
    new --rm --allow-new-privs $ROOTFS $C grep NoNewPrivs /proc/self/status | awk "{ print \$2 }"'
op '--uidmap, the runtime found as runc' '0 100000 1000' '
    ctr run --rm --uidmap 0:100000:1000 --gidmap 0:100000:1000 docker.io/library/busybox:test $C cat /proc/self/uid_map |
    tr -s " " | sed "s/^ //"'
op '--config' 'from a file' 'ctr run --runc-binary /usr/sbin/$R --rm --config $WORLD/config.json $C'
op 'an image and a snapshot' 'image' '
    ctr run --runc-binary /usr/sbin/$R --rm docker.io/library/busybox:test $C echo image'
op 'images mount and run of 10 at once' '10' 'for i in $(seq 10); do new --rm $ROOTFS $C-$i echo x & done | grep -c x'
op 'output of 3 MB is whole' '3000000' 'new --rm $ROOTFS $C sh -c "yes | head -c 3000000" | wc -c'
op 'the shim dies: the container is found and removed' '0' '
    new -d $ROOTFS $C sleep 1000; kill -9 $(ps -eo pid,args |
    awk -v id="$C" "/containerd-shim/ && \$0 ~ (\"-id \" id \" \") { print \$1 }")
    until_out 20 "" task_is $C >/dev/null; ctr container rm $C; echo $?
    /usr/sbin/$R --root /run/containerd/runc/default list -q | grep -c "^$C$" | grep -v 0'
op 'nothing is left behind' '' 'gone box-$R; /usr/sbin/$R --root /run/containerd/runc/default list -q'

write_image
containerd_world
/usr/sbin/sublet spec -b "$WORLD" && jq --arg root "$ROOTFS" '.process.terminal = false | .process.args = ["echo", "from a file"] | .root.path = $root' \
    "$WORLD/config.json" >"$WORLD/c" && mv "$WORLD/c" "$WORLD/config.json"

# with_runc_being RUNTIME: where ctr names no runtime, containerd finds this one as runc.
with_runc_being() {
    mkdir -p "$WORLD/$1.path"
    ln -s "/usr/sbin/$1" "$WORLD/$1.path/runc"
    PATH=$WORLD/$1.path:$PATH containerd_start "$1" "$ENGINES/../../examples/engines/containerd.toml"
    ctr images import "$WORLD/oci.tar" >/dev/null
    play containerd "$1"
    containerd_stop
}

for runtime in ${TEST_RUNTIMES:-sublet $BESIDE}; do
    with_runc_being "$runtime"
done
verdicts containerd
