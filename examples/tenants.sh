#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Three tenants side by side, one with a fixed share, one elastic, one pinned to a CPU of its own;
# then a noisy neighbour arrives and leaves again. Every two seconds the CPUs that each one used.
# Needs root, cgroup v2 with its controllers, two CPUs and sublet in $PATH or $SUBLET. Definitions
# are kept in a temporary folder, so those of this host stay what they are.
set -euo pipefail

sublet=${SUBLET:-sublet}
definitions=$(mktemp -d)
tenants=(fixed elastic pinned noisy)

sublet() {
    command "$sublet" --tenants "$definitions" "$@"
}

finish() {
    for name in "${tenants[@]}"; do
        sublet tenant remove --force "$name" 2>/dev/null || true
        command "$sublet" delete --force "tenants-$name" 2>/dev/null || true
    done
    rm -r "$definitions"
}

# Before Linux 6.7 a pinned tenant lies at the top.
group_of() {
    local group=/sys/fs/cgroup/sublet.tenants/$1
    [ -d "$group" ] || group=/sys/fs/cgroup/sublet.pinned-$1
    echo "$group"
}

used() {
    sed -n 's/^usage_usec //p' "$(group_of "$1")/cpu.stat"
}

# work NAME THREADS: as many endless loops in a container of that tenant.
work() {
    # shellcheck disable=SC2016 # for the shell inside
    sublet run --detach --tenant "$1" --overlay / --name "tenants-$1" -- \
        sh -c 'for i in $(seq "$1"); do while :; do :; done & done; wait' sh "$2"
}

# look TEXT: how many CPUs each tenant used in two seconds.
look() {
    local name before after began took
    declare -A before
    began=${EPOCHREALTIME/[.,]/}
    for name in "${tenants[@]}"; do before[$name]=$(used "$name"); done
    sleep 2
    printf '%-42s' "$1"
    took=$((${EPOCHREALTIME/[.,]/} - began))
    for name in "${tenants[@]}"; do
        after=$((($(used "$name") - before[$name]) * 100 / took))
        printf '%7d.%02d' $((after / 100)) $((after % 100))
    done
    printf '\n'
}

if [ -d /sys/fs/cgroup/sublet.tenants ]; then
    echo "${0##*/}: this host has tenants already; they would be changed" >&2
    exit 1
fi
trap finish EXIT
cpus=$(nproc --all)
sublet tenant set fixed --cpu 'fixed 0.25' --memory 128M
sublet tenant set elastic --cpu 'elastic 0.25' --memory 128M
sublet tenant set pinned --cpu 'pinned 1' --memory 128M
sublet tenant set noisy --cpu "elastic 0.25 ceiling $cpus" --memory 128M
sublet tenant list
echo
printf '%-42s%10s%10s%10s%10s\n' 'CPUs used' "${tenants[@]}"
for name in fixed elastic pinned; do work "$name" 1; done
look 'one loop each'
work noisy $((cpus * 4))
look "noisy arrives with $((cpus * 4)) loops"
look 'and goes on'
command "$sublet" delete --force tenants-noisy
look 'noisy has left'
sublet tenant set elastic --cpu 'elastic 0.25 ceiling 0.3'
look 'elastic now has a ceiling of 0.3'
