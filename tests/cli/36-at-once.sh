#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 300
# Many commands on one ID at the same time: each answers soon and legally, nothing is left.
# TEST_MANY_S gives the seconds.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
TEST_MANY_S=${TEST_MANY_S:-10}
LIMIT_S=${TEST_SANITIZED:+1}2

many() {
    local what
    run -t $((TEST_MANY_S + 60)) python3 "$LIB/../cli/helpers/many.py" "$SUBLET" "$T/root" "$T/b" "$ID" "$TEST_MANY_S" "$LIMIT_S"
    expect_status 0
    expect_eq 'illegal answers' "$(grep -v '^#' "$T/out" | sort | uniq -c | sort -rn | head -n 20)" ''
    # Each of them must have had its turn, or nothing was shown.
    for what in create start state 'kill' delete 'delete -f' list exec ps pause resume; do
        expect_out_has "# $what: "
    done
    expect_out_match '^# create: [0-9]+ times status 0'
    expect_out_match '^# start: [0-9]+ times status 0'
    run sublet delete --force "$ID"
    expect_status 0
    expect_eq 'state root' "$(find "$T/root" -mindepth 1 -name "$ID*")" ''
}

t 'eight workers give random commands for one container'
make_bundle "$T/b" '.process.args = ["/bin/sleep", "100"]'
many
t 'the same, with a container that ends at once'
edit_bundle "$T/b" '.process.args = ["/bin/true"]'
many

t 'two starts at once: one starts the process, which runs once'
edit_bundle "$T/b" '.process.args = ["/bin/sh", "-c", "echo ran >>/ran"] | .root.readonly = false'
for ((round = 0; round < 10; round++)); do
    rm -f "$T/b/rootfs/ran"
    run sublet create -b "$T/b" "$ID"
    timeout -k 1 10 "$SUBLET" --root "$T/root" start "$ID" </dev/null >"$T/a" 2>&1 &
    first=$!
    run sublet start "$ID"
    wait "$first" && one=0 || one=1
    expect_eq 'starts that succeeded' $(((one == 0) + (status == 0))) 1
    until_true 3 container_is "$ID" stopped
    expect_file "$T/b/rootfs/ran" ran
    run sublet delete "$ID"
    expect_status 0
done

t 'a start against a delete by force: each answers, nothing is left'
edit_bundle "$T/b" '.process.args = ["/bin/sleep", "100"]'
for ((round = 0; round < 10; round++)); do
    run sublet create -b "$T/b" "$ID"
    timeout -k 1 10 "$SUBLET" --root "$T/root" delete -f "$ID" </dev/null >"$T/a" 2>&1 &
    first=$!
    run -t 3 sublet start "$ID"
    wait "$first" || fail "delete: $(cat "$T/a")"
    [ "$status" -eq 0 ] || expect_err_match 'does not exist|has stopped|busy|died'
done

# hanging_start COMMAND...: a start waits for a hook that never ends; the command ends it.
hanging_start() {
    run sublet create -b "$T/b" "$ID"
    expect_status 0
    timeout -k 1 20 "$SUBLET" --root "$T/root" start "$ID" </dev/null >"$T/a" 2>&1 &
    first=$!
    until_true 5 test ! -e "$T/root/$ID/start"
    run -t "$LIMIT_S" "$@"
    expect_status 0
    wait "$first" # with whatever it says: the process may have been killed a moment later as well
    run sublet delete --force "$ID"
    expect_status 0
    expect_eq 'state root' "$(find "$T/root" -mindepth 1 -name "$ID*")" ''
}

t 'a start whose hook hangs is ended by kill and by delete --force'
edit_bundle "$T/b" '.hooks.startContainer = [{"path": "/bin/sleep", "args": ["sleep", "100"]}]'
hanging_start sublet kill "$ID" KILL
hanging_start sublet delete --force "$ID"
