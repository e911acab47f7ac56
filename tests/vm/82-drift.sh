#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What somebody else writes into the groups of tenants, or the kernel changes there, while a meter
# runs: found, told and put right; and what a command changes is left alone.
# long
# limit: 90
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/meter.sh
. "$LIB/meter.sh"

says() { [ "$(<"$HOG/$1")" = "$2" ]; }
drifts() { lines note "$@" | jq -r 'select(.text | startswith("drift: ")) | "\(.tenant) \(.text[7:])"'; }
count_drifts() { drifts "$@" | wc -l; }
# begin: the meter, when it has had its first look
begin() {
    local written
    written=$(count_records host)
    start_meter
    until_true 20 has_records host $((written + 1))
}

t 'what somebody writes to a tenant is put right at once, and told'
set_tenant acme 'elastic 0.5 ceiling 1'
set_tenant calm 'fixed 0.2'
METER=(--interval 60s --window 200ms) # too long for the turn of a tenant
begin
expect_eq 'before anybody wrote' "$(count_drifts)" 0
echo '20000 100000' >"$HOG/acme/cpu.max"
until_true 10 says acme/cpu.max '100000 100000'
until_true 10 has_note drift acme
expect_eq told "$(drifts)" "acme cpu.max was '20000 100000', put right: '100000 100000'"
stop_meter
expect grep -q "sublet.tenants/acme/cpu.max: drift: cpu.max was '20000 100000'" "$T/meter.out"

t 'a command that changes a contract is not undone, and no drift'
begin
for size in 64M 48M 80M 32M; do
    run sublet --tenants "$TENANTS" tenant set acme --memory "$size" --cpu 'elastic 0.3'
    expect_status 0
done
sleep 0.6 # two windows in which it would be undone
expect says acme/memory.max 33554432
expect says acme/cpu.weight 30
expect_eq drifts "$(count_drifts)" 1
stop_meter

t 'what was changed while no meter ran is found by the next one'
echo 77 >"$HOG/calm/pids.max"
echo 500 >"$HOG/calm/cpu.weight"
METER=(--interval 1s --window 200ms)
begin
until_true 10 says calm/pids.max max
until_true 10 says calm/cpu.weight 20
stop_meter
expect_eq told "$(drifts calm | sort)" "calm cpu.weight was '500', put right: '20'
calm pids.max was '77', put right: 'max'"

t 'what changes without a notice is found in the turn of the tenant'
watches=$(</proc/sys/fs/inotify/max_user_watches)
echo 0 >/proc/sys/fs/inotify/max_user_watches
begin
sleep 0.5 # behind the first look
echo '40000 200000' >"$HOG/calm/cpu.max" # as the kernel does where the timer comes late
until_true 20 says calm/cpu.max '20000 100000'
until_true 10 test "$(count_drifts calm)" -ge 3
expect_eq told "$(drifts calm | tail -n 1)" \
    "calm cpu.max was '40000 200000' (the kernel found the period too short), put right: '20000 100000'"
echo 100 >"$HOG/cpu.weight"
until_true 20 says cpu.weight 900
stop_meter
echo "$watches" >/proc/sys/fs/inotify/max_user_watches
expect_eq told "$(drifts | tail -n 1)" "null cpu.weight was '100', put right: '900'"

t 'the report names what was put right'
run sublet --ledger "$L" report --from -10m --format json
expect_status 0
expect_eq drifts "$(jq '[.. | strings | select(startswith("drift: "))] | length' "$T/out")" 5

t 'the tenants go'
for tenant in acme calm; do
    run sublet --tenants "$TENANTS" tenant remove "$tenant"
    expect_status 0
done
rmdir "$HOG"/* "$HOG" 2>/dev/null || true # what no test has asked for
