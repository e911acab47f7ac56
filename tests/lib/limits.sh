# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Containers for tests of limits. Sourced after cli.sh. The bundle is written as text, without jq:
# in the emulated guest every program counts.
: "${T:?}" "${ID:?}" "${cli_cgroups:?}"

# json_string TEXT: quoted, into $quoted.
json_string() {
    quoted=${1//\\/\\\\}
    quoted=${quoted//\"/\\\"}
    quoted=\"${quoted//$'\n'/\\n}\"
}

# limits_bundle RESOURCES [SCRIPT]: $T/b, whose shell runs the script and whose linux.resources are
# these. Its own cgroup is /sys/fs/cgroup inside. Variables change the rest for one call:
# CGROUP=PATH (empty: none given), ARGS=JSON instead of a script, NAMESPACES="pid uts ...",
# CGROUP_MODE=rw, LINUX=', "more": ...' fields of linux.
limits_bundle() {
    local quoted name spaces='' args=${ARGS:-} path=${CGROUP-/$ID}
    [ -d "$T/b" ] || { mkdir "$T/b" && mv "$(rootfs_template)" "$T/b/rootfs"; }
    for name in ${NAMESPACES-pid ipc uts mount cgroup}; do
        spaces+="${spaces:+, }{\"type\": \"$name\"}"
    done
    [ -z "$path" ] || path=", \"cgroupsPath\": \"$path\""
    if [ -z "$args" ]; then
        json_string "${2:-exit 0}"
        args="[\"/bin/sh\", \"-c\", $quoted]"
    fi
    cat >"$T/b/config.json" <<TEXT
{"ociVersion": "1.3.0",
 "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "args": $args,
  "env": ["PATH=/bin"], "capabilities": {
    "bounding": ["CAP_MKNOD", "CAP_DAC_OVERRIDE", "CAP_KILL"],
    "permitted": ["CAP_MKNOD", "CAP_DAC_OVERRIDE", "CAP_KILL"],
    "effective": ["CAP_MKNOD", "CAP_DAC_OVERRIDE", "CAP_KILL"]}},
 "root": {"path": "rootfs"},
 "mounts": [
  {"destination": "/proc", "type": "proc", "source": "proc"},
  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
  {"destination": "/sys", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
  {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
   "options": ["nosuid", "noexec", "nodev", "${CGROUP_MODE:-ro}"]}],
 "linux": {"resources": $1, "namespaces": [$spaces]$path${LINUX:-}}}
TEXT
}

# with_limits RESOURCES [SCRIPT]: created, waits for `start`.
with_limits() {
    limits_bundle "$@"
    run sublet create -b "$T/b" "$ID"
    expect_status 0
    expect_quiet
}

# run_limited RESOURCES SCRIPT: runs to its end.
run_limited() {
    limits_bundle "$@"
    run sublet run -b "$T/b" "$ID"
}

# knob FILE [PATH]: the text of a cgroup file, of this container unless another is named.
knob() {
    local lines
    mapfile -t lines 2>/dev/null <"$cli_cgroups${2:-/$ID}/$1" && printf '%s\n' "${lines[@]}"
}

# expect_knob FILE TEXT [PATH]
expect_knob() {
    local text=
    [ -z "$cli_skipped" ] || return 0
    [ -e "$cli_cgroups${3:-/$ID}/$1" ] || { fail "no file $1 in ${3:-/$ID}"; return; }
    text=$(<"$cli_cgroups${3:-/$ID}/$1")
    expect_eq "$1" "$text" "$2"
}

# Removed by force; that nothing stays is seen by the test's end.
gone() {
    run sublet delete --force "$ID"
    expect_status 0
    expect_quiet
}

# expect_refused TEXT: `run` was refused with this error and left nothing.
expect_refused() {
    expect_status 125
    expect_error "$1"
    expect_absent "$cli_cgroups/$ID"
    expect_absent "$T/root/$ID"
}
