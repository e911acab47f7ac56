#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Five hundred containers in parallel batches, made by hand and through containerd: every answer of
# sublet within two seconds and legal, nothing left at the end. On this machine, for the guest is
# slow. TEST_CROWD gives the number.
# limit: 900
set -u
: "${SUBLET:?the program under test}"
if [ "${CROWD_NAMESPACE:-}" != "$$" ]; then
    # shellcheck disable=SC2016 # for the inner shell
    CROWD_NAMESPACE=$$ exec unshare --mount --propagation private -- bash -c 'exec bash "$0"' "$0"
fi
mount -t tmpfs -o mode=755 tmpfs /run
[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /var/lib/containerd && mount -t tmpfs tmpfs /var/lib/containerd

CROWD=${TEST_CROWD:-500}
LIMIT_MS=2000
T=$(mktemp -d /run/crowd.XXXXXX)
export SUBLET T
mkdir -p "$T/b/rootfs/bin"
cp /bin/busybox "$T/b/rootfs/bin/"
for applet in sh sleep true; do
    ln -s busybox "$T/b/rootfs/bin/$applet"
done
"$SUBLET" spec -b "$T/b"
jq '.process.terminal = false | .process.args = ["/bin/sleep", "1000"]' "$T/b/config.json" >"$T/c"
mv "$T/c" "$T/b/config.json"

# What engines call: the time, the status and the words of every call are written down.
cat >"$T/timed" <<'SCRIPT'
#!/bin/bash
before=${EPOCHREALTIME/./}
"$SUBLET" "$@"
status=$?
printf '%s %s %s\n' "$(((${EPOCHREALTIME/./} - before) / 1000))" "$status" "$*" >>"$T/log"
exit "$status"
SCRIPT
chmod +x "$T/timed"

# verdict NAME CALLS: from the log, and from what is left.
verdict() {
    local slow failed calls left
    slow=$(awk -v limit="$LIMIT_MS" '$1 > limit' "$T/log" | head -n 3)
    failed=$(awk '$2 != 0' "$T/log" | head -n 3)
    calls=$(wc -l <"$T/log")
    left=$(find /sys/fs/cgroup -type d -name '*crowd[0-9]*' | head -n 3
        find "$T/root" /run/containerd/runc -mindepth 1 -maxdepth 2 -not -name .cache 2>/dev/null |
            grep -vx '/run/containerd/runc/default' | head -n 3)
    printf '# %s: %s calls, the slowest %s ms\n' "$1" "$calls" "$(sort -n "$T/log" | tail -n 1 | cut -d ' ' -f 1)"
    if [ -n "$slow$failed$left" ] || [ "$calls" -lt "$2" ]; then
        printf 'not ok - %s: %s calls of at least %s, slow: %s, refused: %s, left: %s\n' "$1" "$calls" "$2" \
            "${slow//$'\n'/; }" "${failed//$'\n'/; }" "${left//$'\n'/; }"
    else
        printf 'ok - %s\n' "$1"
    fi
    rm -f "$T/log"
}

# The life of one container by hand.
life() {
    local word
    for word in 'create -b b' start state 'kill --all' 'delete --force'; do
        # shellcheck disable=SC2086 # words
        case $word in
            kill*) (cd "$T" && ./timed --root "$T/root" $word "crowd$1" KILL) ;;
            *) (cd "$T" && ./timed --root "$T/root" $word "crowd$1") ;;
        esac </dev/null >/dev/null 2>>"$T/errors"
    done
}
export -f life
seq "$CROWD" | xargs -P 16 -I @ bash -c 'life @'
verdict "$CROWD containers, sixteen at once: every answer within $LIMIT_MS ms and nothing left" $((CROWD * 5))

for program in containerd ctr containerd-shim-runc-v2; do
    command -v "$program" >/dev/null || { printf 'skip - containerd: %s is not installed\n' "$program" && exit 0; }
done
containerd --config "$(dirname "$0")/../../../examples/engines/containerd.toml" >"$T/containerd.log" 2>&1 &
daemon=$!
for (( ; ; )); do
    ctr version >/dev/null 2>&1 && break
    [ "$SECONDS" -lt 800 ] || break
    sleep 0.2
done
one() {
    ctr run --rm --env PATH=/bin --runc-binary "$T/timed" --rootfs "$T/b/rootfs" "crowd$1" true </dev/null >>"$T/errors" 2>&1 ||
        echo "ctr $1" >>"$T/failed"
}
export -f one
seq "$CROWD" | xargs -P 8 -I @ bash -c 'one @'
verdict "$CROWD containers through containerd, eight at once: every answer within $LIMIT_MS ms and nothing left" $((CROWD * 3))
if [ -s "$T/failed" ]; then
    printf 'not ok - containerd ran them all: %s failed: %s\n' "$(wc -l <"$T/failed")" "$(tail -n 1 "$T/errors")"
else
    printf 'ok - containerd ran them all\n'
fi
kill "$daemon"
wait "$daemon" 2>/dev/null
rm -rf "$T"
