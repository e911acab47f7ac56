#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 60
# linux.memoryPolicy: the process and its children have it, and what the kernel refuses is named.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
B=$T/b

# policy MODE NODES FLAGS: runs a shell that prints the policy of its first mapping, twice.
policy() {
    make_bundle "$B" ".linux.memoryPolicy = {mode: \"$1\" ${2:-} ${3:-}} | .process.args = [\"/bin/sh\", \"-c\",
        \"head -n 1 /proc/self/numa_maps; sh -c 'head -n 1 /proc/self/numa_maps'\"]"
    run sublet run -b "$B" "$ID"
}
# Needs NUMA in the kernel, and node 0.
begin() {
    t "$1"
    [ -e /proc/self/numa_maps ] || skip 'this kernel has no memory policies'
}
expect_policy() {
    expect_status 0
    expect_quiet
    expect_eq 'policies of process and child' "$(cut -d' ' -f2 "$T/out" | paste -sd ' ')" "$1 $1"
}

begin 'bind to a node'
policy MPOL_BIND ', nodes: "0"'
expect_policy bind:0

begin 'interleave with a flag'
policy MPOL_INTERLEAVE ', nodes: "0"' ', flags: ["MPOL_F_STATIC_NODES"]'
expect_policy interleave=static:0

begin 'prefer many, relative'
policy MPOL_PREFERRED_MANY ', nodes: "0-0"' ', flags: ["MPOL_F_RELATIVE_NODES"]'
expect_policy 'prefer'
grep -q 'prefer (many)=relative:0' "$T/out" || fail "no 'prefer (many)=relative:0' in $(head -c 200 "$T/out")"

begin 'local, without nodes'
policy MPOL_LOCAL
expect_policy local

begin 'preferred without nodes is local'
policy MPOL_PREFERRED
expect_policy local

begin 'default'
policy MPOL_DEFAULT
expect_policy default

begin 'a node that this machine lacks fails the creation'
make_bundle "$B" '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "1023"}'
run sublet create -b "$B" "$ID"
expect_status 1
expect_error 'sublet: linux.memoryPolicy: the kernel refused it (are its nodes there?): Invalid argument'

begin 'one more process has it, too'
make_bundle "$B" '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"} | .process.args = ["/bin/sleep", "100"]'
run sublet run --detach -b "$B" "$ID"
expect_status 0
run sublet exec "$ID" head -n 1 /proc/self/numa_maps
expect_status 0
expect_eq policy "$(cut -d' ' -f2 "$T/out")" bind:0
run sublet delete --force "$ID"

t 'plan tells mode, flags and nodes'
make_bundle "$B" '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0-2,7", flags: ["MPOL_F_NUMA_BALANCING"]}'
run sublet plan --json -b "$B"
expect_json '.memoryPolicy | .mode, (.flags | join(" ")), (.nodes | join(" "))' 'MPOL_BIND
MPOL_F_NUMA_BALANCING
0 1 2 7'

# linux.intelRdt needs hardware: its work on files is a unit test's.
t 'a cache class without a resctrl file system'
make_bundle "$B" '.linux.intelRdt = {closID: "gold", l3CacheSchema: "L3:0=f"}'
! grep -q ' - resctrl ' /proc/self/mountinfo || skip 'this machine has one'
run sublet create -b "$B" "$ID"
expect_status 1
expect_error 'sublet: linux.intelRdt: no resctrl file system is mounted'
