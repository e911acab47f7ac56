#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# stats and events where every controller is: what they tell is what the kernel counted, an OOM kill
# wakes events, and the library's example limits and measures.
# limit: 300
# vm: --disk 64M
# shellcheck disable=SC2016 # for the shell inside
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/limits.sh
. "$LIB/limits.sh"
: "${SUBLET_BUILD:?}"

vda=$(</sys/block/vda/dev)
major=${vda%:*}
minor=${vda#*:}

# key FILE KEY: a number of the container's own file.
key() { sed -n "s/^$2 //p" "$cli_cgroups/$ID/$1" 2>&1; }

# watched INTERVAL: events in the background, their pid in $stream; no line of an older one is left.
watched() {
    rm -f "$T/stream"
    sublet events --interval "$1" "$ID" >"$T/stream" 2>"$T/stream.err" &
    stream=$!
}

t 'limits and counters are those of the files, in JSON, table and the form of runc'
with_limits '{"memory": {"limit": 67108864, "reservation": 4096}, "pids": {"limit": 9},
    "cpu": {"quota": 150000, "period": 50000}, "hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
run sublet stats --json "$ID"
expect_status 0
expect_json '.[0].memory | [.limit_bytes, .low_bytes, .high_bytes, .swap_limit_bytes, .oom_kills]' '[67108864,4096,null,null,0]'
expect_json '.[0].memory | .peak_bytes >= .current_bytes and .current_bytes > 0' true
expect_json '.[0].pids | [.current, .limit, .refused]' '[1,9,0]'
expect_json '.[0].cpu | [.quota_us, .period_us, .burst_limit_us, .weight, .idle]' '[150000,50000,0,100,0]'
expect_json '.[0].hugetlb["2MB"] | [.page_bytes, .limit_bytes, .reserved_limit_bytes, .current_bytes]' '[2097152,4194304,4194304,0]'
expect_json '.[0].hugetlb["1GB"].limit_bytes' null
expect_json '.[0].memory_usage.anon_bytes' "$(key memory.stat anon)"
expect_json '.[0] | [.memory_activity.faults > 0, has("io"), has("cpu_pressure")]' '[true,true,true]'
run sublet stats
expect_out_match "^$ID +[0-9.]+s +[0-9.]+s +[0-9.]+s +[0-9.]+[BKM] +[0-9.]+[BKM] +64.0M +0B +[0-9.]+[BKM] +[0-9.]+[BKM] +1 +0$"
# the names of v1, and every key of memory.stat
run sublet events --stats "$ID"
expect_json '.data.memory | [.usage.limit, .usage.failcnt, .swap.limit]' '[67108864,0,18446744073709552000]'
expect_json '.data.memory.usage | .max >= .usage and .usage > 0' true
expect_json '.data.pids' '{"current":1,"limit":9}'
expect_json '.data.hugetlb["2MB"]' '{"usage":0,"failcnt":0}'
expect_json '.data.cpu.throttling | keys' '["periods","throttledPeriods","throttledTime"]'
expect_json '.data.memory.raw | keys_unsorted | sort | join(" ")' \
    "$(cut -d ' ' -f 1 "$cli_cgroups/$ID/memory.stat" | LC_ALL=C sort | paste -sd ' ')"
gone

t 'each OOM kill is told when it happens'
with_limits '{"memory": {"limit": 8388608, "swap": 8388608}}' \
    'tail -c 64m /dev/zero; tail -c 64m /dev/zero; echo killed; sleep 600'
watched 1h
until_true 20 grep -q stats "$T/stream"
run sublet start "$ID"
expect_status 0
two_kills() { [ "$(grep -c oom "$T/stream")" -eq 2 ]; }
until_true 60 two_kills
expect_eq 'line of a kill' "$(tail -n 1 "$T/stream")" "{\"type\":\"oom\",\"id\":\"$ID\"}"
expect_eq 'lines of counters' "$(grep -c stats "$T/stream")" 1
expect container_is "$ID" running
run sublet stats --json "$ID"
expect_json '.[0].memory | [.oom_kills, .local_oom_kills]' '[2,2]'
gone
expect wait "$stream"
expect_file "$T/stream.err" ''

t 'the OOM kill of the first process is told before events ends'
ARGS='["/bin/tail", "-c", "64m", "/dev/zero"]' with_limits '{"memory": {"limit": 8388608, "swap": 8388608}}'
watched 1h
until_true 20 grep -q stats "$T/stream"
run sublet start "$ID"
expect wait "$stream"
expect_eq 'last line' "$(tail -n 1 "$T/stream")" "{\"type\":\"oom\",\"id\":\"$ID\"}"
gone

t 'an OOM kill in a group below is told as well'
CGROUP_MODE=rw with_limits '{"memory": {"limit": 67108864}, "unified": {"memory.swap.max": "0"}}' '
    cd /sys/fs/cgroup && mkdir self small && echo 1 >self/cgroup.procs && echo $$ >self/cgroup.procs &&
    echo +memory >cgroup.subtree_control && echo 4M >small/memory.max
    sh -c "echo \$\$ >small/cgroup.procs && exec tail -c 32m /dev/zero"
    sleep 600'
watched 1h
until_true 20 grep -q stats "$T/stream"
run sublet start "$ID"
until_true 60 grep -q oom "$T/stream"
run sublet stats --json "$ID"
expect_json '.[0].memory | [.oom_kills, .local_oom_kills]' '[1,0]'
gone
expect wait "$stream"

t 'bytes and operations of a disk are counted for the one who wrote'
LINUX=", \"devices\": [{\"path\": \"/dev/disk\", \"type\": \"b\", \"major\": $major, \"minor\": $minor}]" \
    with_limits "{\"devices\": [{\"allow\": true, \"type\": \"b\", \"major\": $major, \"minor\": $minor, \"access\": \"rw\"}],
    \"blockIO\": {\"throttleWriteBpsDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": 99999999}]}}" \
    'dd if=/dev/zero of=/dev/disk bs=64k count=16 oflag=direct 2>/dev/null && echo done; sleep 600'
run sublet start "$ID"
written() { sublet stats --json "$ID" | jq -e ".[0].io[] | select(.device == \"$vda\") | .written_bytes == 1048576 and .writes >= 16"; }
until_true 30 written
run sublet events --stats "$ID"
expect_json ".data.blkio.ioServiceBytesRecursive[] | select(.major == $major and .minor == $minor and .op == \"Write\").value" 1048576
gone

t 'throttling and refused forks are counted'
with_limits '{"cpu": {"quota": 20000, "period": 100000}, "pids": {"limit": 2}}' \
    '(sleep 600 & sleep 600) & while :; do :; done'
run sublet start "$ID"
counted() { sublet stats --json "$ID" | jq -e '.[0] |
    .cpu.throttled_us > 0 and .cpu.throttled_periods > 0 and .cpu.suffered_throttled_us != 0 and .pids.refused > 0'; }
until_true 60 counted
gone

t 'the example of the library limits and measures'
run "$SUBLET_BUILD/tests/example_measure" "$ID" memory.max=8M memory.swap.max=0 pids.max=5 tail -c 64M /dev/zero
expect_status 0
expect_quiet
expect_out_match '^status [0-9]+, CPU [1-9][0-9]+ us, memory 8[0-9]{6} bytes, OOM kills 1$'
expect_absent "$cli_cgroups/$ID"
run "$SUBLET_BUILD/tests/example_measure" "$ID" memory.max=lots true
expect_status 1
expect_err "measure: memory.max: cannot write 'lots' to cgroup file 'memory.max': Invalid argument"
expect_absent "$cli_cgroups/$ID"
