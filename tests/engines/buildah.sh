#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# buildah with isolation by a runtime: run and bud.
# limit: 1200
# vm: --memory 3072
# shellcheck disable=SC2016 # for the shell of the row
# shellcheck source=tests/engines/lib/rows.sh
. "$(dirname "$0")/lib/rows.sh"
# shellcheck source=tests/engines/lib/podman.sh
. "$ENGINES/lib/podman.sh"
engines_world
podman_world

# b NAME OPTIONS -- COMMAND: buildah run in the working container.
b() { buildah run --isolation oci --runtime "/usr/sbin/$R" --network none "$@"; }
bud() { buildah bud --isolation oci --runtime "/usr/sbin/$R" --network none --pull-never "$@"; }
export -f b bud

op 'from' '~.*' 'buildah from --name w-$R $I'
op 'run' 'hi' 'b w-$R -- echo hi'
op 'run: exit status' '7' 'b w-$R -- sh -c "exit 7" 2>/dev/null; echo $?'
op 'run: what it writes stays' 'made' 'b w-$R -- sh -c "echo made >/made"; b w-$R -- cat /made'
op 'run: no such program' '~.*no-such.*' 'b w-$R -- no-such 2>&1'
op 'run: standard input' 'in' 'echo in | b w-$R -- cat'
op 'run --terminal' '~.*/dev/pts/0.*' '
    script -qec "buildah run --isolation oci --runtime /usr/sbin/$R --network none -t w-$R -- tty" /dev/null'
op 'run --user' '1000' 'b --user 1000 w-$R -- id -u'
op 'run --workingdir, --env' '/tmp v' 'b --workingdir /tmp --env K=v w-$R -- sh -c "pwd; echo \$K"'
op 'run -v' 'there' 'echo there >$W/f; b -v $W:/v:ro w-$R -- cat /v/f'
op 'run --mount type=tmpfs' 'tmpfs' 'b --mount type=tmpfs,dst=/v w-$R -- df -T /v | awk "END { print \$2 }"'
op 'run --cap-add' '00000000802405fb' '
    b --cap-add CAP_SYS_ADMIN w-$R -- grep CapEff /proc/self/status | awk "{ print \$2 }"'
op 'run --hostname' 'web' 'b --hostname web w-$R -- hostname'
op 'run --no-pivot' 'hi' 'b --no-pivot w-$R -- echo hi'
op 'run --pid host, --ipc host, --uts host' 'same' '
    [ "$(b --pid host --ipc host --uts host w-$R -- readlink /proc/self/ns/pid)" = "$(readlink /proc/self/ns/pid)" ] &&
    echo same'
op 'run: output of 3 MB is whole' '3000000' 'b w-$R -- sh -c "yes | head -c 3000000" | wc -c'
op 'commit' 'made' '
    buildah commit -q w-$R made-$R >/dev/null; buildah from --name m-$R localhost/made-$R >/dev/null
    b m-$R -- cat /made'
op 'bud' 'built 1000 50' '
    printf "FROM $I\nRUN echo built >/f\nUSER 1000:50\nRUN id -u >/tmp/u; id -g >>/tmp/u\n" >$W/Dockerfile
    bud -q -t built-$R $W >/dev/null; buildah from --name x-$R localhost/built-$R >/dev/null
    b x-$R -- cat /f /tmp/u'
op 'bud: stages and COPY --from' 'one' '
    printf "FROM $I AS a\nRUN echo one >/f\nFROM $I\nCOPY --from=a /f /g\nRUN cp /g /h\n" >$W/Dockerfile
    bud -q -t st-$R $W >/dev/null; buildah from --name y-$R localhost/st-$R >/dev/null; b y-$R -- cat /h'
op 'bud: a RUN that fails' '~.*3.*' 'printf "FROM $I\nRUN exit 3\n" >$W/Dockerfile; bud $W 2>&1 >/dev/null'
op 'bud: RUN --mount type=bind, cache, secret' 'hush' '
    echo hush >$W/s
    printf "FROM $I\nRUN --mount=type=secret,id=s --mount=type=cache,target=/c " >$W/Dockerfile
    printf -- "--mount=type=tmpfs,target=/t cat /run/secrets/s >/f && touch /c/x /t/y\n" >>$W/Dockerfile
    bud -q --secret id=s,src=$W/s -t se-$R $W >/dev/null; buildah from --name z-$R localhost/se-$R >/dev/null
    b z-$R -- cat /f'
op 'bud --memory, --cpu-quota, --ulimit' '67108864 50000 100000 100' '
    printf "FROM $I\nRUN cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max >/f; ulimit -n >>/f\n" >$W/Dockerfile
    bud -q --memory 64m --memory-swap 64m --cpu-quota 50000 --cpu-period 100000 --ulimit nofile=100 -t li-$R $W >/dev/null
    buildah from --name l-$R localhost/li-$R >/dev/null; b l-$R -- cat /f'
op 'nothing is left behind' '' '
    buildah rm -a >/dev/null; /usr/sbin/$R list -q; find /sys/fs/cgroup -type d -name "buildah-*"'

for runtime in ${TEST_RUNTIMES:-sublet $BESIDE}; do
    play buildah "$runtime"
done
verdicts buildah
