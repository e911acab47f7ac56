# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The words that the proofs are written in. Sourced by tests/limits.sh, after tests/lib/cli.sh.
#
#     scene                                          nothing runs, the board is empty
#     container a '{"cpu": {...}}' spin 2            starts a container whose worker spins 2 threads
#     window 4000                                    four seconds, measured by the worker and outside
#     row 'half a CPU' ... near 500 5 "$in" "$out"   a line of the table and its verdict
#     over                                           ends the workers and waits for the containers
#
# The worker (tests/limits/worker) is the container's only program. `window` puts what both sides
# measured into seen[]: ${seen[a.inside.cpu_us]} is what a's worker says by its own clocks,
# ${seen[a.cpu_us]} what the kernel counted for a's cgroup, ${seen[wall_us]} how long it took.
: "${T:?}" "${ID:?}" "${SUBLET:?}" "${WORKER:?}" "${cli_cgroups:?}" "${cli_reason?}"

declare -A seen job group status_of
names=()

# ---- containers ----

scene() {
    names=()
    [ -d "$T/rootfs" ] || { mkdir -p "$T/rootfs"/{dev,proc,sys,disk} && cp "$WORKER" "$T/rootfs/worker"; }
    : >"$T/rootfs/board"
}

# What is asked of cgroupsPath, and where the group is then. Set by the proof of paths.
WHERE=plain
asked_path() {
    case $WHERE in
        plain) asked=/$ID-$1 found=/$ID-$1 ;;
        podman) asked=/libpod_parent/libpod-$ID-$1 found=$asked ;;
        systemd) asked=system.slice:sublet:$ID-$1 found=/system.slice/sublet-$ID-$1.scope ;;
        none) asked='' found=/sublet-$ID-$1 ;;
    esac
}

# write_bundle NAME RESOURCES WORKER-ARGUMENT...
# MORE_LINUX and MORE_MOUNTS are further JSON, for one call.
write_bundle() {
    local name=$1 resources=$2 asked found caps='["CAP_MKNOD", "CAP_KILL"]' words config
    shift 2
    asked_path "$name"
    group[$name]=$cli_cgroups$found
    [ -z "$asked" ] || asked=", \"cgroupsPath\": \"$asked\""
    printf -v words ', "%s"' "$@"
    [ -d "$T/$name" ] || mkdir "$T/$name"
    # read and printf are the shell's: in an emulated guest each program that starts costs a second
    IFS= read -r -d '' config <<TEXT
{"ociVersion": "1.3.0",
 "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "args": ["/worker", "/board", "${#names[@]}"$words],
  "env": ["PATH=/"], "capabilities": {"bounding": $caps, "permitted": $caps, "effective": $caps}},
 "root": {"path": "$T/rootfs"},
 "mounts": [
  {"destination": "/proc", "type": "proc", "source": "proc"},
  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
  {"destination": "/sys", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
  {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "rw"]}${MORE_MOUNTS:-}],
 "linux": {"resources": $resources${MORE_LINUX:-}$asked,
  "namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"}]}}
TEXT
    printf '%s' "$config" >"$T/$name/config.json"
}

# container NAME RESOURCES WORKER-ARGUMENT...: runs in the background. What it prints is in
# $T/NAME/out. KEEP=--keep leaves its cgroup, to be read when it has ended.
container() {
    [ -z "$cli_skipped" ] || return 0
    write_bundle "$@"
    "$SUBLET" "${MANAGER[@]}" --root "$T/root" run ${KEEP:+"$KEEP"} \
        -b "$T/$1" "$ID-$1" </dev/null >"$T/$1/out" 2>"$T/$1/err" &
    job[$1]=$!
    names+=("$1")
}

# ended NAME: waits for its end, status_of[NAME] is its exit status.
ended() {
    [ -z "$cli_skipped" ] || return 0
    wait "${job[$1]}"
    status_of[$1]=$?
}

# over: all workers of the scene end, and did nothing wrong.
over() {
    local name
    [ -z "$cli_skipped" ] || return 0
    "$WORKER" "$T/rootfs/board" over
    for name in "${names[@]}"; do
        ended "$name"
        [ "${status_of[$name]}" -eq 0 ] ||
            fail "$name ended with ${status_of[$name]}: $(head -c 300 "$T/$name/err")"
    done
    names=()
}

# text NAME FILE: of its cgroup, as it is now.
text() { echo "$(<"${group[$1]}/$2")"; }

# counter NAME FILE KEY: a line `KEY number` of a file of its cgroup; 0 if there is none.
counter() {
    local key value
    while read -r key value; do
        [ "$key" != "$3" ] || { printf '%s\n' "$value" && return; }
    done 2>/dev/null <"${group[$1]}/$2"
    echo 0
}

# ---- measuring ----

# window [--warm MS] [--still] [--disk MAJ:MIN] MS: of all containers of the scene; see worker/watch.c.
# Further tries of a measurement look three times as long.
window() {
    local name key value
    [ -z "$cli_skipped" ] || return 0
    [[ -z $again || " $* " == *' --still '* ]] || set -- "${@:1:$#-1}" $((${*: -1} * 3))
    seen=()
    for name in "${names[@]}"; do
        set -- "$@" "$name=${group[$name]}"
    done
    if ! "$WORKER" "$T/rootfs/board" watch "$@" >"$T/window" 2>"$T/err"; then
        fail "$(<"$T/err") $(cat "$T"/*/err | head -c 300)"
        # what is compared next has to be a number
        for name in "${names[@]}"; do
            for key in cpu_us inside.cpu_us; do seen[$name.$key]=0; done
            seen[$name.inside.wall_us]=1
        done
        seen[wall_us]=1
        return 1
    fi
    while read -r key value; do
        seen[$key]=$value
    done <"$T/window"
    noisy=${noisy:-$(noise)}
}

# got KEY: a number of seen[], 0 if it is not there.
got() { printf '%s\n' "${seen[$1]:-0}"; }

# shellcheck disable=SC2034 # in and out are the caller's
# rates NAME INSIDE-KEY OUTSIDE-KEY [DIVISOR]: a second, each side by its own clock; into $in, $out.
rates() {
    local divisor=${4:-1}
    in=$((${seen[$1.inside.$2]:-0} * 1000000 / divisor / ${seen[$1.inside.wall_us]:-1}))
    out=$((${seen[$1.$3]:-0} * 1000000 / divisor / ${seen[wall_us]:-1}))
}
# cpus NAME: thousandths of a CPU, into $in and $out.
cpus() { rates "$1" cpu_us cpu_us 1000; }

# near WANTED PERCENT VALUE...: each value is that near.
near() {
    local wanted=$1 percent=$2 value
    shift 2
    for value in "$@"; do
        [ $((value * 100)) -ge $((wanted * (100 - percent))) ] || return 1
        [ $((value * 100)) -le $((wanted * (100 + percent))) ] || return 1
    done
}
# within LOW HIGH VALUE...
within() {
    local low=$1 high=$2 value
    shift 2
    for value in "$@"; do
        [ "$value" -ge "$low" ] && [ "$value" -le "$high" ] || return 1
    done
}
equal() { [ "$1" = "$2" ]; }

# ratio OF TO: OF / TO in thousandths, 0 if nothing was measured.
ratio() { printf '%d' $(($2 > 0 ? $1 * 1000 / ($2 > 0 ? $2 : 1) : 0)); }

# milli 1503: 1.503. Numbers in words: 4194304 is 4.0 MiB.
milli() { printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)); }
mib() { printf '%d.%d MiB' $(($1 >> 20)) $((($1 & 1048575) * 10 >> 20)); }

# ---- the table ----

rows=()
wrong=
noisy=
again=
proof_name=

print_row() { printf "$TABLE_PREFIX%-13s %-52s %-14s %-14s %s\n" "$@" >&"$TABLE"; }

# row ASKED INSIDE OUTSIDE VERDICT...: the verdict is a command that holds or does not.
row() {
    local asked=$1 inside=$2 outside=$3 verdict=holds
    [ -z "$cli_skipped" ] || return 0
    shift 3
    if [ "$cli_reason" != "$reason_before" ] || ! "$@"; then
        verdict='DOES NOT HOLD'
        wrong=${wrong:-asked $asked, measured $inside inside, $outside outside}
    fi
    rows+=("$asked|$inside|$outside|$verdict${again:+, $again}")
}

# What kept this host from measuring: time in which it was not there itself, or its CPUs were
# somebody else's. Empty if there is nothing to show.
noise() {
    local wall_us=${seen[wall_us]:-0} away_us=$((${seen[late_us]:-0} + ${seen[steal_us]:-0}))
    [ $((away_us * 50)) -le "$wall_us" ] ||
        { printf 'the host was away for %s of %s ms' $((away_us / 1000)) $((wall_us / 1000)) && return; }
    [ $((${seen[others_us]:-0} * 20)) -le "$wall_us" ] ||
        printf 'others used %s ms of CPU time in %s ms' $((seen[others_us] / 1000)) $((wall_us / 1000))
}

# measure FUNCTION ARGUMENT...: its rows. Those that do not hold are measured twice more if there is a
# reason outside to be seen, for longer, and the table says so.
measure() {
    local again='' part reason_before=$cli_reason
    [ -z "$cli_skipped" ] || return 0
    for _ in 1 2 3; do
        rows=()
        wrong=
        noisy=
        "$@"
        if [ -z "$wrong" ] || [ "$cli_reason" != "$reason_before" ] || [ -z "$noisy" ]; then
            break
        fi
        again="measured again: $noisy"
    done
    for part in "${rows[@]}"; do
        IFS='|' read -r -a part <<<"$part"
        print_row "$proof_name" "${part[@]}"
    done
    [ -z "$wrong" ] || fail "$wrong"
}
