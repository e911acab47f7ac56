#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What examples/quickstart.sh shows on a host with cgroup v2 controllers: the limits from inside,
# what was used, and that the host stays as it was.
# measures
# limit: 200
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

repo=$(cd -- "$LIB/../.." && pwd)
mkdir -p "$repo/build/quickstart"
cp "$SUBLET" "$repo/build/quickstart/sublet"

t 'the quickstart shows its own world, its limits, what it used, and leaves the host alone'
host=$(uname -n)
run -t 120 "$repo/examples/quickstart.sh" --demonstrate
expect_status 0
expect_quiet
expect_out_match '^pid: +1, one of [1-9] processes$'
expect_out_match '^cpu.max: +50000 100000 '
expect_out_match '^memory.max: +67108864$'
expect_out_match '^pids.max: +32$'
expect_out_match '^wrote: .* /var/tmp/made-by-quickstart\.[0-9]+$'
expect_out_match '^/var/tmp/made-by-quickstart\.[0-9]+ is not here$'
expect_out_match '^ +cpu.stat +usage_usec [1-9]'
expect_out_match '^ +cpu.stat +nr_throttled [1-9]'
expect_eq 'host names' "$(sed -n 's/^host name: *//p' "$T/out" | paste -sd ' ')" "quickstart $host"
expect_out_lacks 'is on the host'
# Half a CPU, measured in the scheduler's own periods: "four seconds" are longer on a busy host.
used_us=$(sed -n 's/^ *cpu.stat *usage_usec //p' "$T/out")
periods=$(sed -n 's/^ *cpu.stat *nr_periods //p' "$T/out")
expect [ "${used_us:-0}" -ge 1000000 ]
expect [ "${used_us:-0}" -le $((${periods:-0} * 57500 + 100000)) ]
