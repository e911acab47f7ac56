#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# metrics and top with tenants under load: what they tell is what the kernel and the meter counted.
# limit: 90
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/meter.sh
. "$LIB/meter.sh"

ours() { run sublet --tenants "$TENANTS" --ledger "$L" "$@"; }
# value SAMPLE: of the output; above SAMPLE MINIMUM: it is there, and not less.
value() { awk -v s="$1" '$1 == s { print $2 }' "$T/out"; }
above() { expect awk -v v="$(value "$1")" -v m="$2" 'BEGIN { exit !(v != "" && v + 0 >= m) }'; }
usage_of() { awk '$1 == "usage_usec" { printf "%.6f", $2 / 1000000 }' "$HOG/$1/cpu.stat" | sed 's/\.\?0*$//'; }

t 'metrics of tenants are those of the kernel, of the contract and of the meter'
set_tenant calm 'elastic 1'
set_tenant loud 'elastic 0.5 ceiling 2'
start_meter
hog loud 2
hog loud 2
hogs_end
recorded() {
    ours metrics
    [ -n "$(value 'sublet_tenant_cpu_borrowed_seconds_total{tenant="loud"}')" ] &&
        awk -v v="$(value 'sublet_tenant_cpu_borrowed_seconds_total{tenant="loud"}')" 'BEGIN { exit !(v >= 0.5) }'
}
until_true 20 recorded
stop_meter
rmdir "$HOG/loud/h"
ours metrics
expect_status 0
expect_quiet
expect_eq used "$(value 'sublet_tenant_cpu_used_seconds_total{tenant="loud"}')" "$(usage_of loud)"
expect_eq promised "$(value 'sublet_tenant_cpu_entitlement_cores{tenant="loud"}')" 0.5
expect_eq ceiling "$(value 'sublet_tenant_cpu_limit_cores{tenant="loud"}')" 2
above 'sublet_tenant_cpu_entitled_seconds_total{tenant="loud"}' 0.5
above 'sublet_tenant_cpu_lent_seconds_total{tenant="calm"}' 0.1
above 'sublet_host_cpu_capacity_seconds_total' 2
above 'sublet_meter_cpu_seconds_total' 0.001
above 'sublet_ledger_records_total' 5
above 'sublet_tenant_memory_current_bytes{tenant="loud"}' 0
expect_eq 'limit of memory' "$(value 'sublet_tenant_memory_limit_bytes{tenant="loud"}')" +Inf
expect_eq 'killed' "$(value 'sublet_tenant_memory_events_total{tenant="loud",event="oom_kill"}')" 0
expect_eq 'used and unused are what was entitled and borrowed' "$(awk '
    /^sublet_tenant_cpu_(entitled|borrowed|unused)_seconds_total\{tenant="loud"/ { v[$1] = $2 }
    END { for (n in v) sum += (n ~ /unused/ ? -1 : 1) * v[n]; print (sum > 1 ? "so" : sum) }' "$T/out")" so

t 'top tells who borrows, and of which containers'
make_bundle "$T/b" '.process.args = ["/bin/sh", "-c", "while :; do :; done"]'
ours run -d --tenant loud -b "$T/b" "$ID"
expect_status 0
ours top -b -n 1 -d 1s -w 80
expect_status 0
expect_eq titles "$(sed -n 4p "$T/out")" 'NAME         STATE          ENTL   USED   BORR  SHORT  WAIT%   THR%  MEMORY  OOM'
expect_out_match '^loud +(borrowing|squeezed) +0\.50 +[01]\.[0-9]+ +[01]\.[0-9]+ +0\.00 '
expect_out_match '^calm +idle +1\.00 +0\.00 +0\.00 '
expect_out_match '^CPUs [12]\.[0-9]+: tenants [01]\.[0-9]+  host [0-9.]+  idle [0-9.]+  stolen 0\.00; promised 1\.50  borrowed '
expect_eq 'the first by what is used' "$(awk 'NR == 5 { print $1 }' "$T/out")" loud
ours top -b -n 1 -d 300ms loud
expect_out_match "^$ID +running +[01]\.[0-9]+ "
expect_out_has 'containers of loud'
ours top -b -n 1 -d 300ms calm
expect_out_lacks "$ID"
run sublet delete --force "$ID"
expect_status 0

t 'on a terminal a tenant opens into its containers, and closes'
tm() { tmux -S "$T/tmux" -f /dev/null "$@"; }
shows() { until_true 20 eval "tm capture-pane -p -t 0 | grep -qE -- '$1'"; }
make_bundle "$T/b" '.process.args = ["/bin/sleep", "100"]'
ours run -d --tenant loud -b "$T/b" "$ID"
tm new-session -d -x 200 -y 24 "'$SUBLET' --root '$T/root' --tenants '$TENANTS' top -d 500ms --sort name --filter loud"
shows '^NAME +STATE +ENTL +USED +UTIL% +BORR +LENT +SHORT +WAIT% +THR% +CPU% +MEM% +IO% +MEMORY +LIMIT +FULL% +SWAP '
shows ' READ/s +WRIT/s +OPS/s +TASKS +OOM +REFUS +CONTRACT *$'
shows '^loud .* elastic 0\.5 ceiling 2 *$'
tm send-keys -t 0 Enter
shows '^containers of loud'
shows "^$ID +running "
tm send-keys -t 0 Left
shows '^tenants'
tm send-keys -t 0 q
until_true 10 eval '! tm list-sessions'
run sublet delete --force "$ID"
for name in calm loud; do
    ours tenant remove "$name"
    expect_status 0
done
rmdir "$HOG"/* "$HOG" 2>/dev/null || true # what no test has asked for
