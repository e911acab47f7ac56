#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# update of every limit of a container that runs: asked is written, raising and lowering; a refusal
# leaves everything as it was; the whole of it is in the state. The table at the end of each test is
# asked / measured.
# limit: 600
# vm: --disk 64M
# shellcheck disable=SC2016 # for the shell inside
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/limits.sh
. "$LIB/limits.sh"

vda=$(</sys/block/vda/dev)

# started RESOURCES: a container that sleeps, with these limits.
started() {
    limits_bundle "$1" 'while :; do sleep 1000; done'
    run sublet run --detach -b "$T/b" "$ID"
    expect_status 0
}

# updated OPTION...
updated() {
    run sublet update "$@" "$ID"
    expect_status 0
    expect_quiet
    expect_out ''
}
# updated_by JSON
updated_by() {
    printf '%s' "$1" >"$T/resources"
    run -i "$T/resources" sublet update --resources - "$ID"
    expect_status 0
    expect_quiet
}
# refused TEXT OPTION...: with this error, and nothing has changed.
refused() {
    local text=$1 before
    shift
    before=$(all_knobs)
    cp "$T/root/$ID/state.json" "$T/state"
    run sublet update "$@" "$ID"
    expect_status 1
    expect_error "sublet: $text"
    expect_eq knobs "$(all_knobs)" "$before"
    expect cmp "$T/state" "$T/root/$ID/state.json"
    expect_absent "$T/root/$ID/state.json.new"
}
all_knobs() {
    local file
    for file in memory.{max,low,high,swap.max} cpu.{max,max.burst,weight,idle} cpuset.{cpus,mems} pids.max io.max; do
        printf '%s=%s\n' "$file" "$(knob "$file")"
    done
}

FULL='{"memory": {"limit": 134217728, "reservation": 67108864, "swap": 201326592}, "pids": {"limit": 50},
    "cpu": {"quota": 50000, "period": 20000, "burst": 10000, "shares": 512, "cpus": "0-1"}}'

t 'a container without limits gets all of them, by options'
started '{}'
updated --memory 128M --memory-reservation 64M --memory-swap 192M --cpu-quota 50000 --cpu-period 20000 \
    --cpu-burst 10000 --cpu-share 512 --cpuset-cpus 0-1 --cpuset-mems 0 --pids-limit 50
expect_knob memory.max 134217728
expect_knob memory.low 67108864
expect_knob memory.swap.max 67108864
expect_knob cpu.max '50000 20000'
expect_knob cpu.max.burst 10000
expect_knob cpu.weight 59
expect_knob cpuset.cpus 0-1
expect_knob cpuset.mems 0
expect_knob pids.max 50
run sublet state "$ID"
expect_json '.resources.memory' '{"limit":134217728,"reservation":67108864,"swap":201326592}'
expect_json '.resources.cpu' '{"shares":512,"quota":50000,"burst":10000,"period":20000,"cpus":"0-1","mems":"0"}'
expect_json '.resources.pids' '{"limit":50}'
gone

t 'lowering and raising again, one field at a time: the others stay'
started "$FULL"
updated --memory 64M
expect_knob memory.max 67108864
expect_knob memory.swap.max 134217728 # the sum is still 192M
updated --memory-swap 64M
expect_knob memory.swap.max 0
refused "linux.resources.memory.swap: 67108864 is below the memory limit 134217728, it counts memory and swap together" --memory 128M
updated --memory 256M --memory-swap 512M
expect_knob memory.max 268435456
expect_knob memory.swap.max 268435456
updated --memory -1 --memory-swap -1
expect_knob memory.max max
expect_knob memory.swap.max max
expect_knob memory.low 67108864
updated --cpu-quota 30000
expect_knob cpu.max '30000 20000'
updated --cpu-period 100000
expect_knob cpu.max '30000 100000'
updated --cpu-quota -1
expect_knob cpu.max 'max 100000'
expect_knob cpu.max.burst 10000
updated --pids-limit 0
expect_knob pids.max 0
updated --pids-limit -1
expect_knob pids.max max
updated --cpuset-cpus 1
expect_knob cpuset.cpus 1
expect_knob cpu.weight 59
gone

t 'burst and quota change together in both directions'
started "$FULL"
updated --cpu-quota 30000 --cpu-period 100000 --cpu-burst 30000
expect_knob cpu.max '30000 100000'
expect_knob cpu.max.burst 30000
updated --cpu-quota 20000 --cpu-burst 15000
expect_knob cpu.max '20000 100000'
expect_knob cpu.max.burst 15000
updated --cpu-quota 80000 --cpu-burst 80000
expect_knob cpu.max.burst 80000
refused 'linux.resources.cpu.quota: 10000 is below the burst of 80000: lower that, too' --cpu-quota 10000
refused 'linux.resources.cpu.burst: 90000 is above the quota 80000' --cpu-burst 90000
updated --cpu-burst 0
updated --cpu-quota 10000
expect_knob cpu.max '10000 100000'
gone

t 'an idle group has no weight, and gets it back'
started "$FULL"
updated --cpu-idle 1
expect_knob cpu.idle 1
run sublet update --cpu-share 2048 "$ID"
expect_status 0
expect_err 'sublet: warning: linux.resources.cpu.shares: kept for later: the container is idle (cpu.idle), and so without weight'
updated --cpu-idle 0
expect_knob cpu.idle 0
expect_knob cpu.weight 174
gone

t 'what the kernel refuses at the end puts everything back'
started "$FULL"
refused "linux.resources.cpu.mems: cannot write '77' to cgroup file 'cpuset.mems': Invalid argument" \
    --memory 99M --pids-limit 9 --cpu-quota 7000 --cpu-burst 3000 --cpuset-mems 77
printf '{"unified": {"memory.high": "50000000", "pids.max": "5", "hugetlb.2MB.max": "many"}}' >"$T/bad.json"
refused "linux.resources.unified['hugetlb.2MB.max']: cannot write 'many' to cgroup file 'hugetlb.2MB.max': Invalid argument" \
    --resources "$T/bad.json"
refused "linux.resources.cpu.period: 5 microseconds, expected 1000 to 1000000" --memory 99M --cpu-period 5
gone

t 'resources from standard input: disks, huge pages, files by name'
started "$FULL"
updated_by "{\"blockIO\": {\"throttleReadBpsDevice\": [{\"major\": ${vda%:*}, \"minor\": ${vda#*:}, \"rate\": 1048576}]},
    \"hugepageLimits\": [{\"pageSize\": \"2MB\", \"limit\": 4194304}], \"unified\": {\"memory.high\": \"100000000\"}}"
expect_knob io.max "$vda rbps=1048576 wbps=max riops=max wiops=max"
expect_knob hugetlb.2MB.max 4194304
expect_knob memory.high 99999744
updated_by "{\"blockIO\": {\"throttleWriteIOPSDevice\": [{\"major\": ${vda%:*}, \"minor\": ${vda#*:}, \"rate\": 30}]}}"
expect_knob io.max "$vda rbps=1048576 wbps=max riops=max wiops=30"
run sublet state "$ID"
expect_json '.resources.blockIO | .throttleReadBpsDevice[0].rate, .throttleWriteIOPSDevice[0].rate' $'1048576\n30'
printf '{"blockIO": {"throttleReadBpsDevice": [{"major": %s, "minor": %s, "rate": 77777}]}, "unified": {"pids.max": "none"}}' \
    "${vda%:*}" "${vda#*:}" >"$T/bad.json"
refused "linux.resources.unified['pids.max']: cannot write 'none' to cgroup file 'pids.max': Invalid argument" --resources "$T/bad.json"
updated_by "{\"blockIO\": {\"throttleReadBpsDevice\": [{\"major\": ${vda%:*}, \"minor\": ${vda#*:}, \"rate\": 0}]}}"
expect_knob io.max "$vda rbps=max wbps=max riops=max wiops=30"
gone

t 'a dry run prints the rows and changes nothing'
started "$FULL"
before=$(all_knobs)
run sublet update --dry-run --memory 64M --memory-swap 96M --cpu-quota 40000 --cpu-burst 20000 --pids-limit 3 "$ID"
expect_status 0
expect_out $'cpu.max.burst 0\ncpu.max 40000 20000\npids.max 3\ncpu.max.burst 20000\nmemory.max 67108864\nmemory.swap.max 33554432'
expect_eq knobs "$(all_knobs)" "$before"
gone

t 'checkBeforeUpdate refuses what is in use already'
started "$FULL"
updated_by '{"memory": {"checkBeforeUpdate": true}}'
run sublet update --memory 65536 "$ID"
expect_status 1
expect_err_match '^sublet: linux\.resources\.memory\.limit: 65536 bytes are below the [0-9]+ in use, and checkBeforeUpdate is set$'
run sublet state "$ID"
expect_json .status running
gone

t 'a paused and a created container are updated as well'
started "$FULL"
run sublet pause "$ID"
updated --pids-limit 33
expect_knob pids.max 33
run sublet state "$ID"
expect_json .status paused
gone
with_limits '{"pids": {"limit": 7}, "unified": {"memory.max": "50000000"}}'
updated --pids-limit 44 --memory 60M
expect_knob pids.max 44
expect_knob memory.max 62914560
run sublet state "$ID"
expect_json .resources '{"memory":{"limit":62914560},"pids":{"limit":44}}'
gone

t 'devices stay as they are unless an update names them'
limits_bundle "{\"devices\": [{\"allow\": false},
    {\"allow\": true, \"type\": \"b\", \"major\": ${vda%:*}, \"minor\": ${vda#*:}, \"access\": \"r\"}]}" \
    "mknod /dev/disk b ${vda/:/ }; while :; do (: </dev/disk) 2>/dev/null && a=yes || a=no; echo \$a >/new; mv /new /answer; sleep 0.1; done"
run sublet run --detach -b "$T/b" "$ID"
expect_status 0
answer_is() { grep -qx "$1" "$T/b/rootfs/answer"; }
# still TEXT: the next answer, too.
still() { rm -f "$T/b/rootfs/answer"; until_true 10 test -s "$T/b/rootfs/answer"; expect answer_is "$1"; }
until_true 10 answer_is yes
updated --pids-limit 99
still yes
updated_by '{"devices": [{"allow": false}]}'
until_true 10 answer_is no
updated --pids-limit 98
still no
gone
