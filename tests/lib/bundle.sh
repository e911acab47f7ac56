# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Bundles for tests: a root file system of busybox, and a config.json. Sourced by cli.sh.
: "${T:?}" "${SUBLET:?}" "${LIB:?}"

# The folder that every root is copied from: busybox with one link an applet, and the probe.
rootfs_template() {
    local root=$T/.cli/rootfs
    if [ ! -d "$root" ]; then
        mkdir -p "$root"/{bin,dev,etc,home,proc,root,run,sys,tmp,usr,var} || return 1
        chmod 1777 "$root/tmp"
        cp "$(command -v busybox)" "$root/bin/busybox" || return 1
        # Hard links, made by one program: in the guest four hundred would take seconds.
        "$root/bin/busybox" --install "$root/bin" || return 1
        printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n' >"$root/etc/passwd"
        printf 'root:x:0:\nuser:x:1000:\n' >"$root/etc/group"
        [ ! -x "$(probe_program)" ] || cp "$(probe_program)" "$root/bin/probe" || return 1
    fi
    printf '%s\n' "$root"
}

make_rootfs() {
    mkdir -p "$(dirname "$1")" && cp -a "$(rootfs_template)" "$1"
}

# The probe as built beside the program under test, or built here.
probe_program() {
    local built=${SUBLET_BUILD:-none}/probe.elf
    if [ ! -x "$built" ]; then
        built=$T/.cli/probe
        [ -x "$built" ] || [ ! -e "$LIB/../probe/probe.c" ] ||
            cc -static -O2 -D_GNU_SOURCE -o "$built" "$LIB"/../probe/*.c || return 1
    fi
    printf '%s\n' "$built"
}

# make_bundle DIR [JQ-FILTER]: a new bundle with the default config, no terminal, then the filter.
make_bundle() {
    local dir=$1 filter=${2:-.}
    mkdir -p "$dir" || return 1
    [ -d "$dir/rootfs" ] || make_rootfs "$dir/rootfs" || return 1
    rm -f "$dir/config.json"
    "$SUBLET" spec --bundle "$dir" >"$T/.cli/spec" 2>&1 ||
        { fail "spec: $(cat "$T/.cli/spec")"; return 1; }
    edit_bundle "$dir" ".process.terminal = false | $filter"
}

# edit_bundle DIR JQ-FILTER
edit_bundle() {
    local new
    new=$(jq "$2" "$1/config.json" 2>&1) || { fail "jq '$2': $new"; return 1; }
    printf '%s\n' "$new" >"$1/config.json"
}
