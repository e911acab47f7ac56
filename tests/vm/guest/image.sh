# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The guest's kernel, modules and initramfs, made from Debian's package and kept in a cache.
# Sourced by tests/vm/run, which sets vm_dir. image_ready VERSION prints the directory that holds them.

: "${vm_dir:?}"

# Everything the guest needs to reach its root; all else is loaded on demand from there.
IMAGE_MODULES="virtio_pci virtio_console virtio_blk 9pnet_virtio 9p overlay"

# Debian's kernel package of that version: the one its meta-package stands for, else the newest.
image_package() {
    local version=$1 package
    package=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: //p' | head -n 1)
    if [[ $package != linux-image-"$version".* ]]; then
        package=$(apt-cache pkgnames "linux-image-$version." |
            grep -E '^linux-image-[0-9.]+(-[0-9]+)?(\+[a-z0-9.]+)?-amd64$' | sort -V | tail -n 1)
    fi
    [ -n "$package" ] && printf '%s\n' "$package"
}

image_version() {
    apt-cache show --no-all-versions "$1" | sed -n 's/^\(Package\|Version\): //p'
}

# What the image is made from; a change of any of it makes a new image.
image_recipe() {
    local package=$1
    image_version "$package"
    printf '%s\n' "$IMAGE_MODULES"
    cat "$vm_dir"/guest/* | sha256sum
    dpkg-query -W busybox-static
}

image_modules() {
    local tree=$1 release=$2 to=$3 word file n=0 name
    # shellcheck disable=SC2086 # a list of words
    modprobe -a -d "$tree" -S "$release" --show-depends $IMAGE_MODULES |
        while read -r word file _; do
            [ "$word" = insmod ] && printf '%s\n' "$file"
        done | awk '!seen[$0]++' | while read -r file; do
        n=$((n + 1))
        name=$(printf '%s/%02d-%s' "$to" "$n" "$(basename "${file%.xz}")")
        case $file in
            *.xz) xz -dc "$file" >"$name" ;;
            *) cp "$file" "$name" ;;
        esac || return 1
    done
}

# The kernel proper out of the self-unpacking file: unpacking costs seconds under emulation, and
# qemu starts an ELF kernel directly (PVH).
image_unpack() {
    local from=$1 to=$2 row magic offset
    for row in 'xz:\xfd7zXZ\x00' 'zstd:\x28\xb5\x2f\xfd'; do
        magic=${row#*:}
        offset=$(LC_ALL=C grep -aobP -m 1 "$magic" "$from" | head -n 1 | cut -d: -f1)
        [ -n "$offset" ] || continue
        # What follows the compressed kernel is of another kind: the error it makes means nothing.
        tail -c "+$((offset + 1))" "$from" | "${row%%:*}" -dc 2>/dev/null >"$to"
        [ "$(head -c 4 "$to" | tail -c 3)" = ELF ] && return 0
    done
    return 1
}

image_initramfs() {
    local dir=$1 release=$2 work=$1/initramfs.d
    rm -rf "$work" && mkdir -p "$work"/{bin,modules,proc,sys,dev,root,lower,rw,share} || return 1
    cp "$(command -v busybox)" "$work/bin/busybox" || return 1
    install -m 0755 "$vm_dir/guest/init" "$work/init" || return 1
    install -m 0755 "$vm_dir/guest/main" "$work/main" || return 1
    image_modules "$dir/tree" "$release" "$work/modules" || return 1
    # Not compressed: reading it is cheap, unpacking it under emulation is not.
    (cd "$work" && find . | busybox cpio -o -H newc 2>/dev/null) >"$dir/initramfs" || return 1
    rm -rf "$work"
}

# The package unpacked: kernel and modules. Kept as long as the package's version stays.
image_tree() {
    local dir=$1 package=$2 release
    [ "$(cat "$dir/package" 2>/dev/null)" != "$(image_version "$package")" ] || return 0
    rm -rf "$dir" && mkdir -p "$dir/tree" || return 1
    (cd "$dir" && need_apt download "$package" >&2) || return 1
    dpkg-deb -x "$dir"/linux-image-*.deb "$dir/tree" && rm -f "$dir"/*.deb || return 1
    release=$(ls "$dir/tree/lib/modules") || return 1
    image_unpack "$dir/tree/boot/vmlinuz-$release" "$dir/vmlinux" || return 1
    depmod -b "$dir/tree" "$release" || return 1
    image_version "$package" >"$dir/package"
}

image_build() {
    local dir=$1 package=$2
    printf 'vm: making the guest from %s\n' "$package" >&2
    image_tree "$dir" "$package" || return 1
    image_initramfs "$dir" "$(ls "$dir/tree/lib/modules")" || return 1
    image_recipe "$package" >"$dir/recipe"
}

# The recipe is compared only when something newer than it exists: apt's answer takes a second.
image_fresh() {
    local dir=$1 file
    [ -s "$dir/recipe" ] || return 1
    for file in /var/lib/apt/lists /var/lib/dpkg/status "$vm_dir"/guest/*; do
        [ "$file" -nt "$dir/recipe" ] && return 1
    done
    return 0
}

image_ready() {
    local version=$1 cache dir package
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/sublet-vm
    dir=$cache/$version
    mkdir -p "$cache" || return 1
    (
        flock -w 900 9 || exit 1
        image_fresh "$dir" && exit 0
        need_lists
        if ! package=$(image_package "$version"); then
            [ -s "$dir/recipe" ] # an old one serves where the archive cannot be asked
            exit
        fi
        if [ -s "$dir/recipe" ] && [ "$(image_recipe "$package")" = "$(cat "$dir/recipe")" ]; then
            touch "$dir/recipe"
            exit 0
        fi
        image_build "$dir" "$package" || { rm -f "$dir/recipe" && exit 1; }
    ) 9>"$cache/lock.$version" || return 1
    printf '%s\n' "$dir"
}
