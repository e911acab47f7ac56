#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Containers of an ordinary user, whose groups the user's own session manager makes.
# long
# limit: 600
# vm: --systemd
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/lib/limits.sh
. "$LIB/limits.sh"

OWN=1234
printf 'tester:x:%s:%s::/tmp:/bin/sh\n' $OWN $OWN >>/etc/passwd
printf 'tester:x:%s:\n' $OWN >>/etc/group
MANAGER=/user.slice/user-$OWN.slice/user@$OWN.service
SCOPE=$MANAGER/user.slice/libpod-$ID.scope
chmod 755 "$T"

# In the user's hands, wherever the build lies.
cp "$SUBLET" "$T/sublet"
mkdir -p "$T/libexec/sublet"
cp "$(dirname "$SUBLET")/libexec/sublet/systemd" "$T/libexec/sublet/"
PLAIN=(setpriv --reuid "$OWN" --regid "$OWN" --clear-groups env -u DBUS_SESSION_BUS_ADDRESS)
AS_USER=("${PLAIN[@]}" "XDG_RUNTIME_DIR=/run/user/$OWN")

# user_bundle RESOURCES SCRIPT: root inside is the user outside.
user_bundle() {
    local id="[{\"containerID\": 0, \"hostID\": $OWN, \"size\": 1}]"
    NAMESPACES='pid ipc uts mount cgroup user' CGROUP=user.slice:libpod:$ID \
        LINUX=", \"uidMappings\": $id, \"gidMappings\": $id${MORE_LINUX:-}" limits_bundle "$@"
    chmod -R a+rX "$T/b"
}

t 'a user has a session manager'
expect systemctl start "user@$OWN.service"
until_true 20 test -S "/run/user/$OWN/bus"

t 'limits of a user are those of a scope of the session manager, before and after daemon-reload'
user_bundle '{"memory": {"limit": 67108864}, "pids": {"limit": 20}, "cpu": {"quota": 12345, "period": 100000}}' 'sleep 1000'
run -t 60 "${AS_USER[@]}" "$T/sublet" --cgroup-manager systemd create -b "$T/b" "$ID"
expect_status 0
expect_quiet
run "${AS_USER[@]}" "$T/sublet" state "$ID"
expect_json '."systemd-scope"' "libpod-$ID.scope"
expect_eq group "$(cat "/proc/$(jq .pid "$T/out")/cgroup")" "0::$SCOPE/container"
expect_eq MemoryMax "$("${AS_USER[@]}" systemctl --user show --value -p MemoryMax "libpod-$ID.scope")" 67108864
expect "${AS_USER[@]}" systemctl --user daemon-reload
expect systemctl daemon-reload
expect_knob memory.max 67108864 "$SCOPE"
expect_knob memory.max 67108864 "$SCOPE/container"
expect_knob cpu.max '12345 100000' "$SCOPE/container"
expect_knob pids.max 20 "$SCOPE/container"
run -t 60 "${AS_USER[@]}" "$T/sublet" update --memory 33554432 "$ID"
expect_status 0
expect "${AS_USER[@]}" systemctl --user daemon-reload
expect_knob memory.max 33554432 "$SCOPE"
run -t 60 "${AS_USER[@]}" "$T/sublet" delete --force "$ID"
expect_status 0
expect_quiet
expect_absent "$cli_cgroups$SCOPE"
expect_eq LoadState "$("${AS_USER[@]}" systemctl --user show --value -p LoadState "libpod-$ID.scope")" not-found

t 'a memory limit of a user kills, and nothing failed is left'
user_bundle '{"memory": {"limit": 16777216, "swap": 16777216}}' 'tail -c 67108864 /dev/zero'
run -t 60 "${AS_USER[@]}" "$T/sublet" --cgroup-manager systemd run -b "$T/b" "$ID"
expect_status 137
expect_absent "$cli_cgroups$SCOPE"
expect_eq 'failed units' "$("${AS_USER[@]}" systemctl --user list-units --failed --plain --no-legend)" ''

t 'without a session manager the error says so, and nothing is left'
user_bundle '{}' 'exit 0'
run -t 60 "${PLAIN[@]}" XDG_RUNTIME_DIR="$T/none" "$T/sublet" --root "/run/user/$OWN/sublet" \
    --cgroup-manager systemd run -b "$T/b" "$ID"
expect_status 125
expect_error 'sublet: no systemd session manager can be reached (is DBUS_SESSION_BUS_ADDRESS or XDG_RUNTIME_DIR set?)'

t 'a session that has ended has taken the scope along, and delete is no error'
# the first process of a container ignores SIGTERM; systemd would give it 90 s
MORE_LINUX='}, "annotations": {"org.systemd.property.TimeoutStopSec": "1"' user_bundle '{}' 'sleep 1000'
run -t 60 "${AS_USER[@]}" "$T/sublet" --cgroup-manager systemd create -b "$T/b" "$ID"
expect_status 0
expect systemctl stop "user@$OWN.service"
rm -f "/run/user/$OWN/bus"
run -t 60 "${AS_USER[@]}" "$T/sublet" delete --force "$ID"
expect_status 0
expect_quiet
