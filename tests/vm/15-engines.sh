#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The first minute of a user of podman, and of one of containerd: where the two are installed. The
# stage engines has all of their operations.
# long
# limit: 300
# shellcheck disable=SC2016 # for the shell of the row
# shellcheck source=tests/engines/lib/rows.sh
. "$(dirname "$0")/../engines/lib/rows.sh"
# shellcheck source=tests/engines/lib/podman.sh
. "$ENGINES/lib/podman.sh"

for engine in podman conmon ctr containerd; do
    if ! command -v "$engine" >/dev/null; then
        printf 'skip - podman and containerd: %s is not installed (tests/run.sh engines installs them)\n' "$engine"
        exit 0
    fi
done
engines_world
podman_world
mkdir -p /var/lib/containerd
mount -t tmpfs tmpfs /var/lib/containerd
containerd >"$WORLD/containerd.log" 2>&1 &
daemon=$!
ctr_answers() { ctr version >/dev/null 2>&1 && echo ok; }
until_out 60 ok ctr_answers >/dev/null

op 'podman run' 'hi 67108864' 'e run --rm $N -m 64m $I sh -c "echo hi; cat /sys/fs/cgroup/memory.max"'
op 'podman run --detach, exec, rm' 'hi 7 0' '
    e run -d --name $C $N $I sleep 1000 >/dev/null; e exec $C echo hi; e exec $C sh -c "exit 7"; echo $?
    e rm -f -t 0 $C >/dev/null; echo $?'
op 'podman run in a tenant' '~0::/sublet.tenants/shop/libpod-[0-9a-f]+(/container)? 268435456' '
    /usr/sbin/sublet tenant set shop --cpu "elastic 0.5" --memory 256M
    "$ENGINES/../../examples/engines/podman-tenant.sh" shop $N --cgroupns host $I sh -c "cat /proc/self/cgroup"
    cat /sys/fs/cgroup/sublet.tenants/shop/memory.max; /usr/sbin/sublet tenant remove shop'
op 'ctr run' 'hi 7' 'ctr run --rm --runc-binary /usr/sbin/sublet --rootfs $ROOTFS $C sh -c "echo hi; exit 7"; echo $?'
op 'nothing is left behind' '' '/usr/sbin/sublet list -q; /usr/sbin/sublet --root /run/containerd/runc/default list -q'
play engines sublet
kill "$daemon"
verdicts engines
