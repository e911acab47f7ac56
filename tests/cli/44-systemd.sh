#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --cgroup-manager systemd where no systemd can answer. With one: tests/vm/75-systemd.sh.
# limit: 120
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

make_bundle "$T/b" '.process.args = ["/bin/true"] | del(.linux.resources)'

# Whatever the host has, nobody is at home here.
mkdir -p "$T/none" /run/systemd
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$T/none/bus"
mount -t tmpfs none /run/systemd

# manager HOW: answers in systemd's place, see there; $manager.
manager() {
    python3 "$LIB/fake-systemd.py" /run/systemd/private "$cli_cgroups" "/$ID-systemd" "$1" >"$T/asked" &
    manager=$!
    until_true 20 test -S /run/systemd/private
}
manager_done() {
    kill "$manager"
    wait "$manager"
    rm -f /run/systemd/private
    [ ! -d "$cli_cgroups/$ID-systemd" ] || rmdir "$cli_cgroups/$ID-systemd/system.slice" "$cli_cgroups/$ID-systemd"
}
in_scope='.process.args = ["/bin/sleep", "1000"] | del(.linux.resources) | .linux.cgroupsPath = "system.slice:docker:'$ID'"'

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

t 'a scope that systemd never finishes is given up after thirty seconds, and nothing is left'
manager forgets-jobs
make_bundle "$T/s" "$in_scope"
began=$SECONDS
run -t 60 sublet --cgroup-manager systemd create -b "$T/s" "$ID"
expect_status 1
expect_error "sublet: systemd did not finish its job for 'docker-$ID.scope' within 30 s"
expect [ $((SECONDS - began)) -ge 30 ]
expect [ $((SECONDS - began)) -lt 45 ]
expect_absent "$T/root/$ID"
manager_done

t 'a container in a scope; an update replaces the devices, and does not add to them'
manager works
run sublet --cgroup-manager systemd create -b "$T/s" "$ID"
expect_status 0
expect_quiet
# devices RESOURCES: what the update told systemd of devices, in its order.
devices() {
    printf '%s' "$1" >"$T/resources"
    run sublet update --resources "$T/resources" "$ID"
    expect_status 0
    expect_quiet
    grep SetUnitProperties "$T/asked" | tail -n 1 |
        jq -c '.[2] | .DevicePolicy, (.DeviceAllow | if .[1][0] | type == "array" then .[0], (.[1] | map(select(.[0] | test("60:")))) else . end)' >"$T/out"
}
devices '{"devices": [{"allow": false}, {"allow": true, "type": "c", "major": 60, "minor": 1, "access": "rw"}]}'
expect_out $'"strict"\n[]\n[["/dev/char/60:1","rw"]]'
devices '{"devices": [{"allow": false}, {"allow": true, "type": "b", "major": 60, "minor": 2, "access": "r"}]}'
expect_out $'"strict"\n[]\n[["/dev/block/60:2","r"]]'
devices '{"devices": [{"allow": true}]}'
expect_out $'"auto"\n[]'
run sublet delete --force "$ID"
expect_status 0
expect_quiet
manager_done

t 'a cgroup mount in the cgroup namespace of the host is the group below the scope'
manager works
edit_bundle "$T/s" "$in_scope"' | .linux.namespaces -= [{type: "cgroup"}] | .linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
run sublet --cgroup-manager systemd run --detach -b "$T/s" "$ID"
expect_status 0
expect_quiet
run sublet exec "$ID" sh -c 'tail -n 1 /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs'
expect_out_has "0::/$ID-systemd/system.slice/docker-$ID.scope/container"
expect_out_match '^1$'
run sublet delete --force "$ID"
expect_status 0
manager_done

t 'an update of which systemd refuses one property leaves all as it was'
manager refuses=DeviceAllow
# no driver has this major: who may open it hears that there is no device
edit_bundle "$T/s" "$in_scope"' | .linux.resources = {unified: {"cgroup.max.depth": "7"},
    devices: [{allow: false}, {allow: true, type: "c", major: 60, minor: 1, access: "rw"}]}'
mknod "$T/s/rootfs/node" c 60 1
run sublet --cgroup-manager systemd run --detach -b "$T/s" "$ID"
expect_status 0
scope=$cli_cgroups/$ID-systemd/system.slice/docker-$ID.scope
cp "$T/root/$ID/state.json" "$T/state"
printf '{"unified": {"cgroup.max.depth": "4"}, "devices": [{"allow": false}]}' >"$T/resources"
run sublet update --resources "$T/resources" "$ID"
expect_status 1
expect_error "sublet: systemd: docker-$ID.scope: DeviceAllow= is not for you."
expect_file "$scope/cgroup.max.depth" 7
expect_file "$scope/container/cgroup.max.depth" 7
expect cmp "$T/state" "$T/root/$ID/state.json"
expect_absent "$T/root/$ID/state.json.new"
run sublet exec "$ID" sh -c ': </node'
expect_err_has 'No such device'
run sublet delete --force "$ID"
manager_done

t 'an update that systemd took and the record did not is taken back from systemd as well'
manager "removes=$T/root/$ID/state.json.new"
run sublet --cgroup-manager systemd run --detach -b "$T/s" "$ID"
expect_status 0
expect_file "$scope/cgroup.max.depth" 7
cp "$T/root/$ID/state.json" "$T/state"
printf '{"unified": {"cgroup.max.depth": "4"}, "devices": [{"allow": false}, {"allow": true, "type": "b", "major": 60, "minor": 2}]}' \
    >"$T/resources"
run sublet update --resources "$T/resources" "$ID"
expect_status 1
expect_err_match '^sublet: .*state.json.*No such file or directory'
expect_eq 'told systemd' "$(grep SetUnitProperties "$T/asked" | jq -c '.[2] | [.DevicePolicy, (.DeviceAllow | tostring | contains("60:2"))]')" \
    $'["strict",true]\n["auto",false]'
expect_file "$scope/cgroup.max.depth" 7
expect_file "$scope/container/cgroup.max.depth" 7
expect cmp "$T/state" "$T/root/$ID/state.json"
run sublet exec "$ID" sh -c ': </node'
expect_err_has 'No such device'
run sublet delete --force "$ID"
expect_status 0
expect_quiet
manager_done

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
