# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# podman in the guest, with the configuration of examples/engines.

e() { podman --runtime "$R" "$@"; }
build() { podman --runtime "$R" build --isolation oci --runtime "$R" --network none --pull=never "$@"; }
export -f e build
export I=localhost/busybox:latest N='--network none'

podman_world() {
    mkdir -p /etc/containers/containers.conf.d /var/lib/containers
    mount -t tmpfs tmpfs /var/lib/containers
    cp "$ENGINES/../../examples/engines/podman.conf" /etc/containers/containers.conf.d/sublet.conf
    printf '[containers]\nlog_driver = "k8s-file"\n[engine]\nevents_logger = "file"\n' \
        >/etc/containers/containers.conf.d/guest.conf
    printf '[storage]\ndriver = "overlay"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n' \
        >/etc/containers/storage.conf
    echo containers:200000:65536 >>/etc/subuid
    echo containers:200000:65536 >>/etc/subgid
    podman import --quiet "$WORLD/image.tar" "$I" >/dev/null
}
