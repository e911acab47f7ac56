# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # variables of lib.sh
# The disk. Throttling is delay: a request waits before the disk sees it. $SCRATCH is the disk,
# $SCRATCH_NUMBER its major:minor. Rates are asked small, so that any disk could do more.

# disk_begin: the disk of --disk, else a loop device over a file.
disk_begin() {
    [ -z "$cli_skipped" ] || return 0
    SCRATCH=$disk
    if [ -z "$SCRATCH" ]; then
        # whole from the start: what a loop device has to add to its file is memory of who writes
        head -c 64M /dev/zero >"$T/scratch"
        SCRATCH=$(losetup --find --show "$T/scratch" 2>"$T/err") || { lacks "no loop device: $(<"$T/err")"; return; }
    fi
    read -r SCRATCH_NUMBER <"/sys/class/block/${SCRATCH##*/}/dev"
    SCRATCH_RULE="\"devices\": [{\"allow\": true, \"type\": \"b\", \"major\": ${SCRATCH_NUMBER%:*}, \"minor\": ${SCRATCH_NUMBER#*:}, \"access\": \"rw\"}]"
    MORE_LINUX=", \"devices\": [{\"path\": \"/dev/scratch\", \"type\": \"b\", \"major\": ${SCRATCH_NUMBER%:*}, \"minor\": ${SCRATCH_NUMBER#*:}}]"
}
disk_end() {
    MORE_LINUX=
    [ -n "$disk" ] || [ -z "${SCRATCH:-}" ] || losetup -d "$SCRATCH"
    SCRATCH=
}

# at_most KIND RATE: a limit of config.json for the scratch disk; kind as ReadBps or WriteIOPS.
at_most() {
    printf '"throttle%sDevice": [{"major": %s, "minor": %s, "rate": %s}]' "$1" "${SCRATCH_NUMBER%:*}" "${SCRATCH_NUMBER#*:}" "$2"
}

# Direct: each request goes to the disk as it is. Four containers at once, each with a limit of its
# own on the same disk.
io_direct() {
    local in out
    scene
    container rbps "{$SCRATCH_RULE, \"blockIO\": {$(at_most ReadBps 2097152)}}" disk read direct /dev/scratch 64K 1
    container wbps "{$SCRATCH_RULE, \"blockIO\": {$(at_most WriteBps 2097152)}}" disk write direct /dev/scratch 64K 1
    container riops "{$SCRATCH_RULE, \"blockIO\": {$(at_most ReadIOPS 100)}}" disk read direct /dev/scratch 4K 4
    container wiops "{$SCRATCH_RULE, \"blockIO\": {$(at_most WriteIOPS 100)}}" disk write direct /dev/scratch 4K 4
    window --warm 500 --disk "$SCRATCH_NUMBER" 3000
    rates rbps bytes read_bytes
    row 'read 2.0 MiB/s, direct' "$(mib "$in")/s" "$(mib "$out")/s" near 2097152 10 "$in" "$out"
    rates wbps bytes write_bytes
    row 'write 2.0 MiB/s, direct' "$(mib "$in")/s" "$(mib "$out")/s" near 2097152 10 "$in" "$out"
    rates riops rounds reads
    row '100 reads a second, four readers' "$in/s" "$out/s" near 100 10 "$in" "$out"
    rates wiops rounds writes
    row '100 writes a second, four writers' "$in/s" "$out/s" near 100 10 "$in" "$out"
    over
}
prove_io_max() {
    disk_begin
    measure io_direct
    disk_end
}

# Buffered: through the page cache, on a file system that charges writeback to the writer. Who waits
# for the disk feels the limit at once.
io_buffered() {
    local in out
    rm -f "$T/disk/synced"
    scene
    container read "{\"memory\": {\"limit\": 8388608}, \"blockIO\": {$(at_most ReadBps 2097152)}}" \
        disk read buffered /disk/read 64K 1
    container synced "{\"memory\": {\"limit\": 8388608}, \"blockIO\": {$(at_most WriteBps 2097152)}}" \
        disk write synced /disk/synced 128K 1
    window --warm 1000 --disk "$SCRATCH_NUMBER" 3000
    rates read bytes read_bytes
    row 'read 2.0 MiB/s, buffered' "$(mib "$in")/s" "$(mib "$out")/s" near 2097152 10 "$in" "$out"
    rates synced bytes write_bytes
    row 'write 2.0 MiB/s, buffered, each block flushed' "$(mib "$in")/s" "$(mib "$out")/s" near 2097152 10 "$in" "$out"
    over
}
# Who does not wait gets ahead of the disk by what his memory holds, so a limit of I/O wants a limit
# of memory beside it. The kernel then writes in turns of a megabyte and may leave a gap between
# them: less than the rate can be, more cannot.
io_ahead() {
    local in out ahead
    rm -f "$T/disk/ahead"
    scene
    container a "{\"memory\": {\"limit\": 8388608}, \"blockIO\": {$(at_most WriteBps 4194304)}}" \
        disk write buffered /disk/ahead 64K 1
    window --warm 1000 --disk "$SCRATCH_NUMBER" 5000
    rates a bytes write_bytes
    row 'write at most 4.0 MiB/s, buffered' "$(mib "$in")/s" "$(mib "$out")/s" within 2097152 $((4194304 * 11 / 10)) "$out"
    ahead=$(((in - out) * ${seen[wall_us]:-0} / 1000000))
    row 'ahead of the disk by its memory at most: 8 MiB' "$(mib ${ahead#-})" - within -8388608 8388608 "$ahead"
    over
}
prove_io_buffered() {
    disk_begin
    if [ -z "$cli_skipped" ]; then
        MORE_MOUNTS=", {\"destination\": \"/disk\", \"type\": \"bind\", \"source\": \"$T/disk\", \"options\": [\"rbind\", \"rw\"]}"
        mkdir -p "$T/disk"
        if mkfs.ext4 -q -F -E nodiscard -O ^has_journal "$SCRATCH" 2>"$T/err" && mount "$SCRATCH" "$T/disk"; then
            head -c 16M /dev/zero >"$T/disk/read"
            sync -f "$T/disk"
            measure io_buffered
            measure io_ahead
            umount "$T/disk"
        else
            lacks "no ext4 on the scratch disk: $(head -n 1 "$T/err")"
        fi
    fi
    MORE_MOUNTS=
    disk_end
}

# Shares of a disk's time: the kernel's cost model says that this disk does 2000 reads a second, and
# two containers that want more share them by weight. The kernel is exact only for one reader at a
# time, so what has to hold is the direction: the heavier one gets clearly more.
io_weights() {
    local in out low
    scene
    container a "{$SCRATCH_RULE, \"unified\": {\"io.weight\": \"default 100\"}}" disk read direct /dev/scratch 4K 8
    container b "{$SCRATCH_RULE, \"unified\": {\"io.weight\": \"default 300\"}}" disk read direct /dev/scratch 4K 8
    window --warm 700 --disk "$SCRATCH_NUMBER" 2500
    rates a rounds reads
    low=$in
    row 'weight 100 of 400' "$in reads/s" "$out reads/s" within 1 999999 "$low"
    rates b rounds reads
    row 'weight 300 of 400' "$in reads/s" "$out reads/s" within 1 999999 "$in"
    row '1:3, at least 1:1.4' "1:$(milli "$(ratio "$in" "$low")")" - within 1400 3500 "$(ratio "$in" "$low")"
    update_by '{"unified": {"io.weight": "default 300"}}' "$ID-a"
    update_by '{"unified": {"io.weight": "default 100"}}' "$ID-b"
    window --warm 700 --disk "$SCRATCH_NUMBER" 2500
    rates b rounds reads
    low=$in
    rates a rounds reads
    row 'update: 300 and 100, the other way round' "1:$(milli "$(ratio "$in" "$low")")" - \
        within 1400 3500 "$(ratio "$in" "$low")"
    over
}
prove_io_weight() {
    local root=$cli_cgroups
    [ -e "$root/io.cost.qos" ] || lacks 'this kernel has no io.cost'
    disk_begin
    if [ -z "$cli_skipped" ]; then
        if echo "$SCRATCH_NUMBER enable=1 ctrl=user rpct=0 wpct=0 min=100 max=100" >"$root/io.cost.qos" 2>"$T/err" &&
            echo "$SCRATCH_NUMBER ctrl=user model=linear rbps=100000000 rseqiops=2000 rrandiops=2000 wbps=100000000 wseqiops=2000 wrandiops=2000" \
                >"$root/io.cost.model" 2>"$T/err"; then
            measure io_weights
        else
            lacks "no io.cost for this disk: $(<"$T/err")"
        fi
        echo "$SCRATCH_NUMBER enable=0" >"$root/io.cost.qos"
    fi
    disk_end
}
