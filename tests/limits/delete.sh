# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # variables of lib.sh
# The end of a container that resists: 200 processes in five levels of groups of its own, forty of
# them stopped, on a machine whose CPUs are busy from then on. ROUNDS times; the slowest counts.
# Emulated CPUs are given more time, and the table tells what they needed. What the kernel needs for
# the same by itself stands beside it.
delete_crowds() {
    local round slowest_us=0 sum_us=0 took_us load whole=0 in_time=0 size began_us limit_s=2
    local bare_us=0 bare_sum_us=0 bare_rounds=0
    "$WORKER" "$T/.cli/load" 0 spin 2 &
    load=$!
    for ((round = 1; round <= ROUNDS && ${#cli_reason} == 0; round++)); do
        began_us=${EPOCHREALTIME/./}
        [ $((round % 20)) -ne 1 ] || end_barely
        gather
        [ "$size" -ne 201 ] || whole=$((whole + 1))
        [ "$round" -gt 1 ] || row 'processes at first: 201, of them stopped: 40' - "$size, $(stopped)" \
            equal "$size, $(stopped)" '201, 40'
        kill -CONT "$load"
        timed_delete
        expect_status 0
        expect_quiet
        expect_absent "${group[a]}"
        expect_absent "$T/root/$ID-a"
        ended a
        expect_eq 'status of run' "${status_of[a]}" 137
        sum_us=$((sum_us + took_us))
        [ "$took_us" -gt 2000000 ] || in_time=$((in_time + 1))
        [ "$took_us" -le "$slowest_us" ] || slowest_us=$took_us
        [ $((round % 10)) -gt 0 ] ||
            printf '# %s of %s: the last took %s ms, of which delete %s; the slowest delete %s ms\n' "$round" \
                "$ROUNDS" $(((${EPOCHREALTIME/./} - began_us) / 1000)) $((took_us / 1000)) $((slowest_us / 1000))
    done
    kill -KILL "$load"
    wait "$load" 2>/dev/null
    row "all 201 were there, $ROUNDS of $ROUNDS times" - "$whole" equal "$whole" "$ROUNDS"
    ! grep -q '^model name.*TCG' /proc/cpuinfo || limit_s=8
    row "gone within $limit_s s, $ROUNDS of $ROUNDS times: the slowest" - "$((slowest_us / 1000)) ms" \
        within 0 $((limit_s * 1000000)) "$slowest_us"
    row 'within 2 s, and on average' - "$in_time, $((sum_us / ROUNDS / 1000)) ms" within 1 "$ROUNDS" "$in_time"
    row 'cgroup.kill and rmdir alone: slowest, and on average' - \
        "$((bare_us / 1000)), $((bare_sum_us / (bare_rounds + !bare_rounds) / 1000)) ms" true
}
# The CPUs are busy with nothing else while the crowd gathers.
gather() {
    kill -STOP "$load"
    scene
    container a '{}' crowd 5 40 8
    window --warm 0 --still 0
    crowd_size
}
# Not by `run`: starting timeout, and a shell for it, takes longer there than all the rest.
timed_delete() {
    status=0
    took_us=${EPOCHREALTIME/./}
    "$SUBLET" --root "$T/root" --ledger "$T/ledger" delete --force "$ID-a" </dev/null >"$T/out" 2>"$T/err" || status=$?
    took_us=$((${EPOCHREALTIME/./} - took_us))
}
end_barely() {
    local dir us
    gather
    dir=${group[a]}
    kill -CONT "$load"
    us=$("$WORKER" "$T/.cli/load" end "$dir"{,/0,/0/1,/0/1/2,/0/1/2/3,/0/1/2/3/4} 2>&1) || fail "no bare end: $us"
    ended a
    us=${us:-0} bare_rounds=$((bare_rounds + 1)) bare_sum_us=$((bare_sum_us + us))
    [ "$us" -le "$bare_us" ] || bare_us=$us
}
# No program is started to count: an emulated guest would be busy with that.
crowd_size() {
    local dir=${group[a]} level lines
    mapfile -t crowd <"$dir/cgroup.procs"
    for level in 0 1 2 3 4; do
        dir+=/$level
        mapfile -t lines <"$dir/cgroup.procs" && crowd+=("${lines[@]}")
    done
    size=${#crowd[@]}
}
stopped() {
    local pid line count=0
    for pid in "${crowd[@]}"; do
        line=$(<"/proc/$pid/stat") && [[ $line != *') T '* ]] || count=$((count + 1))
    done
    echo "$count"
}
prove_delete() { measure delete_crowds; }
