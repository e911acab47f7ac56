#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The oldest kernel that a supported Debian has, 6.1: what the tests of tests/cli show on this
# machine's kernel is there as well. One container for each larger part.
# limit: 300
# shellcheck disable=SC2016 # for the shell inside
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

t 'the kernel is the one that is meant'
expect [ "$(uname -r | cut -d. -f 1,2)" = 6.1 ]

t 'the default bundle runs and gives back the status'
make_bundle "$T/b" '.process.args = ["/bin/sh", "-c", "echo $$ $(hostname) $(id -u); exit 7"]'
run sublet run -b "$T/b" "$ID"
expect_status 7
expect_quiet
expect_out '1 sublet 0'

t 'a user namespace with mappings'
edit_bundle "$T/b" '.linux.namespaces += [{"type": "user"}]
    | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    | .linux.gidMappings = .linux.uidMappings
    | .process.args = ["/bin/sh", "-c", "cat /proc/self/uid_map; id -u"]'
chown -R 100000:100000 "$T/b/rootfs"
chmod 755 "$T"
run sublet run -b "$T/b" "$ID"
expect_status 0
expect_quiet
expect_eq 'map and uid' "$(xargs <"$T/out")" '0 100000 65536 0'

t 'a command over the host, whose files stay as they are'
run sublet run --overlay / --name "$ID" -- sh -c 'echo hi >/x && cat /x && id -u'
expect_status 0
expect_quiet
expect_out $'hi\n0'
expect_absent /x

t 'an upper layer keeps what was written'
mkdir "$T/upper"
mount -t tmpfs -o mode=0700 upper "$T/upper"
run sublet run --overlay / --upper "$T/upper" --name "$ID" -- sh -c 'echo hi >/made-inside'
expect_status 0
expect_absent /made-inside
expect grep -qrx hi "$T/upper"
umount "$T/upper"

t 'all six kinds of hook run in their order'
make_bundle "$T/h" '.process.args = ["/bin/sh", "-c", "echo process"]'
cat >"$T/h/hook" <<'TEXT'
#!/bin/sh
cat >/dev/null
echo "$1" >>"$2"
TEXT
chmod 755 "$T/h/hook"
cp "$T/h/hook" "$T/h/rootfs/bin/hook"
: >"$T/h/rootfs/order"
edit_bundle "$T/h" "def hook(\$name; \$log): {(\$name): [{path: \"$T/h/hook\", args: [\"hook\", \$name, \$log]}]};
    .root.readonly = false | .hooks = (
        hook(\"prestart\"; \"$T/order\") + hook(\"createRuntime\"; \"$T/order\") + hook(\"createContainer\"; \"$T/order\")
        + {startContainer: [{path: \"/bin/hook\", args: [\"hook\", \"startContainer\", \"/order\"]}]}
        + hook(\"poststart\"; \"$T/order\") + hook(\"poststop\"; \"$T/order\"))"
run sublet run -b "$T/h" "$ID"
expect_status 0
expect_quiet
expect_out process
expect_file "$T/order" $'prestart\ncreateRuntime\ncreateContainer\npoststart\npoststop'
expect_file "$T/h/rootfs/order" startContainer

t 'a terminal'
edit_bundle "$T/h" 'del(.hooks) | .process.terminal = true
    | .process.args = ["/bin/sh", "-c", "tty; test -t 0 && test -t 1 && echo interactive"]'
run script -qec "$SUBLET --root $T/root run -b $T/h $ID" /dev/null
expect_status 0
expect_out_has /dev/pts/0
expect_out_has interactive

t 'a seccomp profile, and calls that are newer than it'
edit_bundle "$T/h" ".linux.seccomp = $(jq -c .linux.seccomp "$LIB/../bundles/docker/config.json")
    | .process.terminal = false
    | .process.args = [\"/bin/probe\", \"--syscall\", \"getpid\", \"--syscall\", \"reboot\", \"--syscall\", \"newest\"]"
run sublet run -b "$T/h" "$ID"
expect_status 0
expect_json '[.syscalls.getpid, .syscalls.reboot, .syscalls.newest] | join(" ")' 'ok EPERM ENOSYS'
