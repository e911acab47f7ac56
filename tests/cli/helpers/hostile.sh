# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For tests with a hostile image: known files of the host, bundles without certain mounts, and
# small C programs. Sourced after lib/cli.sh.
: "${T:?}" "${LIB:?}"
HELPERS=$LIB/../cli/helpers
# shellcheck disable=SC2034 # read by those who source this
{
    SENT=$T/host
    NO_DEV='.mounts |= map(select(.destination | startswith("/dev") | not))'
    NO_PROC='.mounts |= map(select(.destination != "/proc")) | .linux |= del(.maskedPaths, .readonlyPaths)'
    WRITABLE='.root.readonly = false'
    TEST_RACE_S=${TEST_RACE_S:-2}
}

# Known files of the "host", as far away from a rootfs as the real ones: nothing here may change.
make_sentinel() {
    rm -rf "${SENT:?}"
    mkdir -p "$SENT/dir"
    printf 'host\n' >"$SENT/f"
    printf 'host\n' >"$SENT/ptmx"
    printf 'host\n' >"$SENT/dir/null"
}

# helper_program NAME: path of NAME.c of this folder, built static so that it runs in any root.
helper_program() {
    local built=$T/.cli/$1.elf
    [ -x "$built" ] || cc -static -O2 -D_GNU_SOURCE -Wall -Wextra -Werror -o "$built" "$HELPERS/$1.c" || return 1
    printf '%s\n' "$built"
}

# hostile_bundle [JQ-FILTER]...: a new bundle $B with a fresh root, and the sentinel as known.
hostile_bundle() {
    local filter
    B=$T/b
    rm -rf "${B:?}"
    make_sentinel
    make_bundle "$B"
    for filter in "$@"; do
        edit_bundle "$B" "$filter"
    done
}

# in_shell TEXT: the container's process is this shell line.
in_shell() {
    edit_bundle "$B" ".process.args = [\"/bin/sh\", \"-c\", $(jq -Rs . <<<"$1")]"
}

# Runs the bundle; nothing of the host may change, whatever came of it.
run_contained() {
    hostdiff_before "$SENT"
    run -t 10 sublet run -b "$B" "$ID"
    expect_hostdiff_empty
}
