#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Medians of a container's start, all in one run and turn by turn: the floor (the kernel's share
# of the default bundle and nothing else), sublet, runc and bubblewrap from Debian's packages.
# Ratios are to the floor; only ratios of one run may be compared, machines differ and drift.
#
# usage: tests/bench/start.sh [ROUNDS]   default 200
set -eu

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/need.sh
. "$here/../lib/need.sh"
rounds=${1:-200}
sublet=$(realpath -- "${SUBLET:-$here/../../build/release/sublet}")

if [ "${BENCH_NAMESPACE:-}" != "$$" ]; then
    need gcc libc6-dev jq busybox-static runc bubblewrap util-linux
    # shellcheck disable=SC2016 # for the inner shell
    BENCH_NAMESPACE=$$ exec unshare --mount --propagation private -- \
        bash -c 'exec bash "$0" "$@"' "$0" "$@"
fi

# The state root on tmpfs, as /run is on real hosts; no ledger, that of this host or another, but in
# the row that is of it; one v2 hierarchy where peers expect it.
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
work=$(mktemp -d "${TMPDIR:-/tmp}/sublet-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

for program in floor compare; do
    cc -std=gnu17 -D_GNU_SOURCE -O2 -static -o "$work/$program" "$here/$program.c"
done

# Installed as a package installs it. What the linker has written in pieces lies in many small parts
# of the page cache, and every start of it costs 4 to 7 % more.
install -m 0755 "$sublet" "$work/sublet"
sublet=$work/sublet

mkdir -p "$work/ledger" "$work"/default/rootfs/{bin,proc,dev,sys/fs/cgroup,tmp}
cp "$(command -v busybox)" "$work/default/rootfs/bin/true"
"$sublet" spec --bundle "$work/default"
edit() {
    jq "$2" "$1/config.json" >"$work/edited"
    mv "$work/edited" "$1/config.json"
}
edit "$work/default" '.process.terminal = false | .process.args = ["/bin/true"]'

# The same with the system call filter that podman writes.
cp -a "$work/default" "$work/seccomp"
jq --slurpfile podman "$here/../bundles/podman/config.json" \
    '.linux.seccomp = $podman[0].linux.seccomp' "$work/default/config.json" \
    >"$work/seccomp/config.json"

# A container that lives on, for exec.
cp -a "$work/default" "$work/lives"
edit "$work/lives" '.process.args = ["/bin/sleep", "100000"]'
ln "$work/lives/rootfs/bin/true" "$work/lives/rootfs/bin/sleep"
"$sublet" run --detach -b "$work/lives" bench-lives </dev/null >/dev/null 2>&1
trap '"$sublet" delete --force bench-lives; rm -rf "$work"' EXIT

cat >"$work/life" <<LIFE
#!/bin/sh
"$sublet" create -b "$work/default" life >/dev/null 2>&1 </dev/null
"$sublet" start life
"$sublet" delete --force life
LIFE
chmod +x "$work/life"

cd "$work/default"
"$work/compare" "$rounds" \
    "floor" "$work/floor" "$work/default/rootfs" /sys/fs/cgroup /bin/true \
    -- "sublet run, default bundle" "$sublet" run -b "$work/default" bench \
    -- "the same, start and end recorded" "$sublet" --ledger "$work/ledger" run -b "$work/default" bench \
    -- "sublet run, podman's filter" "$sublet" run -b "$work/seccomp" bench \
    -- "sublet exec" "$sublet" exec bench-lives /bin/true \
    -- "create, start, delete (sh)" "$work/life" \
    -- "bwrap" /usr/bin/bwrap --unshare-all --ro-bind "$work/default/rootfs" / --proc /proc \
    --dev /dev /bin/true \
    -- "sublet --version" "$sublet" --version \
    -- "/bin/true" /bin/true \
    -- "runc run, default bundle" /usr/sbin/runc run bench
