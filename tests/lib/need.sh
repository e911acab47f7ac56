# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# need PACKAGE...: installs with apt-get the Debian packages that are not there. Sourced, bash only.

# What it takes to build sublet, and to run its tests on top of that.
# shellcheck disable=SC2034 # for those who source this
NEED_BUILD=(gcc libc6-dev binutils cmake ninja-build pkgconf
    libyajl-dev libseccomp-dev libsystemd-dev libmnl-dev libmicrohttpd-dev libncurses-dev check)
# shellcheck disable=SC2034
NEED_TEST=(clang clang-format clang-tidy libclang-rt-14-dev shellcheck mandoc python3 jq busybox-static
    util-linux mount iproute2 procps uidmap tmux ncurses-base qemu-system-x86 kmod xz-utils zstd
    systemd dbus dbus-user-session chromium)

# For the stage engines. shellcheck reads this file alone:
# shellcheck disable=SC2034
NEED_ENGINES=(curl podman conmon buildah containerd docker.io runc crun uidmap fuse-overlayfs
    tini catatonit jq)

# Prints those of the given packages that are not fully installed.
need_missing() {
    local package state
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
        [ "$state" = installed ] || printf '%s\n' "$package"
    done
}

# apt-get that asks nothing, waits for another apt-get, and never runs for ever.
need_apt() {
    DEBIAN_FRONTEND=noninteractive timeout -k 10 900 apt-get -qq -y \
        -o DPkg::Lock::Timeout=300 -o APT::Sandbox::User=root "$@"
}

# Index files are fetched once: they are there on a machine that installed anything before.
need_lists() {
    if [ "${1:-}" = --again ] || [ -z "$(find /var/lib/apt/lists -name '*_Packages*' -print -quit)" ]; then
        need_apt update >&2
    fi
}

need() {
    local missing
    mapfile -t missing < <(need_missing "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        printf 'missing packages, install as root: apt-get install %s\n' "${missing[*]}" >&2
        return 1
    fi
    printf 'installing %s\n' "${missing[*]}" >&2
    need_lists || return 1
    need_apt install --no-install-recommends "${missing[@]}" >&2 && return 0
    # A list older than the archive names files that are gone.
    need_lists --again && need_apt install --no-install-recommends "${missing[@]}" >&2
}
