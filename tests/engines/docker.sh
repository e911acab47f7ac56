#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docker with cgroupfs over the life of a container; the runtime is the daemon's default.
# limit: 4800
# vm: --memory 3072 --disk 512M
# shellcheck disable=SC2016,SC2086 # for the shell of the row
# shellcheck source=tests/engines/lib/rows.sh
. "$(dirname "$0")/lib/rows.sh"
engines_world

e() { /usr/bin/docker "$@"; }
build() { DOCKER_BUILDKIT=0 /usr/bin/docker build --network none "$@"; }
export -f e build
export I=busybox N='--network none' DOCKER_CONFIG=$WORLD/docker PARENT=/engines-parent

# shellcheck source=tests/engines/lib/life.sh
. "$ENGINES/lib/life.sh"
op 'healthcheck: healthy, unhealthy' 'healthy unhealthy' '
    e run -d --name $C $N --health-cmd true --health-interval 1s $I sleep 1000 >/dev/null
    until_out 60 healthy e inspect -f "{{.State.Health.Status}}" $C
    e run -d --name u$C $N --health-cmd "exit 1" --health-interval 1s --health-retries 1 $I sleep 1000 >/dev/null
    until_out 60 unhealthy e inspect -f "{{.State.Health.Status}}" u$C; e rm -f $C u$C >/dev/null'
op 'info: the default runtime' 'same' '[ "$(e info -f "{{.DefaultRuntime}}")" = "$R" ] && echo same'
op '--restart always: after a kill' 'running' '
    e run -d --restart always --name $C $N $I sleep 1000 >/dev/null; kill -9 $(e inspect -f "{{.State.Pid}}" $C)
    until_out 40 1 e inspect -f "{{.RestartCount}}" $C >/dev/null
    until_out 20 running e inspect -f "{{.State.Status}}" $C; e rm -f $C >/dev/null'
op '-v: z, nocopy, rprivate' 'there' 'echo there >$W/f; e run --rm $N -v $W:/v:z,rprivate $I cat /v/f'
op '--security-opt systempaths=unconfined' 'rw' '
    e run --rm $N --security-opt systempaths=unconfined $I sh -c "grep \" /proc/sys \" /proc/mounts || echo rw"'
op '--userns host' '0' 'e run --rm $N --userns host $I id -u'
op '--domainname' 'where' 'e run --rm $N --domainname where $I cat /proc/sys/kernel/domainname'
op 'logs --follow' 'one two' 'e run -d --name $C $N $I sh -c "echo one; sleep 1; echo two" >/dev/null; e logs -f $C'
op 'exec of 20 at once' '20' 'for i in $(seq 20); do e exec box-$R echo x & done | grep -c x'
op 'nothing is left behind' '' '
    e rm -f $(e ps -aq) >/dev/null 2>&1; [ ! -d /run/docker/runtime-$R/moby ] || ls /run/docker/runtime-$R/moby
    find /sys/fs/cgroup/docker -mindepth 1 -type d'

# with_docker RUNTIME WAY: a daemon with the configuration of examples/engines that has the runtime as
# its default. It is known from that file, or from options in its place: dockerd takes only one of both.
# Its containerd is started before it: dockerd itself waits 15 s for one, which is too short in the guest.
with_docker() {
    local runtime=$1 way=$2 pid under options=()
    mkdir -p /var/lib/docker
    mountpoint -q /var/lib/docker || mount -t tmpfs tmpfs /var/lib/docker
    printf 'version = 2\nroot = "%s"\nstate = "%s"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "%s"\n' \
        /var/lib/docker/under "$WORLD/under" "$WORLD/under.sock" >"$WORLD/under.toml"
    containerd --config "$WORLD/under.toml" >"${VM_LOGS:-$WORLD}/docker-containerd-$runtime.log" 2>&1 &
    under=$!
    until_out 300 ok under_answers >/dev/null
    case $way in
        file) jq --arg name "$runtime" '. + {"default-runtime": $name}' "$ENGINES/../../examples/engines/docker.json" ;;
        options) echo '{}' && options=(--add-runtime "added=/usr/sbin/$runtime" --default-runtime added) ;;
    esac >"$WORLD/daemon.json"
    in_group engines-dockerd dockerd --config-file "$WORLD/daemon.json" "${options[@]}" --containerd "$WORLD/under.sock" --iptables=false \
        --bridge=none --storage-driver overlay2 >"${VM_LOGS:-$WORLD}/dockerd-$runtime-$way.log" 2>&1 &
    pid=$!
    until_out 300 'ok' docker_answers >/dev/null
    e import "$WORLD/image.tar" busybox >/dev/null
    R=$runtime play docker "$runtime"
    kill "$pid"
    wait "$pid"
    kill "$under"
    wait "$under"
}
docker_answers() { e version >/dev/null 2>&1 && echo ok; }
under_answers() { ctr --address "$WORLD/under.sock" version >/dev/null 2>&1 && echo ok; }
export -f docker_answers under_answers

for runtime in ${TEST_RUNTIMES:-sublet $BESIDE}; do
    with_docker "$runtime" file
done
op_names=() op_wanted=() op_scripts=()
op 'dockerd --add-runtime, --default-runtime' 'added hi' '
    e info -f "{{.DefaultRuntime}}"; e run --rm $N $I echo hi'
op 'dockerd --add-runtime: run --runtime' 'added hi' '
    e create --name $C --runtime added $N $I echo hi >/dev/null; e inspect -f "{{.HostConfig.Runtime}}" $C
    e start -a $C; e rm $C >/dev/null'
for runtime in ${TEST_RUNTIMES:-sublet $BESIDE}; do
    with_docker "$runtime" options
done
verdicts docker
