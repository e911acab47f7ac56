#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Three tenants side by side, one with a fixed share, one elastic, one pinned to a CPU of its own;
# then a noisy neighbour arrives and leaves again. Every two seconds the CPUs that each one used; at
# the end what the ledger says of it all: the report, and `why` for who was slower than before.
# Needs root, cgroup v2 with its controllers, two CPUs and sublet in $PATH or $SUBLET. Definitions,
# containers and the ledger are kept in a temporary folder, so those of this host stay what they are.
set -euo pipefail

program=${SUBLET:-sublet}
tenants=(fixed elastic pinned noisy)

sublet() {
    "$program" "${options[@]}" "$@"
}

finish() {
    [ -z "${meter:-}" ] || kill "$meter" 2>/dev/null || true
    for name in "${tenants[@]}"; do
        sublet delete --force "tenants-$name" 2>/dev/null || true
        sublet tenant remove --force "$name" 2>/dev/null || true
    done
    wait
    rm -r "$place"
}

# read_used NAME: microseconds of CPU time so far, into used. cpu.stat begins with them.
read_used() {
    local group=/sys/fs/cgroup/sublet.tenants/$1
    [ -d "$group" ] || group=/sys/fs/cgroup/sublet.pinned-$1 # a pinned tenant before Linux 6.7
    read -r _ used <"$group/cpu.stat"
}

# work NAME THREADS: as many endless loops in a container of that tenant.
work() {
    # shellcheck disable=SC2016 # for the shell inside
    sublet run --detach --tenant "$1" --overlay / --name "tenants-$1" -- \
        sh -c 'for i in $(seq "$1"); do while :; do :; done & done; wait' sh "$2"
}

# look TEXT: how many CPUs each tenant used in two seconds.
look() {
    local name used began took hundredths
    declare -A before after
    began=${EPOCHREALTIME/[.,]/}
    for name in "${tenants[@]}"; do read_used "$name" && before[$name]=$used; done
    sleep 2
    took=$((${EPOCHREALTIME/[.,]/} - began))
    for name in "${tenants[@]}"; do read_used "$name" && after[$name]=$used; done
    printf '%-40s' "$1"
    for name in "${tenants[@]}"; do
        hundredths=$(((after[$name] - before[$name]) * 100 / took))
        printf '%7d.%02d' $((hundredths / 100)) $((hundredths % 100))
    done
    printf '\n'
}

# say TEXT: what comes next.
say() {
    printf '\n# %s\n' "$*"
}

now() {
    date -u +%FT%T.%6NZ
}

if [ -d /sys/fs/cgroup/sublet.tenants ]; then
    echo "${0##*/}: this host has tenants already; they would be changed" >&2
    exit 1
fi
place=$(mktemp -d)
options=(--root "$place/root" --tenants "$place/tenants" --ledger "$place/ledger")
trap finish EXIT
cpus=$(nproc --all)
say 'Contracts: what each tenant is promised.'
sublet tenant set fixed --cpu 'fixed 0.25' --memory 128M
sublet tenant set elastic --cpu 'elastic 0.25' --memory 128M
sublet tenant set pinned --cpu 'pinned 1' --memory 128M
sublet tenant set noisy --cpu "elastic 0.25 ceiling $cpus" --memory 128M
sublet tenant list

"$program" "${options[@]}" meter --interval 1s &
meter=$!
say 'One loop in each of the first three, then the neighbour: CPUs used.'
printf '%-40s%10s%10s%10s%10s\n' '' "${tenants[@]}"
began=$(now)
for name in fixed elastic pinned; do work "$name" 1; done
look 'elastic borrows what is idle'
arrived=$(now)
work noisy $((cpus * 4))
look "noisy arrives with $((cpus * 4)) loops"
look 'and goes on'
sublet delete --force tenants-noisy
left=$(now)
look 'noisy has left'
sublet tenant set elastic --cpu 'elastic 0.25 ceiling 0.3'
look 'elastic now has a ceiling of 0.3'
ended=$(now)
for name in fixed elastic pinned; do sublet delete --force "tenants-$name"; done
kill "$meter"
wait "$meter"
meter=

say 'What the meter has seen: sublet report'
sublet report --from "$began" --to "$ended"
say 'Elastic was slower while noisy was there: sublet why elastic'
sublet why elastic --from "$arrived" --to "$left"
say 'And fixed, all the time: sublet why fixed'
sublet why fixed --from "$began" --to "$ended"
