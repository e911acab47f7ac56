# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # variables of lib.sh
# Memory and swap. The worker touches page after page and notes each on the board, so that one can
# read how far it came even when it was killed. KEEP leaves the cgroup of a container that ended.

# touched NAME: bytes, from the board.
touched() {
    local key value
    while read -r key value; do
        [ "$key" != "$1.inside.total_bytes" ] || printf '%s\n' "$value"
    done < <("$WORKER" "$T/rootfs/board" watch --warm 0 --still 0 "$1=${group[$1]}")
}

# ends_touching NAME: the container is killed; how far it came is in $bytes.
ends_touching() {
    ended "$1"
    bytes=$(touched "$1")
}
remove() {
    run sublet delete "$1"
    expect_status 0
}

# The kernel kills what wants more than its limit; sublet gives back 137 as a shell would, and the
# group counts the kill.
memory_max() {
    local bytes
    scene
    KEEP=--keep container a '{"memory": {"limit": 16777216, "swap": 16777216}}' touch 64M
    ends_touching a
    row 'at most 16 MiB: killed when it had' "$(mib "$bytes")" - within 15000000 16777216 "$bytes"
    row 'exit status of a killed one: 137' - "${status_of[a]}" equal "${status_of[a]}" 137
    row 'sublet says so: the process was killed (OOM)' - "$(grep -c 'was killed (OOM)' "$T/a/err")" \
        equal "$(grep -c 'was killed (OOM)' "$T/a/err")" 1
    row 'the kernel counts it: oom_kill' - "$(counter a memory.events oom_kill)" \
        within 1 9 "$(counter a memory.events oom_kill)"
    remove "$ID-a"
}
prove_memory_max() { measure memory_max; }

# memory.high does not kill: who is above it is made to wait, the longer the further above.
memory_high() {
    local free slow
    scene
    container a '{}' touch 64M
    window --warm 0 1000
    free=${seen[a.inside.total_bytes]:-0}
    row 'no limit: touched in 1 s' "$(mib "$free")" - within 67108864 67108864 "$free"
    over
    scene
    container a '{"unified": {"memory.high": "16777216", "memory.swap.max": "0"}}' touch 64M
    window --warm 0 --still 2000
    slow=${seen[a.inside.total_bytes]:-0}
    row 'slowed from 16 MiB on: touched in 2 s' "$(mib "$slow")" "$(mib "$(text a memory.current)")" \
        within 14680064 33554432 "$slow"
    row 'and lives: memory.events high' - "$(counter a memory.events high)" \
        within 1 999999 "$(counter a memory.events high)"
    row 'no kill' - "$(counter a memory.events oom_kill)" equal "$(counter a memory.events oom_kill)" 0
    run sublet kill "$ID-a" KILL
    ended a
}
prove_memory_high() { measure memory_high; }

# OCI counts memory and swap together: 32 MiB of which 16 MiB are memory leave 16 MiB of swap.
swap_limit() {
    local bytes
    scene
    KEEP=--keep container a '{"memory": {"limit": 16777216, "swap": 33554432}}' touch 96M
    ends_touching a
    row '16 MiB of memory, 16 MiB of swap: killed when it had' "$(mib "$bytes")" - within 31000000 33554432 "$bytes"
    row 'exit status of a killed one: 137' - "${status_of[a]}" equal "${status_of[a]}" 137
    remove "$ID-a"
    scene
    container a '{"memory": {"limit": 16777216, "swap": -1}}' touch 40M
    window --warm 0 --still 4000
    bytes=${seen[a.inside.total_bytes]:-0}
    row 'swap without a limit: 40 MiB with 16 MiB of memory' "$(mib "$bytes")" "$(mib "$(text a memory.swap.current)")" \
        within 41943040 41943040 "$bytes"
    row 'of which in swap: 24 MiB at least' - "$(mib "$(text a memory.swap.current)")" \
        within 25165824 41943040 "$(text a memory.swap.current)"
    over
    scene
    container a '{"memory": {"limit": 67108864}}' touch 40M
    window --warm 0 --still 1000
    update --memory 16M --memory-swap 64M "$ID-a"
    row 'update --memory 16M: what it had goes to swap' - "$(mib "$(text a memory.current)")" \
        within 0 16777216 "$(text a memory.current)"
    row 'and it lives: in swap, 24 MiB at least' - "$(mib "$(text a memory.swap.current)")" \
        within 25165824 50331648 "$(text a memory.swap.current)"
    over
}
prove_swap() {
    swap_begin
    measure swap_limit
    swap_end
}

# The host's own swap, else the scratch disk of --disk for as long as it takes.
swap_begin() {
    [ -z "$cli_skipped" ] || return 0
    [ "$(wc -l </proc/swaps)" -le 1 ] || return 0
    [ -n "$disk" ] || { lacks 'no swap here, and no --disk to have some'; return; }
    expect mkswap "$disk"
    expect swapon "$disk"
    swapped=$disk
}
swap_end() {
    [ -z "${swapped:-}" ] || swapoff "$swapped"
    swapped=
}

# What the runtime itself needs of the container's memory.
little_memory() {
    scene
    container a '{"memory": {"limit": 524288, "swap": 524288}}' where 1
    ended a
    row 'a container of 512 KiB starts and ends with 0' "$(head -n 1 "$T/a/out")" "${status_of[a]}" \
        equal "${status_of[a]}" 0
}
prove_little_memory() { measure little_memory; }

# Huge pages are a pool of the host, of which this takes what is free: 2 of 4 pages of 2 MiB.
HUGE_POOL=/sys/kernel/mm/hugepages/hugepages-2048kB
huge_pages() {
    scene
    container a '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}' huge 4
    ended a
    row '2 huge pages of 2 MiB: of 4 it gets' "$(<"$T/a/out")" "${status_of[a]}" equal "$(<"$T/a/out")" 'mapped 2'
    scene
    container a '{}' huge 4
    ended a
    row 'no limit: of 4 it gets' "$(<"$T/a/out")" "${status_of[a]}" equal "$(<"$T/a/out")" 'mapped 4'
    scene
    container a '{"hugepageLimits": [{"pageSize": "2MB", "limit": 0}]}' spin 1
    window --warm 0 --still 100
    update_by '{"hugepageLimits": [{"pageSize": "2MB", "limit": 6291456}]}'
    run sublet exec "$ID-a" /worker /board 7 huge 4
    row 'update from none to 3: of 4 it gets' "$(<"$T/out")" - equal "$(<"$T/out")" 'mapped 3'
    over
}
prove_hugetlb() {
    local had
    read -r had <"$HUGE_POOL/nr_hugepages" 2>/dev/null || { lacks 'this machine has no huge pages of 2 MiB'; return; }
    [ -n "$cli_skipped" ] || echo $((had + 4)) >"$HUGE_POOL/nr_hugepages"
    [ "$(<"$HUGE_POOL/free_hugepages")" -ge 4 ] || lacks 'no memory for four huge pages'
    measure huge_pages
    echo "$had" >"$HUGE_POOL/nr_hugepages"
}
