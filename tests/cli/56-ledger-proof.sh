#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whatever happens to the meter, its disk, its ledger and the host: the totals are right. The clock
# of the wall is everybody's: tests/vm/81-ledger-proof.sh sets it.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

# A v2 hierarchy that says it has all controllers: the counters of CPU time are there without.
group=$(cgroup_root)/$ID-ledger
mkdir "$group" && exec {root_fd}<"$(cgroup_root)" || exit 1
drop_groups() {
    find "/proc/$$/fd/$root_fd/$ID-ledger" -depth -type d -exec rmdir {} +
}
trap 'rc=$?; drop_groups; (exit "$rc"); cli_exit' EXIT
mount --bind "$group" /sys/fs/cgroup || exit 1
echo 'cpuset cpu io memory pids' >"$T/controllers"
mount --bind "$T/controllers" /sys/fs/cgroup/cgroup.controllers || exit 1

# shellcheck source=tests/lib/ledger-proof.sh
. "$LIB/ledger-proof.sh"

# shellcheck disable=SC2317 # called by the cases
make_groups() { mkdir -p "$HOG/a" "$HOG/b"; }
mkdir "$TENANTS"
echo '{"cpu": "elastic 0.5"}' >"$TENANTS/a.json"
echo '{"cpu": "elastic 0.2"}' >"$TENANTS/b.json"
make_groups

proof_kills "${TEST_KILLS:-20}" 30 # 200 for the proof
proof_two
proof_full
proof_cut
proof_boot
umount "$BOOT" "$L"
