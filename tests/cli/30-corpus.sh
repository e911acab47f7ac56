#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 300
# Every refused config of tests/corpus through the program: `create` ends with the first message and
# has done nothing, `plan` tells them all. One test for each row of the list of malformed input.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
CORPUS=$LIB/../corpus
FINDINGS_MAX=20
LIMIT_US=${TEST_SANITIZED:+9}000000
[ "$LIMIT_US" != 000000 ] || LIMIT_US=1000000

mkdir -p "$T/bundle/rootfs"
cd "$T/bundle" || exit 1

# The expectation as findings, one each in `wanted`. In a file for newlines it is one finding, whose
# newline the program shows as \n.
read_wanted() {
    local line text
    wanted=()
    while IFS= read -r line; do
        case $line in
            ok | 'warning: '*) ;;
            *) wanted+=("$line") ;;
        esac
    done <"$1"
    if [[ $1 == *-newline.expect ]] && [ "${#wanted[@]}" -gt 0 ]; then
        text=$(printf '%s\\n' "${wanted[@]}")
        wanted=("${text%\\n}")
    fi
}

# try COMMAND...: status, lines of the error output in `said` without warnings, time in `took_us`.
try() {
    local begun=${EPOCHREALTIME/./} line
    status=0
    timeout -k 1 10 "$SUBLET" --root "$T/root" "$@" </dev/null >"$T/out" 2>"$T/err" || status=$?
    took_us=$((${EPOCHREALTIME/./} - begun))
    said=()
    while IFS= read -r line; do
        [[ $line == 'sublet: warning: '* ]] || said+=("$line")
    done <"$T/err"
}

refused_by_create() {
    local name=$1 line
    try create "$ID"
    # The machine may have been busy with something else: a second look decides.
    [ "$took_us" -lt "$LIMIT_US" ] || try create "$ID"
    [ "$took_us" -lt "$LIMIT_US" ] || fail "$name: create took $took_us us"
    [ "$status" -eq 1 ] || fail "$name: create ended with status $status"
    [ ! -s "$T/out" ] || fail "$name: create printed '$(head -c 200 "$T/out")'"
    line=${said[*]}
    [ "${line%" (and "*" more: 'sublet plan' tells all)"}" = "sublet: ${wanted[0]}" ] ||
        fail "$name: create said '${said[*]}', expected 'sublet: ${wanted[0]}'"
    our_states
    [ "${#our_containers[@]}" -eq 0 ] || fail "$name: a state is left"
}

# plan looks further than the spec alone, so there may be findings between the expected ones.
told_by_plan() {
    local name=$1 next=0 line
    try plan "$ID"
    [ "$status" -eq 1 ] || fail "$name: plan ended with status $status"
    [ ! -s "$T/out" ] || fail "$name: plan printed '$(head -c 200 "$T/out")'"
    for line in "${said[@]}"; do
        [ "$next" -ge "${#wanted[@]}" ] || [ "$line" != "sublet: ${wanted[$next]}" ] || next=$((next + 1))
    done
    [ "$next" -eq "${#wanted[@]}" ] || [ "$next" -eq "$FINDINGS_MAX" ] ||
        fail "$name: plan did not tell '${wanted[$next]}': ${said[*]}"
}

row=
count=0
for expect in "$CORPUS"/*.expect; do
    read_wanted "$expect"
    [ "${#wanted[@]}" -gt 0 ] || continue
    name=${expect##*/}
    name=${name%.expect}
    if [ "${name%%-*}" != "$row" ]; then
        row=${name%%-*}
        t "malformed input, row $row: create refuses it with the message and plan tells all"
    fi
    rm -f config.json
    cp "$CORPUS/$name.json" config.json
    refused_by_create "$name"
    told_by_plan "$name"
    count=$((count + 1))
done

t 'the corpus has its 300 refused configs'
[ "$count" -ge 300 ] || fail "only $count"
cd /
