# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of features share: a container whose process is the probe. Sourced after cli.sh.
: "${T:?}" "${ID:?}" "${SUBLET:?}" "${LIB:?}"

FEATURES=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

# words ARGUMENT...: as a JSON list.
words() { jq -cn '$ARGS.positional' --args -- "$@"; }

# probe_bundle JQ-FILTER [PROBE-ARGUMENT...]: $T/b, whose process is the probe.
probe_bundle() {
    local filter=$1
    shift
    make_bundle "$T/b" ".process.args = $(words /bin/probe "$@") | $filter"
}

# look JQ-FILTER [PROBE-ARGUMENT...]: runs it; the answers are in $T/out.
look() {
    probe_bundle "$@"
    run sublet run -b "$T/b" "$ID"
    expect_status 0
    expect_quiet
}

# sh_bundle JQ-FILTER SCRIPT: $T/b, whose process is a shell.
sh_bundle() {
    make_bundle "$T/b" ".process.args = $(words /bin/sh -c "$2") | $1"
}

# shell JQ-FILTER SCRIPT: runs it.
shell() {
    sh_bundle "$@"
    run sublet run -b "$T/b" "$ID"
}

# add_mount MOUNT...: a filter that puts these behind the default mounts.
add_mount() {
    local IFS=,
    printf '.mounts += [%s]' "$*"
}

# no_namespace TYPE: a filter.
no_namespace() { printf '.linux.namespaces |= map(select(.type != "%s"))' "$1"; }

# set_namespace TYPE [PATH]: a filter.
set_namespace() {
    printf '.linux.namespaces |= map(select(.type != "%s")) + [{"type": "%s"}%s]' "$1" "$1" \
        "${2:+ + {\"path\": \"$2\"\}}"
}

# expect_mount TARGET FILTER WANTED: what the probe tells of the topmost mount there.
expect_mount() {
    expect_json "[.mounts[] | select(.target == \"$1\")] | last | $2" "$3"
}

# helper NAME: a small C program of this folder, built once; its path.
helper() {
    local program=$T/.cli/$1
    [ -x "$program" ] || cc -static -O2 -D_GNU_SOURCE -Wall -o "$program" "$FEATURES/$1.c" || return 1
    printf '%s\n' "$program"
}

# create_probe ... : a container that waits.
create() {
    run sublet create -b "$T/b" "$@"
    expect_status 0
    expect_quiet
}
