# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # variables of lib.sh
# Processes and threads. The worker forks until it has as many as it was told, or is refused.

# forks ASKED LIMIT TRIES WANTED: what the worker says of its tries.
forks() {
    local answer
    scene
    container a "{\"pids\": {\"limit\": $2}}" fork "$3"
    ended a
    answer=$(<"$T/a/out")
    row "$1" "$answer" "${status_of[a]}" equal "$answer, ${status_of[a]}" "$4, 0"
}
pids_limits() {
    forks 'at most 5: itself and' 5 20 'forked 4 EAGAIN'
    forks '0 is a limit: not one more' 0 20 'forked 0 EAGAIN'
    forks '-1 is none: all of' -1 100 'forked 100 all'
}
prove_pids() { measure pids_limits; }
