# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# sublet as an ordinary user, in a cgroup that is his or not. Sourced after cli.sh.
: "${T:?}" "${ID:?}" "${SUBLET:?}" "${cli_cgroups:?}"

USER_ID=47111
# shellcheck disable=SC2034 # for those who source this; no leftover of a single test
GIVEN=given$$
user_group= # below the mount; where `user` starts from; "" leaves it at ours
chmod 711 "$T" "$T/.cli"
mkdir -p "$T/run-user"
chown "$USER_ID:$USER_ID" "$T/run-user"
chmod 700 "$T/run-user"

# as_user COMMAND...: with nothing of ours but a state root.
as_user() {
    setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups env -i PATH="$PATH" \
        XDG_RUNTIME_DIR="$T/run-user" ${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"} "$@"
}
export -f as_user
export T USER_ID PATH

# user ARGUMENT...: sublet as that user, born in $user_group.
user() {
    local group=${user_group:+$cli_cgroups/$user_group}
    # shellcheck disable=SC2016 # for the inner shell
    run bash -c '[ -z "$0" ] || echo $$ >"$0/cgroup.procs" || exit; as_user "$@"' "$group" "$SUBLET" "$@"
}

# delegate GROUP: what a host's manager does for a user (cgroup-v2.rst, "Delegation").
delegate() {
    local file
    mkdir -p "$cli_cgroups/$1" || return
    for file in '' /cgroup.procs /cgroup.threads /cgroup.subtree_control; do
        chown "$USER_ID:$USER_ID" "$cli_cgroups/$1$file"
    done
}

# user_bundle DIR JQ-FILTER: what spec --rootless writes for the user, no terminal, then the filter.
user_bundle() {
    [ -d "$1/rootfs" ] || make_rootfs "$1/rootfs"
    chown -R "$USER_ID:$USER_ID" "$1"
    rm -f "$1/config.json"
    as_user "$SUBLET" spec --rootless --bundle "$1" || fail 'spec --rootless'
    edit_bundle "$1" ".process.terminal = false | $2"
}
