#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds sublet and runs a shell over this machine's own files, which it cannot change, with half a
# CPU and 64 MiB. Needs root on Debian 12 or newer; installs with apt-get what is missing.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build=$here/build/quickstart
marker=/var/tmp/made-by-quickstart.$$

say() {
    printf '\n== %s\n' "$*"
}

build_sublet() {
    # shellcheck source=tests/lib/need.sh
    . "$here/tests/lib/need.sh"
    need cmake ninja-build gcc libc6-dev pkg-config libyajl-dev libseccomp-dev
    say "building sublet"
    cmake -S "$here" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSUBLET_TESTS=OFF >/dev/null
    ninja -C "$build" --quiet all
    "$build/sublet" --version
}

# Limits need the controllers of cgroup v2; hybrid set-ups leave them to v1.
has_controllers() {
    local controller
    for controller in cpu memory pids; do
        grep -qsw "$controller" /sys/fs/cgroup/cgroup.controllers || return 1
    done
}

# What runs inside; everything it tells is what it sees itself.
inside() {
    cat <<'TEXT'
echo "host name:  $(hostname)"
echo "pid:        $$, one of $(ls -d /proc/[0-9]* | wc -l) processes"
echo "cpu.max:    $(cat /sys/fs/cgroup/cpu.max)   (microseconds of a period)"
echo "memory.max: $(cat /sys/fs/cgroup/memory.max)"
echo "pids.max:   $(cat /sys/fs/cgroup/pids.max)"
echo "network:    $(ls /sys/class/net | tr '\n' ' ')"
echo hello >"$1" && echo "wrote:      $(ls -l "$1")"
used() { sed -n 's/^usage_usec //p' /sys/fs/cgroup/cpu.stat; }
before=$(used)
timeout 4 sh -c 'while :; do :; done'
echo "a loop of four seconds used $(( ($(used) - before) / 1000 )) ms of CPU time; altogether:"
sed -n 's/^\(usage_usec\|nr_periods\|nr_throttled\) /  cpu.stat    &/p' /sys/fs/cgroup/cpu.stat
echo "  memory.peak $(cat /sys/fs/cgroup/memory.peak 2>/dev/null || echo 'not told by this kernel')"
TEXT
}

demonstrate() {
    local status=0
    say "sublet run --overlay / --cpu 0.5 --memory 64M --pids 32 -- sh"
    "$build/sublet" run --overlay / --name quickstart --cpu 0.5 --memory 64M --pids 32 -- \
        sh -c "$(inside)" sh "$marker" || status=$?
    say "back on the host, exit status $status"
    echo "host name:  $(uname -n)"
    if [ -e "$marker" ]; then
        echo "$marker is on the host: this must not be" >&2
        return 1
    fi
    echo "$marker is not here"
    return "$status"
}

case ${1:-} in
    --demonstrate) # in the guest: built already
        demonstrate
        exit
        ;;
    '') ;;
    *)
        echo "usage: ${0##*/}" >&2
        exit 2
        ;;
esac

if [ "$(id -u)" -ne 0 ]; then
    echo "${0##*/}: run this as root" >&2
    exit 1
fi
build_sublet
if has_controllers; then
    demonstrate
else
    say "this host leaves the cgroup controllers to cgroup v1: the same in a throw-away guest (tests/vm/run)"
    "$here/tests/vm/run" -- "$here/examples/quickstart.sh" --demonstrate
fi
say "done; 'man $build/man/sublet.1' and README.md tell what else there is"
