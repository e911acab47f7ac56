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
# systemd writes the limits of its units again whenever it likes, and here while they are reached.
limits_reloaded() {
    scene
    container cpu '{"cpu": {"quota": 50000, "period": 100000}, "pids": {"limit": 6}}' spin 2
    container disk "{$SCRATCH_RULE, \"blockIO\": {$(at_most WriteBps 2097152)}}" disk write direct /dev/scratch 64K 1
    container memory '{"memory": {"limit": 33554432, "swap": 33554432}}' touch 4M
    window --warm 500 --disk "$SCRATCH_NUMBER" 2000
    reloaded_rows before
    expect systemctl daemon-reload
    window --warm 500 --disk "$SCRATCH_NUMBER" 3000
    reloaded_rows after
    run sublet exec "$ID-cpu" /worker /board 6 fork 20
    row 'after: at most 6 processes, four there are: forks' "$(<"$T/out")" - equal "$(<"$T/out")" 'forked 2 EAGAIN'
    run sublet exec "$ID-memory" /worker /board 7 touch 64M
    row 'after: at most 32 MiB, or status 137' - "$status" equal "$status" 137
    over
}
reloaded_rows() {
    local in out
    cpus cpu
    row "$1: 0.500 CPUs" "$(milli "$in")" "$(milli "$out")" near 500 5 "$in" "$out"
    rates disk bytes write_bytes
    row "$1: write 2.0 MiB/s" "$(mib "$in")/s" "$(mib "$out")/s" near 2097152 10 "$in" "$out"
}
prove_daemon_reload() {
    [ -d /run/systemd/system ] || { lacks 'this host is not run by systemd'; return; }
    disk_begin
    WHERE=systemd MANAGER=(--cgroup-manager systemd)
    measure limits_reloaded
    WHERE=plain MANAGER=(--cgroup-manager cgroupfs)
    disk_end
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
