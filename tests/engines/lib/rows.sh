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

set -u
: "${SUBLET:?the program under test}"
export ENGINES
ENGINES=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
OP_LIMIT_S=${OP_LIMIT_S:-90}
BESIDE=runc # Debian's, the runtime that every engine knows
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

# One line of the log for each row: engine, runtime, operation, `pass` or why not, seconds.
play_row() {
    local engine=$1 R=$2 row=$3 name=${op_names[$3]} got why started=$SECONDS
    local C=c$row-$R W=$WORLD/$R.$row
    mkdir -p "$W"
    [ -z "$ROW_USER" ] || chown "$ROW_USER" "$W"
    export R C W
    timeout -k 2 "$OP_LIMIT_S" "${ROW_AS[@]}" bash -c "${op_scripts[$row]}" </dev/null >"$W/.out" 2>"$W/.err"
    [ $? -ne 124 ] || echo "not finished after $OP_LIMIT_S s" >>"$W/.err"
    got=$(tr -d '\r' <"$W/.out" | paste -sd ' ')
    why=pass
    if ! op_matches "${op_wanted[$row]}" "$got"; then
        why="got '${got:0:200}', expected '${op_wanted[$row]}' $(tail -n 2 "$W/.err" | tr '\n|\t' '   ' | cut -c1-300)"
    fi
    why=${why//$'\t'/ }
    printf '%s\t%s\t%s\t%s\t%s\n' "$engine" "$R" "$name" "$why" "$((SECONDS - started))" >>"$WORLD/log"
    [ -z "${TEST_SHOW:-}" ] || tail -n 1 "$WORLD/log" | sed 's/^/# /'
}

# play ENGINE RUNTIME: all rows, or those whose name matches $TEST_ROWS.
play() {
    local row
    for row in "${!op_names[@]}"; do
        if [[ ${op_names[$row]} =~ ${TEST_ROWS:-} ]]; then
            play_row "$1" "$2" "$row"
        fi
    done
}

# verdicts ENGINE: a result for each row, and the rows themselves for the table of the stage.
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
    [ -z "${VM_LOGS:-}" ] || cat "$WORLD/log" >>"$VM_LOGS/engines.tsv"
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

# sublet where the example configurations expect it, and a root file system of busybox.
engines_world() {
    install -m 0755 "$SUBLET" /usr/sbin/sublet
    install -m 0755 -D -t /usr/sbin/libexec/sublet "$SUBLET_BUILD"/libexec/sublet/*
    local root=$WORLD/rootfs applet
    mkdir -p "$root"/{bin,etc,tmp,proc,sys,dev,root,home,var}
    chmod 1777 "$root/tmp"
    cp /bin/busybox "$root/bin/"
    for applet in $(/bin/busybox --list); do
        [ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"
    done
    printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\nuser:x:1000:\nstaff:x:50:user\n' >"$root/etc/group"
    tar -C "$root" -cf "$WORLD/image.tar" .
    ROOTFS=$root
    find /sys/fs/cgroup -type d >"$WORLD/groups"
    export ROOTFS WORLD
}
