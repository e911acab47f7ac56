# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Tables of operations, played with a real engine once with sublet and once with another runtime.
# Sourced by tests/engines/*.sh, which run as root in the guest of tests/vm/run.
#
#     op 'the status of the process' 7 'e run --rm $I sh -c "exit 7"; echo $?'
#     play podman sublet
#     play podman runc
#     verdicts podman
#
# The third word is run by a bash of its own that knows the functions and variables of the file. What
# it writes to its standard output, lines joined by blanks, has to be the second word, or to match it
# where that begins with `~`. What fails with both runtimes is what this machine cannot do, and is
# skipped with the reason; what fails with sublet alone is a failure.
#
# $R is the runtime of this play, $C a name no other row uses, $W a folder of the row's own. A row is
# run by root, or by the command in ROW_AS as the user ROW_USER.
#
# Rows can be chosen: by name, TEST_ROWS='^--memory', or by what passed before and elsewhere,
# TEST_PASSED='one/engines.tsv two/engines.tsv' (see play_row). Where a row names something of a play that
# outlives a row, `box-$R`, the first row that names it makes it and is played as well.

set -u
: "${SUBLET:?the program under test}"
export ENGINES
ENGINES=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
ROW_LIMIT_S=300 # the first row of a guest that shares a busy machine took 100
BESIDE=runc # Debian's, the runtime that every engine knows
PLACE=host  # or guest
[ ! -d /run/vm ] || PLACE=guest
ROW_AS=()
ROW_USER=
WORLD=$(mktemp -d /run/engines.XXXXXX) || exit 1
chmod 0755 "$WORLD"
op_names=()
op_wanted=()
op_scripts=()

op() {
    op_names+=("$1")
    op_wanted+=("$2")
    op_scripts+=("$3")
}

# op_matches WANTED GOT
op_matches() {
    case $1 in
        '~'*) [[ $2 =~ ^(${1#\~})$ ]] ;;
        *) [ "$1" = "$2" ] ;;
    esac
}

# One line of the log for each row: engine, runtime, operation, `pass` or why not, seconds, place. At once
# in $VM_LOGS/engines.tsv too, for the table of the stage: who is killed later has been here all the same.
play_row() {
    local engine=$1 R=$2 row=$3 name=${op_names[$3]} got why started=$SECONDS
    local C=c$row-$R W=$WORLD/$R.$row
    mkdir -p "$W"
    [ -z "$ROW_USER" ] || chown "$ROW_USER" "$W"
    export R C W
    timeout -k 2 "$ROW_LIMIT_S" "${ROW_AS[@]}" bash -c "${op_scripts[$row]}" </dev/null >"$W/.out" 2>"$W/.err"
    [ "$((SECONDS - started))" -lt "$ROW_LIMIT_S" ] || echo "not finished after $ROW_LIMIT_S s" >>"$W/.err"
    got=$(tr -d '\r' <"$W/.out" | paste -sd ' ')
    why=pass
    if ! op_matches "${op_wanted[$row]}" "$got"; then
        why="got '${got:0:200}', expected '${op_wanted[$row]}' $(tail -n 2 "$W/.err" | tr '\n|\t' '   ' | cut -c1-300)"
    fi
    why=${why//$'\t'/ }
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$engine" "$R" "$name" "$why" "$((SECONDS - started))" "$PLACE" >>"$WORLD/log"
    [ -z "${VM_LOGS:-}" ] || tail -n 1 "$WORLD/log" >>"$VM_LOGS/engines.tsv"
    [ -z "${TEST_SHOW:-}" ] || tail -n 1 "$WORLD/log" | sed 's/^/# /'
}

# choose ENGINE RUNTIME: $chosen, the numbers of the rows to be played, with those they stand on. No
# program is run for it: in an emulated guest each takes a tenth of a second.
choose() {
    local row name rest engine runtime verdict shared=() logs=()
    local -A maker=() passed=() wanted=()
    read -r -a logs <<<"${TEST_PASSED:-}"
    while IFS=$'\t' read -r engine runtime name verdict _; do
        [ "$engine/$runtime/$verdict" != "$1/$2/pass" ] || passed[$name]=1
    done < <(cat -- /dev/null "${logs[@]}")
    for row in "${!op_names[@]}"; do
        shared=()
        rest=${op_scripts[$row]}
        while [[ $rest =~ [a-z]+-\$R([^a-zA-Z_].*)?$ ]]; do
            shared+=("${BASH_REMATCH[0]%%\$*}")
            rest=${BASH_REMATCH[1]}
        done
        for name in "${shared[@]}"; do
            : "${maker[$name]:=$row}"
        done
        name=${op_names[$row]}
        if [[ $name =~ ${TEST_ROWS:-} ]] && [ -z "${passed[$name]:-}" ]; then
            wanted[$row]=1
            for name in "${shared[@]}"; do
                wanted[${maker[$name]}]=1
            done
        fi
    done
    chosen=()
    for row in "${!op_names[@]}"; do
        [ -z "${wanted[$row]:-}" ] || chosen+=("$row")
    done
}

# play ENGINE RUNTIME: all rows, or those that are chosen.
play() {
    local row chosen=()
    choose "$1" "$2"
    for row in "${chosen[@]}"; do
        play_row "$1" "$2" "$row"
    done
}

# verdicts ENGINE: a result for each row that was played.
verdicts() {
    awk -F '\t' -v engine="$1" -v other="$BESIDE" '
        $1 == engine && $2 == "sublet" { names[++n] = $3; ours[$3] = $4 }
        $1 == engine && $2 == other { theirs[$3] = $4 }
        END {
            for (i = 1; i <= n; i++) {
                name = names[i]
                if (ours[name] == "pass") print "ok - " name
                else if (!(name in theirs)) print "not ok - " name ": " ours[name]
                else if (theirs[name] == "pass") print "not ok - " name ": " ours[name] " (with " other ": pass)"
                else print "skip - " name ": not here, with " other " neither: " ours[name]
            }
        }' "$WORLD/log"
}

# until_out SECONDS WANTED COMMAND...: waits until the command writes that, and writes what it wrote last.
until_out() {
    local deadline=$((SECONDS + $1)) wanted=$2 got
    shift 2
    for (( ; ; )); do
        got=$("$@" 2>/dev/null)
        if [[ $got =~ ^($wanted)$ ]] || [ "$SECONDS" -ge "$deadline" ]; then
            break
        fi
        sleep 0.2
    done
    printf '%s\n' "$got"
}
export -f until_out

# in_group NAME COMMAND...: becomes the command in a group of its own, as a host's manager would start it. Where
# the kernel shows a group no limits, because it is the root, engines hold that it has none.
in_group() {
    mkdir -p "/sys/fs/cgroup/$1" && echo "$BASHPID" >"/sys/fs/cgroup/$1/cgroup.procs" || return
    shift
    exec "$@"
}
export -f in_group

# sublet where the example configurations expect it, and a root file system of busybox.
engines_world() {
    install -m 0755 "$SUBLET" /usr/sbin/sublet
    install -m 0755 -D -t /usr/sbin/libexec/sublet "$SUBLET_BUILD"/libexec/sublet/*
    local root=$WORLD/rootfs
    mkdir -p "$root"/{bin,usr,etc,tmp,proc,sys,dev,root,home,var}
    chmod 1777 "$root/tmp"
    cp /bin/busybox "$root/bin/"
    # One program for all links. They are to where busybox is found here: /bin, or /usr/bin.
    ln -s ../bin "$root/usr/bin"
    /bin/busybox --install -s "$root/bin"
    printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\nuser:x:1000:\nstaff:x:50:user\n' >"$root/etc/group"
    tar -C "$root" -cf "$WORLD/image.tar" .
    ROOTFS=$root
    find /sys/fs/cgroup -type d >"$WORLD/groups"
    export ROOTFS WORLD
}
