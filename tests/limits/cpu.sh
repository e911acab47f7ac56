# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # variables of lib.sh
# CPU time. All contention is on the first two CPUs of the host, $CPUS, of which there are
# $CPU_COUNT: on a large machine a few threads would never meet.

# A quota is microseconds of CPU time in each period of 100 ms. However many threads are busy, they
# get that much together, and the kernel counts the periods in which it stopped them.
cpu_quota() {
    local threads=$1 quota_us=$2 wanted=$(($2 / 100)) in out
    scene
    container a "{\"cpu\": {\"quota\": $quota_us, \"period\": 100000}}" spin "$threads"
    window 2000
    cpus a
    row "$(milli "$wanted") CPUs, busy threads: $threads" "$(milli "$in")" "$(milli "$out")" near "$wanted" 5 "$in" "$out"
    row 'it is stopped in each period' - "$(got a.throttled) of $(got a.periods)" \
        near "$(got a.periods)" 20 "$(got a.throttled)"
    over
}
prove_cpu_quota() {
    measure cpu_quota 1 50000
    measure cpu_quota 4 $((CPU_COUNT * 50000))
}

# A weight counts only where CPUs are short: two containers that want everything share it by weight,
# and when one of them goes, the other has it all.
cpu_weights() {
    local in out low all=$((CPU_COUNT * 1000))
    scene
    container a "{\"cpu\": {\"cpus\": \"$CPUS\"}, \"unified\": {\"cpu.weight\": \"100\"}}" spin 4
    container b "{\"cpu\": {\"cpus\": \"$CPUS\"}, \"unified\": {\"cpu.weight\": \"300\"}}" spin 4
    window 3000
    cpus a
    low=$in
    row "weight 100 of 400 on $CPU_COUNT CPUs: $(milli $((all / 4)))" "$(milli "$in")" "$(milli "$out")" \
        near $((all / 4)) 5 "$in" "$out"
    cpus b
    row "weight 300 of 400: $(milli $((all * 3 / 4)))" "$(milli "$in")" "$(milli "$out")" near $((all * 3 / 4)) 5 "$in" "$out"
    row '1:3' "1:$(milli "$(ratio "$in" "$low")")" - near 3000 5 "$(ratio "$in" "$low")"
    run sublet kill "$ID-b" KILL
    ended b
    expect_eq 'status of b' "${status_of[b]}" 137
    names=(a)
    window 1000
    cpus a
    row "the other is gone: all of $CPU_COUNT CPUs" "$(milli "$in")" "$(milli "$out")" near "$all" 5 "$in" "$out"
    over
}
prove_cpu_weight() { measure cpu_weights; }

# What a quota left unused is lost, unless a burst lets it be saved: two threads that want 70 ms at
# once, each 270 ms, use half a CPU on average and still do not fit into 100 ms a period.
cpu_burst() {
    local burst_us=$1
    scene
    container a "{\"cpu\": {\"quota\": 100000, \"period\": 100000, \"burst\": $burst_us}}" burst 2 70 270
    window 2500
}
cpu_bursts() {
    cpu_burst 0
    row 'no burst: stopped in some periods' "$(got a.inside.median_us) us" "$(got a.throttled) periods" \
        within 3 99 "$(got a.throttled)"
    over
    cpu_burst 50000
    row '50 ms may be saved: in hardly any' "$(got a.inside.median_us) us" "$(got a.throttled) periods" \
        within 0 $(($(got a.periods) / 15)) "$(got a.throttled)"
    row 'and the kernel counts the bursts' - "$(got a.bursts) periods" within 3 99 "$(got a.bursts)"
    over
}
prove_cpu_burst() { measure cpu_bursts; }

# A cpuset is where threads may run.
cpu_set() {
    local last=${CPUS##*[-,]} allowed used
    scene
    container a "{\"cpu\": {\"cpus\": \"$last\", \"mems\": \"0\"}}" where 500
    ended a
    { read -r _ allowed && read -r _ used; } <"$T/a/out"
    row "CPU $last alone: allowed, and run on" "$allowed, $used" - equal "$allowed, $used" "$last, $last"
}
prove_cpuset() { measure cpu_set; }
