#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Contracts and limits after commands that were killed at each of their writes.
# long
# limit: 280
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

definitions=$T/tenants
top=/sys/fs/cgroup/sublet.tenants
sublet() { "$SUBLET" --root "$T/root" --ledger "$T/ledger" --tenants "$definitions" "$@"; }
run_here() { run "$SUBLET" --root "$T/root" --ledger "$T/ledger" --tenants "$definitions" "$@"; }
tenant() { run_here tenant "$@"; }

# killed CALL:when=N ARG...: sublet, killed there; 1 if it comes to its end.
killed() {
    local at=$1
    shift
    run strace -qq -o "$T/trace" -e "inject=$at" "$SUBLET" --root "$T/root" --ledger "$T/none" --tenants "$definitions" "$@"
    [ "$status" -eq 137 ]
}
limits() { echo "$(<"$top/acme/memory.max") $(<"$top/acme/cpu.max") $(<"$top/acme/pids.max")"; }

t 'wherever an apply was killed, the next container runs within the contract'
tenant set acme --cpu 'fixed 0.5' --memory 128M --pids 300
expect_status 0
bare=0
for ((n = 1; n < 60; n++)); do
    rmdir "$top"/* "$top"
    killed "write:signal=KILL:when=$n" tenant apply || break
    [ ! -d "$top/acme" ] || [ "$(limits)" = '134217728 50000 100000 300' ] || bare=$((bare + 1))
    run_here run --tenant acme --overlay / -- true
    expect_status 0
    expect_eq "limits after a kill at write $n" "$(limits)" '134217728 50000 100000 300'
done
expect test "$bare" -ge 3
expect test "$n" -lt 60

t 'the tenant goes'
tenant remove acme
expect_status 0
rmdir "$top"/* "$top" 2>/dev/null || true # what no test has asked for

t 'wherever an update was killed, the next one finds what was written'
ended=0
torn=0
for ((n = 1; n < 40 && ! ended; n++)); do
    sublet run -d --overlay / --name "$ID" --memory 64M --pids 100 -- sleep 60 </dev/null
    killed "write:signal=KILL:when=$n" update --memory 128M --pids-limit 50 "$ID" || ended=1
    group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(sublet state "$ID" | jq .pid)/cgroup")
    recorded=$(jq -r '.resources.memory.limit // 67108864' "$T/root/$ID/state.json")
    [ "$(<"$group/memory.max")" = "$recorded" ] || torn=$((torn + 1))
    run sublet update --cpu-share 512 "$ID"
    expect_status 0
    expect_quiet
    expect_eq "limits after a kill at write $n" "$(jq -r '.resources | "\(.memory.limit) \(.pids.limit)"' "$T/root/$ID/state.json")" \
        "$(<"$group/memory.max") $(<"$group/pids.max")"
    expect_eq 'left of the intent' "$(jq .update "$T/root/$ID/state.json")" null
    sublet delete -f "$ID"
done
expect test "$torn" -ge 1
expect_eq 'to its end' "$ended" 1
