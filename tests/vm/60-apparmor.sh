#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# AppArmor profiles, which this machine's kernel does not have and Debian's has.
# limit: 240
# shellcheck disable=SC2016 # for the shell inside
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

mountpoint -q /sys/kernel/security || mount -t securityfs securityfs /sys/kernel/security

# A container under it is stopped by AppArmor alone: the file is there and its mode lets root in.
cat >"$T/profiles" <<'TEXT'
profile sublet-box flags=(attach_disconnected,mediate_deleted) {
  file, capability, signal, mount,
  deny /etc/secret rw,
}
profile sublet-other flags=(attach_disconnected,mediate_deleted) {
  file, capability, signal, mount,
}
profile sublet-outer flags=(attach_disconnected,mediate_deleted) {
  file, capability, signal, mount, umount, pivot_root, ptrace, unix, network,
  change_profile -> **,
}
TEXT
have_profiles() {
    if ! command -v apparmor_parser >/dev/null; then
        skip 'the package apparmor is not installed'
    else
        apparmor_parser -K -r "$T/profiles" || fail 'the profiles cannot be loaded'
    fi
}

make_bundle "$T/b" '.process.args = ["/bin/sh", "-c", "cat /proc/self/attr/current; cat /etc/secret 2>&1"]
    | .process.apparmorProfile = "sublet-box"'
mkdir -p "$T/b/rootfs/etc"
echo hidden >"$T/b/rootfs/etc/secret"

t 'a profile confines root and others, with and without no_new_privs and a filter'
have_profiles
for with in '.' '.process.noNewPrivileges = true' '.process.user = {"uid": 1000, "gid": 1000}' \
    ".process.noNewPrivileges = true | .linux.seccomp = $(jq -c .linux.seccomp "$LIB/../bundles/docker/config.json")"; do
    edit_bundle "$T/b" "$with"
    run sublet run -b "$T/b" "$ID"
    expect_status 1
    expect_out $'sublet-box (enforce)\ncat: can\'t open \'/etc/secret\': Permission denied'
    expect_quiet
done

t 'one more process has the profile of the container, or the one of --apparmor'
have_profiles
edit_bundle "$T/b" '.process.args = ["/bin/sleep", "1000"]'
run sublet run --detach -b "$T/b" "$ID"
expect_status 0
run sublet exec "$ID" cat /proc/self/attr/current
expect_status 0
expect_out 'sublet-box (enforce)'
run sublet exec --apparmor sublet-other "$ID" cat /proc/self/attr/current
expect_status 0
expect_out 'sublet-other (enforce)'
run sublet delete --force "$ID"
edit_bundle "$T/b" '.process.args = ["/bin/sh", "-c", "cat /proc/self/attr/current; cat /etc/secret 2>&1"]'

t 'a profile that the kernel does not know is refused'
have_profiles
edit_bundle "$T/b" '.process.apparmorProfile = "sublet-no-such"'
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_error 'sublet: process.apparmorProfile: cannot set the label: No such file or directory'

t 'a runtime that is confined itself leaves its own profile'
have_profiles
edit_bundle "$T/b" '.process.apparmorProfile = "sublet-box" | .process.noNewPrivileges = false'
run aa-exec -p sublet-outer -- "$SUBLET" --root "$T/root" run -b "$T/b" "$ID"
expect_status 1
expect_out $'sublet-box (enforce)\ncat: can\'t open \'/etc/secret\': Permission denied'

t 'with no_new_privs it can only add to its own profile'
have_profiles
edit_bundle "$T/b" '.process.noNewPrivileges = true'
run aa-exec -p sublet-outer -- "$SUBLET" --root "$T/root" run -b "$T/b" "$ID"
expect_status 1
expect grep -qxE 'sublet-(box//&sublet-outer|outer//&sublet-box) \(enforce\)' "$T/out" # in any order
expect_out_has "can't open '/etc/secret': Permission denied"
