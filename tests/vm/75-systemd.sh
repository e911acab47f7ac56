#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Containers whose groups systemd makes: --cgroup-manager systemd, on a system with systemd as its
# first process, for root and for the session manager of a user.
# long
# limit: 900
# vm: --systemd --disk 64M
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/limits.sh
. "$LIB/limits.sh"

UNIT=docker-$ID.scope
SCOPE=/system.slice/$UNIT
GROUP=$SCOPE/container

# scope RESOURCES [SCRIPT]: a container that waits for `start`, in system.slice:docker:ID.
scope() {
    CGROUP=${CGROUP-system.slice:docker:$ID} limits_bundle "$@"
    run -t 60 sublet --cgroup-manager systemd create -b "$T/b" "$ID"
    expect_status 0
    expect_quiet
}

# property NAME [UNIT]: its value as systemd has it.
property() { systemctl show --value -p "$1" "${2:-$UNIT}"; }
expect_property() { [ -n "$cli_skipped" ] || expect_eq "$1" "$(property "$1")" "$2"; }

# No unit of that name is known any more, failed or not.
expect_forgotten() {
    [ -n "$cli_skipped" ] || expect_eq 'LoadState' "$(property LoadState "${1:-$UNIT}")" not-found
    expect_absent "$cli_cgroups${2:-$SCOPE}"
}

# ---- the scope ----

t 'host name and domain name are set there, too'
CGROUP=system.slice:docker:$ID limits_bundle '{}' 'hostname; cat /proc/sys/kernel/domainname'
edit_bundle "$T/b" '.hostname = "one.example" | .domainname = "nis.example"'
run -t 60 sublet --cgroup-manager systemd run -b "$T/b" "$ID"
expect_status 0
expect_out $'one.example\nnis.example'

t 'a container is in a group below its scope, and systemd shows the scope'
scope '{}' 'sleep 1000'
pid=$(sublet state "$ID" | jq .pid)
expect_eq group "$(cat "/proc/$pid/cgroup")" "0::$GROUP"
expect_property ActiveState active
expect_property Slice system.slice
expect_property Delegate yes
expect_property CollectMode inactive-or-failed
expect_property DefaultDependencies no
expect_property TasksMax infinity
expect_property DevicePolicy strict
run sublet state "$ID"
expect_json '."systemd-scope"' "$UNIT"
expect_json '[.cgroupManager, .systemdUnit, .cgroupPath]' "[\"systemd\",\"$UNIT\",\"${GROUP#/}\"]" "$T/root/$ID/state.json"
expect_eq 'processes in the scope itself' "$(knob cgroup.procs "$SCOPE")" ''
expect_eq 'programs of ours left' "$(pgrep -cx systemd)" 1 # the first process
gone

t 'delete --force ends it, and systemd has forgotten the unit at once'
scope '{}' 'sleep 1000'
run sublet start "$ID"
gone
expect_forgotten
scope '{}' 'sleep 1000' # the name is free again
gone

# ---- limits ----

DISK=$(cat /sys/class/block/vda/dev)
LIMITS='{"memory": {"limit": 67108864, "reservation": 33554432, "swap": 100663296},
  "cpu": {"shares": 512, "quota": 12345, "period": 50000, "burst": 1000, "cpus": "1", "mems": "0"},
  "pids": {"limit": 77},
  "blockIO": {"weight": 500,
    "throttleReadBpsDevice": [{"major": '${DISK%:*}', "minor": '${DISK#*:}', "rate": 1048576}],
    "throttleWriteIOPSDevice": [{"major": '${DISK%:*}', "minor": '${DISK#*:}', "rate": 100}]},
  "hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}],
  "unified": {"memory.high": "50331648", "memory.min": "1048576", "memory.oom.group": "1"}}'

# Every file of LIMITS in one group; the quota of the scope may be in whole percents.
expect_limits() {
    expect_knob memory.max 67108864 "$1"
    expect_knob memory.low 33554432 "$1"
    expect_knob memory.min 1048576 "$1"
    expect_knob memory.high 50331648 "$1"
    expect_knob memory.swap.max 33554432 "$1"
    expect_knob memory.oom.group 1 "$1"
    expect_knob cpu.weight 59 "$1"
    expect_knob cpu.max "$2 50000" "$1"
    expect_knob cpu.max.burst 1000 "$1"
    expect_knob cpuset.cpus 1 "$1"
    expect_knob cpuset.mems 0 "$1"
    expect_knob pids.max 77 "$1"
    expect_knob io.max "$DISK rbps=1048576 wbps=max riops=max wiops=100" "$1"
    expect_knob hugetlb.2MB.max 4194304 "$1"
}

t 'every limit is in the group and in the scope, and is a property where systemd has one'
scope "$LIMITS" 'sleep 1000'
expect_limits "$GROUP" 12345
expect_limits "$SCOPE" 12345
expect_property MemoryMax 67108864
expect_property MemoryLow 33554432
expect_property MemoryMin 1048576
expect_property MemoryHigh 50331648
expect_property MemorySwapMax 33554432
expect_property CPUWeight 59
expect_property CPUQuotaPerSecUSec 250ms
expect_property CPUQuotaPeriodUSec 50ms
expect_property AllowedCPUs 1
expect_property AllowedMemoryNodes 0
expect_property TasksMax 77
expect_property IOWeight 4950
expect_property IOReadBandwidthMax "/dev/block/$DISK 1048576"
expect_property IOWriteIOPSMax "/dev/block/$DISK 100"
gone

t 'after daemon-reload every limit holds to the letter in the group, and in the scope as a property'
scope "$LIMITS" 'sleep 1000'
expect systemctl daemon-reload
expect_limits "$GROUP" 12345
expect_knob cpu.max '12500 50000' "$SCOPE" # what systemd can keep: whole percents, rounded up
expect_knob memory.max 67108864 "$SCOPE"
expect_knob memory.swap.max 33554432 "$SCOPE"
expect_knob cpu.weight 59 "$SCOPE"
expect_knob cpuset.cpus 1 "$SCOPE"
expect_knob pids.max 77 "$SCOPE"
gone
expect_forgotten

t 'a pids limit of 0 forbids every fork, and is a limit of 1 for systemd'
CGROUP=system.slice:docker:$ID limits_bundle '{"pids": {"limit": 0}}' 'true & wait; echo "forked"'
run -t 60 sublet --cgroup-manager systemd run -b "$T/b" "$ID"
expect_err_has 'fork'
expect_out_lacks 'forked'
expect_forgotten

t 'SCHED_IDLE is an idle weight of systemd'
scope '{"cpu": {"idle": 1}}' 'sleep 1000'
expect systemctl daemon-reload
expect_knob cpu.idle 1 "$GROUP"
expect_knob cpu.idle 1 "$SCOPE"
gone

t 'device rules hold before and after daemon-reload'
scope '{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 7, "access": "r"}]}' \
    'mknod /f c 1 7; mknod /k c 1 11; sleep 1000'
run sublet start "$ID"
expect systemctl daemon-reload
until_true 20 test -e "$T/b/rootfs/k"
run sublet exec "$ID" /bin/sh -c ': </dev/zero && ! (: </k) 2>/dev/null'
expect_status 0
gone
rm -f "$T/b/rootfs/f" "$T/b/rootfs/k"

t 'update reaches the properties, so that daemon-reload keeps it'
scope '{"memory": {"limit": 67108864}, "cpu": {"quota": 20000, "period": 100000}}' 'sleep 1000'
run -t 60 sublet update --memory 134217728 --cpu-quota 33333 --pids-limit 9 "$ID"
expect_status 0
expect_quiet
expect_property MemoryMax 134217728
expect_property TasksMax 9
expect_property CPUQuotaPerSecUSec 340ms
expect systemctl daemon-reload
expect_knob memory.max 134217728 "$GROUP"
expect_knob memory.max 134217728 "$SCOPE"
expect_knob cpu.max '33333 100000' "$GROUP"
expect_knob cpu.max '34000 100000' "$SCOPE"
expect_knob pids.max 9 "$GROUP"
gone

# allowed_60: the device rules that systemd has, of a major that nobody has
allowed_60() { property DeviceAllow | grep -o '[a-z]*/60:[0-9]* [rwm]*' | paste -sd ' '; }
t 'an update replaces the devices of the one before, in systemd as in the container'
scope '{}' 'mknod /n1 c 60 1; mknod /n2 c 60 2; sleep 1000'
run sublet start "$ID"
until_true 20 test -e "$T/b/rootfs/n2"
opens() { # NODE TEXT: an allowed one hears that there is no such device
    run sublet exec "$ID" /bin/sh -c ": <$1"
    expect_err_has "$2"
}
for minor in 1 2; do
    printf '{"devices": [{"allow": false}, {"allow": true, "type": "c", "major": 60, "minor": %s, "access": "rw"}]}' "$minor" >"$T/devices"
    run -t 60 sublet update --resources "$T/devices" "$ID"
    expect_status 0
    expect_quiet
    expect_eq 'devices of systemd' "$(allowed_60)" "char/60:$minor rw"
    expect systemctl daemon-reload
    opens "/n$minor" 'No such device'
    opens "/n$((3 - minor))" 'Operation not permitted'
done
printf '{"devices": [{"allow": true}]}' >"$T/devices"
run -t 60 sublet update --resources "$T/devices" "$ID"
expect_status 0
expect_property DevicePolicy auto
opens /n1 'No such device'
opens /n2 'No such device'
gone
rm -f "$T/b/rootfs/n1" "$T/b/rootfs/n2"

# ---- names, annotations ----

t 'without a path it is sublet-ID.scope, and a slice within a slice is made'
CGROUP='' scope '{}' 'sleep 1000'
expect_eq ActiveState "$(property ActiveState "sublet-$ID.scope")" active
gone
CGROUP=machine-a.slice:x:$ID scope '{}' 'sleep 1000'
expect test -d "$cli_cgroups/machine.slice/machine-a.slice/x-$ID.scope/container"
gone
expect_forgotten "x-$ID.scope" "/machine.slice/machine-a.slice/x-$ID.scope"
systemctl stop machine.slice

t 'annotations set harmless properties, and an empty subgroup puts processes into the scope'
LINUX='}, "annotations": {"org.systemd.property.TimeoutStopSec": "7", "org.systemd.property.After": "['"'dbus.service'"']",
    "org.systemd.property.CollectMode": "'"'inactive'"'", "run.oci.systemd.subgroup": ""' \
    scope '{"memory": {"limit": 67108864}}' 'sleep 1000'
expect_property TimeoutStopUSec 7s
expect_property CollectMode inactive
expect_eq group "$(cat "/proc/$(sublet state "$ID" | jq .pid)/cgroup")" "0::$SCOPE"
expect systemctl daemon-reload
expect_knob memory.max 67108864 "$SCOPE"
gone
expect_forgotten

t 'a unit that is there already is refused and left alone'
systemd-run --quiet --scope --unit "$UNIT" sleep 1000 &
until_true 20 test -d "$cli_cgroups$SCOPE"
CGROUP=system.slice:docker:$ID limits_bundle '{}'
run -t 60 sublet --cgroup-manager systemd create -b "$T/b" "$ID"
expect_status 1
expect_err_match "linux.cgroupsPath: cgroup '$GROUP|linux.cgroupsPath: cgroup '/.*' is in use by pids? [0-9]+"
expect_property ActiveState active
systemctl stop "$UNIT"
wait

# ---- ends ----

t 'after an OOM kill nothing failed is left'
CGROUP=system.slice:docker:$ID limits_bundle '{"memory": {"limit": 16777216, "swap": 16777216}}' 'tail -c 67108864 /dev/zero'
run -t 60 sublet --cgroup-manager systemd run -b "$T/b" "$ID"
expect_status 137
expect_forgotten
expect_eq 'failed units' "$(systemctl list-units --failed --plain --no-legend "docker-$ID*")" ''

t 'systemctl stop ends the container; delete is for what is left'
scope '{}' 'trap "exit 3" TERM; while :; do sleep 0.1; done'
run sublet start "$ID"
expect systemctl stop "$UNIT"
until_true 20 container_is "$ID" stopped
run sublet delete "$ID"
expect_status 0
expect_quiet
expect_forgotten

t 'a killed create leaves nothing that delete --force does not remove'
CGROUP=system.slice:docker:$ID limits_bundle '{"memory": {"limit": 67108864}}' 'sleep 1000'
before=${EPOCHREALTIME/./}
run -t 60 sublet --cgroup-manager systemd create -b "$T/b" "$ID"
took_ms=$(((${EPOCHREALTIME/./} - before) / 1000))
run -t 60 sublet delete --force "$ID"
killed=0
for part in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    printf -v delay_s '%d.%03d' $((took_ms * part / 15000)) $((took_ms * part / 15 % 1000))
    run timeout -s KILL "$delay_s" "$SUBLET" --root "$T/root" --cgroup-manager systemd create -b "$T/b" "$ID" 2>/dev/null # of the kill
    [ "$status" -ne 137 ] || killed=$((killed + 1))
    run -t 60 sublet delete --force "$ID"
    expect_status 0
    expect_forgotten
    expect_absent "$T/root/$ID"
done
printf '# %s of 15 were killed in the middle of %s ms\n' "$killed" "$took_ms"
expect [ "$killed" -ge 5 ]

t 'a bus that does not answer is given up after ten seconds, and nothing is left'
CGROUP=system.slice:docker:$ID limits_bundle '{}'
/usr/bin/python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(8)
time.sleep(300)' "$T/silent" &
silent=$!
until_true 20 test -S "$T/silent"
run -t 30 env DBUS_SYSTEM_BUS_ADDRESS="unix:path=$T/silent" "$SUBLET" --root "$T/root" --cgroup-manager systemd \
    create -b "$T/b" "$ID"
kill "$silent"
wait
expect_status 1
expect_error 'sublet: systemd did not answer in time: connecting'
expect_absent "$T/root/$ID"

t 'where the bus is away the manager is spoken to directly'
CGROUP=system.slice:docker:$ID limits_bundle '{}' 'exit 5'
run -t 60 env DBUS_SYSTEM_BUS_ADDRESS="unix:path=$T/nowhere" "$SUBLET" --root "$T/root" --cgroup-manager systemd \
    run -b "$T/b" "$ID"
expect_status 5
expect_forgotten

t 'without the program that speaks with systemd the error says what to install'
cp "$SUBLET" "$T/alone"
run "$T/alone" --root "$T/root" --cgroup-manager systemd create -b "$T/b" "$ID"
expect_status 1
expect_error "sublet: systemd: the program 'libexec/sublet/systemd' is not there; install libsystemd and the whole of sublet, or build sublet with it"
expect_absent "$T/root/$ID"
rm "$T/alone"
