#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The configurations in examples/engines are what their formats allow, name the same runtime, and
# are what README.md shows. The stage engines uses those of podman, containerd and docker.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

examples=$LIB/../../examples/engines

as_json='import json, sys, tomllib; json.dump(tomllib.load(open(sys.argv[1], "rb")), sys.stdout)'

t 'the example for podman is TOML with the runtime, and with what podman asks of a runtime it does not know'
run python3 -c "$as_json" "$examples/podman.conf"
expect_json '.engine.runtimes.sublet' '["/usr/sbin/sublet"]'
expect_json '.engine.runtime_supports_json | index("sublet") != null' true
expect_json '.engine.runtime_supports_nocgroup | index("sublet") != null' true

t 'the example for containerd is TOML with the runtime'
run python3 -c "$as_json" "$examples/containerd.toml"
expect_json .version 2
expect_json '.plugins["io.containerd.grpc.v1.cri"].containerd.runtimes.sublet | .runtime_type, .options.BinaryName' $'io.containerd.runc.v2\n/usr/sbin/sublet'

expect_json '.plugins["io.containerd.grpc.v1.cri"].containerd.runtimes | keys' '["runc","sublet"]'

t 'the example for CRI-O is TOML with the runtime'
run python3 -c "$as_json" "$examples/crio.conf"
expect_json '.crio.runtime.runtimes.sublet | .runtime_path, .runtime_type' $'/usr/sbin/sublet\noci'

t 'the example for docker is JSON with the runtime'
run cat "$examples/docker.json"
expect_json .runtimes.sublet.path /usr/sbin/sublet

t 'the example for Kubernetes is YAML: a class with the handler of containerd and CRI-O, and a pod of that class'
if python3 -c 'import yaml' 2>/dev/null; then
    run python3 -c 'import json, sys, yaml; json.dump(list(yaml.safe_load_all(open(sys.argv[1]))), sys.stdout)' "$examples/kubernetes.yaml"
    expect_json 'map(.kind)' '["RuntimeClass","Pod"]'
    expect_json '.[0].handler' sublet
    expect_json '.[1].spec.runtimeClassName == .[0].metadata.name' true
else
    skip 'python3 has no yaml here'
fi

t 'the example for Kubernetes with tenants is YAML: the node of one tenant, and a pod that names one'
if python3 -c 'import yaml' 2>/dev/null; then
    run python3 -c 'import json, sys, yaml; json.dump(list(yaml.safe_load_all(open(sys.argv[1]))), sys.stdout)' "$examples/kubernetes-tenant.yaml"
    expect_json '.[0] | .kind, .cgroupDriver, .cgroupRoot' $'KubeletConfiguration\ncgroupfs\n/sublet.tenants/pods'
    expect_json '.[1].metadata.annotations["org.sublet.tenant"]' shop
else
    skip 'python3 has no yaml here'
fi

t 'what README.md shows of them is what they are'
for file in podman.conf containerd.toml docker.json crio.conf; do
    grep -vE '^ *(#|$|version = 2)' "$examples/$file" >"$T/$file"
    while IFS= read -r line; do
        expect grep -qxF -- "    $line" "$LIB/../../README.md"
    done <"$T/$file"
done
