# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Helpers of the command line tests. A test file sources this first and then reads like what a
# person would type:
#
#     t 'run gives back the status of the process'
#     make_bundle "$T/b" '.process.args = ["/bin/sh", "-c", "exit 7"]'
#     run sublet run -b "$T/b" "$ID"
#     expect_status 7
#
# $SUBLET is the program under test. Each file gets a private mount namespace whose mounts are
# shared, as on a host with systemd, so that a leaking mount shows; a folder $T of its own, removed
# at the end; a state root $T/root; and $ID, which names of containers begin with and no other file
# uses. After each test nothing may be left: no mount, process, cgroup or state (see leftovers).
#
# `run` puts the status in $status and the output in $T/out and $T/err. The first expectation that
# does not hold is the reason printed. After `skip REASON` the later `run` and `expect_` lines of
# the test do nothing.

set -u
: "${SUBLET:?the program under test}"

if [ "${CLI_NAMESPACE:-}" != "$$" ]; then
    # shellcheck disable=SC2016 # for the inner shell
    CLI_NAMESPACE=$$ exec unshare --mount --propagation private -- \
        bash -c 'mount --make-rshared / && exec bash "$0" "$@"' "$0" "$@"
fi

SUBLET=$(realpath -- "$SUBLET")
LIB=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
T=$(mktemp -d "${TMPDIR:-/tmp}/sublet-cli.XXXXXX") || exit 1
ID=t$$z # no other file's begins with it
RUN_LIMIT_S=20
status=0
mkdir -m 0700 "$T/root" "$T/.cli"

# shellcheck source=tests/lib/leftovers.sh
. "$LIB/leftovers.sh"
# shellcheck source=tests/lib/bundle.sh
. "$LIB/bundle.sh"

cli_name=
cli_reason=
cli_skipped=
cli_failed=0

cli_finish() {
    [ -n "$cli_name" ] || return 0
    leftovers >"$T/.cli/left"
    if [ -z "$cli_reason" ] && [ -s "$T/.cli/left" ]; then
        fail "left behind: $(head -n 3 "$T/.cli/left" | paste -sd ';')" || true
    fi
    if [ -n "$cli_reason" ]; then
        printf 'not ok - %s: %s\n' "$cli_name" "$cli_reason"
        [ ! -s "$T/.cli/err" ] || tail -n 5 "$T/.cli/err" | sed 's/^/#   stderr: /'
        sed 's/^/#   left: /' "$T/.cli/left"
        cli_failed=$((cli_failed + 1))
        clean
    elif [ -n "$cli_skipped" ]; then
        printf 'skip - %s: %s\n' "$cli_name" "$cli_skipped"
    else
        printf 'ok - %s\n' "$cli_name"
    fi
    cli_name=
}

# t NAME: begins a test; its name is a sentence.
t() {
    cli_finish
    cli_name=$1
    cli_reason=
    cli_skipped=
    : >"$T/out"
    : >"$T/err"
    : >"$T/.cli/err"
    leftovers_base
}

skip() { cli_skipped=$1; }

# Says why the test fails; the first reason stands.
fail() {
    [ -z "$cli_reason" ] && [ -z "$cli_skipped" ] || return 1
    cli_reason=$(printf '%s' "$1" | tr '\n' '|')
    [ ! -e "$T/err" ] || cp "$T/err" "$T/.cli/err" # what came later would mislead
    return 1
}

cli_exit() {
    local rc=$?
    cli_finish
    clean
    rm -rf --one-file-system "$T"
    [ "$rc" -ne 0 ] || [ "$cli_failed" -eq 0 ] || rc=1
    exit "$rc"
}
trap cli_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

sublet() { "$SUBLET" --root "$T/root" --ledger "$T/ledger" "$@"; }

# run [-t SECONDS] [-i FILE] COMMAND...: COMMAND may be `sublet`, with the state root of this file.
run() {
    local limit_s=$RUN_LIMIT_S input=/dev/null started=$SECONDS
    [ -z "$cli_skipped" ] || return 0
    while :; do
        case $1 in
            -t) limit_s=$2 ;;
            -i) input=$2 ;;
            *) break ;;
        esac
        shift 2
    done
    if [ "$1" = sublet ]; then
        shift
        set -- "$SUBLET" --root "$T/root" --ledger "$T/ledger" "$@"
    fi
    status=0
    timeout -k 2 "$limit_s" "$@" <"$input" >"$T/out" 2>"$T/err" || status=$?
    # A status of 124 may be the command's own; only the clock knows.
    case $status in
        124 | 137) [ $((SECONDS - started)) -lt "$limit_s" ] || fail "not finished after $limit_s s: $*" ;;
    esac
    if [ -s "$T/err" ] && grep -qE 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$T/err"; then
        fail "sanitizer: $(grep -m 1 -E 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$T/err")"
    fi
    return 0
}

expect_eq() {
    [ -n "$cli_skipped" ] || [ "$2" = "$3" ] || fail "$1: got '$2', expected '$3'"
}
expect_status() { expect_eq status "$status" "$1"; }
expect_out() { expect_eq output "$(<"$T/out")" "$1"; }
expect_err() { expect_eq 'error output' "$(<"$T/err")" "$1"; }
expect_quiet() { expect_err ''; }

# The last line of the error output, where the cause is told.
expect_error() {
    local lines
    mapfile -t lines <"$T/err"
    expect_eq 'last line of the error output' "${lines[*]: -1}" "$1"
}

cli_has() {
    [ -n "$cli_skipped" ] || grep -qF -- "$3" "$2" || fail "$1 lacks '$3': $(head -c 300 "$2")"
}
cli_lacks() {
    [ -n "$cli_skipped" ] || ! grep -qF -- "$3" "$2" || fail "$1 has '$3'"
}
cli_matches() {
    [ -n "$cli_skipped" ] || grep -qE -- "$3" "$2" || fail "$1 does not match '$3': $(head -c 300 "$2")"
}
expect_out_has() { cli_has output "$T/out" "$1"; }
expect_err_has() { cli_has 'error output' "$T/err" "$1"; }
expect_out_lacks() { cli_lacks output "$T/out" "$1"; }
expect_err_lacks() { cli_lacks 'error output' "$T/err" "$1"; }
expect_out_match() { cli_matches output "$T/out" "$1"; }
expect_err_match() { cli_matches 'error output' "$T/err" "$1"; }

# expect_json FILTER WANTED [FILE]: what jq -cr finds in the output.
expect_json() {
    [ -n "$cli_skipped" ] || expect_eq "$1" "$(jq -cr "$1" "${3:-$T/out}" 2>&1)" "$2"
}

expect_file() {
    [ -n "$cli_skipped" ] || [ -f "$1" ] || fail "no file $1" || return
    expect_eq "$1" "$(<"$1")" "$2"
}
expect_absent() {
    if [ -z "$cli_skipped" ] && { [ -e "$1" ] || [ -L "$1" ]; }; then
        fail "$1 is there"
    fi
}

# expect COMMAND...: any command that must succeed.
expect() {
    [ -n "$cli_skipped" ] || "$@" >"$T/.cli/expect" 2>&1 || fail "does not hold: $* $(head -c 200 "$T/.cli/expect")"
}

# until_true SECONDS COMMAND...: waits for something that happens on its own, at most so long.
until_true() {
    local deadline=$((SECONDS + $1))
    shift
    [ -z "$cli_skipped" ] || return 0
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || { fail "did not become true: $*"; return 1; }
        sleep 0.02
    done
}

# container_status ID: as `state` tells it, or nothing.
container_status() { sublet state "$1" 2>/dev/null | jq -r .status; }
container_is() { [ "$(container_status "$1")" = "$2" ]; }
