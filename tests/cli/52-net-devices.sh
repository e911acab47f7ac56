#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 120
# linux.netDevices: devices of a host, here a network namespace of this file's own, move into the
# container with their addresses, and come back whenever the container does not come to be.
# shellcheck disable=SC2016 # lines for other shells
if [ "${NET_PRIVATE:-}" != "$$" ]; then
    NET_PRIVATE=$$ exec unshare --net -- bash "$0" "$@"
fi
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
B=$T/b
ip link set lo up

# The kernel destroys a virtual device some time after the last namespace it was in.
gone() { ! ip link show dev "$1" >/dev/null 2>&1; }

# pair NAME: a device of the host, whose other end NAME-peer stays and is up.
pair() {
    until_true 10 gone "$1-peer"
    ip link add "$1" type veth peer name "$1-peer"
    ip link set "$1-peer" up
}
unpair() { ip link del "$1-peer"; }

# addresses NAME: those that are global, in the order of the kernel.
addresses() { ip -json address show dev "$1" | jq -r '.[].addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"' | paste -sd ' '; }

# bundle DEVICES [FILTER]: the container prints its devices and their addresses.
bundle() {
    make_bundle "$B" ".linux.netDevices = $1 | .process.args = [\"/bin/sh\", \"-c\", \"ip -o link | cut -d' ' -f2-3; ip -o addr\"] | ${2:-.}"
}
refused() {
    run sublet create -b "$B" "$ID"
    expect_status 1
    expect_error "sublet: $1"
}

t 'a device moves with its permanent global addresses, and is up'
pair d0
ip link set d0 mtu 1400
ip address add 10.1.2.3/24 broadcast 10.1.2.255 dev d0
ip address add 10.1.2.4/24 dev d0
ip address add 10.9.9.9/24 scope link dev d0
ip address add 10.7.7.7/24 valid_lft 1000 preferred_lft 500 dev d0
ip address add fd00::1/64 nodad dev d0
bundle '{d0: {}}'
run sublet run -b "$B" "$ID"
expect_status 0
expect_quiet
expect_out_match '^d0@[^ ]*: <[^>]*[<,]UP[,>]'
expect_out_has 'inet 10.1.2.3/24 brd 10.1.2.255 scope global d0'
expect_out_has 'inet 10.1.2.4/24 scope global'
expect_out_has 'inet6 fd00::1/64 scope global'
expect_out_lacks 10.9.9.9
expect_out_lacks 10.7.7.7
until_true 10 gone d0-peer

t 'another name, and one that the kernel counts'
pair d1
pair d2
pair d3
bundle '{d1: {name: "net0"}, d2: {name: "eth%d"}, d3: {name: "eth%d"}}'
run sublet run -b "$B" "$ID"
expect_status 0
expect_eq names "$(grep -oE '^(net|eth|d)[0-9]+' "$T/out" | sort -u | paste -sd ' ')" 'eth0 eth1 net0'

t 'the mtu and the hardware address stay'
pair d0
ip link set d0 mtu 1234 address 02:00:00:00:00:42
bundle '{d0: {name: "net0"}}' '.process.args = ["/bin/sh", "-c", "ip link show net0"]'
run sublet run -b "$B" "$ID"
expect_status 0
expect_out_has 'mtu 1234'
expect_out_has 'link/ether 02:00:00:00:00:42'

t 'sysctls of a device and createRuntime hooks find it there'
pair d0
bundle '{d0: {name: "net0"}}' '.linux.sysctl = {"net.ipv4.conf.net0.rp_filter": "2"} |
    .process.args = ["/bin/cat", "/proc/sys/net/ipv4/conf/net0/rp_filter"] |
    .hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "nsenter -t $(jq .pid) -n ip link show net0 >'"$T"'/seen"]}]'
run sublet run -b "$B" "$ID"
expect_status 0
expect_out 2
expect grep -q net0 "$T/seen"

t 'a namespace that is joined, where the device stays and its name is taken'
unshare --net sleep 60 &
owner=$!
until_true 5 grep -q sleep "/proc/$owner/comm"
joined="(.linux.namespaces[] | select(.type == \"network\")).path = \"/proc/$owner/ns/net\""
pair d0
bundle '{d0: {name: "net0"}}' "$joined"
run sublet run -b "$B" "$ID"
expect_status 0
expect_eq 'device behind the end' "$(nsenter -t "$owner" -n ip -o link show net0 | wc -l)" 1
pair d1
bundle '{d1: {name: "net0"}}' "$joined"
refused "linux.netDevices['d1']: the container has a device 'net0' already"
expect_eq 'device of the host' "$(ip -o link show d1 | wc -l)" 1
unpair d1
kill "$owner"
wait "$owner" 2>/dev/null

t 'a device that the host lacks'
bundle '{nope: {}}'
refused "linux.netDevices['nope']: there is no such device on the host: No such device"

t 'a device that the kernel keeps'
bundle '{lo: {name: "net0"}}'
run sublet create -b "$B" "$ID"
expect_status 1
expect_err_match "^sublet: linux\.netDevices\['lo'\]: cannot move it into the container as 'net0': "

# Set up last, behind its addresses.
is_home() { ip -o link show up dev d0 2>/dev/null | grep -q d0; }

# back_home: the device is as it was.
back_home() {
    expect_eq name "$(ip -o link show d0 2>/dev/null | wc -l)" 1
    expect_eq addresses "$(addresses d0)" '10.1.2.3/24 fd00::1/64'
    expect is_home
}
pair d0
ip address add 10.1.2.3/24 dev d0
ip address add fd00::1/64 nodad dev d0
ip link set d0 up

t 'devices come back with name, addresses and state when a later one cannot move'
bundle '{d0: {name: "net0"}, nope: {}}'
refused "linux.netDevices['nope']: there is no such device on the host: No such device"
back_home

t 'devices come back when a hook fails'
bundle '{d0: {name: "net0"}}' '.hooks.createRuntime = [{path: "/bin/false"}]'
run sublet create -b "$B" "$ID"
expect_status 1
back_home

t 'devices come back when the program is missing'
bundle '{d0: {name: "net0"}}' '.process.args = ["/nowhere"]'
run sublet create -b "$B" "$ID"
expect_status 1
back_home

t 'devices come back when create is killed'
bundle '{d0: {name: "net0"}}' '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "kill -9 $PPID"]}]'
run sublet create -b "$B" "$ID"
expect_status 137
until_true 10 is_home
back_home
run sublet delete --force "$ID"
expect_status 0

t 'without a network namespace of its own'
bundle '{d0: {}}' '.linux.namespaces |= map(select(.type != "network"))'
refused "linux.netDevices: needs a namespace of type 'network' in linux.namespaces"
back_home

t 'a caller without rights over the host'
bundle '{d0: {}}' '.linux.namespaces += [{type: "user"}] |
    .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings'
run unshare --user --map-root-user "$SUBLET" plan -b "$B"
expect_err_has "linux.netDevices: needs the rights of the host's root"

t 'the program that moves devices is started by nothing else'
make_bundle "$B" '.process.args = ["/bin/true"]'
[ -x "$(command -v strace)" ] || skip 'no strace here'
# The leak checker needs ptrace itself.
ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 run strace -f -e trace=execve,execveat -o "$T/trace" \
    "$SUBLET" --root "$T/root" run -b "$B" "$ID"
expect_status 0
[ -n "$cli_skipped" ] || expect_eq starts "$(grep -c netdevices "$T/trace")" 0
