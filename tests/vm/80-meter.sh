#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The meter and its ledger: what is written adds up, whatever happens to the meter and the tenants.
# The longer proofs are in 81-ledger-proof.sh.
# measures
# limit: 120
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/meter.sh
. "$LIB/meter.sh"

t 'what tenants used is written, and it adds up'
set_tenant calm 'elastic 1'
set_tenant loud 'elastic 0.5'
start_meter
until_true 20 has_records sample 3
hog loud 2.5
hog loud 2.5
hogs_end
stop_meter
expect test "$(count_records head)" -eq 1
expect_use loud
expect_balance loud
expect_balance calm
expect test "$(last sample loud .cpu.bor)" -gt 1500000
expect test "$(last sample calm .cpu.lent)" -gt 700000
expect grep -q '"cls":"\(borrowing\|squeezed\)"' <<<"$(lines sample loud)"
expect_closed

t 'a second meter is refused'
written=$(count_records host)
start_meter
until_true 20 has_records host $((written + 1))
run "$SUBLET" --tenants "$TENANTS" --ledger "$L" meter
expect_status 1
expect_err_has 'another meter writes this ledger already'
stop_meter

t 'a meter that is killed again and again loses and doubles nothing'
hog loud 3
for ((round = 0; round < 4; round++)); do
    start_meter
    sleep "0.$((round % 5 + 3))"
    kill_meter
done
written=$(count_records host)
start_meter
until_true 20 has_records host $((written + 1))
hogs_end
stop_meter
expect_use loud
expect_balance loud
expect_sequence
expect has_note gap

t 'processes killed at a memory limit are noted at once'
run sublet --tenants "$TENANTS" tenant set calm --cpu 'elastic 1' --memory 24M --swap 0
expect_status 0
written=$(count_records host)
start_meter
until_true 20 has_records host $((written + 2))
mkdir "$HOG/calm/h"
bash -c "echo \$\$ >$HOG/calm/h/cgroup.procs && exec busybox tail -c 200000000 /dev/zero" >/dev/null 2>&1
expect_eq "status" $? 137
until_true 10 has_note oom calm
stop_meter
expect test "$(last sample calm .mem.oomkill)" -ge 1

t 'a tenant that is removed leaves the sums of the others alone'
written=$(count_records host)
start_meter
until_true 20 has_records host $((written + 1))
rmdir "$HOG"/*/h
run sublet --tenants "$TENANTS" tenant remove calm
expect_status 0
written=$(count_records host)
until_true 20 has_records host $((written + 2))
stop_meter
expect_use loud
expect_balance loud
run sublet --tenants "$TENANTS" tenant remove loud
expect_status 0
rmdir "$HOG"/* "$HOG" 2>/dev/null || true # what no test has asked for
