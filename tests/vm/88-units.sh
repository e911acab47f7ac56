#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The units of the package on a system with systemd: contracts are in force again after a reboot,
# and the meter writes.
# long
# limit: 300
# vm: --systemd
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

top=/sys/fs/cgroup/sublet.tenants
ledger=/var/log/sublet/ledger.jsonl

t 'installed, the units are enabled by name'
run -t 100 cmake --install "$SUBLET_BUILD" --prefix /usr/local
expect_status 0
# what every service of a booted machine waits for would have to be started here first
for unit in sublet-tenants sublet-meter; do
    mkdir -p "/run/systemd/system/$unit.service.d"
    printf '[Unit]\nDefaultDependencies=no\n' >"/run/systemd/system/$unit.service.d/guest.conf"
done
systemctl daemon-reload
run -t 60 systemctl enable sublet-tenants.service sublet-meter.service
expect_status 0
expect_eq enabled "$(systemctl is-enabled sublet-tenants.service sublet-meter.service | paste -sd ' ')" 'enabled enabled'

t 'without a definition nothing is done'
run -t 60 systemctl start sublet-tenants.service
expect_status 0
expect_absent "$top"

t 'after a reboot the contracts that are defined are in force before any container'
run /usr/local/sbin/sublet tenant set acme --cpu 'fixed 0.5' --memory 64M
expect_status 0
rmdir "$top"/*/ "$top" # what a reboot leaves of it
run -t 60 systemctl start sublet-tenants.service
expect_status 0
expect_file "$top/acme/cpu.max" '50000 100000'
expect_file "$top/acme/memory.max" 67108864
echo max >"$top/acme/cpu.max"
run -t 60 systemctl reload sublet-tenants.service
expect_status 0
expect_file "$top/acme/cpu.max" '50000 100000'
expect_eq 'before the engines' "$(systemctl show --value -p Before sublet-tenants.service | grep -oE '(docker|containerd)[.]service' | sort | paste -sd ' ')" \
    'containerd.service docker.service'

t 'the meter writes until it is stopped'
run -t 60 systemctl start sublet-meter.service
expect_status 0
until_true 90 grep -q '"k":"host"' "$ledger"
expect_eq folder "$(stat -c %a /var/log/sublet)" 750
run -t 60 systemctl stop sublet-meter.service
expect_status 0
expect_eq result "$(systemctl show --value -p Result sublet-meter.service)" success
expect grep -q '"tenant":"acme"' "$ledger"
run /usr/local/sbin/sublet tenant remove acme
expect_status 0
expect_absent "$top"
