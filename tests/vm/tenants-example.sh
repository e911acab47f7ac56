#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What examples/tenants.sh shows: fixed and pinned tenants do not notice the neighbour that takes
# what the elastic one had borrowed; and the ledger tells it, afterwards.
# long
# measures
# limit: 150
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

# row TEXT: the figures of a line, in hundredths of a CPU, into row[].
row() {
    mapfile -t row < <(sed -n "s/^$1 \+//p" "$T/out" | tr -s ' ' '\n' | tr -d . | sed 's/^0*\(.\)/\1/')
    expect_eq "figures of '$1'" "${#row[@]}" 4
}

t 'the example shows who keeps what when a noisy neighbour arrives'
run -t 120 env SUBLET="$SUBLET" "$LIB/../../examples/tenants.sh"
sed 's/^/# /' "$T/out"
expect_status 0
expect_quiet
row 'elastic borrows what is idle'
expect [ "${row[0]}" -ge 22 ] && expect [ "${row[0]}" -le 28 ]
expect [ "${row[2]}" -ge 90 ]
borrowed=${row[1]}
row 'and goes on'
expect [ "${row[0]}" -ge 22 ] && expect [ "${row[0]}" -le 28 ]
expect [ "${row[1]}" -lt "$borrowed" ]
expect [ "${row[1]}" -ge 24 ]
expect [ "${row[2]}" -ge 90 ]
expect [ "${row[3]}" -ge 20 ]
row 'elastic now has a ceiling of 0.3'
expect [ "${row[1]}" -le 33 ]
# the ledger afterwards: nobody broke a promise
expect_out_has ' 1. it had all that its contract promises, and wanted more: '
expect_out_has ' 1. its own cap stopped it: '
expect_out_match '^elastic +[0-9.]+ +[0-9.]+ +[1-9]' # seconds that it borrowed
expect_absent /sys/fs/cgroup/sublet.tenants
