#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whatever happens to the meter, its disk, its clock, its ledger and the host: the totals are right.
# With limits that hold, which tests/cli/56-ledger-proof.sh does without, and with the clock.
# limit: 400
# long
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
SILENT_MS=1300
TURNS=150 # a program takes ten times as long
# shellcheck source=tests/lib/ledger-proof.sh
. "$LIB/ledger-proof.sh"

tenant() {
    run sublet --tenants "$TENANTS" --ledger "$L" tenant "$@"
    expect_status 0
}
# shellcheck disable=SC2317 # called by the cases
make_groups() { tenant apply; }

t 'two tenants'
tenant set a --cpu 'elastic 0.5'
tenant set b --cpu 'fixed 0.2'

proof_kills "${TEST_KILLS:-200}" 300
proof_two
proof_full
proof_cut
proof_clock
proof_boot
umount "$BOOT"

t 'the tenants go'
rmdir "$HOG"/*/h
tenant remove a
tenant remove b
rmdir "$HOG"/* "$HOG" 2>/dev/null || true # what no test has asked for
umount "$L"
