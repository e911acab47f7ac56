#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 240
# Mounts: each word of the specification, alone and in a row, and each kind of mount.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"

# A tree with a mount below, as a source.
mkdir -p "$T/tree/below" "$T/plain"
echo text >"$T/plain/file"
ln -s file "$T/plain/link"
mount -t tmpfs -o relatime tree "$T/tree"
mkdir "$T/tree/below"
mount -t tmpfs -o relatime below "$T/tree/below"

tmpfs() { printf '{destination: "%s", type: "tmpfs", source: "tmpfs", options: %s}' "$1" "$(words "${@:2}")"; }
bind() { printf '{destination: "%s", source: "%s", options: %s}' "$2" "$1" "$(words "${@:3}")"; }

# What each word leaves in the mount's options, beside rw and relatime; after a colon what is put
# before it to be taken back.
WORDS_SEEN='acl: async:sync: atime:noatime:
defaults: dev:nodev: diratime:nodiratime: dirsync::dirsync/super
exec:noexec: iversion: lazytime::lazytime/super loud: mand: noacl:
noatime::noatime nodev::nodev nodiratime::nodiratime noexec::noexec
noiversion: nolazytime:lazytime: nomand: norelatime: nostrictatime:strictatime:
nosuid::nosuid nosymfollow::nosymfollow relatime:noatime:
ro::ro rw:ro: silent: strictatime::-relatime suid:nosuid: symfollow:nosymfollow:
sync::sync/super
ratime:rnoatime: rdev:rnodev: rdiratime:rnodiratime: rexec:rnoexec:
rnoatime::noatime rnodev::nodev rnodiratime::nodiratime rnoexec::noexec rnorelatime:
rnostrictatime:rstrictatime: rnosuid::nosuid rnosymfollow::nosymfollow rrelatime:rnoatime:
rro::ro rrw:rro: rstrictatime::-relatime rsuid:rnosuid: rsymfollow:rnosymfollow:'
# These make no file system: they stand in tests of their own below.
OTHER_WORDS='bind rbind idmap ridmap private rprivate shared rshared slave rslave unbindable runbindable
copy-symlink dest-nofollow src-nofollow tmpcopyup remount'

t 'the tests know every mount option that features tells'
run sublet features
known=$(for word in $WORDS_SEEN $OTHER_WORDS; do echo "${word%%:*}"; done | sort | paste -sd ' ')
expect_eq words "$(jq -r '.mountOptions[]' "$T/out" | sort | paste -sd ' ')" "$known"

# word_mounts: one tmpfs a word, all in one container.
word_mounts() {
    local word
    for word in $WORDS_SEEN; do
        IFS=: read -r name before _ <<<"$word:"
        # shellcheck disable=SC2086 # no word where nothing is taken back
        tmpfs "/mnt/$name" $before "$name"
        echo
    done | paste -sd ,
}

t 'each mount option alone gives what it says'
probe_bundle "$(add_mount "$(word_mounts)")"
run sublet run -b "$T/b" "$ID"
expect_status 0
for word in $WORDS_SEEN; do
    IFS=: read -r name before seen <<<"$word:"
    seen=${seen%%:*}
    options='["rw","relatime"]' super='[]'
    case $seen in
        '') ;;
        ro) options='["ro","relatime"]' ;;
        -relatime) options='["rw"]' ;;
        noatime) options='["rw","noatime"]' ;;
        */super) super="[\"${seen%/super}\"]" ;;
        nodiratime) options='["rw","nodiratime","relatime"]' ;;
        *) options="[\"rw\",\"$seen\",\"relatime\"]" ;;
    esac
    expect_mount "/mnt/$name" '.options | sort' "$(jq -c sort <<<"$options")"
    expect_mount "/mnt/$name" '[.super[] | select(. == "sync" or . == "dirsync" or . == "lazytime")]' "$super"
done

t 'the last of two contradicting options wins'
probe_bundle "$(add_mount "$(tmpfs /mnt/1 ro rw noexec exec nosuid suid)" "$(tmpfs /mnt/2 rw ro exec noexec)" \
    "$(tmpfs /mnt/3 noatime strictatime relatime)")"
run sublet run -b "$T/b" "$ID"
expect_status 0
expect_mount /mnt/1 .options '["rw","relatime"]'
expect_mount /mnt/2 .options '["ro","noexec","relatime"]'
expect_mount /mnt/3 .options '["rw","relatime"]'
expect_err_has "'rw' overrides an earlier option"

t 'a bind mount does not bring what is mounted below its source'
look "$(add_mount "$(bind "$T/tree" /mnt bind)")"
expect_json '[.mounts[].target | select(startswith("/mnt"))]' '["/mnt"]'

t 'rbind brings what is mounted below its source'
look "$(add_mount "$(bind "$T/tree" /mnt rbind)")"
expect_json '[.mounts[].target | select(startswith("/mnt"))]' '["/mnt","/mnt/below"]'

t 'plain options concern the mount itself'
look "$(add_mount "$(bind "$T/tree" /mnt rbind ro nosuid)")" --readonly /mnt --readonly /mnt/below
expect_mount /mnt .options '["ro","nosuid","relatime"]'
expect_mount /mnt/below .options '["rw","relatime"]'
expect_json .readonly '{"/mnt":"EROFS","/mnt/below":"ok"}'

t 'recursive options concern all below'
look "$(add_mount "$(bind "$T/tree" /mnt rbind rro rnosuid rnoexec rnodev rnoatime rnodiratime rnosymfollow)")" \
    --readonly /mnt --readonly /mnt/below
for path in /mnt /mnt/below; do
    expect_mount $path '.options | sort' '["noatime","nodev","nodiratime","noexec","nosuid","nosymfollow","ro"]'
done
expect_json .readonly '{"/mnt":"EROFS","/mnt/below":"EROFS"}'

t 'recursive options are taken back for the tree, or for the mount alone'
look "$(add_mount "$(bind "$T/tree" /mnt rbind rro rw)")"
expect_mount /mnt '.options[0]' rw
expect_mount /mnt/below '.options[0]' ro

t 'a bind mount keeps the options of its source'
mount --bind "$T/plain" "$T/plain"
mount -o remount,bind,nosuid,nodev,noatime "$T/plain"
look "$(add_mount "$(bind "$T/plain" /mnt bind noexec)" "$(bind "$T/plain" /srv bind suid dev)")"
expect_mount /mnt '.options | sort' '["noatime","nodev","noexec","nosuid","rw"]'
expect_mount /srv '.options | sort' '["noatime","rw"]'
umount "$T/plain"

for pair in 'private []' 'rprivate []' 'slave ["master:N"]' 'rslave ["master:N"]' \
    'shared ["shared:N"]' 'rshared ["shared:N"]' 'unbindable ["unbindable"]' 'runbindable ["unbindable"]'; do
    read -r word wanted <<<"$pair"
    t "propagation $word is what the mount has"
    look "$(add_mount "$(bind "$T/tree" /mnt rbind "$word")")"
    expect_mount /mnt '.optional | map(sub("[0-9]+"; "N"))' "$wanted"
    # Without the r, what is below is as mount(8) leaves it: a copy of the host's.
    [[ $word == r* ]] || continue
    expect_mount /mnt/below '.optional | map(sub("[0-9]+"; "N"))' "$wanted"
done

t 'a file is bound onto a file that is made for it'
look "$(add_mount "$(bind "$T/plain/file" /etc/made/here bind ro)") | .root.readonly = false" --readonly /etc/made/here
expect_mount /etc/made/here '.options[0]' ro
expect_json '.readonly["/etc/made/here"]' EROFS
rm -r "$T/b/rootfs/etc/made"

t 'a source relative to the bundle is found there'
mkdir -p "$T/b/files" && echo inside >"$T/b/files/note"
shell "$(add_mount "$(bind files/note /tmp/note bind)") | .root.readonly = false" 'cat /tmp/note'
expect_out inside

t 'a mount without a type but with a bind option is a bind mount, whatever the type'
look "$(add_mount "{destination: \"/mnt\", type: \"none\", source: \"$T/plain\", options: [\"bind\"]}")" \
    --masked /mnt/file
expect_json '.masked["/mnt/file"]' 'not empty'

t 'a source that is a link is followed, or copied as the link it is'
shell "$(add_mount "$(bind "$T/plain/link" /tmp/followed bind)" \
    "$(bind "$T/plain/link" /tmp/copied bind copy-symlink)") | .root.readonly = false" \
    'cat /tmp/followed; readlink /tmp/copied'
expect_out $'text\nfile'
rm -f "$T"/b/rootfs/tmp/*

t 'src-nofollow mounts the link itself'
look "$(add_mount "$(bind "$T/plain/link" /mnt/copied bind src-nofollow)") | .root.readonly = false"
expect_mount /mnt/copied '.root | split("/") | last' link

t 'a target that is a link is followed, and not with dest-nofollow'
probe_bundle .
ln -s /etc/group "$T/b/rootfs/usr/link"
look "$(add_mount "$(bind "$T/plain/file" /usr/link bind)")"
expect_mount /etc/group '.root | split("/") | last' file
look "$(add_mount "$(bind "$T/plain/link" /usr/link bind src-nofollow dest-nofollow)")"
expect_mount /usr/link '.root | split("/") | last' link

t 'tmpcopyup brings along what the root has there'
shell "$(add_mount "$(tmpfs /etc tmpcopyup)")" \
    'grep -c root /etc/passwd; echo new >/etc/new; ls /etc; stat -f -c %T /etc'
expect_out $'1\ngroup\nnew\npasswd\ntmpfs'
expect_absent "$T/b/rootfs/etc/new"

t 'a tmpfs has the mode of the folder it covers, and the kernel'"'"'s where there was none'
sh_bundle "$(add_mount "$(tmpfs /home)" "$(tmpfs /new/deep)" "$(tmpfs /dev/new)" "$(tmpfs /new/copied tmpcopyup)" \
    "$(tmpfs /new/told mode=0711)") | .process.user = {uid: 1000, gid: 1000}" \
    'stat -c "%a %n" /home /new /new/deep /dev/new /new/copied /new/told && touch /new/deep/file'
chmod 2751 "$T/b/rootfs/home"
run sublet run -b "$T/b" "$ID"
expect_status 0
expect_out $'2751 /home\n755 /new\n1777 /new/deep\n1777 /dev/new\n1777 /new/copied\n711 /new/told'

t 'a relative destination begins at the root, with a warning'
probe_bundle "$(add_mount "$(tmpfs mnt/rel size=64k)" "$(tmpfs ../../mnt/up size=32k)")
    | (.mounts[] | select(.destination == \"/dev\").destination) = \"dev\""
run sublet run -b "$T/b" "$ID"
expect_status 0
expect_err_has "mounts[7].destination: 'mnt/rel' is not absolute, which is deprecated: taken as '/mnt/rel'"
expect_json '[.mounts[] | select(.target | startswith("/mnt")) | [.target, .super[1]] | join(" ")]' \
    '["/mnt/rel size=64k","/mnt/up size=32k"]'
expect_mount /dev '.super | map(select(startswith("mode"))) | first' mode=755

t 'data that is no known option goes to the file system'
look "$(add_mount "$(tmpfs /mnt size=128k nr_inodes=99 mode=0711 uid=5 gid=6)")"
expect_mount /mnt '.super - ["rw"] | sort' '["gid=6","mode=711","nr_inodes=99","size=128k","uid=5"]'

t 'data that the file system refuses is told with the mount'
probe_bundle "$(add_mount "$(tmpfs /mnt/x nonsense=1)")"
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_error "sublet: mounts[7]: tmpfs refused option 'nonsense=1': tmpfs: Unknown parameter 'nonsense'"

t 'an overlay mount joins its layers'
mkdir -p "$T"/{lower1,lower2,upper,work}
echo one >"$T/lower1/name" && echo two >"$T/lower2/name" && echo only >"$T/lower2/only"
shell "$(add_mount "{destination: \"/mnt\", type: \"overlay\", source: \"overlay\", options:
        [\"lowerdir=$T/lower1:$T/lower2\", \"upperdir=$T/upper\", \"workdir=$T/work\"]}")" \
    'cat /mnt/name /mnt/only; echo three >/mnt/name'
expect_out $'one\nonly'
expect_file "$T/upper/name" three
expect_file "$T/lower1/name" one

t 'a cgroup mount shows the own group as its root'
shell . 'tail -n 1 /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/sub'
expect_out_has '0::/'
expect_out_match '^1$'
expect_err_has 'Read-only file system'

t 'a writable cgroup mount lets the container make groups'
shell '(.mounts[] | select(.destination == "/sys/fs/cgroup").options) = ["nosuid", "noexec", "nodev"]' \
    'mkdir /sys/fs/cgroup/sub && echo $$ >/sys/fs/cgroup/sub/cgroup.procs && tail -n 1 /proc/self/cgroup'
expect_out 0::/sub

t 'mounts are made in their order'
look "$(add_mount "$(tmpfs /mnt size=64k)" "$(tmpfs /mnt/deeper size=32k)" "$(tmpfs /mnt size=16k)")"
expect_json '[.mounts[] | select(.target | startswith("/mnt")) | [.target, .super[1]] | join(" ")]' \
    '["/mnt size=64k","/mnt/deeper size=32k","/mnt size=16k"]'

# change TARGET OPTION...: of what an earlier entry has mounted
change() {
    local target=$1
    shift
    jq -cn '{destination: $ARGS.positional[0], options: (["remount"] + $ARGS.positional[1:])}' --args "$target" "$@"
}

t 'remount changes what an earlier entry has mounted, and only what it names'
look "$(add_mount "$(tmpfs /mnt/1 size=64k nosuid)" "$(change /mnt/1 ro noexec size=128k)" \
    "$(bind "$T/plain" /mnt/2 bind nodev)" "$(change /mnt/2 bind ro noatime)" "$(change /proc hidepid=2)" \
    "$(bind "$T/tree" /mnt/3 rbind)" "$(change /mnt/3/ rro rshared)" "$(change /mnt/3 rw)")" \
    --readonly /mnt/1 --readonly /mnt/2 --readonly /mnt/3 --readonly /mnt/3/below
expect_mount /mnt/1 '.options | sort' '["noexec","nosuid","relatime","ro"]'
expect_mount /mnt/1 '.super | map(select(startswith("size")))' '["size=128k"]'
expect_mount /mnt/2 '.options | sort' '["noatime","nodev","ro"]'
expect_mount /proc '.super | map(select(startswith("hidepid")))' '["hidepid=invisible"]'
expect_mount /mnt/3/below '.optional | map(sub("[0-9]+"; "N"))' '["shared:N"]'
expect_json .readonly '{"/mnt/1":"EROFS","/mnt/2":"EROFS","/mnt/3":"ok","/mnt/3/below":"EROFS"}'
expect_eq 'options of the source' "$(findmnt -no OPTIONS --target "$T/plain" | grep -cw 'ro\|noatime')" 0

t 'the last remount says whether a mount is read-only, and what follows it finds its place'
look "$(add_mount "$(tmpfs /mnt/1 ro)" "$(change /mnt/1 rw)" "$(tmpfs /mnt/2)" "$(change /mnt/2 ro)" "$(change /mnt/2 rw)" \
    "$(tmpfs /mnt/3)" "$(change /mnt/3 ro)" "$(tmpfs /mnt/3/below)" "$(tmpfs /mnt/4 ro)" "$(change /mnt/4 nosuid)" \
    "$(change /dev ro noexec)")" \
    --readonly /mnt/1 --readonly /mnt/2 --readonly /mnt/3 --readonly /mnt/3/below --readonly /mnt/4 --readonly /dev
expect_json .readonly '{"/mnt/1":"ok","/mnt/2":"ok","/mnt/3":"EROFS","/mnt/3/below":"ok","/mnt/4":"EROFS","/dev":"EROFS"}'
expect_mount /dev '.options | map(select(. == "ro" or . == "noexec")) | sort' '["noexec","ro"]'

t 'a remount changes what its entry mounted, wherever its path leads by then'
probe_bundle .
mkdir -p "$T/b/rootfs/l" "$T/l"
ln -s /mnt/new "$T/b/rootfs/l/link"
ln -s /mnt/kept "$T/l/link"
look "$(add_mount "$(bind "$T/plain" /mnt/kept bind ro)" "$(tmpfs /mnt/new)" "$(tmpfs /l/link ro size=64k)" \
    "$(bind "$T/l" /l bind)" "$(change /l/link rw size=32k nosuid)")" --readonly /mnt/kept --readonly /mnt/new
expect_json .readonly '{"/mnt/kept":"EROFS","/mnt/new":"ok"}'
expect_mount /mnt/new '.super | map(select(startswith("size")))' '["size=32k"]'

t 'a remount that cannot be is told with what it would change'
probe_bundle "$(add_mount "$(tmpfs /mnt/x)" "$(change /mnt/x nonsense=1)")"
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_error "sublet: mounts[8]: tmpfs refused option 'nonsense=1': tmpfs: Unknown parameter 'nonsense'"
probe_bundle "$(add_mount "$(change /mnt/x ro)")"
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_error "sublet: mounts[7].destination: there is nothing to remount: no earlier entry mounts anything at '/mnt/x'"

t 'masked and read-only paths are sealed, and those not there ignored'
probe_bundle .
cp "$(probe_program)" "$T/b/rootfs/usr/probe"
look '.linux.maskedPaths = ["/etc/passwd", "/bin", "/not/there"] | .linux.readonlyPaths = ["/dev/shm", "/not/there"]
    | .process.args[0] = "/usr/probe"' --masked /etc/passwd --masked /bin --readonly /dev/shm --masked /not/there
expect_json .masked '{"/etc/passwd":"empty","/bin":"empty","/not/there":"ENOENT"}'
expect_json .readonly '{"/dev/shm":"EROFS"}'

t 'a read-only root refuses to be written, a writable one does not'
look . --readonly /
expect_json '.readonly["/"]' EROFS
look '.root.readonly = false' --readonly /
expect_json '.readonly["/"]' ok

umount "$T/tree/below" "$T/tree"
