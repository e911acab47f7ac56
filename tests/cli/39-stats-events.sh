#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 120
# stats and events: what was used, in both forms, for whom, until when, and every refusal. Where the
# controllers are is tests/vm/71-stats-events.sh.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
B=$T/b
make_bundle "$B" '.process.args = ["/bin/sh", "-c", "while [ ! -e /go ]; do sleep 0.05; done"]
    | .root.readonly = false | .linux.cgroupsPath = "/'"$ID"'"'
go() { touch "$B/rootfs/go"; }

running() {
    rm -f "$B/rootfs/go"
    run sublet run --detach -b "$B" "$ID"
    expect_status 0
}
deleted() {
    run sublet delete --force "$ID"
    expect_status 0
    expect_quiet
}
stopped() {
    go
    until_true 10 container_is "$ID" stopped
}

# watched INTERVAL: events in the background, their pid in $stream; no line of an older one is left.
watched() {
    rm -f "$T/stream"
    sublet events --interval "$1" "$ID" >"$T/stream" 2>"$T/stream.err" &
    stream=$!
}

t 'stats prints a table of all containers'
run sublet stats
expect_status 0
expect_out 'ID           CPU   THROTTLED     STALLED    MEMORY      PEAK     LIMIT      SWAP      READ   WRITTEN   PIDS  OOM'
running
run sublet stats
expect_status 0
expect_quiet
expect_eq lines "$(wc -l <"$T/out")" 2
expect_out_match "^$ID +[0-9]+\.[0-9]{3}s "
has_controllers memory || expect_out_match '^t[^ ]+ +[0-9.]+s +- +([0-9.]+s|-) +- +- +- +- +- +- +- +-$'
deleted

t 'stats --json has what the kernel tells, and no zero for what it does not'
running
run sublet stats --json "$ID"
expect_status 0
expect_quiet
expect_json 'map(.id)' "[\"$ID\"]"
expect_json '.[0].status' running
expect_json '.[0].cgroup' "$ID"
expect_json '.[0].time | test("^20[0-9-]+T[0-9:.]+Z$")' true
expect_json '.[0].cpu | .usage_us - .user_us - .system_us | . >= 0 and . <= 1' true
expect_json '.[0].cpu.usage_us > 0' true
expect_json '.[0].group | [.populated, .frozen, .descendants]' '[1,0,0]'
if ! has_controllers memory; then
    expect_json '.[0] | [has("memory"), has("pids"), has("io"), (.cpu | has("periods"))]' '[false,false,false,false]'
fi
expect_json '.[0].cpu_pressure.some_total_us >= .[0].cpu_pressure.full_total_us' true
deleted

t 'stats takes several names, in their order, and all of them must be there'
running
run sublet run --detach -b "$B" "$ID-b"
expect_status 125 # its group is taken
make_bundle "$T/c" '.linux.cgroupsPath = "/'"$ID"'-c"'
run sublet create -b "$T/c" "$ID-c"
expect_status 0
run sublet stats --json "$ID-c" "$ID"
expect_json 'map(.id + " " + .status)' "[\"$ID-c created\",\"$ID running\"]"
run sublet stats --json
expect_json 'map(.id)' "[\"$ID\",\"$ID-c\"]"
run sublet stats "$ID" "$ID-x"
expect_status 1
expect_out ''
expect_error "sublet: container '$ID-x': container does not exist"
run sublet delete --force "$ID-c"
deleted

t 'what a stopped container has used can be read until it is deleted'
running
stopped
run sublet stats --json "$ID"
expect_json '.[0].status' stopped
expect_json '.[0].cpu.usage_us > 0' true
expect_json '.[0].group.populated' 0
deleted
run sublet stats --json
expect_out '[]'

t 'a container without a cgroup has no counters'
make_bundle "$T/d"
run sublet --cgroup-manager disabled create -b "$T/d" "$ID"
expect_status 0
run sublet stats
expect_out_match "^$ID +- +- +- +- +- +- +- +- +- +- +-$"
run sublet stats --json
expect_json '.[0] | keys' '["id","status","time"]'
run sublet events --stats "$ID"
expect_status 1
expect_error "sublet: container '$ID' has no cgroup that counts"
run sublet events "$ID"
expect_status 1
expect_err_match "^sublet: container '$ID' .*cgroup"
deleted

t 'a damaged record is a row without counters'
running
cp "$T/root/$ID/state.json" "$T/kept"
echo '{' >"$T/root/$ID/state.json"
run sublet stats
expect_status 0
expect_out_match "^$ID +- +- "
run sublet stats "$ID"
expect_status 1
cp "$T/kept" "$T/root/$ID/state.json"
deleted

t 'events --stats has the form that shims parse'
running
run sublet events --stats "$ID"
expect_status 0
expect_quiet
expect_eq lines "$(wc -l <"$T/out")" 1
expect_json '[.type, .id]' "[\"stats\",\"$ID\"]"
expect_json '.data | [.cpu, .memory, .pids, .blkio, .hugetlb | type]' '["object","object","object","object","object"]'
expect_json '.data.cpu.usage | .total - .kernel - .user | . >= 0 and . <= 1000' true
expect_json '.data.cpu.usage.total > 100000' true
expect_json '.data.cpu.psi.some | [.avg10, .avg60, .avg300, .total | type] | unique' '["number"]'
deleted

t 'events prints counters at once and then at its interval, until the container ends'
running
watched 100ms
three_lines() { [ "$(wc -l <"$T/stream")" -ge 3 ]; }
until_true 10 three_lines
go
expect wait "$stream"
expect_file "$T/stream.err" ''
expect_json 'select(.type != "stats")' '' "$T/stream"
expect_eq 'usage grows' "$(jq -s '[.[].data.cpu.usage.total] | . == sort' "$T/stream")" true
deleted

t 'events ends with the process even if its interval is long'
running
watched 1h
until_true 10 test -s "$T/stream"
go
expect wait "$stream"
expect_eq lines "$(wc -l <"$T/stream")" 1
deleted

t 'events ends when nobody reads it any more'
running
run -t 10 bash -c '"$@" | head -n 1 | jq -r .type' _ "$SUBLET" --root "$T/root" events --interval 1h "$ID"
expect_status 0
expect_out stats
expect_quiet
deleted

t 'events ends when the container is deleted'
running
watched 50ms
until_true 10 test -s "$T/stream"
deleted
expect wait "$stream"
expect_file "$T/stream.err" ''

t 'events says why it cannot'
run sublet events "$ID"
expect_status 1
expect_error "sublet: container '$ID': container does not exist"
running
run sublet events --stats --interval 5s "$ID"
expect_status 2
expect_error "sublet: option '--interval' goes without '--stats'; see 'sublet events --help'"
for interval in 0 -1 5x ''; do
    run sublet events --interval "$interval" "$ID"
    expect_status 2
    expect_err_has "option '--interval' of 'events': '$interval' is no duration above 0: a number with an optional unit us, ms, s, m or h"
done
stopped
for options in '' --stats; do
    # shellcheck disable=SC2086 # one word or none
    run sublet events $options "$ID"
    expect_status 1
    expect_error "sublet: container '$ID': container not running: no such process"
done
deleted
