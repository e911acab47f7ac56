#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Containers without a bundle, and the status that a run gives back.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"

make_rootfs "$T/root1"
mkdir "$T/layer"
echo layered >"$T/layer/note"

# quick [OPTION...] -- COMMAND: a container named $ID.
quick() { run sublet run --name "$ID" "$@"; }

t '--overlay / runs a command over the host, which stays as it is'
quick --overlay / -- sh -c "echo inside; echo new >$T/new; rm $T/layer/note; hostname"
expect_status 0
expect_quiet
expect_out $'inside\n'"$ID"
expect_absent "$T/new"
expect_file "$T/layer/note" layered

t 'layers lie in their order over each other'
mkdir -p "$T"/{a,b}
echo a >"$T/a/name" && echo b >"$T/b/name" && echo b >"$T/b/only"
quick --overlay "$T/a:$T/b:$T/root1" -- sh -c 'cat /name /only'
expect_out $'a\nb'

t 'a colon in the name of a layer is written with a backslash'
mkdir -p "$T/with:colon"
echo colon >"$T/with:colon/name"
quick --overlay "$T/with\\:colon:$T/root1" -- cat /name
expect_out colon

t '--upper keeps what was written, for the next container as well'
quick --overlay "$T/root1" --upper "$T/upper" -- sh -c 'echo kept >/kept'
expect_status 0
expect_absent "$T/root1/kept"
expect [ -n "$(find "$T/upper" -name kept)" ]
quick --overlay "$T/root1" --upper "$T/upper" -- cat /kept
expect_out kept

t 'an upper layer has one user at a time'
quick --overlay "$T/root1" --upper "$T/upper" --detach -- sleep 60
expect_status 0
run sublet run --name "$ID-two" --overlay "$T/root1" --upper "$T/upper" -- true
expect_status 125
expect_err_has "$T/upper"
run sublet delete --force "$ID"
expect_status 0

t '--overlay takes the place of the root of a bundle'
sh_bundle . 'cat /note; echo x >/x'
run sublet run --overlay "$T/layer:$T/b/rootfs" -b "$T/b" "$ID"
expect_out layered
expect_absent "$T/b/rootfs/x"

t '--rootfs is a root that the command changes'
quick --rootfs "$T/root1" -- sh -c 'echo mine >/written; pwd; id -u'
expect_out $'/\n0'
expect_file "$T/root1/written" mine
cd "$T" && quick --rootfs root1 -- cat /written
expect_out mine

t 'user, folder, environment and host name are as asked'
quick --rootfs "$T/root1" --user 1000:50 --cwd /usr --env A=1 --env 'B=two words' --hostname other -- \
    sh -c 'id -u; id -g; pwd; echo "$A $B"; hostname'
expect_out $'1000\n50\n/usr\n1 two words\nother'

t '--net none has the loopback device alone, --net host the devices of the host'
quick --rootfs "$T/root1" --net none -- ls /sys/class/net
expect_out_has lo
quick --rootfs "$T/root1" --net host -- readlink /proc/self/ns/net
expect_out "$(readlink /proc/self/ns/net)"
quick --rootfs "$T/root1" -- readlink /proc/self/ns/net
expect_out_lacks "$(readlink /proc/self/ns/net)"

t 'a name is made up where none is given'
run sublet run --rootfs "$T/root1" -- hostname
expect_status 0
expect_out_match '^[A-Za-z0-9_+-][A-Za-z0-9_+.-]*$'

t 'the container is gone when the command has ended'
quick --rootfs "$T/root1" -- true
run sublet list -q
expect_out ''

t 'input and output are the caller'"'"'s'
echo 'some input' >"$T/input"
run -i "$T/input" sublet run --name "$ID" --rootfs "$T/root1" -- sh -c 'cat; echo bad >&2'
expect_out 'some input'
expect_err bad

t 'the status of the command is that of run, all 256 of them'
cat >"$T/statuses.sh" <<'TEXT'
n=0
while [ $n -lt 256 ]; do
    "$1" --root "$2" run --name "$3" --rootfs "$4" -- sh -c "exit $n"
    got=$?
    [ $got -eq $n ] || echo "exit $n gave $got"
    n=$((n + 1))
done
TEXT
run -t 100 sh "$T/statuses.sh" "$SUBLET" "$T/root" "$ID" "$T/root1"
expect_status 0
expect_out ''
expect_quiet

t 'a command killed by signal n gives 128+n'
for number in 1 2 6 9 11 15 31; do
    # Process 1 is not killed by its own signals: a child of it shows them, it dies by KILL alone.
    quick --rootfs "$T/root1" -- sh -c "sh -c 'kill -$number \$\$'; exit \$?"
    expect_status $((128 + number))
done
quick --rootfs "$T/root1" --detach -- sleep 60
run sublet delete --force "$ID"
sh_bundle . 'sleep 60'
"$SUBLET" --root "$T/root" run -b "$T/b" "$ID" &
runner=$!
until_true 5 container_is "$ID" running
run sublet kill "$ID" KILL
wait "$runner"
expect_eq status $? 137

t 'a program that is not there gives 127'
quick --rootfs "$T/root1" -- nonesuch
expect_status 127
expect_error "sublet: process.args[0]: exec 'nonesuch': executable file not found in \$PATH: no such file or directory"
quick --rootfs "$T/root1" -- /bin/nonesuch
expect_status 127
expect_err_has 'no such file or directory'

t 'a program that cannot be executed gives 126'
quick --rootfs "$T/root1" -- /etc/passwd
expect_status 126
expect_err_match '[Pp]ermission denied'
quick --rootfs "$T/root1" -- /etc
expect_status 126

t 'a failure of the runtime gives 125'
quick --rootfs "$T/nowhere" -- true
expect_status 125
quick --overlay "$T/nowhere" -- true
expect_status 125

t 'a limit of 0 bytes is no limit that could be meant'
quick --overlay / --memory 0 -- true
expect_status 2
expect_err 'sublet: --memory: 0 bytes are no limit to run with; leave the option out for none'

t 'signals that the runtime gets go to the command'
make_bundle "$T/b" ".process.args = $(words /bin/probe --pause)"
"$SUBLET" --root "$T/root" run -b "$T/b" "$ID" >/dev/null &
runner=$!
until_true 5 container_is "$ID" running
sleep 0.2
kill -USR1 "$runner"
wait "$runner"
expect_eq status $? 138
