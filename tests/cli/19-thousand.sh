#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 300
# A thousand containers, one after the other, leave nothing at all: no mount, cgroup, process,
# descriptor or file more than before, and no kernel object that shows in /proc.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"

# the sanitized build, six times slower, looks for its own faults here, not for slow leaks
[ -z "${TEST_SANITIZED:-}" ] || THOUSAND=${THOUSAND:-150}
COUNT=${THOUSAND:-1000}

# What there is now: counted where others may come and go as well, listed where only we do.
census() {
    sort /proc/self/mountinfo
    find "$(cgroup_root)" -type d \( -path "*$ID*" -o -not -path '*t[0-9]*z*' \) | sort # other files run beside
    find "$T/root" "$T/b" -printf '%y %m %s %P\n' | sort
    find "$T" -maxdepth 1 -not -name 'census*' | sort
    our_processes
    printf 'process %s\n' "${our_pids[@]}" | sort
    find /proc/self/fd -type l | wc -l
}

cat >"$T/many.sh" <<'TEXT'
i=0
while [ $i -lt "$4" ]; do
    "$1" --root "$2" create -b "$3" "$5" &&
        "$1" --root "$2" start "$5" &&
        "$1" --root "$2" delete --force "$5" || exit 1
    i=$((i + 1))
done
TEXT

t 'a thousand containers that are created, started and deleted leave nothing'
sh_bundle '.hooks.poststop = []' 'sleep 60'
sh "$T/many.sh" "$SUBLET" "$T/root" "$T/b" 2 "$ID" >/dev/null
census >"$T/census-before"
began=$SECONDS
run -t 280 sh "$T/many.sh" "$SUBLET" "$T/root" "$T/b" "$COUNT" "$ID"
took=$((SECONDS - began))
expect_status 0
expect_out ''
expect_quiet
census >"$T/census-after"
expect_eq differences "$(diff "$T/census-before" "$T/census-after")" ''
printf '# %s containers in %s s\n' "$COUNT" "$took"
