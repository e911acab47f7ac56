# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What a test may not leave behind, how it is removed all the same, and the whole difference of a
# host before and after. Sourced by cli.sh.
: "${T:?}" "${ID:?}" "${SUBLET:?}"

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

# Whether a process is in the namespace of this file, in one of its cgroups, or sees its folder.
is_ours() {
    local lines
    [ ! "$1/ns/mnt" -ef /proc/self/ns/mnt ] || return 0
    mapfile -t lines 2>/dev/null <"$1/cgroup"
    [[ "${lines[*]}" != */*"$ID"* ]] || return 0
    mapfile -t lines 2>/dev/null <"$1/mountinfo"
    [[ "${lines[*]}" == *"$T/"* ]]
}

# Their pids, into our_pids. Nothing but builtins: in the guest every program costs a tenth of a
# second. Kernel threads and the dead have no exe.
our_processes() {
    local dir
    our_pids=()
    for dir in /proc/[0-9]*; do
        case $dir in "/proc/$$" | "/proc/$BASHPID") continue ;; esac
        [ -e "$dir/exe" ] || continue
        ! is_ours "$dir" 2>/dev/null || our_pids+=("${dir#/proc/}")
    done
}

our_cgroups() {
    find "$cli_cgroups" -depth -type d -name "*$ID*" 2>/dev/null
}

# Names of the state root, into our_containers.
our_states() {
    local dir
    our_containers=()
    for dir in "$T/root"/*"$ID"*; do
        [ ! -e "$dir" ] || our_containers+=("${dir##*/}")
    done
}

leftovers_base() {
    mapfile -t cli_mounts </proc/self/mountinfo
    our_processes
    cli_pids=" ${our_pids[*]} "
}

# One line for each thing that was not there when the test began.
leftovers() {
    local item now before
    mapfile -t now </proc/self/mountinfo
    before=$(IFS=$'\n' && printf '\n%s\n' "${cli_mounts[*]}")
    for item in "${now[@]}"; do
        [[ $before == *$'\n'"$item"* ]] || printf 'mount %s\n' "$item"
    done
    our_processes
    for item in "${our_pids[@]}"; do
        # The last look: what was ending has had its time.
        [[ $cli_pids == *" $item "* ]] || [ ! -e "/proc/$item/exe" ] ||
            printf 'process %s %s\n' "$item" "$(tr '\0' ' ' <"/proc/$item/cmdline" 2>/dev/null)"
    done
    our_states
    [ "${#our_containers[@]}" -eq 0 ] || printf 'state %s\n' "${our_containers[@]}"
    mapfile -t now < <(our_cgroups)
    [ "${#now[@]}" -eq 0 ] || printf 'cgroup %s\n' "${now[@]}"
}

# Away with it, first as a user would, then by force: the next test starts from nothing.
clean() {
    local item
    our_states
    for item in "${our_containers[@]}"; do
        timeout -k 2 10 "$SUBLET" --root "$T/root" delete --force "$item" >/dev/null 2>&1
    done
    our_processes
    for item in "${our_pids[@]}"; do
        kill -KILL "$item" 2>/dev/null
    done
    for item in $(our_cgroups); do
        echo 1 >"$item/cgroup.kill" 2>/dev/null
        find "$item" -depth -type d -exec rmdir {} \; 2>/dev/null
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
    our_cgroups | sort | sed 's/^/cgroup /'
    find /dev -maxdepth 1 -printf 'dev %y %m %U:%G %l %p\n' | sort
    stat -c 'null %F %a %u:%g %t:%T' /dev/null
    grep -H . /proc/sys/kernel/{core_pattern,hostname,domainname}
    our_processes
    printf 'process %s\n' "${our_pids[@]}"
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

cli_cgroups=$(cgroup_root)
