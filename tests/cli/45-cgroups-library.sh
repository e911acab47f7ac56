#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 120
# The library of cgroups as others get it: installed, found by pkg-config, used by the example.
# With limits it runs in tests/vm/71-stats-events.sh.
# shellcheck disable=SC2016 # for the shell inside
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
: "${SUBLET_BUILD:?}"
export PKG_CONFIG_SYSROOT_DIR=$T/dest
examples=$LIB/../../examples/cgroups

t 'the library is installed with its headers and its pkg-config file, and nothing else'
[ "${TEST_SANITIZED:-0}" = 0 ] || skip 'a sanitized archive is of no use to others'
run env DESTDIR="$T/dest" cmake --install "$SUBLET_BUILD" --component cgroups
expect_status 0
found=$(find "$T/dest" -name sublet-cgroups.pc -printf '%h')
export PKG_CONFIG_PATH=$found
expect test -n "$found"
expect_eq files "$(cd "$T/dest" && find . -type f -not -name '*.h' -printf '%f\n' | sort | paste -sd ' ')" \
    'libsublet-cgroups.a sublet-cgroups.pc'
run pkg-config --modversion sublet-cgroups
expect_eq version "$(<"$T/out")" "$("$SUBLET" --version | sed -n '1s/.* //p')"

t 'no name of the archive is seen but those of its headers'
[ "${TEST_SANITIZED:-0}" = 0 ] || skip 'a sanitized archive is of no use to others'
run bash -c 'nm -g --defined-only "$1" | grep -vE " [A-Z] (cg|cgroup|cgroups|knob|arena|sub)_|^$|:$"' _ "$(find "$T/dest" -name '*.a')"
expect_out ''

t 'the example is built with the installed copy alone'
[ "${TEST_SANITIZED:-0}" = 0 ] || skip 'a sanitized archive is of no use to others'
cp "$examples/measure.c" "$T"
line=$(sed -n 's/^ \*   \(cc .*\) \*\/$/\1/p' "$T/measure.c")
run bash -c "cd '$T' && $line -Wall -Wextra -Werror"
expect_status 0
expect_quiet

t 'the example measures a command and leaves no group'
[ "${TEST_SANITIZED:-0}" = 0 ] || skip 'a sanitized archive is of no use to others'
run "$T/measure" "$ID" sh -c 'i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; sleep 600 & exit 3'
expect_status 0
expect_quiet
expect_out_match '^status 3, CPU [1-9][0-9]{3,} us(, memory [0-9]+ bytes, OOM kills 0)?$'
expect_absent "$cli_cgroups/$ID"

t 'the example says what the library says'
[ "${TEST_SANITIZED:-0}" = 0 ] || skip 'a sanitized archive is of no use to others'
run "$T/measure" "$ID/../x" true
expect_status 1
expect_err_match "^measure: GROUP: .*$ID/\.\./x"
run "$T/measure" "$ID" cgroup.kill=1 true
expect_status 1
expect_err "measure: cgroup.kill: 'cgroup.kill' is not a limit"
expect_absent "$cli_cgroups/$ID"
