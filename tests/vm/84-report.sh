#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From load to answer: the meter watches, report adds up, why names who did it.
# long
# limit: 90
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/meter.sh
. "$LIB/meter.sh"

ask() { run -t 60 sublet --ledger "$L" "$@" --from -10m --format json; }
cause() { jq -r '[.causes[] | select(.matters)][0] | .cause // "none"' "$T/out"; }

t 'a neighbour, an own cap and nothing at all are told apart'
set_tenant calm 'elastic 0.8'
set_tenant loud 'elastic 0.8'
set_tenant tight 'fixed 0.1'
set_tenant quiet 'elastic 0.05'
start_meter
until_true 20 has_records host 2
busy tight hog 1 # alone: with neighbours it would wait for its share before it meets its cap
sleep 3
busy_end
busy calm pulse 1 14 6 # 0.7 CPUs are all that it wants
busy loud hog 4
sleep 5
busy_end
written=$(count_records host)
until_true 20 has_records host $((written + 1))
stop_meter
ask why calm
expect_status 0
expect_eq 'calm' "$(cause) $(jq -r '.causes[0].by[0].name' "$T/out")" 'neighbour loud'
ask why tight
expect_eq 'tight' "$(cause)" own-cap
ask why quiet
expect_eq 'quiet' "$(jq -r .verdict "$T/out")" fine

t 'the report has what the kernel counted, and closes'
ask report
expect_status 0
for tenant in calm loud tight; do
    expect_eq "use of $tenant" "$(jq ".rows[] | select(.tenant == \"$tenant\") | .used_us" "$T/out")" \
        "$(lines sample "$tenant" | jq -n '[inputs.cpu.use] | .[-1] - .[0]')"
done
expect_eq 'used + unused = entitled + borrowed + unmetered' "$(jq -c '[.rows[]
    | .used_us + .unused_us - .entitled_us - .borrowed_us - .unmetered_us] | unique' "$T/out")" '[0]'
expect_eq 'what was metered closes within 1 %' "$(jq '.host | (.capacity_us - .tenants_us - .own_us - .idle_us
    - .steal_us) / .capacity_us | fabs < 0.01' "$T/out")" true
run sublet --ledger "$L" report --from -10m
expect_status 0
expect_out_has 'calm fell short by'

t 'the tenants go'
rmdir "$HOG"/*/h
for tenant in calm loud tight quiet; do
    run sublet --tenants "$TENANTS" tenant remove "$tenant"
    expect_status 0
done
rmdir "$HOG"/* "$HOG" 2>/dev/null || true # what no test has asked for
