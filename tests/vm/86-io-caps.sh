#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What I/O limits of a contract are worth, promised against measured by what the kernel counted for
# the tenant: each kind within ten percent, past the page cache and through it, for one container and
# for three that share it. Each is measured at most three times: the emulated machine is not alone.
# long
# measures
# limit: 300
# vm: --disk 256M
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

disk=$(</sys/block/vda/dev)
top=/sys/fs/cgroup/sublet.tenants
sublet() { "$SUBLET" --root "$T/root" --tenants "$T/tenants" "$@"; }
contract() { sublet tenant set acme "$@" 2>"$T/err" || fail "$(<"$T/err")"; }
# container NAME WORDS...: a worker in a container of the tenant, whose files lie on the disk.
container() {
    local name=$1
    shift
    sublet run -d --tenant acme --rootfs "$T/mnt/root" --name "$ID-$name" -- /load "$@" </dev/null >/dev/null 2>"$T/err" ||
        fail "$(<"$T/err")"
}
ended() { for name in "$@"; do sublet delete -f "$ID-$name"; done; }
# count KEY: of the disk, by all of the tenant, into counted, and the moment. No program is started in
# between: in the emulated guest that takes a tenth of a second.
count() {
    local name rest
    counted=0 moment=${EPOCHREALTIME/[.,]/}
    while read -r name rest; do
        [ "$name" != "$disk" ] || ! [[ " $rest" =~ \ $1=([0-9]+) ]] || counted=${BASH_REMATCH[1]}
    done <"$top/acme/io.stat"
}
# rate KEY SECONDS: what was added in one second, into rated.
rate() {
    local before began
    count "$1"
    before=$counted began=$moment
    sleep "$2"
    count "$1"
    rated=$(((counted - before) * 1000000 / (moment - began)))
}
# near WHAT PROMISED KEY SECONDS
near() {
    local _
    for _ in 1 2 3; do
        rate "$3" "$4"
        [ "$rated" -lt $(($2 * 90 / 100)) ] || [ "$rated" -gt $(($2 * 110 / 100)) ] || break
    done
    printf '# %-56s promised %8d  measured %8d  %+d %%\n' "$1" "$2" "$rated" $(((rated - $2) * 100 / $2))
    { [ "$rated" -ge $(($2 * 90 / 100)) ] && [ "$rated" -le $(($2 * 110 / 100)) ]; } ||
        fail "$1: $rated a second, promised $2"
}

mkfs.ext4 -q /dev/vda && mkdir "$T/mnt" && mount /dev/vda "$T/mnt"
mkdir "$T/mnt/root" && cp "$SUBLET_BUILD/load.elf" "$T/mnt/root/load"
head -c 64M /dev/zero >"$T/mnt/root/file"
sync

t 'bytes and operations of one container, past the page cache'
contract --cpu 'elastic 1' --memory 64M --io "$T/mnt=read:1MB/s"
container a read /file 65536 1
near 'read 1 MB/s, direct, 64 KiB each' 1048576 rbytes 6
contract --io "$T/mnt=read:4MB/s"
near 'changed to 4 MB/s while it runs' 4194304 rbytes 6
ended a
contract --io "$T/mnt=read:100iops"
container a read /file 4096 1
near 'read 100 operations a second, direct' 100 rios 6
ended a
contract --io "$T/mnt=write:2MB/s"
container a write /new 65536 1
near 'write 2 MB/s, direct, 64 KiB each' 2097152 wbytes 6
ended a
contract --io "$T/mnt=write:50iops"
container a write /new 4096 1
near 'write 50 operations a second, direct' 50 wios 6
ended a

t 'the limit is the tenant'\''s, whatever number of containers'
contract --io "$T/mnt=read:200iops"
for n in a b c; do container $n read /file 4096 2; done
near 'read 200 operations a second, three containers' 200 rios 6
expect [ "$(sublet tenant show acme | sed -n 's/^containers: *//p')" -eq 3 ]
ended a b c
contract --io "$T/mnt=read:2MB/s,write:1MB/s"
container a read /file 65536 2
container b write /new 65536 1
container c write /newer 65536 1
near 'read 2 MB/s beside writers, three containers' 2097152 rbytes 6
near 'write 1 MB/s beside a reader, three containers' 1048576 wbytes 6
ended a b c

t 'what goes through the page cache is held as well, with memory limited'
contract --memory 24M --io "$T/mnt=write:4MB/s"
container a fill /filled 65536
sleep 3 # until its memory is full of it
near 'write 4 MB/s, buffered' 4194304 wbytes 6
container b fill /filled2 65536
near 'write 4 MB/s, buffered, two containers' 4194304 wbytes 6
ended a b
contract --memory 24M --io "$T/mnt=read:1MB/s"
echo 1 >/proc/sys/vm/drop_caches # the file is still there from when it was made
container a walk /file
near 'read 1 MB/s, buffered' 1048576 rbytes 8
ended a

t 'without the limit the disk is as fast as it was'
contract --io none
container a read /file 65536 1
rate rbytes 2
printf '# %-56s promised      max  measured %8d\n' 'read, no limit' "$rated"
expect [ "$rated" -gt 8388608 ]
ended a
sublet tenant remove acme
umount "$T/mnt"
expect_absent "$top"
