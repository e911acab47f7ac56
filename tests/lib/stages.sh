# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The stages of tests/run.sh: what each runs, in the repository's root. Sourced.

release=build/release
debug=build/debug

# shellcheck disable=SC2034 # read by tests/run.sh
# name | time limit in seconds | build it needs | what it is; a long one runs only when it is named
STAGES=(
    'build|900||release and sanitized builds with gcc, a build with clang; warnings are errors'
    'lint|300||layers, sizes, banned calls, words, repeats, format, man pages, shell, symbols'
    'tidy|1200|clang|clang-tidy over what changed since it last passed'
    'unit|300|release|unit tests (check)'
    'golden|120|release|golden plans'
    'cli|900|release|the command line on this machine'
    'debug|1500|debug|unit, golden and command line tests under ASan and UBSan'
    'vm|1800|release|limits in a guest with cgroup v2 controllers'
    'torture|600|release|kills and errors at a sample of the system calls'
    'fuzz|300|debug|the fuzz corpus replayed under ASan and UBSan'
    'engines|43200|release|long: podman, containerd, docker, buildah and conmon in guests, beside runc'
    'proof|3600|release|long: guests for what has to be measured, or waits for systemd'
)

# file_limit_s FILE: a test file may ask for more than the default time: `# limit: 300`
file_limit_s() {
    local limit
    limit=$(sed -n 's/^# limit: \([0-9]\+\)$/\1/p' "$1" | head -n 1)
    printf '%s\n' "${limit:-240}"
}

# Puts the group and the file before each name. A file that prints no result, or that ends badly
# without naming a failure, is a failure itself.
judge_output() {
    local label=$1 output=$2 status=$3 limit_s=$4
    sed -E "s/^(ok|not ok|skip) - /&$label: /" "$output"
    case $status in
        0) grep -qE '^(ok|not ok|skip) - ' "$output" || printf 'not ok - %s: printed no result\n' "$label" ;;
        124 | 137) printf 'not ok - %s: took more than %s seconds\n' "$label" "$limit_s" ;;
        *) grep -q '^not ok - ' "$output" || printf 'not ok - %s: ended with status %s\n' "$label" "$status" ;;
    esac
}

# wait_for_room N: before one more job of this shell begins, until fewer than N run.
wait_for_room() {
    while [ "$(jobs -rp | wc -l)" -ge "$1" ]; do
        wait -n
    done
}

# run_file GROUP FILE COMMAND...: one test program under its time limit. Its results come out in one
# piece: another file may run beside it.
run_file() {
    local group=$1 file=$2 limit_s output status began=$SECONDS
    shift 2
    limit_s=$(file_limit_s "$file")
    output=$(mktemp "${TMPDIR:-/tmp}/sublet-test.XXXXXX") || return 1
    setpriv --pdeathsig TERM -- timeout -k 10 "$limit_s" "$@" </dev/null >"$output" 2>&1
    status=$?
    judge_output "$group $(basename "$file" .sh)" "$output" "$status" "$limit_s" >"$output.judged"
    printf '# %s %s: %s s\n' "$group" "$(basename "$file" .sh)" "$((SECONDS - began))" >>"$output.judged"
    flock build/logs cat "$output.judged"
    rm -f "$output" "$output.judged"
}

# run_scripts GROUP FOLDER BUILD: every *.sh of the folder over the binary of the build, one more at
# once than there are CPUs: much of their time is spent waiting. Each has its own names for all it
# makes (see tests/lib/cli.sh).
run_scripts() {
    local group=$1 folder=$2 build=$3 file
    for file in "$folder"/*.sh; do
        [ -e "$file" ] || continue
        wait_for_room $(($(nproc) + 1))
        SUBLET=$PWD/$build/sublet SUBLET_BUILD=$PWD/$build run_file "$group" "$file" bash "$file" &
    done
    wait
}

# Check's own TAP lines are `ok 3 - file:suite:name: Passed` or `not ok 3 - file:suite:name: why`. A
# test that cannot run here passes and says `skipped: name: why` before.
read_tap() {
    awk '
        match($0, /^skipped: [A-Za-z0-9_]+: /) {
            name = substr($0, 10, RLENGTH - 11)
            sub(/_fn$/, "", name)
            skipped[name] = 1
            print "skip - " name ": " substr($0, RLENGTH + 1)
            next
        }
        match($0, /^(not )?ok [0-9]+ - [^:]*:[^:]*:[^:]*: /) {
            verdict = $1 == "ok" ? "ok" : "not ok"
            split(substr($0, 1, RLENGTH), part, ":")
            if (verdict == "ok" && !(part[3] in skipped))
                print "ok - " part[3]
            if (verdict != "ok")
                print "not ok - " part[3] ": " substr($0, RLENGTH + 1)
            next
        }
        { print }'
}

run_unit_binary() {
    local binary=$1 room output status
    room=$(basename "$binary")
    room=${room#test_}
    output=$(mktemp "${TMPDIR:-/tmp}/sublet-test.XXXXXX") || return 1
    CK_DEFAULT_TIMEOUT=60 CK_VERBOSITY=silent CK_TAP_LOG_FILE_NAME=- setpriv --pdeathsig TERM -- \
        timeout -k 10 300 "$binary" </dev/null >"$output.tap" 2>&1
    status=$?
    read_tap <"$output.tap" >"$output"
    # Without its plan line the run was cut short.
    grep -q '^1\.\.[1-9]' "$output" || [ "$status" -ne 0 ] || status=1
    judge_output "unit $room" "$output" "$status" 300 >"$output.judged"
    flock build/logs cat "$output.judged"
    rm -f "$output" "$output.tap" "$output.judged"
}

run_unit() {
    local build=$1 binary
    for binary in "$build"/tests/test_*; do
        case $binary in
            *'*' | *_golden | *.*) ;;
            *)
                wait_for_room "$(nproc)"
                run_unit_binary "$binary" &
                ;;
        esac
    done
    wait
}

run_golden() {
    local build=$1
    [ ! -x "$build/tests/test_golden" ] ||
        run_file golden tests/golden/golden.c "$build/tests/test_golden" tests/golden
}

# Names the first error: it is what the reader of the summary wants.
build_one() {
    local preset=$1 output status
    output=$(cmake --preset "$preset" 2>&1 && nice cmake --build --preset "$preset" 2>&1)
    status=$?
    printf '%s\n' "$output"
    if [ "$status" -eq 0 ]; then
        printf 'ok - build %s\n' "$preset"
    else
        printf 'not ok - build %s: %s\n' "$preset" \
            "$(printf '%s\n' "$output" | grep -m 1 -E 'rror: |undefined reference' | sed "s|$PWD/||g")"
    fi
    return "$status"
}

stage_build() {
    local preset failed=0
    for preset in release debug clang; do
        build_one "$preset" || failed=1
    done
    return "$failed"
}

stage_lint() { tests/lint/run.sh --build "$release"; }
stage_tidy() { tests/lint/run.sh --build build/clang tidy; }
stage_unit() { run_unit "$release"; }
stage_golden() { run_golden "$release"; }
stage_cli() { run_scripts cli tests/cli "$release"; }

stage_debug() {
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=99
    export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    export TEST_SANITIZED=1
    run_unit "$debug"
    run_golden "$debug"
    run_scripts cli tests/cli "$debug"
}

# vm_options FILE: a line `# vm: OPTIONS` gives options for tests/vm/run.
vm_options() { sed -n 's/^# vm: //p' "$1"; }

# judge_guest LOGS FILE: 1 if the file did not begin in that guest.
judge_guest() {
    local logs=$1 file=$2 name
    name=$(basename "$file" .sh)
    if [ -s "$logs/$name.status" ]; then
        judge_output "vm $name" "$logs/$name.out" "$(cat "$logs/$name.status")" "$(file_limit_s "$file")"
        printf '# vm %s: %s s\n' "$name" "$(cat "$logs/$name.seconds")"
    elif [ -e "$logs/$name.out" ]; then
        judge_output "vm $name" "$logs/$name.out" 0 0 | grep -v 'printed no result$'
        printf 'not ok - vm %s: the guest ended with it: %s\n' "$name" "$(tail -n 1 "$logs/guest")"
    else
        return 1
    fi
}

# run_in_guest OPTIONS FILE...: all in one guest. Those that did not begin, because one before had
# to be killed or took the guest along, get another.
run_in_guest() {
    local options limit_s=60 logs file
    read -r -a options <<<"$1"
    shift
    for file in "$@"; do
        limit_s=$((limit_s + $(file_limit_s "$file")))
    done
    logs=$(mktemp -d "${TMPDIR:-/tmp}/sublet-vm-logs.XXXXXX") || return 1
    SUBLET=$PWD/$release/sublet SUBLET_BUILD=$PWD/$release setpriv --pdeathsig TERM -- tests/vm/run --timeout "$limit_s" \
        --logs "$logs" "${options[@]}" -- tests/vm/several "$@" </dev/null >"$logs/guest" 2>&1
    grep '^vm: boot ' "$logs/guest"
    if ! judge_guest "$logs" "$1"; then
        printf 'not ok - vm: no guest with the options %s: %s\n' "'${options[*]}'" "$(tail -n 1 "$logs/guest")"
        set --
    fi
    shift $(($# > 0))
    while [ $# -gt 0 ] && judge_guest "$logs" "$1"; do
        shift
    done
    rm -rf "$logs"
    [ $# -eq 0 ] || run_in_guest "${options[*]}" "$@"
}

FILES_A_GUEST=4 # to boot another costs less than to wait for the last of a long row

# run_guests GUESTS FILE...: that many at once. Files with the same options share guests; the
# results of one guest come out in one piece.
run_guests() {
    local guests=$1 file options files output
    shift
    while IFS= read -r options; do
        files=()
        for file in "$@"; do
            [ "$(vm_options "$file")" != "$options" ] || files+=("$file")
        done
        while [ "${#files[@]}" -gt 0 ]; do
            wait_for_room "$guests"
            (
                output=$(mktemp "${TMPDIR:-/tmp}/sublet-test.XXXXXX") || exit
                run_in_guest "$options" "${files[@]:0:FILES_A_GUEST}" >"$output"
                flock build/logs cat "$output"
                rm -f "$output"
            ) &
            files=("${files[@]:FILES_A_GUEST}")
        done
    done < <(for file in "$@"; do printf '%s\n' "$(vm_options "$file")"; done | sort -u)
    wait
}

# A file with the line `# long` belongs to the stage proof. Much of a test is the work of one CPU, so
# two guests run at once, but for files with the line `# measures`: those need what CPUs there are.
stage_vm() {
    local short files
    mapfile -t short < <(grep -Lx '# long' tests/vm/*.sh)
    mapfile -t files < <(grep -Lx '# measures' "${short[@]}")
    run_guests 2 "${files[@]}"
    mapfile -t files < <(grep -lx '# measures' "${short[@]}")
    run_guests 1 "${files[@]}"
}

stage_proof() {
    local files
    mapfile -t files < <(grep -lx '# long' tests/vm/*.sh)
    run_guests 1 "${files[@]}"
}

# The table of operations and engines is the last of the output, and build/logs/engines.md.
stage_engines() {
    need "${NEED_ENGINES[@]}" || return 1
    local file options logs
    logs=$(mktemp -d "${TMPDIR:-/tmp}/sublet-engines.XXXXXX") || return 1
    export SUBLET=$PWD/$release/sublet SUBLET_BUILD=$PWD/$release
    TEST_MANY_S=60 run_file engines tests/cli/36-at-once.sh bash tests/cli/36-at-once.sh
    run_file engines tests/engines/here/crowd.sh bash tests/engines/here/crowd.sh
    for file in tests/engines/*.sh; do
        read -r -a options < <(vm_options "$file")
        mkdir "$logs/$(basename "$file")"
        PATH=/usr/sbin:/usr/bin:/sbin:/bin run_file engines "$file" tests/vm/run --timeout "$(file_limit_s "$file")" --logs "$logs/$(basename "$file")" \
            "${options[@]}" -- bash "$file"
    done
    tests/engines/lib/table.py "$logs"/*/engines.tsv >build/logs/engines.md
    cat build/logs/engines.md
    rm -rf "$logs"
}

stage_torture() {
    [ -e tests/torture/fast.sh ] || return 0
    SUBLET=$PWD/$release/sublet SUBLET_BUILD=$PWD/$release \
        run_file torture tests/torture/fast.sh bash tests/torture/fast.sh
}

stage_fuzz() {
    local output
    output=$(ctest --test-dir "$debug" -L fuzz --output-on-failure --timeout 120 2>&1)
    printf '%s\n' "$output" | sed -E -e 's/^.*Test +#[0-9]+: ([a-z_0-9]+) \.+ +Passed.*/ok - fuzz \1/' \
        -e 's/^.*Test +#[0-9]+: ([a-z_0-9]+) \.+\**(.*)/not ok - fuzz \1: \2/'
}
