# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What a test may not leave behind, how it is removed all the same, and the whole difference of a
# host before and after. Sourced by cli.sh.
: "${T:?}" "${ID:?}" "${SUBLET:?}"

cli_ns=$(readlink /proc/self/ns/mnt | sed 's/[][]/\\&/g') # a pattern for find

# The cgroup v2 mount of this host.
cgroup_root() {
    awk '$3 == "cgroup2" && ($2 == "/sys/fs/cgroup" || $2 == "/sys/fs/cgroup/unified") { at = $2 } END { print at }' \
        /proc/self/mounts
}

# has_controllers NAME...: whether limits of these kinds can be set here.
has_controllers() {
    local name have
    have=$(cat "$(cgroup_root)/cgroup.controllers" 2>/dev/null)
    for name in "$@"; do
        [[ " $have " == *" $name "* ]] || return 1
    done
}

# Processes in the namespace of this file, in its cgroups, or that see its folder; one pid a line.
# The list is read again afterwards, when those that made it are gone.
our_processes() {
    local link file pid
    find /proc/[0-9]*/ns/mnt -maxdepth 0 -lname "$cli_ns" 2>/dev/null >"$T/.cli/links"
    grep -lsF -e "$T/" /proc/[0-9]*/mountinfo >"$T/.cli/seers"
    grep -lsE -e "/[^/]*$ID([^0-9]|\$)" /proc/[0-9]*/cgroup >>"$T/.cli/seers"
    while read -r link; do
        link=${link#/proc/}
        printf '%s\n' "${link%%/*}"
    done <"$T/.cli/links" >"$T/.cli/pids"
    while read -r file; do
        file=${file#/proc/}
        printf '%s\n' "${file%%/*}"
    done <"$T/.cli/seers" >>"$T/.cli/pids"
    sort -un "$T/.cli/pids" >"$T/.cli/sorted"
    while read -r pid; do
        if [ "$pid" -ne $$ ] && [ "$pid" -ne "$BASHPID" ] && [ -e "/proc/$pid/exe" ]; then
            printf '%s\n' "$pid"
        fi
    done <"$T/.cli/sorted"
}

our_cgroups() {
    find "$(cgroup_root)" -depth -type d -name "*$ID*" 2>/dev/null
}

our_states() {
    find "$T/root" -mindepth 1 -maxdepth 1 -name "*$ID*" -printf '%f\n'
}

leftovers_base() {
    cat /proc/self/mountinfo >"$T/.cli/mounts"
    our_processes >"$T/.cli/processes"
}

# One line for each thing that was not there when the test began.
leftovers() {
    local pid
    diff "$T/.cli/mounts" /proc/self/mountinfo | sed -n 's/^> /mount /p'
    our_processes >"$T/.cli/now"
    for pid in $(comm -13 <(sort "$T/.cli/processes") <(sort "$T/.cli/now")); do
        # The last look: what was ending has had its time.
        [ ! -e "/proc/$pid/exe" ] || printf 'process %s %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
    done
    our_cgroups | sed 's/^/cgroup /'
    our_states | sed 's/^/state /'
}

# Away with it, first as a user would, then by force: the next test starts from nothing.
clean() {
    local item
    for item in $(our_states); do
        timeout -k 2 10 "$SUBLET" --root "$T/root" delete --force "$item" >/dev/null 2>&1
    done
    for item in $(our_processes); do
        kill -KILL "$item" 2>/dev/null
    done
    for item in $(our_cgroups); do
        echo 1 >"$item/cgroup.kill" 2>/dev/null
        rmdir "$item" 2>/dev/null
    done
    awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r item; do
        umount -l "$item" 2>/dev/null
    done
    rm -rf --one-file-system "${T:?}/root"
    mkdir -m 0700 "$T/root"
    leftovers_base
}

# Everything of the host that a container might have touched. Arguments: folders with known files.
hostdiff_print() {
    local folder
    for folder in "$@"; do
        find "$folder" -printf '%y %m %U:%G %s %T@ %l %p\n' | sort
    done
    sed 's/^/mount /' /proc/self/mountinfo
    find "$T/root" -printf 'state %y %m %P\n' | sort
    our_cgroups | sed 's/^/cgroup /' | sort
    find /dev -maxdepth 1 -printf 'dev %y %m %U:%G %l %p\n' | sort
    stat -c 'null %F %a %u:%g %t:%T' /dev/null
    grep -H . /proc/sys/kernel/{core_pattern,hostname,domainname}
    our_processes >"$T/.cli/host-processes"
    sed 's/^/process /' "$T/.cli/host-processes"
    find /sys/class/net -mindepth 1 -printf 'link %f\n' | sort
    [ ! -t 0 ] || stty -g
}

# hostdiff_before [FOLDER...] ... expect_hostdiff_empty: nothing of the host may have changed.
hostdiff_before() {
    hostdiff_folders=("$@")
    hostdiff_print "$@" >"$T/.cli/host"
}
expect_hostdiff_empty() {
    local changed
    hostdiff_print "${hostdiff_folders[@]}" >"$T/.cli/host-now"
    changed=$(diff "$T/.cli/host" "$T/.cli/host-now" | grep '^[<>]')
    [ -z "$changed" ] || fail "the host changed: $(head -n 4 <<<"$changed")"
}
