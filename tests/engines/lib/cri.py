#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One call of the Container Runtime Interface (v1), as the kubelet makes it: gRPC by curl over HTTP/2, messages by
the numbers of k8s.io/cri-api. Debian has no crictl.

usage: cri.py SOCKET METHOD REQUEST   (REQUEST is JSON by the names below; prints the answer as JSON. An answer that
is a refusal goes to the standard error, status 1.)"""
import json, re, subprocess, sys, urllib.parse

# name: (number, kind). A kind is `text`, `number`, or a message of this table; `*` before it: any number of them.
MESSAGES = {
    "Namespaces": {"network": (1, "number"), "pid": (2, "number"), "ipc": (3, "number")},
    "PodSecurity": {"namespaces": (1, "Namespaces")},
    "PodLinux": {"cgroup_parent": (1, "text"), "security": (2, "PodSecurity")},
    "PodName": {"name": (1, "text"), "uid": (2, "text"), "namespace": (3, "text")},
    "Pod": {"metadata": (1, "PodName"), "log_directory": (3, "text"), "linux": (8, "PodLinux")},
    "Resources": {"cpu_period": (1, "number"), "cpu_quota": (2, "number"), "cpu_shares": (3, "number"),
                  "memory_limit": (4, "number"), "oom_score_adj": (5, "number")},
    "Value": {"value": (1, "number")},
    "Security": {"namespaces": (3, "Namespaces"), "run_as_user": (5, "Value"), "readonly_rootfs": (7, "number")},
    "Linux": {"resources": (1, "Resources"), "security": (2, "Security")},
    "Name": {"name": (1, "text")},
    "Image": {"image": (1, "text")},
    "Mount": {"container_path": (1, "text"), "host_path": (2, "text"), "readonly": (3, "number")},
    "Container": {"metadata": (1, "Name"), "image": (2, "Image"), "command": (3, "*text"), "mounts": (7, "*Mount"),
                  "log_path": (11, "text"), "tty": (14, "number"), "linux": (15, "Linux")},
    "PodState": {"state": (3, "number"), "handler": (9, "text")},
    "State": {"state": (3, "number"), "exit_code": (7, "number"), "reason": (10, "text")},
    "Usage": {"amount": (2, "Value")},
    "Stats": {"cpu": (2, "Usage"), "memory": (3, "Usage")},
}
BY_ID = {"id": (1, "text")}
CALLS = {  # method: request, answer
    "Version": ({}, {"runtime": (2, "text")}),
    "RunPodSandbox": ({"config": (1, "Pod"), "runtime_handler": (2, "text")}, BY_ID),
    "PodSandboxStatus": (BY_ID, {"status": (1, "PodState")}),
    "StopPodSandbox": (BY_ID, {}),
    "RemovePodSandbox": (BY_ID, {}),
    "CreateContainer": ({"pod": (1, "text"), "config": (2, "Container"), "sandbox": (3, "Pod")}, BY_ID),
    "StartContainer": (BY_ID, {}),
    "StopContainer": (BY_ID | {"timeout": (2, "number")}, {}),
    "RemoveContainer": (BY_ID, {}),
    "ContainerStatus": (BY_ID, {"status": (1, "State")}),
    "ContainerStats": (BY_ID, {"stats": (1, "Stats")}),
    "UpdateContainerResources": (BY_ID | {"linux": (2, "Resources")}, {}),
    "ExecSync": (BY_ID | {"command": (2, "*text"), "timeout": (3, "number")},
                 {"out": (1, "text"), "err": (2, "text"), "exit_code": (3, "number")}),
}


def varint(number):
    number &= (1 << 64) - 1
    text = b""
    while number > 127:
        text += bytes([number & 127 | 128])
        number >>= 7
    return text + bytes([number])


def encode(shape, message):
    wire = b""
    for name, value in message.items():
        number, kind = shape[name]
        for one in value if kind[0] == "*" else [value]:
            if kind == "number":
                wire += varint(number << 3) + varint(int(one))
                continue
            data = one.encode() if kind.strip("*") == "text" else encode(MESSAGES[kind.strip("*")], one)
            wire += varint(number << 3 | 2) + varint(len(data)) + data
    return wire


def take_varint(wire, at):
    number = shift = 0
    while True:
        number |= (wire[at] & 127) << shift
        shift += 7
        at += 1
        if wire[at - 1] < 128:
            return number, at


def decode(shape, wire):
    message, at = {name: 0 for name, (_, kind) in shape.items() if kind == "number"}, 0
    known = {number: (name, kind) for name, (number, kind) in shape.items()}
    while at < len(wire):
        tag, at = take_varint(wire, at)
        if tag & 7 == 2:
            size, at = take_varint(wire, at)
            data, at = wire[at:at + size], at + size
        elif tag & 7 == 0:
            data, at = take_varint(wire, at)
        else:
            raise ValueError(f"wire type {tag & 7}")
        if tag >> 3 not in known:
            continue
        name, kind = known[tag >> 3]
        if kind == "number" and data >> 63:
            data -= 1 << 64
        message[name] = data if kind == "number" else data.decode() if kind == "text" else decode(MESSAGES[kind], data)
    return message


def call(socket, method, request):
    ask, answer = CALLS[method]
    wire = encode(ask, request)
    curl = ["curl", "-sS", "--http2-prior-knowledge", "--unix-socket", socket, "-H", "content-type: application/grpc",
            "-H", "te: trailers", "-D", "/dev/stderr", "--data-binary", "@-",
            f"http://localhost/runtime.v1.RuntimeService/{method}"]
    done = subprocess.run(curl, input=b"\0" + len(wire).to_bytes(4, "big") + wire, capture_output=True)
    said = done.stderr.decode(errors="replace")
    status = re.search(r"^grpc-status: (\d+)", said, re.MULTILINE)
    if status is None or status[1] != "0":
        why = re.search(r"^grpc-message: (.*?)\r?$", said, re.MULTILINE)
        sys.exit(urllib.parse.unquote(why[1]) if why else said)
    return decode(answer, done.stdout[5:])


print(json.dumps(call(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))))
