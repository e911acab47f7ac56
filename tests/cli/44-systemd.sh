#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --cgroup-manager systemd where no systemd can answer. With one: tests/vm/75-systemd.sh.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

make_bundle "$T/b" '.process.args = ["/bin/true"] | del(.linux.resources)'

# Whatever the host has, nobody is at home here.
mkdir -p "$T/none" /run/systemd
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$T/none/bus"
mount -t tmpfs none /run/systemd

t 'without systemd the error says so, and nothing is left'
run sublet --cgroup-manager systemd create -b "$T/b" "$ID"
expect_status 1
expect_error 'sublet: no systemd manager can be reached'
expect_absent "$T/root/$ID"

t 'a bus that does not answer is given up after ten seconds'
/usr/bin/python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(8)
time.sleep(100)' "$T/silent" &
silent=$!
until_true 20 test -S "$T/silent"
run -t 40 env DBUS_SYSTEM_BUS_ADDRESS="unix:path=$T/silent" "$SUBLET" --root "$T/root" --systemd-cgroup create -b "$T/b" "$ID"
kill "$silent"
wait
expect_status 1
expect_error 'sublet: systemd did not answer in time: connecting'
expect_absent "$T/root/$ID"

t 'without the program that speaks with systemd the error says what to install'
cp "$SUBLET" "$T/alone"
run "$T/alone" --root "$T/root" --systemd-cgroup create -b "$T/b" "$ID"
expect_status 1
expect_error "sublet: systemd: the program 'libexec/sublet/systemd' is not there; install libsystemd and the whole of sublet, or build sublet with it"
expect_absent "$T/root/$ID"
rm "$T/alone"

t 'a program that cannot be executed is an error that says what to install'
mkdir -p "$T/bin/libexec/sublet"
cp "$SUBLET" "$T/bin/sublet"
printf 'no program\n' >"$T/bin/libexec/sublet/systemd"
chmod +x "$T/bin/libexec/sublet/systemd"
run "$T/bin/sublet" --root "$T/root" --systemd-cgroup create -b "$T/b" "$ID"
expect_status 1
expect_error "sublet: systemd: the program 'libexec/sublet/systemd' cannot be executed; install libsystemd"

t 'a program that ends without an answer is told with its status'
cp /bin/false "$T/bin/libexec/sublet/systemd"
run "$T/bin/sublet" --root "$T/root" --systemd-cgroup create -b "$T/b" "$ID"
expect_status 1
expect_error 'sublet: systemd: the program ended with status 1 without an answer'

t 'features tell of the driver where its program is'
run sublet features
expect_json '.linux.cgroup | [.systemd, .systemdUser]' '[true,true]'
rm "$T/bin/libexec/sublet/systemd"
run "$T/bin/sublet" features
expect_json '.linux.cgroup | [.systemd, .systemdUser]' '[false,false]'

t 'delete of a container whose manager is gone is no error'
run sublet --cgroup-manager cgroupfs create -b "$T/b" "$ID"
expect_status 0
jq -c '.systemdUnit = "x.scope" | .systemdScope = .cgroupPath | .cgroupManager = "systemd"' "$T/root/$ID/state.json" >"$T/state"
cp "$T/state" "$T/root/$ID/state.json"
run sublet delete --force "$ID"
expect_status 0
expect_quiet

umount /run/systemd
