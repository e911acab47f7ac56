# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # variables of lib.sh
# The end of a container that resists: 200 processes in five levels of groups of its own, forty of
# them stopped, on a busy machine. ROUNDS times; the slowest counts. Emulated CPUs are given more time.
delete_crowds() {
    local round slowest_us=0 took_us load limit_s=2
    "$WORKER" "$T/.cli/load" 0 spin 2 &
    load=$!
    for ((round = 0; round < ROUNDS; round++)); do
        scene
        container a '{}' crowd 5 40 8
        window --warm 0 --still 0
        [ "$round" -gt 0 ] || row 'processes at first: 201' - "$(crowd_size)" equal "$(crowd_size)" 201
        took_us=${EPOCHREALTIME/./}
        run sublet delete --force "$ID-a"
        took_us=$((${EPOCHREALTIME/./} - took_us))
        expect_status 0
        expect_quiet
        expect_absent "${group[a]}"
        ended a
        expect_eq 'status of run' "${status_of[a]}" 137
        [ "$took_us" -le "$slowest_us" ] || slowest_us=$took_us
    done
    kill "$load"
    wait "$load"
    ! grep -q '^model name.*TCG' /proc/cpuinfo || limit_s=8
    row "gone within $limit_s s, $ROUNDS of $ROUNDS times: the slowest" - "$((slowest_us / 1000)) ms" \
        within 0 $((limit_s * 1000000)) "$slowest_us"
}
crowd_size() { find "${group[a]}" -name cgroup.procs -exec cat {} + | wc -l; }
prove_delete() { measure delete_crowds; }
