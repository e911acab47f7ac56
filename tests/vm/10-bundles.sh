#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The bundles that podman, docker and containerd wrote, complete with their limits: the files of the
# cgroup say what was asked before the process starts, and the process finds everything else.
# limit: 300
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/limits.sh
. "$LIB/limits.sh"

CALLS=(getpid keyctl add_key bpf userfaultfd mount reboot kexec_load swapon settimeofday
    open_by_handle_at setns chmod openat2 clone3)

ENGINES=('' podman docker containerd)
LIMITS='
memory.max      |      | 67108864     | 67108864
memory.low      |      | 0            | 0
memory.swap.max |      | 67108864     | max
cpu.max         |      | 50000 100000 | 50000 100000
cpu.weight      |      | 100          | 100
pids.max        | 2048 |              |'

# engine_bundle NAME: $T/NAME, all that its config names, and the probe as its process. One jq for
# all of it: its arguments are the masks, read-only paths and sysctls of the config.
engine_bundle() {
    local dir=$T/$1 config=$LIB/../bundles/$1/config.json name
    mkdir -p "$dir/files/shm" && cp -a "$(rootfs_template)" "$dir/rootfs"
    for name in hosts hostname resolv.conf .containerenv; do
        echo "$name" >"$dir/files/$name"
    done
    jq --arg id "$ID" '.linux.cgroupsPath |= "/" + $id + .
        | .process.args = ["/bin/probe"] + [(.linux.maskedPaths[] | "--masked", .),
            (.linux.readonlyPaths[] | "--readonly", .), (.linux.sysctl // {} | keys[] | "--sysctl", .),
            ($files[] | "--cgfile", .), ($ARGS.positional[] | "--syscall", .)]' \
        --argjson files '["memory.max", "memory.swap.max", "cpu.max", "cpu.weight", "pids.max"]' \
        "$config" --args "${CALLS[@]}" >"$dir/config.json"
}

# differences CONFIG REPORT: what of the config the probe did not find so, one on each line.
differences() {
    [ -s "$T/host.json" ] || "$(probe_program)" >"$T/host.json"
    jq -nr --slurpfile config "$1" --slurpfile found "$2" --slurpfile host "$T/host.json" \
        "\$config[0] as \$config | \$found[0] as \$found | \$host[0] as \$host | $(<"$LIB/../cli/helpers/asked.jq")" 2>&1
}

# expect_limits COLUMN GROUP: each file of the table holds what is asked.
expect_limits() {
    local row file wanted
    while IFS='|' read -r -a row; do
        [ "${#row[@]}" -gt 1 ] || continue
        read -r file <<<"${row[0]}"
        read -r wanted <<<"${row[$1]:-}"
        [ -n "$wanted" ] || continue # nothing asked of this controller
        expect_knob "$file" "$wanted" "$2"
    done <<<"$LIMITS"
}

declare -A GROUP=(
    [podman]=/$ID/libpod_parent/libpod-c913168defc5984fab8acb11912ec46c6cac28eb82553b11e5f7acc9b5e8965b
    [docker]=/$ID/docker/ea7a7d1e13dc71dc08db2760bf1d39aa1c20c1e9d469c85d74bfa0f1a790ce55
    [containerd]=/$ID/default/c1)

for column in 1 2 3; do
    engine=${ENGINES[$column]}
    engine_bundle "$engine"
    t "the limits that $engine asks for are written before the process starts"
    status=0
    timeout -k 2 20 "$SUBLET" --root "$T/root" create -b "$T/$engine" "$ID" >"$T/$engine.json" 2>"$T/err" || status=$?
    expect_status 0
    expect_quiet
    expect_limits "$column" "${GROUP[$engine]}"
    expect [ ! -s "$T/$engine.json" ]
    run sublet start "$ID"
    expect_status 0
    expect_quiet
    until_true 20 container_is "$ID" stopped
    run sublet delete "$ID"
    expect_status 0
    expect_absent "$cli_cgroups/$ID"

    t "everything else that $engine asks for is what the process finds"
    found=$(differences "$T/$engine/config.json" "$T/$engine.json")
    [ -z "$found" ] || fail "$found"
done

t 'podman and docker show a container its limits, containerd does not'
expect_json '.cgroup_files["pids.max"]' 2048 "$T/podman.json"
expect_json '.cgroup_files | del(.["pids.max"])' \
    '{"memory.max":"67108864","memory.swap.max":"67108864","cpu.max":"50000 100000","cpu.weight":"100"}' "$T/docker.json"
expect_json '.cgroup_files["memory.max"]' 'error ENOENT' "$T/containerd.json"
expect_json .cgroup '["0::/"]' "$T/docker.json"
expect_json .cgroup "[\"0::${GROUP[containerd]}\"]" "$T/containerd.json"
