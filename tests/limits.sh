#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # variables of tests/limits
# Proves on this host that the limits of a container hold: each is asked for, put under load from
# inside, and measured from both sides. The proofs are in tests/limits, one file a resource, and
# made to be read. See usage below.
set -u

# name | controllers it needs | what is proved
PROOFS=(
    'cpu-quota|cpu|a CPU quota holds for one busy thread and for four'
    'cpu-weight|cpu cpuset|weights share what is short, and nothing else'
    'cpu-burst|cpu|a burst lets a container use later what it saved'
    'cpuset|cpuset|a container runs on its CPUs alone'
    'memory-max|memory|what wants more than its memory is killed, and that is told'
    'memory-high|memory|what has more than memory.high is slowed, not killed'
    'swap|memory|swap is limited as well'
    'little-memory|memory|a container starts with 512 KiB'
    'hugetlb|hugetlb|huge pages are given up to the limit'
    'pids|pids|forks beyond the limit are refused'
    'io-max|io|what a container reads and writes of a disk is held to its rate'
    'io-buffered|io memory|the same through the page cache'
    'io-weight|io|who has more weight gets more of a busy disk'
    'devices||device nodes open by the rules'
    'freeze||a paused container stands still'
    'update|cpu cpuset pids memory io|the limits of a container that lives can be changed'
    'paths|cpu memory pids|limits hold wherever the cgroup is'
    'daemon-reload|cpu memory pids io|systemd, which made the group, keeps its limits'
    'delete||a crowd of processes in groups of their own is deleted in 2 s'
)

usage() {
    local row
    cat <<'TEXT'
usage: tests/limits.sh [--tap] [--disk DEVICE] [--rounds N] [NAME...]

Proves that the limits of containers hold on this host: all of them, or the named ones. As root, on
a host with cgroup v2. Prints a table; ends with status 1 if a limit did not hold.
  --tap           for a test harness: `ok - name` lines, the table as comments
  --disk DEVICE   a disk for the proofs of I/O and swap; WHAT IS ON IT IS LOST
                  (default: a loop device over a file of 64 MiB)
  --rounds N      how often a crowd is deleted (default 5)
sublet is $SUBLET, else build/release/sublet of this tree, else the one in PATH.
TEXT
    for row in "${PROOFS[@]}"; do
        printf '  %-15s %s\n' "${row%%|*}" "${row##*|}"
    done
}

misuse() {
    printf 'limits.sh: %s\n' "$*" >&2
    exit 2
}

tests=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
tap=
disk=
ROUNDS=5
wanted=()
arguments=("$@")
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage && exit 0 ;;
        --tap) tap=yes ;;
        --disk) [ -b "${2:-}" ] || misuse '--disk needs a block device' && disk=$2 && shift ;;
        --rounds) [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || misuse '--rounds needs a number' && ROUNDS=$2 && shift ;;
        -*) misuse "unknown option '$1'" ;;
        *) printf '%s\n' "${PROOFS[@]%%|*}" | grep -qxF -e "$1" || misuse "there is no proof '$1', see --help"
            wanted+=("$1") ;;
    esac
    shift
done
set -- "${arguments[@]}"

[ "$(id -u)" -eq 0 ] || misuse 'run this as root'
build=${SUBLET_BUILD:-$tests/../build/release}
if [ -z "${SUBLET:-}" ]; then
    SUBLET=$build/sublet
    [ -x "$SUBLET" ] || SUBLET=$(command -v sublet) || misuse 'no sublet in build/release or PATH: build or install it first'
fi
export SUBLET

# shellcheck source=tests/lib/cli.sh
. "$tests/lib/cli.sh"
RUN_LIMIT_S=60
MANAGER=(--cgroup-manager cgroupfs)

# The worker as built beside sublet, or built here.
WORKER=$build/worker.elf
if [ ! -x "$WORKER" ]; then
    WORKER=$T/.cli/worker
    cc -static -O2 -D_GNU_SOURCE -o "$WORKER" "$tests"/limits/worker/*.c ||
        misuse 'the worker has to be compiled: install gcc and libc6-dev'
fi

# The first two CPUs of this host, of a list as `0-3,8`.
first_cpus() {
    local part cpu cpus=() list
    list=$(cat /sys/fs/cgroup/cpuset.cpus.effective 2>/dev/null || echo 0)
    for part in ${list//,/ }; do
        for ((cpu = ${part%-*}; cpu <= ${part#*-}; cpu++)); do
            cpus+=("$cpu")
        done
    done
    CPUS=${cpus[0]}${cpus[1]:+,${cpus[1]}}
    CPU_COUNT=$((${#cpus[@]} > 1 ? 2 : 1))
}
first_cpus

# shellcheck source=tests/limits/lib.sh
. "$tests/limits/lib.sh"
for file in cpu memory pids io devices freeze update paths delete; do
    # shellcheck disable=SC1090 # one of tests/limits
    . "$tests/limits/$file.sh"
done

# The table goes to whoever reads; the lines `ok - name` to a harness, or into a file for the sum.
if [ -n "$tap" ]; then
    TABLE=1 TABLE_PREFIX='# '
else
    exec 4>&1 >"$T/.cli/tap"
    TABLE=4 TABLE_PREFIX=''
fi

prove() {
    local name controllers what missing=''
    IFS='|' read -r name controllers what <<<"$1"
    [ "${#wanted[@]}" -eq 0 ] || [[ " ${wanted[*]} " == *" $name "* ]] || return 0
    t "$name: $what"
    proof_name=$name
    for controller in $controllers; do
        has_controllers "$controller" || missing+=" $controller"
    done
    [ -z "$missing" ] || lacks "cgroup v2 has no controller$missing here"
    "prove_${name//-/_}"
}

# lacks REASON: this host cannot do it.
lacks() {
    [ -n "$cli_skipped" ] || print_row "$proof_name" "not tried: $1" '' '' ''
    skip "$1"
}

print_row LIMIT ASKED INSIDE OUTSIDE VERDICT
for row in "${PROOFS[@]}"; do
    prove "$row"
done
cli_finish
if [ -z "$tap" ]; then
    sed -n 's/^not ok - /does not hold: /p' "$T/.cli/tap" >&4
    printf '%s hold, %s do not, %s not tried\n' "$(grep -c '^ok - ' "$T/.cli/tap")" \
        "$(grep -c '^not ok - ' "$T/.cli/tap")" "$(grep -c '^skip - ' "$T/.cli/tap")" >&4
fi
