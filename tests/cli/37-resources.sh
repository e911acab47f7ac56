#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 300
# What runs out: space and inodes of the state root, descriptors, address space, processes. Each
# failure names its cause and leaves nothing.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
B=$T/b
make_bundle "$B" '.process.args = ["/bin/true"] | del(.process.rlimits)'

# root_on OPTIONS: a tmpfs with these options at $T/small, the state root in it.
root_on() {
    mkdir -p "$T/small"
    mount -t tmpfs -o "$1" small "$T/small"
    mkdir -m 0700 "$T/small/root"
}
expect_nothing() {
    expect_eq 'state root' "$(find "$T/small/root" -mindepth 1)" ''
    umount "$T/small" || fail 'it is in use'
}

t 'a state root on a disk that is full'
root_on size=16k,mode=755
head -c 16k /dev/zero >"$T/small/full" 2>/dev/null
run "$SUBLET" --root "$T/small/root" create -b "$B" "$ID"
expect_status 1
expect_err_match '^sublet: state\.json.*: .*No space left on device'
run "$SUBLET" --root "$T/small/root" list
expect_status 0
expect_nothing

t 'a state root with room for a part of the files'
for kib in 4 8 12; do
    root_on size=16k,mode=755
    head -c "${kib}k" /dev/zero >"$T/small/full"
    run "$SUBLET" --root "$T/small/root" create -b "$B" "$ID"
    if [ "$status" -eq 0 ]; then
        run "$SUBLET" --root "$T/small/root" delete "$ID"
        expect_status 0
    else
        expect_err_has 'No space left on device'
    fi
    expect_nothing
done

t 'a state root without inodes'
for inodes in 3 4 5 6 7; do
    root_on "nr_inodes=$inodes,mode=755"
    run "$SUBLET" --root "$T/small/root" create -b "$B" "$ID"
    if [ "$status" -eq 0 ]; then
        run "$SUBLET" --root "$T/small/root" delete "$ID"
        expect_status 0
    else
        expect_status 1
        expect_err_has 'No space left on device'
    fi
    expect_nothing
done

t 'a delete on a disk that is full'
root_on size=64k,mode=755
run "$SUBLET" --root "$T/small/root" create -b "$B" "$ID"
expect_status 0
head -c 64k /dev/zero >"$T/small/full" 2>/dev/null
run "$SUBLET" --root "$T/small/root" state "$ID"
expect_json .status created
run "$SUBLET" --root "$T/small/root" delete --force "$ID"
expect_status 0
expect_nothing

t 'a state root that is read-only'
root_on size=64k,mode=755
mount -o remount,ro "$T/small"
run "$SUBLET" --root "$T/small/root" create -b "$B" "$ID"
expect_status 1
expect_err_match '^sublet: .*: .*Read-only file system'
run "$SUBLET" --root "$T/small/root" list
expect_status 0
run "$SUBLET" --root "$T/small/none/root" create -b "$B" "$ID"
expect_status 1
expect_err_match "^sublet: $T/small/none/root: "
expect_nothing

for limit in 3 4 6 8 10 12 16 20 24; do
    t "at most $limit open files"
    [ "$limit" -gt 3 ] || [ -z "${TEST_SANITIZED:-}" ] || skip 'a sanitized program has libraries to open'
    run bash -c "ulimit -Sn $limit && ulimit -Hn $limit && exec \"\$@\"" - "$SUBLET" --root "$T/root" run -b "$B" "$ID"
    if [ "$status" -ne 0 ]; then
        expect_status 125
        expect_err_match '^sublet: .*[Tt]oo many open files'
        [ "$limit" -lt 20 ] || fail 'so many should do'
    fi
    run sublet list --quiet
    expect_quiet
    expect_eq 'a container' "$(grep -c "$ID" "$T/out")" 0
done

t 'a little address space'
if [ -n "${TEST_SANITIZED:-}" ]; then skip 'a sanitizer needs more'; fi
# The image alone takes 1.6 MB: with less the kernel does not start it.
for kib in 1900 2000 2200 2500 3000 5000; do
    run bash -c 'ulimit -v $0 && exec "$@"' "$kib" "$SUBLET" --root "$T/root" run -b "$B" "$ID"
    # 139: the limit is the program's, too, and a busybox is larger than we are.
    [ "$status" -eq 0 ] || [ "$status" -eq 139 ] || { expect_status 125 && expect_err_match '^sublet: .*(emory|died)'; }
    expect_absent "$T/root/$ID"
done

t 'no /run: the default state root is made'
run unshare --mount bash -c 'mount -t tmpfs -o mode=755 none /run && exec "$@"' - "$SUBLET" list --format json
expect_status 0
expect_out '[]'
run unshare --mount bash -c 'mount -t tmpfs -o mode=755 none /run && "$1" run -b "$2" "$3" && ls /run' - "$SUBLET" "$B" "$ID"
expect_status 0
expect_out sublet

t 'a /run that is read-only'
run unshare --mount bash -c 'mount -t tmpfs -o ro none /run && exec "$@"' - "$SUBLET" create -b "$B" "$ID"
expect_status 1
expect_err_match '^sublet: /run/sublet: .*(Read-only|No such file)'

t 'a root file system that is full'
mkdir -p "$T/small"
mount -t tmpfs -o size=4m,mode=755 small "$T/small"
cp -a "$B/rootfs" "$T/small/rootfs"
head -c 8m /dev/zero >"$T/small/full" 2>/dev/null
jq ".root = {path: \"$T/small/rootfs\", readonly: false}
    | .mounts += [{destination: \"/new/place\", type: \"tmpfs\", source: \"tmpfs\"}]" "$B/config.json" >"$T/full.json"
run sublet run -b "$B" --config "$T/full.json" "$ID"
[ "$status" -eq 0 ] || expect_err_match '^sublet: mounts\[7\].*No space left'
umount "$T/small"
