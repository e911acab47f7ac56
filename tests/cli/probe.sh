#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The probe itself, outside of any container: it must tell differences that are made on purpose.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
PROBE=$(probe_program)

t 'the probe prints one JSON object'
run "$PROBE"
expect_status 0
expect_json type object
expect_json '.argv | length' 1
expect_json '.pid > 1 and .ppid >= 1' true

t 'ids, groups and umask are told'
run setpriv --reuid 1000 --regid 1001 --groups 5,6 -- sh -c "umask 027 && exec $PROBE"
expect_json .uid '{"real":1000,"effective":1000,"saved":1000,"fs":1000}'
expect_json .gid '{"real":1001,"effective":1001,"saved":1001,"fs":1001}'
expect_json .groups '[5,6]'
expect_json .umask 0027

t 'capability sets are told apart'
run setpriv --bounding-set -all,+chown,+kill --inh-caps -all,+chown --ambient-caps -all,+chown -- "$PROBE"
expect_json .capabilities.bounding 0000000000000021
expect_json .capabilities.inheritable 0000000000000001
expect_json .capabilities.ambient 0000000000000001
expect_json .capabilities.permitted 0000000000000021

t 'no_new_privs and rlimits are told'
run setpriv --no-new-privs -- prlimit --nofile=77:88 --core=unlimited:unlimited "$PROBE"
expect_json .no_new_privs 1
expect_json .rlimits.RLIMIT_NOFILE '{"soft":77,"hard":88}'
expect_json .rlimits.RLIMIT_CORE '{"soft":"unlimited","hard":"unlimited"}'

t 'scheduling is told'
run ionice -c 2 -n 6 nice -n 5 setarch -R "$PROBE"
expect_json .nice $(($(nice) + 5))
expect_json .io_priority '{"class":"IOPRIO_CLASS_BE","priority":6}'
expect_json .personality 00040000
run chrt --batch 0 "$PROBE"
expect_json .scheduler.policy SCHED_BATCH

t 'mounts, their options and masks are told'
mkdir "$T/a b"
mount -t tmpfs -o ro,nosuid,nodev,size=64k none "$T/a b"
run "$PROBE" --masked "$T/a b" --masked /etc --readonly "$T/a b" --readonly "$T/root"
expect_json ".mounts[] | select(.target == \"$T/a b\") | .options[0:3]" '["ro","nosuid","nodev"]'
expect_json ".masked[\"$T/a b\"]" empty
expect_json '.masked["/etc"]' 'not empty'
expect_json ".readonly[\"$T/a b\"]" EROFS
expect_json ".readonly[\"$T/root\"]" ok
umount "$T/a b"

t 'namespaces, maps and names are told'
run unshare --uts --user --map-root-user --time --monotonic 1000 sh -c "hostname probed && exec $PROBE"
expect_json .hostname probed
expect_json '.uid_map' '[{"container":0,"host":0,"size":1}]'
expect_json .setgroups deny
expect_json .time.offsets.monotonic '{"secs":1000,"nanosecs":0}'
expect_json '.namespaces.mnt' "$(readlink /proc/self/ns/mnt)"

t 'descriptors beyond the standard three are told'
run bash -c "exec 7</etc/passwd; exec $PROBE"
expect_json '[.fds[] | select(.fd == 7) | .target] | join(",")' /etc/passwd

t 'system calls are answered by the name of the error'
run "$PROBE" --syscall getpid --syscall mount --syscall keyctl --syscall newest --syscall nonsense --syscall-nr 39
expect_json .syscalls.getpid ok
expect_json .syscalls.mount EFAULT
expect_json .syscalls.newest ENOSYS
expect_json .syscalls.nonsense 'unknown to the probe'
expect_json '.syscall_numbers["39"]' ok

t 'writing, sysctls and the status are as asked'
run "$PROBE" --write "$T/note" --write /proc/none --sysctl kernel.ostype --exit 9
expect_status 9
expect_json ".writes[\"$T/note\"]" ok
expect_json '.writes["/proc/none"]' ENOENT
expect_json '.sysctl["kernel.ostype"]' Linux
expect_file "$T/note" probe

t 'a terminal is told'
run script -qec "stty rows 11 cols 22; $PROBE" /dev/null
expect_json .tty.isatty '[true,true,true]'
expect_json .tty.rows 11
expect_json .tty.columns 22
