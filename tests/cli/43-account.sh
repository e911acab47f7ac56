#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The final account of a container: run --report and --assert, and what the runtime itself writes
# to the ledger. Numbers of limits need the kernel's controllers: tests/vm/73-account.sh.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

make_rootfs "$T/root1"
# quick [OPTION...] -- COMMAND: a container named $ID.
quick() { run sublet run --name "$ID" --overlay "$T/root1" "$@"; }
busy='i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done'
# records KIND [FILTER]
records() { [ ! -f "$T/ledger/ledger.jsonl" ] || jq -c "select(.k == \"$1\") | ${2:-.}" "$T/ledger/ledger.jsonl"; }
count() { records "$1" | wc -l; }

t 'a report has what the container used'
quick --report "$T/report.json" -- sh -c "$busy"
expect_status 0
expect_quiet
R=$T/report.json
expect_json .id "$ID" "$R"
expect_json .status 0 "$R"
expect_json '.cpu.usage_us > 1000 and .cpu.usage_us <= .life_us * 1000' true "$R"
expect_json '.cpu.usage_us - .cpu.user_us - .cpu.system_us | . >= 0 and . <= 1' true "$R"
expect_json '.created | test("^20[0-9-]*T[0-9:]*[.][0-9]{9}Z$")' true "$R"
expect_json '.assertions' '[]' "$R"
expect_eq 'other files' "$(find "$T" -maxdepth 1 -name '*report*' | wc -l)" 1
expect_json '.cgroup | contains("'"$ID"'")' true "$R"

t 'a report of a bundle, of a process that a signal ended'
make_bundle "$T/b" '.process.args = ["/bin/sh", "-c", "kill -KILL $$"] | .linux.namespaces |= map(select(.type != "pid"))'
run sublet run -b "$T/b" --report "$T/report.json" "$ID"
expect_status 137
expect_json '[.status, .signal]' '[137,9]' "$R"

t 'a budget that is kept changes nothing'
quick --assert 'cpu.usage<=10s' --assert 'status==3' --assert 'life>0us' -- sh -c 'exit 3'
expect_status 3
expect_quiet

t 'a budget that is broken is told and makes a success a failure'
quick --report "$R" --assert 'cpu.usage<=1us' --assert 'status==1' --assert 'cpu.usage_us<10s' -- true
expect_status 124
expect_eq lines "$(wc -l <"$T/err")" 2
expect_err_match '^sublet: assertion failed: cpu.usage is [0-9.]+m?s, allowed <=1us$'
expect_err_has 'sublet: assertion failed: status is 0, allowed ==1'
expect_json '[.assertions[] | [.assertion, .holds]]' '[["cpu.usage<=1us",false],["status==1",false],["cpu.usage_us<10s",true]]' "$R"
expect_json '.assertions[1].why' 'status is 0, allowed ==1' "$R"

t 'a percentage of a time is of the life'
quick --assert 'cpu.usage<=10%' -- sleep 0.3
expect_status 0
quick --assert 'cpu.usage<=0.5%' -- sh -c "$busy; $busy"
expect_status 124
expect_err_match '^sublet: assertion failed: cpu.usage is [0-9.]+m?s, [0-9]+[.][0-9]{2}% of [0-9.]+m?s, allowed <=0.5%$'

t 'a command that fails keeps its status'
quick --assert 'cpu.usage<=1us' -- sh -c 'exit 9'
expect_status 9
expect_err_match '^sublet: assertion failed: cpu.usage is '

t 'what is not counted holds no budget'
run sublet --cgroup-manager disabled run --name "$ID" --overlay "$T/root1" --report "$R" --assert 'memory.peak<=1T' -- true
expect_status 124
expect_error 'sublet: assertion failed: memory.peak is not known, for the container had no cgroup to be counted in, allowed <=1T'
expect_json '[.cpu, .memory, .io, .pids]' '[{},{},{},{}]' "$R"
if ! has_controllers memory; then
    quick --assert 'memory.peak<=1T' -- true
    expect_status 124
    expect_err 'sublet: assertion failed: memory.peak is not counted by this kernel, or its controller is not enabled, allowed <=1T'
fi

t 'what is no budget is refused before anything starts'
names='status life cpu.{usage user system throttled throttled_periods periods burst bursts waiting stalled} '
names+='memory.{peak swap_peak high_events limit_events oom_events oom_kills faults major_faults refaults_anon refaults_file waiting stalled} '
names+='io.{read written reads writes waiting stalled} pids.{peak refused}'
refused() {
    quick --upper "$T/untouched" --assert "$1" -- true
    expect_status 2
    expect_err "sublet: --assert: $2"
    expect_absent "$T/untouched"
}
refused 'memory.max<=1' "no metric 'memory.max': $names"
refused 'memory<=1' "no metric 'memory': $names"
refused 'memory.peak' "'memory.peak' is no assertion: METRIC, one of < <= > >= ==, and a value, as 'memory.peak<=64M'"
refused 'memory.peak=64M' "'memory.peak=64M' is no assertion: METRIC, one of < <= > >= ==, and a value, as 'memory.peak<=64M'"
refused '<=64M' "'<=64M' is no assertion: METRIC, one of < <= > >= ==, and a value, as 'memory.peak<=64M'"
refused 'memory.peak<=64X' "'64X' is not a size as '64M', with K, M, G or T, nor a percentage as '80%'"
refused 'cpu.usage<=1M' "'1M' is not a time as '250ms', with us, ms, s, m or h, nor a percentage as '80%'"
refused 'memory.oom_kills==' "'' is not a whole number"
refused 'memory.oom_kills==1%' 'there is no whole of which memory.oom_kills could be a percentage'
refused 'io.reads<=1.5' "'1.5' is not a whole number"

t 'a report that could not be written is refused before anything starts'
quick --upper "$T/untouched" --report "$T/none/report.json" -- true
expect_status 125
expect_err "sublet: --report: cannot open the folder of '$T/none/report.json': No such file or directory"
quick --upper "$T/untouched" --report /dev/null -- true
expect_status 125
expect_err "sublet: --report: '/dev/null' is no regular file, which could be replaced"
quick --upper "$T/untouched" --report "$T/" -- true
expect_status 125
expect_err "sublet: --report: '$T/' is a folder"
quick --upper "$T/untouched" --report "$R" -d -- true
expect_status 2
expect_err_has "option '--report' goes without '--detach'"
quick --upper "$T/untouched" --assert 'status==0' -d -- true
expect_status 2
expect_err_has "option '--assert' goes without '--detach'"
expect_absent "$T/untouched"

t 'a container that somebody else removed has no account, and no budget holds'
# shellcheck disable=SC2317 # called below
ends() { until_true 10 container_is "$ID" running; sublet delete -f "$ID"; }
ends &
quick --report "$R" --assert 'cpu.usage<10s' --assert 'status==137' -- sleep 60
wait
expect_status 137
expect_json '[.status, (.life_us > 0)]' '[137,true]' "$R"

t 'a kept container has an account, too'
quick --keep --report "$R" -- sh -c "$busy"
expect_status 0
expect_json '.cpu.usage_us > 1000' true "$R"
expect test -d "$T/root/$ID"
run sublet delete "$ID"
expect_status 0

t 'without a ledger nothing is written, and it costs one look'
expect_absent "$T/ledger"
if [ -x "$(command -v strace)" ] && [ -z "${TEST_SANITIZED:-}" ]; then
    run strace -qq -e trace=all -P "$T/ledger" -o "$T/trace" "$SUBLET" --root "$T/root" --ledger "$T/ledger" run --overlay "$T/root1" -- true
    expect_status 0
    expect_eq 'looks at the start and at the end' "$(grep -c ENOENT "$T/trace")" 2
    expect_eq 'calls' "$(grep -c '"'"$T/ledger"'"' "$T/trace")" 2
fi
expect_absent "$T/ledger"

t 'a foreground run writes its start and its end'
mkdir "$T/ledger"
make_bundle "$T/b" '.process.args = ["/bin/sh", "-c", "exit 7"] | .annotations = {"a": "b"}'
run sublet run -b "$T/b" "$ID"
expect_status 7
expect_quiet
expect_eq kinds "$(jq -rs 'map(.k) | join(" ")' "$T/ledger/ledger.jsonl")" 'head start exit'
expect_eq exit "$(records exit '[.id, .status, .winus > 0, .cpu.use > 0]')" "[\"$ID\",7,true,true]"
expect_eq 'one container' "$(jq -cs 'map(select(.id) | [.id, .created, .boot, .cg]) | unique | length' "$T/ledger/ledger.jsonl")" 1
expect_eq tenant "$(records exit '[.tenant, .outside, .group]')" '[null,null,null]'

t 'create, start and delete write them, each once'
rm -f "$T/ledger/ledger.jsonl"
make_bundle "$T/b" '.process.args = ["sleep", "60"]'
run sublet create -b "$T/b" "$ID"
expect_status 0
expect_absent "$T/ledger/ledger.jsonl"
run sublet start "$ID"
expect_status 0
expect_eq started "$(records start .id)" "\"$ID\""
run sublet delete "$ID"
expect_status 1
expect_eq ended "$(count exit)" 0
run sublet delete -f "$ID"
expect_status 0
expect_eq 'status that nobody saw, life that somebody ended' "$(records exit '[.id, .status, .winus > 0]')" "[\"$ID\",null,true]"
run sublet delete -f "$ID"
expect_eq ended "$(count exit)" 1

t 'a run that keeps its container has told its end'
rm -f "$T/ledger/ledger.jsonl"
quick --keep -- sh -c 'exit 4'
expect_status 4
expect_eq ended "$(records exit .status)" 4
run sublet delete "$ID"
expect_status 0
expect_eq ended "$(count exit)" 1

t 'a program that is not there has not started, and its container ends all the same'
rm -f "$T/ledger/ledger.jsonl"
quick -- /nowhere
expect_status 127
expect_eq started "$(count start)" 0

t 'a ledger that was asked for where there is no folder is a warning'
echo kept >"$T/file"
run sublet --ledger "$T/file" run --overlay "$T/root1" -- true
expect_status 0
expect_err "sublet: warning: $T/file: cannot open the ledger's folder: Not a directory"
expect_file "$T/file" kept

t 'a ledger that cannot be written is a warning and nothing else'
rm -f "$T/ledger/ledger.jsonl"
mkdir "$T/ledger/ledger.jsonl"
quick -- sh -c 'exit 3'
expect_status 3
expect_err "sublet: warning: $T/ledger: cannot open ledger.jsonl: Is a directory"
run sublet run -d --overlay "$T/root1" --name "$ID" -- sleep 60
expect_status 0
expect_err "sublet: warning: $T/ledger: cannot open ledger.jsonl: Is a directory"
run sublet --log-format json delete -f "$ID"
expect_status 0
expect_quiet
rmdir "$T/ledger/ledger.jsonl"

t 'a caller who may not write long files starts containers all the same'
quick -- true
truncate -s 2M "$T/ledger/ledger.jsonl"
run bash -c 'ulimit -f 1024; exec "$@"' - "$SUBLET" --root "$T/root" --ledger "$T/ledger" run --overlay "$T/root1" -- sh -c 'exit 5'
expect_status 5
expect_err "sublet: warning: $T/ledger: cannot append to ledger.jsonl: File too large"
rm -f "$T/ledger/ledger.jsonl"

t 'a delete that is killed between the record and the removal does not bill twice'
[ -x "$(command -v strace)" ] || skip 'no strace here'
[ -z "${TEST_SANITIZED:-}" ] || skip 'the leak checker needs ptrace itself'
# killed CALL:when=N: which flock; 1 and 2 of the container, 3 of the ledger, 4 its release.
killed() {
    rm -f "$T/ledger/ledger.jsonl"
    quick -d -- sleep 60
    expect_status 0
    run strace -qq -o "$T/trace" -e "inject=$1:signal=KILL" "$SUBLET" --root "$T/root" --ledger "$T/ledger" delete -f "$ID"
    expect_status 137
    expect test -d "$T/root/$ID"
}
killed flock:when=4
expect_eq 'the record is there' "$(count exit)" 1
run sublet delete -f "$ID"
expect_status 0
expect_eq 'to readers it is one' "$(jq -cs 'map(select(.k == "exit") | [.id, .created]) | unique | length' "$T/ledger/ledger.jsonl")" 1
expect_eq 'and it has one amount' "$(records exit .cpu.use | sort -u | wc -l)" 1
killed rmdir,unlinkat:when=1
expect_eq 'the record is there' "$(count exit)" 1
run sublet delete -f "$ID"
expect_status 0
expect_eq 'and stays one' "$(count exit)" 1
killed flock:when=3
expect_eq 'no record yet' "$(count exit)" 0
run sublet delete -f "$ID"
expect_status 0
expect_eq 'now it is' "$(count exit)" 1
