# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What podman has and docker has not. Sourced after life.sh.
# shellcheck disable=SC2016 # for the shell of the row

# hear SOCKET: what is said on a socket of systemd's kind, as it comes.
hear() {
    exec python3 -uc 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode())' "$1"
}
export -f hear
op 'healthcheck run' '0 healthy' '
    e run -d --name $C $N --health-cmd "true" --health-interval disable $I sleep 1000 >/dev/null
    e healthcheck run $C >/dev/null; echo $?; e inspect -f "{{.State.Health.Status}}" $C'
op 'healthcheck run: what fails' '1' '
    e run -d --name $C $N --health-cmd "exit 1" --health-interval disable $I sleep 1000 >/dev/null
    e healthcheck run $C >/dev/null 2>&1; echo $?'
op '-v: z, Z, noexec, nosuid, nodev' '~.*noexec.*' '
    e run --rm $N -v $W:/v:z,noexec,nosuid,nodev $I grep " /v " /proc/mounts'
op '-v: rw, exec, dev, suid, bind' '1 0' '
    mkdir $W/below; e run --rm $N -v $W:/v:rw,exec,dev,suid,bind $I sh -c "touch /v/made; grep -c \" /v [^ ]* rw\" /proc/mounts
    grep \" /v \" /proc/mounts | grep -cE \"noexec|nodev|nosuid\""'
op '-v: Z, rshared, unbindable' '1' '
    e run --rm $N -v $W:/v:Z,unbindable $I grep " /v " /proc/self/mountinfo | grep -c unbindable'
op '-v: copy, nocopy of a named volume' 'root ' '
    e run --rm $N -v copied-$C:/etc $I sh -c "cut -d: -f1 /etc/passwd | head -n 1"
    e run --rm $N -v not-copied-$C:/etc:nocopy $I sh -c "ls /etc/group 2>/dev/null"; echo'
op '-v: O' 'there ' '
    echo there >$W/f; e run --rm $N -v $W:/v:O $I sh -c "cat /v/f; echo no >/v/g"; ls $W/g 2>/dev/null; echo'
op '-v: U' '1000' 'mkdir $W/d; e run --rm $N -u 1000 -v $W/d:/v:U $I stat -c %u /v'
op '-v: idmap' '0' '
    touch $W/f; e run --rm $N --uidmap 0:1000:1000 --gidmap 0:1000:1000 -v $W:/v:idmap $I stat -c %u /v/f'
op '--tmpfs: tmpcopyup' 'root' '
    e run --rm $N --mount type=tmpfs,dst=/etc,tmpcopyup $I head -n 1 /etc/passwd | cut -d: -f1'
op '--mount type=devpts' 'devpts' '
    e run --rm $N --mount type=devpts,destination=/foo/pts $I grep " /foo/pts " /proc/mounts | cut -d" " -f1'
op '--uidmap' '0 1000 1000' '
    e run --rm $N --uidmap 0:1000:1000 --gidmap 0:1000:1000 $I cat /proc/self/uid_map | tr -s " " |
    sed "s/^ //"'
op '--uidmap: exec' '0' '
    e run -d --name $C $N --uidmap 0:1000:1000 --gidmap 0:1000:1000 $I sleep 1000 >/dev/null; e exec $C id -u'
op '--userns auto' '~0 [0-9]+ [0-9]+( [0-9]+ [0-9]+ [0-9]+)*' '
    e run --rm $N --userns auto:size=1000 $I cat /proc/self/uid_map | tr -s " " | sed "s/^ //"'
op '--userns container:' 'same' '
    e run -d --name $C $N --uidmap 0:1000:1000 --gidmap 0:1000:1000 $I sleep 1000 >/dev/null
    [ "$(e run --rm $N --userns container:$C $I readlink /proc/self/ns/user)" = "$(e exec $C readlink /proc/self/ns/user)" ] &&
    echo same'
op '--uts container:' 'web' '
    e run -d --name $C $N --hostname web $I sleep 1000 >/dev/null; e run --rm $N --uts container:$C $I hostname'
op '--cgroups disabled' 'same' '
    e run -d --name $C $N --cgroups disabled $I sleep 1000 >/dev/null
    [ "$(cat /proc/$(e inspect -f "{{.State.Pid}}" $C)/cgroup)" = "$(cat /proc/self/cgroup)" ] && echo same'
op '--cgroups disabled: the life' 'running hi' '
    e run -d --name $C $N --cgroups disabled $I sleep 1000 >/dev/null; e inspect -f "{{.State.Status}}" $C
    e exec $C echo hi; e rm -f -t 0 $C >/dev/null'
op '--cgroups disabled --cgroupns host, private' '0 0' '
    for i in host private; do e run --rm $N --cgroups disabled --cgroupns $i $I ls /sys/fs/cgroup/cgroup.procs >/dev/null
    echo $?; done'
op '--cgroups no-conmon' '0' 'e run --rm $N --cgroups no-conmon $I true; echo $?'
op '--cgroups split' '0' '
    own=; [ "$(cat /proc/self/cgroup)" != 0::/ ] || own="in_group engines-split-$R"
    ($own bash -c "e run --rm $N --cgroups split $I true"); echo $?'
op '--cgroup-conf' '50331648' 'e run --rm $N --cgroup-conf memory.high=50331648 $I cat /sys/fs/cgroup/memory.high'
op '--security-opt mask, unmask' '0 rw' '
    e run --rm $N --security-opt mask=/etc/passwd --security-opt unmask=/proc/sys $I \
        sh -c "wc -c </etc/passwd; grep -c \" /proc/sys \" /proc/mounts | sed s/0/rw/"'
op '--security-opt proc-opts' '~.*hidepid=.*' '
    e run --rm $N --security-opt proc-opts=hidepid=2 $I grep " /proc " /proc/mounts'
op '--preserve-fds' 'fd' 'echo fd >$W/f; e run --rm $N --preserve-fds 1 $I sh -c "cat <&3" 3<$W/f'
op 'exec --preserve-fds' 'fd' 'echo fd >$W/f; e exec --preserve-fds 1 box-$R sh -c "cat <&3" 3<$W/f'
op '--timeout' '~137|255' 'e run --rm $N --timeout 2 $I sleep 1000; echo $?'
op '--systemd always' '~rw.*' 'e run --rm $N --systemd always $I grep " /sys/fs/cgroup " /proc/mounts | cut -d" " -f4'
op '--rootfs' 'hi' 'cp -a $ROOTFS $W/root; e run --rm $N --rootfs $W/root echo hi'
op '--rootfs: O' '0' 'cp -a $ROOTFS $W/root; e run --rm $N --rootfs $W/root:O touch /made; ls $W/root | grep -c made'
op '--no-hosts, --umask, --tz' '0077 UTC' 'e run --rm $N --no-hosts --umask 0077 --tz UTC $I sh -c "umask; date +%Z"'
op '--env-host, --annotation' '0' 'e run --rm $N --env-host --annotation some=thing $I true; echo $?'
op '--group-add keep-groups' '0' 'e run --rm $N --group-add keep-groups $I true; echo $?'
op '--secret' 'hush' '
    echo hush >$W/f; e secret create s-$C $W/f >/dev/null; e run --rm $N --secret s-$C $I cat /run/secrets/s-$C'
op '--passwd, --userns keep-id of root' '0' 'e run --rm $N --userns host $I id -u'
op '--sdnotify container' 'READY=1 of conmon' '
    hear $W/n >$W/got & s=$!; until [ -S $W/n ]; do sleep 0.1; done
    NOTIFY_SOCKET=$W/n e run -d --name $C $N --sdnotify container -v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro \
        $I sh -c "systemd-notify --ready; exec sleep 1000" >/dev/null
    until_out 60 READY=1 grep -aom1 READY=1 $W/got; until_out 60 "[0-9]+" sed -n s/^MAINPID=//p $W/got >$W/main
    [ "$(cat $W/main)" = "$(e inspect -f "{{.State.ConmonPid}}" $C)" ] && echo of conmon
    e rm -f -t 0 $C >/dev/null; kill $s'
op 'pod: create, run, network shared' 'same' '
    e pod create --name pod-$R --network none >/dev/null
    e run -d --pod pod-$R --name a-$R $I sleep 1000 >/dev/null
    [ "$(e exec a-$R readlink /proc/self/ns/net)" = "$(e run --rm --pod pod-$R $I readlink /proc/self/ns/net)" ] &&
    echo same'
op 'pod: top, stats, pause' '~.*sleep.*a-.* Paused Running' '
    e pod top pod-$R; e pod stats --no-stream --format "{{.Name}}" pod-$R; e pod pause pod-$R >/dev/null
    e pod inspect -f "{{.State}}" pod-$R; e pod unpause pod-$R >/dev/null; e pod inspect -f "{{.State}}" pod-$R'
op 'pod: stop, start, rm' 'Exited Running 0' '
    e pod stop -t 0 pod-$R >/dev/null; e pod inspect -f "{{.State}}" pod-$R; e pod start pod-$R >/dev/null
    e pod inspect -f "{{.State}}" pod-$R; e pod rm -f -t 0 pod-$R >/dev/null; echo $?'
op 'pod: --share pid,ipc,uts and --cpus' '~50000 100000|.*sleep.*' '
    e pod create --name $C --network none --share pid,ipc,uts --cpus 0.5 >/dev/null
    e run -d --pod $C $N $I sleep 1000 >/dev/null; e run --rm --pod $C $N $I ps | grep "sleep 1000"
    e pod rm -f -t 0 $C >/dev/null'
op 'kube play and down' 'kube' '
    printf "%s\n" "apiVersion: v1" "kind: Pod" "metadata: {name: k-$R}" "spec:" "  hostNetwork: true" "  containers:" \
        "  - name: a" "    image: $I" "    command: [sh, -c, \"echo kube; sleep 1000\"]" \
        "    securityContext: {readOnlyRootFilesystem: true, runAsUser: 1000}" \
        "    resources: {limits: {memory: 64Mi, cpu: 500m}}" >$W/y
    e play kube $W/y >/dev/null; until_out 20 kube e logs k-$R-a; e play kube --down $W/y >/dev/null'
op 'container checkpoint is refused with a reason' '~.*(checkpoint|CRIU|criu).*' '
    e run -d --name $C $N $I sleep 1000 >/dev/null; e container checkpoint $C 2>&1'
op 'init' 'running' '
    e create --name $C $N $I sleep 1000 >/dev/null; e init $C >/dev/null; e start $C >/dev/null
    e inspect -f "{{.State.Status}}" $C'
op 'rename, port, events, ps' '~new-.* Up.*' '
    e run -d --name $C $N $I sleep 1000 >/dev/null; e rename $C new-$C
    e ps --filter name=new-$C --format "{{.Names}} {{.Status}}"; e rm -f -t 0 new-$C >/dev/null'
op 'exec: no such program is 127' '127' 'e run -d --name $C $N $I sleep 1000 >/dev/null; e exec $C no-such; echo $?'
op 'nothing is left behind' '' '
    e rm -af -t 0 >/dev/null 2>&1; e pod rm -af -t 0 >/dev/null 2>&1; /usr/sbin/$R list -q
    find /sys/fs/cgroup -type d -name "libpod-*" -not -name "libpod-conmon-*" | grep -vxFf $WORLD/groups'
