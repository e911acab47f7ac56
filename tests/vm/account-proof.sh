#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Five hundred containers of twenty milliseconds under one tenant, with no meter running: what the
# ledger bills is what the kernel counted.
# limit: 900
# long
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

COUNT=500
top=/sys/fs/cgroup/sublet.tenants
sublet() { "$SUBLET" --root "$T/root" --ledger "$T/ledger" --tenants "$T/tenants" "$@"; }
# What a bill is made of: the highest use of each cgroup of the tenant, in records of any kind.
bill() {
    jq -s 'map(select(.tenant == "acme")) | map(.group // {cg, use: .cpu.use}) | group_by(.cg)
        | map(map(.use) | max) | add' "$T/ledger/ledger.jsonl"
}
used() { sed -n 's/^usage_usec //p' "$top/acme/cpu.stat"; }

t "$COUNT containers of 20 ms are billed as the kernel counted them"
run sublet --tenants "$T/tenants" tenant set acme --cpu 'elastic 1'
expect_status 0
for ((i = 0; i < COUNT; i++)); do
    sublet run --tenant acme --overlay / -- timeout 0.02 "$SUBLET_BUILD/load.elf" hog 1 </dev/null >/dev/null 2>&1
done
expect_eq 'started' "$(jq -r 'select(.k == "start") | .id' "$T/ledger/ledger.jsonl" | sort -u | wc -l)" "$COUNT"
expect_eq 'ended' "$(jq -r 'select(.k == "exit") | .id' "$T/ledger/ledger.jsonl" | sort -u | wc -l)" "$COUNT"
kernel=$(used) billed=$(bill)
own=$(jq -s 'map(select(.k == "exit") | .cpu.use) | add' "$T/ledger/ledger.jsonl")
echo "# kernel $kernel us, billed $billed us, sum of the containers' own accounts $own us"
# the last one was still ending when it was accounted for
expect_eq 'not billed yet' "$((kernel >= billed && kernel - billed < 3000))" 1
expect_eq 'own accounts, within 1 %' "$((own <= kernel && (kernel - own) * 100 < kernel))" 1
run sublet --tenants "$T/tenants" tenant remove acme
expect_status 0
expect_eq 'billed when the tenant is closed' "$(bill)" "$kernel"
rmdir "$top"/* "$top" 2>/dev/null # what no test has asked for
