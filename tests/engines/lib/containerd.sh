# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# containerd on a store in memory, and an image for it. Sourced after rows.sh.

# An image in OCI's layout, as any registry would give it.
write_image() {
    local blobs=$WORLD/oci/blobs/sha256 layer layer_id config manifest
    mkdir -p "$blobs"
    layer_id=$(sha256sum <"$WORLD/image.tar" | cut -d' ' -f1)
    cp "$WORLD/image.tar" "$blobs/$layer_id"
    blob() { local sum; sum=$(sha256sum <"$WORLD/blob" | cut -d' ' -f1); mv "$WORLD/blob" "$blobs/$sum"; printf '%s %s' "$sum" "$(stat -c %s "$blobs/$sum")"; }
    layer=$(stat -c %s "$WORLD/image.tar")
    printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sleep","100000"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$layer_id" >"$WORLD/blob"
    config=$(blob)
    jq -n --arg config "sha256:${config% *}" --arg layer "sha256:$layer_id" --argjson of_config "${config#* }" \
        --argjson of_layer "$layer" '"application/vnd.oci.image." as $kind | {schemaVersion: 2, mediaType: "\($kind)manifest.v1+json",
        config: {mediaType: "\($kind)config.v1+json", digest: $config, size: $of_config},
        layers: [{mediaType: "\($kind)layer.v1.tar", digest: $layer, size: $of_layer}]}' >"$WORLD/blob"
    manifest=$(blob)
    printf '{"imageLayoutVersion":"1.0.0"}' >"$WORLD/oci/oci-layout"
    jq -n --arg manifest "sha256:${manifest% *}" --argjson of_manifest "${manifest#* }" '{schemaVersion: 2, manifests: [{
        mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $manifest, size: $of_manifest,
        platform: {architecture: "amd64", os: "linux"},
        annotations: {"io.containerd.image.name": "docker.io/library/busybox:test",
        "org.opencontainers.image.ref.name": "test"}}]}' >"$WORLD/oci/index.json"
    tar -C "$WORLD/oci" -cf "$WORLD/oci.tar" .
}

containerd_world() {
    mkdir -p /var/lib/containerd /opt/cni/bin
    mount -t tmpfs tmpfs /var/lib/containerd
}

ctr_answers() { ctr version >/dev/null 2>&1 && echo ok; }
export -f ctr_answers

# containerd_start NAME CONFIG
containerd_start() {
    containerd --config "$2" >>"${VM_LOGS:-$WORLD}/containerd-$1.log" 2>&1 &
    containerd_pid=$!
    until_out 300 ok ctr_answers >/dev/null
}

containerd_stop() {
    kill "$containerd_pid"
    wait "$containerd_pid"
}
