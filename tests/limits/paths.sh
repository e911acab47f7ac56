# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # variables of lib.sh
# Wherever the group is, the limits hold: below the path that podman gives, where none is given, and
# in a scope of systemd, where systemd is what runs the host.
limits_at() {
    local in out
    scene
    container a '{"cpu": {"quota": 50000, "period": 100000}}' spin 1
    window 2000
    cpus a
    row "$WHERE: 0.500 CPUs" "$(milli "$in")" "$(milli "$out")" near 500 5 "$in" "$out"
    over
    scene
    container a '{"memory": {"limit": 16777216, "swap": 16777216}, "pids": {"limit": 5}}' fork 20
    ended a
    row "$WHERE: at most 5 processes, itself and" "$(<"$T/a/out")" "${status_of[a]}" equal "$(<"$T/a/out")" 'forked 4 EAGAIN'
    scene
    container a '{"memory": {"limit": 16777216, "swap": 16777216}}' touch 64M
    ended a
    row "$WHERE: at most 16 MiB, or status 137" - "${status_of[a]}" equal "${status_of[a]}" 137
    expect_absent "${group[a]}"
}
prove_paths() {
    for WHERE in podman none; do
        measure limits_at
    done
    if [ -d /run/systemd/system ]; then
        WHERE=systemd MANAGER=(--cgroup-manager systemd)
        measure limits_at
        MANAGER=(--cgroup-manager cgroupfs)
    fi
    WHERE=plain
    expect_absent "$cli_cgroups/libpod_parent"
}
