#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Staged cases: one tenant is slow, and `why` names the cause, and whose doing it was. Each is printed
# as it is and as it is told. A disk of 16 MB/s and a machine of 256 MiB are limits on the parent of
# all tenants: what all of them together may have is short, and no limit of any one is met.
# long
# measures
# limit: 400
# vm: --disk 256M
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/meter.sh
. "$LIB/meter.sh"

disk=$(</sys/block/vda/dev)

# define NAME OPTION...: a tenant.
define() {
    run sublet --tenants "$TENANTS" tenant set "$@"
    expect_status 0
}
now() { date -u +%FT%T.%6NZ; }
# stage: from here on, so many seconds of it; then all workers end, and the meter has seen all of it.
# Nothing else runs meanwhile: this script is a part of the host.
stage() {
    local written
    from=$(now)
    sleep "${1:-6}"
    to=$(now)
    busy_end
    written=$(count_records host)
    until_true 20 has_records host $((written + 1))
}
has_memory() { [ "$(<"$HOG/$1/memory.current")" -ge "$2" ]; }
# told NAME CAUSE [BY]: what `why` names first.
told() {
    local name=$1 wanted=$2${3:+ $3} first
    run -t 60 sublet --ledger "$L" why "$name" --from "$from" --to "$to" --format json
    expect_status 0
    first=$(jq -r '[.causes[] | select(.matters)][0] | [.cause // "nothing", .by[0].name // empty] | join(" ")' "$T/out")
    printf '# %-12s is slow by %-24s told %-24s %s\n' "$name" "$wanted," "$first" \
        "($(jq -r '[.causes[] | "\(.cause) \(.permille)"] | join(", ")' "$T/out"))"
    expect_eq "the cause for $name" "$first" "$wanted"
}
# gone NAME...: removed, so that the next case has the machine for itself.
gone() {
    local name
    for name in "$@"; do
        run sublet --tenants "$TENANTS" tenant remove --force "$name"
        expect_status 0
    done
}

mkfs.ext4 -q /dev/vda && mkdir "$T/mnt" && mount /dev/vda "$T/mnt"
head -c 100M /dev/zero >"$T/mnt/file"
sync
echo 1 >/proc/sys/vm/drop_caches # who reads it first is charged for it
define quiet --cpu 'elastic 0.05'
start_meter
until_true 30 has_records host 2

t 'a CPU hog'
define calm --cpu 'elastic 0.8'
define loud --cpu 'elastic 0.8'
busy calm pulse 1 14 6 # 0.7 CPUs are all that it wants
busy loud hog 4
stage
told calm neighbour loud
told quiet nothing

t 'the own cap'
gone calm loud
define tight --cpu 'fixed 0.2'
busy tight hog 1
stage
told tight own-cap

t 'too many own threads'
gone tight
define crowded --cpu 'elastic 1.5'
busy crowded hog 8
stage
told crowded own-threads

t 'a process of the host'
mkdir "/sys/fs/cgroup/$ID"
echo 2000 >"/sys/fs/cgroup/$ID/cpu.weight"
bash -c "echo \$\$ >/sys/fs/cgroup/$ID/cgroup.procs && exec $worker hog 4" &
workers+=($!)
busy crowded hog 2
stage
told crowded host
rmdir "/sys/fs/cgroup/$ID"
gone crowded

t 'an I/O hog'
define reader --cpu 'elastic 0.5' --memory 64M
define diskhog --cpu 'elastic 0.5' --memory 64M
echo "$disk rbps=16777216" >"$HOG/io.max"
busy reader read /dev/vda 65536 1
busy diskhog read /dev/vda 1048576 4
stage
told reader disk-neighbour diskhog
echo "$disk rbps=max" >"$HOG/io.max"

t 'the own limit of the disk, whatever others do there'
define reader --io /dev/vda=read:2MB/s
busy reader read /dev/vda 65536 1
busy diskhog read /dev/vda 65536 1
stage
told reader own-disk-limit
gone reader diskhog

t 'a memory hog'
define cacher --cpu 'elastic 0.5'
define memhog --cpu 'elastic 0.5'
echo 256M >"$HOG/memory.max"
busy cacher walk "$T/mnt/file"
until_true 60 has_memory cacher 100000000 # all of the file: from now on it needs no disk
written=$(count_records host)
until_true 20 has_records host $((written + 1))
stage 3
told cacher nothing
busy cacher walk "$T/mnt/file"
busy memhog hold 200
stage
told cacher memory-neighbour memhog
echo max >"$HOG/memory.max"
gone cacher memhog

t 'the own memory limit'
define small --cpu 'elastic 0.5' --memory 64M --memory-high 24M
busy small hold 40
stage
told small own-memory-limit
gone small

t 'the sums close, whatever was staged'
expect_closed
expect_sequence
stop_meter
gone quiet
umount "$T/mnt"
rmdir "$HOG"/* "$HOG" 2>/dev/null || true # what no test has asked for
