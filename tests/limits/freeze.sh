# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # variables of lib.sh
# A paused container makes no progress at all and is not harmed.
freeze() {
    local frozen moving
    scene
    container a '{}' spin 2
    window 500
    moving=${seen[a.inside.progress]:-0}
    row 'running: rounds of work in 0.5 s' "$moving" "$(got a.cpu_us) us" within 1 999999999 "$moving"
    run sublet pause "$ID-a"
    expect_status 0
    window --warm 0 --still 1000
    frozen=${seen[a.inside.progress]:-1}
    row 'paused: none in 1 s' "$frozen" "$(got a.cpu_us) us" equal "$frozen $(got a.cpu_us)" '0 0'
    run sublet resume "$ID-a"
    expect_status 0
    window 500
    moving=${seen[a.inside.progress]:-0}
    row 'resumed: they go on' "$moving" "$(got a.cpu_us) us" within 1 999999999 "$moving"
    over
}
prove_freeze() { measure freeze; }
