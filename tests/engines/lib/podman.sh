# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# podman in the guest, with the configuration of examples/engines: of root or of a user, with
# cgroupfs or with systemd. PODMAN_MANAGER is the manager of groups, sourced after rows.sh.

PODMAN_MANAGER=${PODMAN_MANAGER:-cgroupfs}
e() { podman --cgroup-manager "$PODMAN_MANAGER" --runtime "$R" "$@"; }
build() { e build --isolation oci --runtime "$R" --network none --pull=never "$@"; }
export -f e build
export I=localhost/busybox:latest N='--network none' PARENT=/engines-parent PODMAN_MANAGER
[ "$PODMAN_MANAGER" = cgroupfs ] || PARENT=engines-parent.slice

podman_config() {
    mkdir -p /etc/containers/containers.conf.d
    cp "$ENGINES/../../examples/engines/podman.conf" /etc/containers/containers.conf.d/sublet.conf
    printf '[containers]\nlog_driver = "k8s-file"\n[engine]\nevents_logger = "file"\n' \
        >/etc/containers/containers.conf.d/guest.conf
}

podman_world() {
    podman_config
    mkdir -p /var/lib/containers
    mount -t tmpfs tmpfs /var/lib/containers
    printf '[storage]\ndriver = "overlay"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n' \
        >/etc/containers/storage.conf
    echo containers:200000:65536 >>/etc/subuid
    echo containers:200000:65536 >>/etc/subgid
    podman import --quiet "$WORLD/image.tar" "$I" >/dev/null
}

# podman_user_world DISK: an ordinary user with ids of his own, his home on that disk.
podman_user_world() {
    podman_config
    ROW_USER=47111
    mkfs.ext4 -q -F "$1" && mkdir -p /home/tester && mount "$1" /home/tester && chown "$ROW_USER:$ROW_USER" /home/tester
    printf 'tester:x:%s:%s::/home/tester:/bin/sh\n' $ROW_USER $ROW_USER >>/etc/passwd
    printf 'tester:x:%s:\n' $ROW_USER >>/etc/group
    echo tester:300000:65536 >>/etc/subuid
    echo tester:300000:65536 >>/etc/subgid
    rm -f /etc/containers/storage.conf
    case $PODMAN_MANAGER in
        systemd) podman_user_session ;;
        cgroupfs) podman_user_group ;;
    esac
    "${ROW_AS[@]}" podman import --quiet "$WORLD/image.tar" "$I" >/dev/null
}

# user_with VARIABLE...: the command that makes an ordinary user of root.
user_with() {
    ROW_AS+=(setpriv --reuid "$ROW_USER" --regid "$ROW_USER" --clear-groups env "$@" HOME=/home/tester
        USER=tester "XDG_RUNTIME_DIR=/run/user/$ROW_USER")
}

podman_user_session() {
    systemctl start "user@$ROW_USER.service"
    until_out 60 yes sh -c "[ -S /run/user/$ROW_USER/bus ] && echo yes" >/dev/null
    user_with "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$ROW_USER/bus"
}

# What a host's manager does for a user (cgroup-v2.rst, "Delegation"): every row begins in a group of its own below
# his. One for all would not do: --cgroups split has it give controllers to groups below, and then nobody may enter.
podman_user_group() {
    local given=/sys/fs/cgroup/given controllers name
    install -d -m 700 -o "$ROW_USER" "/run/user/$ROW_USER"
    mkdir -p "$given"
    chown "$ROW_USER" "$given" "$given"/cgroup.{procs,threads,subtree_control}
    read -r controllers </sys/fs/cgroup/cgroup.controllers
    for name in $controllers; do
        echo "+$name" >"$given/cgroup.subtree_control"
    done 2>/dev/null
    # shellcheck disable=SC2016 # for the shell inside
    ROW_AS=(bash -c 'own=/sys/fs/cgroup/given/row.$$; mkdir "$own" && echo $$ >"$own/cgroup.procs" &&
        chown "$0" "$own" "$own"/cgroup.{procs,threads,subtree_control} && exec "$@"' "$ROW_USER")
    user_with -u DBUS_SESSION_BUS_ADDRESS
}

# play_podman ENGINE: the whole table with one runtime after the other.
play_podman() {
    local runtime
    for runtime in ${TEST_RUNTIMES:-sublet $BESIDE}; do
        play "$1" "$runtime"
        R=$runtime "${ROW_AS[@]}" bash -c 'e rm -af -t 0' >/dev/null 2>&1
    done
    verdicts "$1"
}
