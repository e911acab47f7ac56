#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 120
# Id-mapped mounts: whose files are seen, written and kept, from which maps, and what is refused.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
B=$T/b
S=$T/source

# A tree of 5:6 with a tmpfs below it whose file belongs to 5:6 as well.
mkdir -p "$S/below"
mount -t tmpfs below "$S/below"
printf hello >"$S/file"
printf hello >"$S/below/file"
chown 5:6 "$S" "$S/file" "$S/below/file"

MAPS='uidMappings: [{containerID: 5, hostID: 1005, size: 1}, {containerID: 0, hostID: 0, size: 1}],
      gidMappings: [{containerID: 0, hostID: 2000, size: 10}]'
USER_NS='.linux.namespaces += [{type: "user"}] |
         .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
         .linux.gidMappings = .linux.uidMappings'

# bundle OPTIONS [REST-OF-THE-MOUNT] [FILTER]
bundle() {
    make_bundle "$B" ".mounts += [{destination: \"/m\", source: \"$S\", type: \"bind\", options: $1 ${2:+, $2}}] |
        .process.args = [\"/bin/stat\", \"-c\", \"%u:%g\", \"/m/file\", \"/m/below/file\"] | ${3:-.}"
}
refused() {
    run sublet run -b "$B" "$ID"
    expect_status 125
    expect_error "sublet: $1"
}

t 'maps of the mount itself hold for the mount alone with idmap'
bundle '["rbind", "idmap"]' "$MAPS"
run sublet run -b "$B" "$ID"
expect_status 0
expect_quiet
expect_out "1005:2006
5:6"

t 'with ridmap they hold for what is mounted below, too'
bundle '["rbind", "ridmap"]' "$MAPS"
run sublet run -b "$B" "$ID"
expect_status 0
expect_out "1005:2006
1005:2006"

t 'the maps alone are taken as idmap, with a warning'
bundle '["rbind"]' "$MAPS"
run sublet run -b "$B" "$ID"
expect_status 0
expect_out "1005:2006
5:6"
expect_err_match '^sublet: warning: mounts\[[0-9]+\]: uidMappings without the option idmap'

t 'ids that no map names are shown as nobody'
bundle '["bind", "idmap"]' 'uidMappings: [{containerID: 7, hostID: 7, size: 1}], gidMappings: [{containerID: 7, hostID: 7, size: 1}]' \
    '.process.args = ["/bin/stat", "-c", "%u:%g", "/m/file"]'
run sublet run -b "$B" "$ID"
expect_status 0
expect_out 65534:65534

t 'maps in the option, as podman hands them on'
bundle '["rbind", "idmap=uids=5-77-1;gids=0-0-1#6-88-1"]'
run sublet run -b "$B" "$ID"
expect_status 0
expect_out "77:88
5:6"

t 'a file that is written has the id of the source on the disk'
bundle '["bind", "idmap"]' "$MAPS" '.process.args = ["/bin/touch", "/m/new"] | .process.user = {uid: 1005, gid: 2006}'
run sublet run -b "$B" "$ID"
expect_status 0
expect_eq owner "$(stat -c %u:%g "$S/new")" 5:6
rm -f "$S/new"

t 'an id without a map cannot write'
bundle '["bind", "idmap"]' 'uidMappings: [{containerID: 5, hostID: 1005, size: 1}], gidMappings: [{containerID: 6, hostID: 2006, size: 1}]' \
    '.process.args = ["/bin/touch", "/m/new"]'
run sublet run -b "$B" "$ID"
expect_status 1
expect_err_has 'Value too large'
expect_absent "$S/new"

t 'a new tmpfs takes maps where the kernel can'
make_bundle "$B" ".mounts += [{destination: \"/m\", source: \"t\", type: \"tmpfs\", options: [\"idmap\", \"mode=755\"], $MAPS}] |
    .process.args = [\"/bin/stat\", \"-c\", \"%u:%g\", \"/m\"]"
run sublet run -b "$B" "$ID"
case $(uname -r) in
    [0-5].* | 6.[0-2].*) expect_err_has 'does not take an id mapping' ;;
    *) expect_out 0:2000 ;;
esac

chown -R 100000:100000 "$T/b/rootfs"

t 'without maps of its own a mount shows the container its own ids'
bundle '["rbind", "ridmap"]' '' "$USER_NS"
run sublet run -b "$B" "$ID"
expect_status 0
expect_out "5:6
5:6"

t 'without idmap the same files belong to nobody'
bundle '["rbind"]' '' "$USER_NS"
run sublet run -b "$B" "$ID"
expect_status 0
expect_out "65534:65534
65534:65534"

t 'maps of its own count in ids of the host, besides a user namespace'
bundle '["rbind", "ridmap"]' 'uidMappings: [{containerID: 5, hostID: 100042, size: 1}], gidMappings: [{containerID: 6, hostID: 100043, size: 1}]' "$USER_NS"
run sublet run -b "$B" "$ID"
expect_status 0
expect_out "42:43
42:43"

t 'maps in the option count in ids of the container behind an @'
bundle '["rbind", "ridmap=uids=@5-42-1;gids=@0-0-10"]' '' "$USER_NS"
run sublet run -b "$B" "$ID"
expect_status 0
expect_out "42:6
42:6"

t 'a user namespace that is joined lends its maps'
unshare --user sleep 60 &
owner=$!
until_true 5 grep -q sleep "/proc/$owner/comm"
echo '0 100000 65536' >"/proc/$owner/uid_map"
echo '0 100000 65536' >"/proc/$owner/gid_map"
bundle '["rbind", "ridmap"]' '' ".linux.namespaces += [{type: \"user\", path: \"/proc/$owner/ns/user\"}]"
run sublet run -b "$B" "$ID"
expect_status 0
expect_out "5:6
5:6"
kill "$owner"
wait "$owner" 2>/dev/null

t 'the helper of a map is gone, and its namespace with it, while the container is there'
bundle '["rbind", "ridmap"]' "$MAPS" '.process.args = ["/bin/sleep", "100"]'
run sublet run --detach -b "$B" "$ID"
expect_status 0
pid=$(sublet state "$ID" | jq .pid)
# By the container's name on their command line: other files run the same program meanwhile.
expect_eq 'processes of the runtime' \
    "$(find /proc -maxdepth 2 -name exe -lname "$SUBLET" -execdir grep -qaF -- "$ID" cmdline \; -print 2>/dev/null)" ''
expect_eq 'user namespaces held by the container' \
    "$(find "/proc/$pid/fd" -lname 'user:*' 2>/dev/null | wc -l)" 0
run sublet delete --force "$ID"
expect_status 0

t 'idmap without maps and without a user namespace'
bundle '["bind", "idmap"]'
index=$(jq '.mounts | length - 1' "$B/config.json")
refused "mounts[$index].uidMappings: missing, idmap needs them or a namespace of type 'user'"

t 'a file system that takes no maps'
make_bundle "$B" ".mounts += [{destination: \"/m\", source: \"/proc/self\", type: \"bind\", options: [\"bind\", \"idmap\"], $MAPS}]"
refused "mounts[$index]: the file system of '/proc/self' does not take an id mapping (a newer kernel may)"

t 'maps that the kernel does not take'
bundle '["bind", "idmap=uids=0-1-10#5-100-10;gids=0-0-1"]'
refused "mounts[$index]: the kernel refused the uid map of the mount: Invalid argument"

t 'a caller without rights over the host'
bundle '["rbind", "ridmap"]' "$MAPS" '.linux.namespaces += [{type: "user"}] |
    .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings'
run unshare --user --map-root-user "$SUBLET" plan -b "$B"
expect_err_has "mounts[$index]: an id-mapped mount needs the rights of the host's root"

umount "$S/below"
