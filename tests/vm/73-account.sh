#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The final account where the kernel counts everything: budgets, the ledger that the runtime writes
# itself, and contracts that are in force or no container starts.
# limit: 180
# vm: --disk 64M
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

definitions=$T/tenants
top=/sys/fs/cgroup/sublet.tenants
L=$T/ledger/ledger.jsonl
worker=$SUBLET_BUILD/load.elf
sublet() { "$SUBLET" --root "$T/root" --ledger "$T/ledger" --tenants "$definitions" "$@"; }
run_here() { run "$SUBLET" --root "$T/root" --ledger "$T/ledger" --tenants "$definitions" "$@"; }
tenant() { run_here tenant "$@"; }
records() { jq -c "select(.k == \"$1\") | ${2:-.}" "$L"; }
used() { sed -n 's/^usage_usec //p' "$top/$1/cpu.stat"; }

t 'a budget of memory is held by the peak'
R=$T/report.json
run sublet run --overlay / --memory 256M --swap 0 --report "$R" --assert 'memory.peak<=16M' \
    --assert 'memory.peak<90%' --assert 'memory.oom_kills==0' -- \
    bash -c 'head -c 60M /dev/zero | tail -c 60M >/dev/null'
expect_status 124
expect_eq lines "$(wc -l <"$T/err")" 1
expect_err_match '^sublet: assertion failed: memory.peak is [0-9.]+M, allowed <=16M$'
expect_json '.memory.peak_bytes > 60000000 and .limits.memory_bytes == 268435456' true "$R"
expect_json '[.assertions[].holds]' '[false,true,true]' "$R"

t 'a percentage of a limit that is not set holds nothing'
run sublet run --overlay / --assert 'memory.peak<=90%' --assert 'pids.peak<=100%' --pids 10 -- true
expect_status 124
expect_err 'sublet: assertion failed: memory.peak is not limited, so that there is no percentage of it, allowed <=90%'

t 'a budget of the CPU sees the throttling'
run sublet run --overlay / --cpu 0.2 --report "$R" --assert 'cpu.throttled==0' --assert 'cpu.usage<=40%' -- \
    timeout 1 "$worker" hog 1
expect_status 124 # of timeout as well
expect_json '.cpu.throttled_us > 100000 and .cpu.throttled_periods > 2 and .limits.cpu_quota_us == 20000' true "$R"
expect_json '.assertions | map(.holds)' '[false,true]' "$R"
expect_err_match '^sublet: assertion failed: cpu.throttled is [0-9.]+(ms|s), allowed ==0$'
run sublet run --overlay / --cpu 1.5 --assert 'cpu.throttled==0' -- true
expect_status 0

t 'a tenant that is set is in the ledger, which is made for it'
expect_absent "$T/ledger"
tenant set acme --cpu 'elastic 0.5' --memory 256M
expect_status 0
expect_quiet
expect_eq contract "$(records contract '[.tenant, .contract, .entmicro, .cg]')" "[\"acme\",\"elastic 0.5\",500000,$(stat -c %i "$top/acme")]"

t 'containers of a tenant are billed to the last microsecond that the kernel counted'
for ((i = 0; i < 12; i++)); do
    sublet run --tenant acme --overlay / -- timeout 0.02 "$worker" hog 1 </dev/null >/dev/null 2>&1
done
run_here run -d --tenant acme --overlay / --name "$ID" -- sleep 60
run_here delete -f "$ID"
expect_status 0
expect_eq 'started, ended' "$(records start .id | wc -l) $(records exit .id | sort -u | wc -l)" '13 13'
billed=$(records exit .group.use | sort -n | tail -n 1)
expect_eq 'billed, but for what the last one used while it was accounted for' \
    "$(($(used acme) - billed)) $(($(used acme) - billed < 3000))" "$(($(used acme) - billed)) 1"
expect_eq 'the sum of all' "$(records exit .cpu.use | jq -s "add | . > $(used acme) - 40000 and . <= $(used acme)")" true
expect_eq group "$(records exit .group.cg | sort -u)" "$(stat -c %i "$top/acme")"
expect_eq 'memory, pids' "$(records exit '.mem.peak > 0 and .pids.peak > 0 and .winus > 0' | sort -u)" true

t 'the end of a container that its own cap would delay by a minute is told as well'
run_here run -d --tenant acme --overlay / --name "$ID" -- "$worker" hog 40
expect_status 0
run_here update --cpu-quota 1000 --cpu-period 1000000 "$ID"
expect_status 0
run_here delete -f "$ID"
expect_status 0
expect_quiet
expect_eq 'ended' "$(records exit 'select(.id == "'"$ID"'") | .cpu.use > 0' | wc -l)" 2

t 'a container outside of its tenant is marked'
make_bundle "$T/b" '.process.args = ["true"] | .linux.cgroupsPath = "/elsewhere-'"$ID"'" | .annotations = {"org.sublet.tenant": "acme"}'
run_here run -b "$T/b" "$ID"
expect_status 0
expect_eq outside "$(records exit 'select(.outside) | [.tenant, .group, .cpu.use > 0]')" '["acme",null,true]'

t 'a tenant that is removed is closed with its totals'
kernel=$(used acme)
tenant remove acme
expect_status 0
expect_eq close "$(records close '[.tenant, .cpu.use]')" "[\"acme\",$kernel]"

# killed CALL:when=N ARG...: sublet, killed there; 1 if it comes to its end.
killed() {
    local at=$1
    shift
    run strace -qq -o "$T/trace" -e "inject=$at" "$SUBLET" --root "$T/root" --ledger "$T/none" --tenants "$definitions" "$@"
    [ "$status" -eq 137 ]
}

t 'a contract that a killed set has not brought into force is there for the next container'
tenant set acme --cpu 'fixed 0.5' --memory 128M --pids 300
expect_status 0
killed fsync:signal=KILL:when=2 tenant set acme --memory 64M
expect_status 137
expect_eq 'defined' "$(jq -r .memory.max "$definitions/acme.json")" 64M
expect_eq 'not in force' "$(<"$top/acme/memory.max")" 134217728
run_here run --tenant acme --overlay / -- true
expect_status 0
expect_eq 'in force' "$(<"$top/acme/memory.max")" 67108864

t 'a start costs no look at the whole contract when it is in force'
run strace -qq -f -o "$T/trace" "$SUBLET" --root "$T/root" --ledger "$T/none" --tenants "$definitions" run --tenant acme --overlay / -- true
expect_status 0
expect_eq 'lists of tenants' "$(grep -c 'sched_domain\|/sys/devices/system/cpu/online' "$T/trace")" 0

t 'a tenant that is removed while its container starts does not come back without limits'
strace -qq -o "$T/trace" -e inject=mkdirat:delay_enter=2500000 "$SUBLET" --root "$T/root" --ledger "$T/none" --tenants "$definitions" \
    run --tenant acme --overlay / --name "$ID" -- true </dev/null >"$T/race.out" 2>&1 &
pid=$!
until_true 20 test -d "$T/root/$ID"
tenant remove acme
expect_status 0
wait "$pid"
expect_eq status $? 125
expect grep -q "tenant 'acme' was removed meanwhile" "$T/race.out"
expect_absent "$top/acme"
expect_absent "$T/root/$ID"

t 'what could not be undone is told'
tenant set acme --cpu 'fixed 0.5'
expect_status 0
run strace -qq -o "$T/trace" -e inject=renameat,renameat2:error=EIO:when=2 "$SUBLET" --tenants "$definitions" --ledger "$T/none" \
    tenant set acme --memory 64M --io /dev/vda=1B/s
expect_status 1
expect_err_has "sublet: warning: acme.json: tenant 'acme' is not quite as it was before: cannot write the definition: Input/output error"

t 'why a tenant cannot be removed is told'
run strace -qq -o "$T/trace" -e inject=unlinkat:error=EPERM "$SUBLET" --tenants "$definitions" --ledger "$T/none" tenant remove acme
expect_status 1
expect_error "sublet: sublet.tenants/acme: tenant 'acme' cannot be removed: cannot remove the cgroup: Operation not permitted"
tenant remove acme
expect_status 0
rmdir "$top"/* "$top" 2>/dev/null || true # what no test has asked for
