#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# containerd as the kubelet calls it: pods and containers of the runtime entry in its configuration, which is
# that of examples/engines. The handler is what a RuntimeClass names.
# limit: 2400
# vm: --memory 3072 --disk 512M
# shellcheck disable=SC2016 # for the shell of the row
# shellcheck source=tests/engines/lib/rows.sh
. "$(dirname "$0")/lib/rows.sh"
# shellcheck source=tests/engines/lib/containerd.sh
. "$ENGINES/lib/containerd.sh"
engines_world
write_image
containerd_world

IMAGE=docker.io/library/busybox:test
export IMAGE
cri() { "$ENGINES/lib/cri.py" /run/containerd/containerd.sock "$@"; }
# pod NAME FILTER: the request for a pod on the host's network, for there are no plugins for another.
pod() {
    jq -nc --arg name "$1" --arg logs "$WORLD/$R.logs" --arg group "${CRI_GROUP-/engines-cri}" '{metadata: {name: $name, uid: $name, namespace: "n"},
        log_directory: $logs, linux: {cgroup_parent: $group, security: {namespaces: {network: 2}}}} | '"${2:-.}"
}
# made FILTER ARGUMENT...: the id of a container in the pod of the play.
made() {
    local filter=$1
    shift
    cri CreateContainer "$(jq -nc --arg name "$C" --arg image "$IMAGE" --arg pod "$(cat "$WORLD/$R.pod")" --argjson sandbox "$(pod "pod-$R")" '{pod: $pod,
        sandbox: $sandbox, config: ({metadata: {name: $name}, image: {image: $image}, command: $ARGS.positional,
        log_path: $name, linux: {security: {namespaces: {network: 2}}}} | '"$filter"')}' --args -- "$@")" | jq -r .id
}
by_id() { cri "$1" "{\"id\": \"$2\"}"; }
state() { by_id ContainerStatus "$1" | jq -r '.status | .state, .exit_code' | paste -sd ' '; }
inside() { cri ExecSync "$(jq -nc --arg id "$1" '{id: $id, command: $ARGS.positional, timeout: 60}' --args -- "${@:2}")"; }
kept() { cat "$WORLD/$R.box"; }
list() { "/usr/sbin/$R" --root /run/containerd/runc/k8s.io list -q; }
# plays_of FILTER ARGUMENT...: the words of a container that ends.
plays_of() {
    local id
    id=$(made "$@") && by_id StartContainer "$id" >/dev/null && until_out 60 '2 [0-9]+' state "$id" >/dev/null
    sed 's/^[^ ]* [a-z]* [FP] //' "$WORLD/$R.logs/$C"
    by_id RemoveContainer "$id" >/dev/null
}
export -f cri pod made by_id state inside kept list plays_of

op 'RunPodSandbox of the handler' '0 same' '
    cri RunPodSandbox "{\"config\": $(pod pod-$R), \"runtime_handler\": \"$R\"}" | jq -r .id >$WORLD/$R.pod
    by_id PodSandboxStatus "$(cat $WORLD/$R.pod)" |
    jq -r --arg handler $R ".status | .state, if .handler == \$handler then \"same\" else .handler end"'
op 'the runtime of the pod is that of the entry' 'same' '
    [ -s $WORLD/$R.pod ] && [ "$(list)" = "$(cat $WORLD/$R.pod)" ] && echo same'
op 'CreateContainer: created' '0 0' '
    made . sleep 1000 >$WORLD/$R.box; state "$(kept)"'
op 'StartContainer: running' '1 0' 'by_id StartContainer "$(kept)" >/dev/null; state "$(kept)"'
op 'ExecSync' '{"exit_code":7,"out":"hi\n","err":"err\n"}' '
    inside "$(kept)" sh -c "echo hi; echo err >&2; exit 7" | jq -c .'
op 'ExecSync: no such program' '~.*no-such.*not found.*' 'inside "$(kept)" no-such 2>&1'
op 'cgroup of the pod' '~.*/engines-cri/.*' '
    sed -n "s/^0:://p" /proc/$("/usr/sbin/$R" --root /run/containerd/runc/k8s.io state "$(kept)" | jq .pid)/cgroup'
op 'ipc of the pod is one' 'same' '
    pid=$("/usr/sbin/$R" --root /run/containerd/runc/k8s.io state $(cat $WORLD/$R.pod) | jq .pid)
    there=$(readlink /proc/$pid/ns/ipc) && [ "$(inside "$(kept)" readlink /proc/self/ns/ipc | jq -r .out)" = "$there" ] &&
    echo same'
op 'UpdateContainerResources' '67108864 50000 100000' '
    cri UpdateContainerResources "{\"id\": \"$(kept)\", \"linux\": {\"memory_limit\": 67108864, \"cpu_quota\": 50000, \"cpu_period\": 100000}}" >/dev/null
    inside "$(kept)" cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max | jq -j .out'
op 'ContainerStats' 'true' 'by_id ContainerStats "$(kept)" | jq ".stats.memory.amount.value > 0"'
op 'StopContainer' '2 143' '
    cri StopContainer "{\"id\": \"$(kept)\", \"timeout\": 30}" >/dev/null; state "$(kept)"'
op 'RemoveContainer' '1' 'by_id RemoveContainer "$(kept)" >/dev/null; list | wc -l'
op 'exit status and log' '2 3 stdout F out' '
    id=$(made . sh -c "echo out; exit 3"); by_id StartContainer $id >/dev/null
    until_out 60 "2 3" state $id; until_out 10 ".*out" sh -c "cut -d \" \" -f 2- $WORLD/$R.logs/$C"
    by_id RemoveContainer $id >/dev/null'
op 'limits' '~67108864 50000 100000 (20|59)' '
    plays_of ".linux.resources = {memory_limit: 67108864, cpu_quota: 50000, cpu_period: 100000, cpu_shares: 512}" \
        sh -c "cd /sys/fs/cgroup; cat memory.max cpu.max cpu.weight"'
op 'user, read-only root, mount' '1000 no there' '
    echo there >$W/f
    plays_of ".mounts = [{container_path: \"/m\", host_path: \"$W\", readonly: 1}] |
        .linux.security += {run_as_user: {value: 1000}, readonly_rootfs: 1}" \
        sh -c "id -u; touch /tmp/x 2>/dev/null || echo no; cat /m/f"'
op 'a program that is not there' '~.*no-such.*not found.*' '
    id=$(made . no-such); by_id StartContainer $id 2>&1; by_id RemoveContainer $id >/dev/null'
op 'StopPodSandbox, RemovePodSandbox: nothing is left behind' '' '
    by_id StopPodSandbox "$(cat $WORLD/$R.pod)" >/dev/null; by_id RemovePodSandbox "$(cat $WORLD/$R.pod)" >/dev/null
    list; find /sys/fs/cgroup/engines-cri -mindepth 1 -type d 2>/dev/null'

cri_answers() { cri Version '{}' >/dev/null 2>&1 && echo ok; }
export -f cri_answers

# The example, and what this machine asks for: an image for pods that is here.
{
    cat "$ENGINES/../../examples/engines/containerd.toml"
    printf '[plugins."io.containerd.grpc.v1.cri"]\n  sandbox_image = "%s"\n' "$IMAGE"
    printf '%s\n' "${TEST_CRI:-}"
} >"$WORLD/containerd.toml"
containerd_start cri "$WORLD/containerd.toml"
ctr --namespace k8s.io images import "$WORLD/oci.tar" >/dev/null
until_out 300 ok cri_answers >/dev/null
for runtime in ${TEST_RUNTIMES:-sublet $BESIDE}; do
    play 'containerd, CRI' "$runtime"
done
containerd_stop
verdicts 'containerd, CRI'
