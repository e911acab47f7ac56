#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What podman, docker and containerd asked for in bundles they really wrote is what a process finds
# inside, field by field. Limits of cgroup controllers are left out: most build machines have none.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"

CALLS=(getpid keyctl add_key bpf userfaultfd mount reboot kexec_load init_module swapon
    settimeofday open_by_handle_at io_uring_setup setns pivot_root chmod openat2 clone3)

# engine_bundle NAME: $T/NAME with all that its config names, and the probe as its process.
engine_bundle() {
    local dir=$T/$1 config=$LIB/../bundles/$1/config.json name questions
    mkdir -p "$dir/files/shm"
    [ -d "$dir/rootfs" ] || make_rootfs "$dir/rootfs"
    cp "$config" "$dir/config.json"
    for name in $(jq -r '.mounts[].source | select(startswith("files/"))' "$config"); do
        [ -e "$dir/$name" ] || echo "$name" >"$dir/$name"
    done
    mapfile -t questions < <(jq -r '(.linux.maskedPaths[] | "--masked", .),
        (.linux.readonlyPaths[] | "--readonly", .), (.linux.sysctl // {} | keys[] | "--sysctl", .)' "$config"
        printf -- '--syscall\n%s\n' "${CALLS[@]}")
    edit_bundle "$dir" "del(.linux.resources.memory, .linux.resources.cpu, .linux.resources.pids,
            .linux.resources.blockIO)
        | .process.args = $(words /bin/probe "${questions[@]}")
        | .linux.cgroupsPath |= \"/$ID\" + ."
}

# A hard limit above ours takes CAP_SYS_RESOURCE, which build machines do not always have.
within_our_limits() {
    edit_bundle "$1" "if .process.rlimits then .process.rlimits[] |= (
        if .type == \"RLIMIT_NOFILE\" then .hard |= ([., $(ulimit -Hn)] | min) | .soft |= ([., $(ulimit -Hn)] | min)
        else . end) else . end"
}

# expect_as_asked BUNDLE: nothing of its config.json is different inside.
expect_as_asked() {
    local differences
    [ -s "$T/host.json" ] || "$(probe_program)" >"$T/host.json"
    differences=$(jq -nr --argjson config "$(cat "$1/config.json")" --argjson found "$(cat "$T/out")" \
        --argjson host "$(cat "$T/host.json")" -f "$FEATURES/asked.jq" 2>&1)
    [ -z "$differences" ] || fail "$differences"
}

for engine in podman docker containerd; do
    t "the bundle that $engine wrote gives what it asks for"
    engine_bundle "$engine"
    within_our_limits "$T/$engine"
    run sublet run -b "$T/$engine" "$ID"
    expect_status 0
    expect_quiet
    expect_as_asked "$T/$engine"

    t "the bundle that $engine wrote goes through its life"
    edit_bundle "$T/$engine" '.process.args = ["/bin/sleep", "60"]'
    run sublet create -b "$T/$engine" "$ID"
    expect_status 0
    expect_quiet
    run sublet state "$ID"
    expect_json .status created
    expect_json .bundle "$T/$engine"
    expect_json ".annotations" "$(jq -c '.annotations // {}' "$T/$engine/config.json")"
    run sublet start "$ID"
    expect_status 0
    expect_quiet
    expect container_is "$ID" running
    run sublet kill "$ID" KILL
    expect_status 0
    until_true 5 container_is "$ID" stopped
    run sublet delete "$ID"
    expect_status 0
    expect_quiet
done

t 'a difference between what is asked and found is told'
engine_bundle docker
run sublet run -b "$T/docker" "$ID"
jq '.process.oomScoreAdj = 1 | .mounts[0].options += ["ro"] | .linux.maskedPaths += ["/etc/hosts"]
    | .process.capabilities.bounding += ["CAP_BPF"]' "$T/docker/config.json" >"$T/other.json"
jq -nr --argjson config "$(cat "$T/other.json")" --argjson found "$(cat "$T/out")" \
    --argjson host "$(cat "$T/host.json")" -f "$FEATURES/asked.jq" >"$T/told" 2>&1
expect_eq 'differences told' "$(cut -d: -f 1 "$T/told" | paste -sd '|')" \
    'capabilities.bounding|oomScoreAdj|mounts|flags of /proc|not masked'
