#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the lints, one line each: `ok - name` or `not ok - name: how many findings`, findings below.
# usage: tests/lint/run.sh [--tree DIR] [--build DIR] [LINT...]   (all but the slow `tidy` if none named)
set -u
lint_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd -- "$lint_dir/../.." && pwd)
build=
lints=()
ALL=(layers sizes banned words duplicates format man shell symbols prove)

c_files() {
    local dir
    for dir in src include cgroups tests examples; do
        [ ! -d "$tree/$dir" ] || find "$tree/$dir" -name '*.[ch]' -not -path '*/corpus/*' -print0
    done
}

# A script is what says so in its first line, or is named so.
shell_files() {
    local dir
    for dir in tests examples .ci; do
        [ -d "$tree/$dir" ] || continue
        find "$tree/$dir" -type f -name '*.sh' -print0
        find "$tree/$dir" -type f -not -name '*.*' -exec grep -lZE -m 1 '^#!.*\b(ba|da)?sh\b' {} +
    done | sort -zu
}

lint_layers() { "$lint_dir/layers.py" "$tree"; }
lint_sizes() { "$lint_dir/sizes.py" "$tree"; }
lint_banned() { "$lint_dir/banned.py" "$tree"; }
lint_words() { "$lint_dir/words.py" "$tree"; }
lint_duplicates() { "$lint_dir/duplicates.py" "$tree"; }
lint_prove() { "$lint_dir/prove.sh"; }

lint_symbols() {
    [ -n "$build" ] || { echo 'no --build directory given' && return 77; }
    "$lint_dir/symbols.py" "$tree" "$build"
}

# Lines other than a finding's first are its context.
lint_format() {
    command -v clang-format >/dev/null || return
    c_files | xargs -0 -r -n 16 -P 2 clang-format --dry-run -Werror --style="file:$tree/.clang-format" 2>&1 |
        grep -E 'error|xargs|rror ' |
        sed "s|^$tree/||; s/ code should be clang-formatted \[-Wclang-format-violations\]/ not formatted/"
    return 0
}

# Pages with their generated lists lie in the build folder.
lint_man() {
    local pages
    mapfile -d '' -t pages < <(find "$tree/man" ${build:+"$build/man"} -name '*.[1-8]' -print0 2>/dev/null)
    [ "${#pages[@]}" -gt 0 ] || { echo 'no --build directory given' && return 77; }
    (cd "$tree" && mandoc -T lint -W warning "${pages[@]#"$tree/"}")
}

lint_shell() {
    (cd "$tree" && shell_files | sed -z "s|^$tree/||" |
        xargs -0 -r -n 12 -P 2 shellcheck -x --norc -P SCRIPTDIR -P "$tree" -e SC1091,SC2119,SC2120,SC2187,SC2317 -f gcc)
}

# Minutes: each file is looked at again only when it, a header, the flags or the rules changed.
lint_tidy() {
    [ -s "$build/compile_commands.json" ] || { echo "no compile_commands.json in '$build'" && return 77; }
    "$lint_dir/tidy.py" "$tree" "$build"
}

# A lint fails by what it prints or by its status, so that a crash is not a pass; 77 is a skip.
run_lint() {
    local name=$1 text status
    text=$("lint_$name" 2>&1)
    status=$?
    if [ "$status" -eq 77 ]; then
        echo "skip - lint $name: $text"
    elif [ "$status" -eq 0 ] && [ -z "$text" ]; then
        echo "ok - lint $name"
    else
        echo "not ok - lint $name: $(printf '%s\n' "$text" | wc -l) findings"
        printf '%s\n' "$text" | sed 's/^/#   /'
        return 1
    fi
}

while [ $# -gt 0 ]; do
    case $1 in
        --tree) tree=$(cd -- "$2" && pwd) && shift 2 || exit 2 ;;
        --build) build=$(cd -- "$2" && pwd) && shift 2 || exit 2 ;;
        -*) echo "usage: tests/lint/run.sh [--tree DIR] [--build DIR] [LINT...]" >&2 && exit 2 ;;
        *) lints+=("$1") && shift ;;
    esac
done
[ "${#lints[@]}" -gt 0 ] || lints=("${ALL[@]}")

failed=0
for lint in "${lints[@]}"; do
    declare -F "lint_$lint" >/dev/null || { echo "unknown lint '$lint'; there are ${ALL[*]} tidy" >&2 && exit 2; }
    run_lint "$lint" || failed=1
done
exit "$failed"
