#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the meter itself uses, as its ledger tells it: windows of 1 s, records each 60 s, in cases of
# what its tenants do. Natively, on any host with cgroup v2 mounted somewhere. Left out: comparing
# contracts with the files of groups, for the tenants have no definitions here.
#
# usage: tests/bench/meter.sh [TENANTS [SECONDS [CASE...]]]   default 1000 125 empty asleep awake busy
set -eu

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/need.sh
. "$here/../lib/need.sh"
need gcc libc6-dev util-linux
count=${1:-1000} seconds=${2:-125}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- empty asleep awake busy
top=$here/../..
build=${SUBLET_BUILD:-$top/build/release}
BENCH_CGROUPS=$(findmnt --noheadings --output TARGET --types cgroup2 | head -n 1)
export BENCH_CGROUPS
work=$(mktemp -d "${TMPDIR:-/tmp}/sublet-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

libraries=()
for room in account tenant plan spec cgroups json sys base; do
    libraries+=("$build/libsublet_$room.a")
done
cc -std=gnu17 -D_GNU_SOURCE -O2 -I"$top/include" -o "$work/meter" "$here/meter.c" \
    -Wl,--wrap=tenant_cgroups_open,--wrap=drift_look -Wl,--start-group "${libraries[@]}" -Wl,--end-group \
    -lyajl -lseccomp -lm
for what in "$@"; do
    mkdir "$work/$what"
    "$work/meter" "$work/$what" "$count" "$what" "$seconds"
done
