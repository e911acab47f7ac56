#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds sublet and runs its tests. Each test prints one line, `ok - name`, `not ok - name: reason`
# or `skip - name: reason`; the last line of all is `N passed, N failed, N skipped`.
set -u
repo=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tests/lib/need.sh
. "$repo/tests/lib/need.sh"
# shellcheck source=tests/lib/stages.sh
. "$repo/tests/lib/stages.sh"

logs=$repo/build/logs

usage() {
    cat <<'TEXT'
usage: tests/run.sh [--list] [STAGE...]

Runs the named stages, or all but the long ones, after building what they need. As root; installs the
Debian packages that are missing. Logs are kept in build/logs.
TEXT
    list_stages
}

list_stages() {
    local row name limit_s what
    for row in "${STAGES[@]}"; do
        IFS='|' read -r name limit_s _ what <<<"$row"
        printf '  %-8s %s (at most %s s)\n' "$name" "$what" "$limit_s"
    done
}

stage_row() {
    local row
    for row in "${STAGES[@]}"; do
        [ "${row%%|*}" = "$1" ] && printf '%s\n' "$row" && return
    done
    return 1
}

count() { grep -c "^$1 - " "$2"; }

# Shows failures at once and the rest as one line.
run_stage() {
    local name=$1 limit_s preset log=$logs/$1.log status started=$SECONDS
    IFS='|' read -r _ limit_s preset _ <<<"$(stage_row "$name")"
    printf '== %s\n' "$name"
    ran+=("$name")
    if [ -n "$preset" ] && ! grep -qx "ok - build $preset" "$logs/build.log"; then
        printf 'skip - %s: the %s build failed\n' "$name" "$preset" | tee "$log"
        return
    fi
    timeout -k 10 "$limit_s" "$repo/tests/run.sh" --inside "$name" </dev/null >"$log" 2>&1
    status=$?
    if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
        printf '\nnot ok - %s: took more than %s seconds\n' "$name" "$limit_s" >>"$log"
    elif [ "$status" -ne 0 ] && ! grep -q '^not ok - ' "$log"; then
        printf '\nnot ok - %s: ended with status %s\n' "$name" "$status" >>"$log"
    fi
    grep '^not ok - ' "$log" | head -n 40
    printf '   %s passed, %s failed, %s skipped (%s s)\n' \
        "$(count ok "$log")" "$(count 'not ok' "$log")" "$(count skip "$log")" "$((SECONDS - started))"
}

# The end: what was skipped and why, what failed and where to read more, and the numbers.
tell() {
    local name log passed=0 failed=0 skipped=0
    for name in "${ran[@]}"; do
        log=$logs/$name.log
        passed=$((passed + $(count ok "$log")))
        failed=$((failed + $(count 'not ok' "$log")))
        skipped=$((skipped + $(count skip "$log")))
        sed -n 's/^skip - /skipped: /p' "$log"
    done
    for name in "${ran[@]}"; do
        sed -n "s|^not ok - \(.*\)|failed: \1 (build/logs/$name.log)|p" "$logs/$name.log"
    done
    printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

case ${1:-} in
    --help | -h) usage && exit 0 ;;
    --list) list_stages && exit 0 ;;
    --inside)
        cd "$repo" && "stage_$2"
        exit ;;
esac

wanted=("$@")
for name in "$@"; do
    stage_row "$name" >/dev/null || { printf "unknown stage '%s'\n" "$name" >&2 && usage >&2 && exit 2; }
done
if [ "${#wanted[@]}" -eq 0 ]; then
    mapfile -t wanted < <(printf '%s\n' "${STAGES[@]}" | grep -v -e '^build|' -e '|long: ' | cut -d '|' -f 1)
fi

cd "$repo" || exit 1
mkdir -p "$logs"
ran=()
need "${NEED_BUILD[@]}" "${NEED_TEST[@]}" >"$logs/packages.log" 2>&1 ||
    { cat "$logs/packages.log" && printf '0 passed, 1 failed, 0 skipped\n' && exit 1; }
run_stage build
for name in "${wanted[@]}"; do
    [ "$name" = build ] || run_stage "$name"
done
tell
