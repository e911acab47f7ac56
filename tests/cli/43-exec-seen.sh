#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 180
# What a container with CAP_SYS_PTRACE sees of a process that enters it, with a filter: loaded by
# whoever sends it in where the filter lets it, with and without noNewPrivileges, and an agent.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/hostile.sh
. "$LIB/../cli/helpers/hostile.sh"

is_running() { [ "$(sublet state "$ID" 2>/dev/null | jq -r .status)" = running ]; }

# seen RIGHTS SECCOMP FILTER SEEN: what a looker saw of sixty that went in.
seen() {
    local rights=$1 seccomp=$2 filter=$3 looker
    hostile_bundle '.process.capabilities |= with_entries(select(.value != null) | .value += ["CAP_SYS_PTRACE"])' \
        ".linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\"} + $seccomp | .process.args = [\"/bin/look\", \"$rights\", \"60\"]" "$filter"
    cp "$(helper_program look)" "$B/rootfs/bin/look"
    timeout -k 1 70 "$SUBLET" --root "$T/root" run -b "$B" "$ID" >"$T/looked" 2>&1 </dev/null &
    looker=$!
    until_true 5 is_running
    for _ in $(seq 60); do
        timeout -k 1 5 "$SUBLET" --root "$T/root" exec "$ID" true </dev/null >"$T/out" 2>"$T/err" || break
    done
    expect_err ''
    run sublet exec "$ID" touch /dev/shm/enough
    expect_status 0
    wait "$looker"
    sort -u "$T/looked" >"$T/seen"
}
DENIES='{syscalls: [{names: ["setsid", "ioctl"], action: "SCMP_ACT_ERRNO"}]}'
NOTIFIES="{listenerPath: \"$T/deaf\", syscalls: [{
    names: [\"mkdir\", \"execve\"], action: \"SCMP_ACT_NOTIFY\", args: [{index: 2, value: 77, op: \"SCMP_CMP_EQ\"}]}]}"
ASKS="{listenerPath: \"$T/deaf\", syscalls: [{names: [\"setsid\"], action: \"SCMP_ACT_NOTIFY\"}]}"

for promise in true false; do
    nnp=".process.noNewPrivileges = $promise"

    t "a process that enters has its filter and no more rights than its program, noNewPrivileges $promise"
    seen 20080420 '{}' "$nnp"
    expect_eq 'what it saw' "$(cat "$T/seen")" 'looked at others'

    t "the same with an agent, noNewPrivileges $promise"
    rm -f "$T/deaf"
    "$(helper_program deaf)" "$T/deaf" &
    deaf=$!
    until_true 5 test -S "$T/deaf"
    seen 20080420 "$NOTIFIES" "$nnp"
    expect_eq 'what it saw' "$(cat "$T/seen")" 'looked at others'
    kill "$deaf"
    wait "$deaf" 2>/dev/null
done

t 'a filter that forbids what follows comes last, and only then: its rights are gone with noNewPrivileges'
seen 20080420 "$DENIES" '.process.noNewPrivileges = true'
expect_eq 'what it saw' "$(grep -vx 'no filter' "$T/seen")" 'looked at others'

t 'without noNewPrivileges the right to load it is all that is left'
seen 20280420 "$DENIES" '.process.noNewPrivileges = false'
expect_eq 'what it saw' "$(grep -vx 'no filter' "$T/seen")" 'looked at others'

t 'an agent is not asked by a process that it does not have'
rm -f "$T/deaf"
"$(helper_program deaf)" "$T/deaf" &
deaf=$!
until_true 5 test -S "$T/deaf"
seen 20280420 "$ASKS" '.process.noNewPrivileges = false'
# its listener, on the way to the agent
expect_eq 'what it saw' "$(grep -vx -e 'no filter' -e 'descriptor [0-9]* of mode 600' "$T/seen")" 'looked at others'
kill "$deaf"
wait "$deaf" 2>/dev/null || true # how it ended is not the test's end
