#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 300
# A damaged record: a message, no signal to a stranger, `list` goes on, `delete --force` removes it.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

make_bundle "$T/b" '.process.args = ["/bin/sleep", "60"]'
STRANGER=
RECORD=$T/root/$ID/state.json

# A created container whose process has ended, without a cgroup: all that is left is its folder.
# Another one is in order.
begin() {
    local pid
    # After a test that failed it is gone.
    if [ -z "$STRANGER" ] || ! kill -0 "$STRANGER" 2>/dev/null; then
        sleep 300 &
        STRANGER=$!
        leftovers_base
    fi
    run sublet --cgroup-manager disabled create -b "$T/b" "$ID"
    expect_status 0
    pid=$(jq .pid "$RECORD")
    kill -KILL "$pid"
    mkdir "$T/root/$ID-good"
    chmod 0700 "$T/root/$ID-good"
    jq -c --arg id "$ID-good" '.id = $id' "$RECORD" >"$T/root/$ID-good/state.json"
    cp "$RECORD" "$T/record"
}

# Every command answers, and soon.
expect_corrupt() {
    local verb
    for verb in state start 'kill' delete; do
        run -t 3 sublet "$verb" "$ID"
        expect_status 1
        expect_err_has 'corrupt state'
    done
    expect_rest
}

expect_rest() {
    local state
    run -t 3 sublet list --format json
    expect_status 0
    expect_quiet
    expect_json "[.[] | select(.id == \"$ID-good\") | .status]" '["stopped"]'
    state=${1:-corrupt}
    [ "$state" = any ] || expect_json "[.[] | select(.id == \"$ID\") | .status]" "[\"$state\"]"
    run -t 3 sublet create -b "$T/b" "$ID"
    expect_status 1
    expect_error "sublet: container '$ID' already exists"
    run -t 3 sublet delete --force "$ID"
    expect_status 0
    expect_absent "$T/root/$ID"
    run -t 3 sublet delete --force "$ID-good"
    expect_status 0
    kill -0 "$STRANGER" || fail 'the stranger got a signal'
}

damage() {
    local size
    size=$(stat -c %s "$RECORD")
    case $1 in
        empty) : >"$RECORD" ;;
        half) truncate -s "$((size / 2))" "$RECORD" ;;
        short) truncate -s "$((size - 2))" "$RECORD" ;;
        one) truncate -s 1 "$RECORD" ;;
        zeros) head -c "$size" /dev/zero >"$RECORD" ;;
        garbage) printf '\377\376{]' >"$RECORD" ;;
        longer) printf '}}' >>"$RECORD" ;;
        twice) cat "$T/record" >>"$RECORD" ;;
        null) echo null >"$RECORD" ;;
        array) echo '[]' >"$RECORD" ;;
        object) echo '{}' >"$RECORD" ;;
        deep) printf '[%.0s' {1..9999} >"$RECORD" ;;
        huge) truncate -s 1G "$RECORD" ;;
        folder) rm "$RECORD" && mkdir "$RECORD" ;;
        FIFO) rm "$RECORD" && mkfifo "$RECORD" ;;
        device) rm "$RECORD" && mknod "$RECORD" c 1 5 ;;
        pid-text) jq -c '.pid = "12"' "$T/record" >"$RECORD" ;;
        pid-1) jq -c '.pid = 1' "$T/record" >"$RECORD" ;;
        pid-0) jq -c '.pid = 0' "$T/record" >"$RECORD" ;;
        pid-negative) jq -c '.pid = -1' "$T/record" >"$RECORD" ;;
        pid-large) jq -c '.pid = 4294967297' "$T/record" >"$RECORD" ;;
        no-identity) jq -c '.pidfsInode = 0 | .startTicks = 0' "$T/record" >"$RECORD" ;;
        duplicate) sed 's/^{/{"pid":2,/' "$T/record" >"$RECORD" ;;
        nul) sed 's/"bundle":"/&\\u0000/' "$T/record" >"$RECORD" ;;
    esac
}
for kind in empty half short one zeros garbage longer twice null array object deep huge folder FIFO device \
    pid-text pid-1 pid-0 pid-negative pid-large no-identity duplicate nul; do
    t "a record that is damaged is told and removed by force: $kind"
    begin
    damage "$kind"
    expect_corrupt
done

for kind in absent link; do
    t "no record at all: the container was never completed, and goes: $kind"
    begin
    rm "$RECORD"
    [ "$kind" = absent ] || ln -s /nowhere "$RECORD"
    run -t 3 sublet start "$ID"
    expect_status 1
    expect_err_has 'never completed'
    run -t 3 sublet 'kill' "$ID"
    expect_status 1
    expect_err_has 'not running'
    expect_rest any
done

for kind in 'no record' 'another program'"'"'s'; do
    t "a folder that is no container's is left as it is: $kind"
    begin
    cp -r "$T/b" "$T/root/$ID-bundle"
    chmod 0700 "$T/root/$ID-bundle"
    [ "$kind" = 'no record' ] || echo '{"version": 1}' >"$T/root/$ID-bundle/state.json"
    ls -lR "$T/root/$ID-bundle" >"$T/before"
    for options in '' --force; do
        # shellcheck disable=SC2086 # none is none
        run -t 3 sublet delete $options "$ID-bundle"
        expect_status 1
        expect_err_match "^sublet: ($ID-bundle: not a container's folder, for it has 'rootfs': it is left alone|.*corrupt state.*)$"
        expect_eq bundle "$(ls -lR "$T/root/$ID-bundle")" "$(<"$T/before")"
    done
    rm -r "$T/root/$ID-bundle"
    expect_rest stopped
done

# A process of ours by number alone is none: whoever it is gets no signal.
as_stranger() {
    case $1 in
        'another process') jq -c ".pid = $STRANGER" "$T/record" ;;
        'another process with a start time') jq -c ".pid = $STRANGER | .pidfsInode = 0 | .startTicks = 12345" "$T/record" ;;
        'another boot') jq -c ".pid = $STRANGER | .pidfsInode = $(stat -Lc %i /proc/self/ns/mnt) | .bootId = \"0123\"" "$T/record" ;;
        'this shell') jq -c ".pid = $$" "$T/record" ;;
    esac >"$RECORD"
}
for kind in 'another process' 'another process with a start time' 'another boot' 'this shell'; do
    t "a record whose pid is a stranger's now: $kind"
    begin
    as_stranger "$kind"
    run -t 3 sublet state "$ID"
    expect_json '[.status, .pid]' '["stopped",0]'
    for signal in KILL TERM 0 STOP; do
        run -t 3 sublet 'kill' "$ID" "$signal"
        expect_status 1
        expect_error "sublet: container '$ID': container not running: no such process"
        run -t 3 sublet 'kill' --all "$ID" "$signal"
        expect_status 1
    done
    run -t 3 sublet start "$ID"
    expect_status 1
    expect_err_has 'has stopped'
    expect_rest stopped
done

t 'each byte of a record may be wrong: an answer, no signal, removed by force'
begin
size=$(stat -c %s "$RECORD")
for ((at = 0; at < size; at += 23)); do
    for byte in '\0' '"' 9 '\377'; do
        cp "$T/record" "$RECORD"
        # shellcheck disable=SC2059 # an escape
        printf "$byte" | dd of="$RECORD" bs=1 seek="$at" conv=notrunc status=none
        run -t 3 sublet state "$ID"
        [ "$status" -le 1 ] || fail "state: status $status, byte $at"
        run -t 3 sublet 'kill' "$ID" KILL
        [ "$status" -eq 1 ] || fail "kill: status $status, byte $at"
    done
done
expect_rest any

t 'a state root with things that are no containers'
begin
mkdir -p "$T/root/.hidden" "$T/root/$ID space/x"
: >"$T/root/$ID-file"
ln -s / "$T/root/$ID-link"
mkfifo "$T/root/$ID-fifo"
expect_json 'length' 2 <(sublet list --format json | jq -c "[.[] | select(.id == \"$ID\" or .id == \"$ID-good\")]")
for name in file link fifo; do
    run -t 3 sublet state "$ID-$name"
    expect_status 1
    expect_error "sublet: container '$ID-$name': container does not exist"
    run -t 3 sublet delete --force "$ID-$name"
    expect_status 0
done
expect [ -L "$T/root/$ID-link" ]
rm -r "$T/root/.hidden" "$T/root/$ID space" "$T/root/$ID-file" "$T/root/$ID-link" "$T/root/$ID-fifo"
expect_rest stopped
kill "$STRANGER"
