#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Five hundred containers of twenty milliseconds under one tenant, two at a time, with no meter
# running: what the ledger bills is what the kernel counted.
# limit: 400
# long
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

COUNT=500
top=/sys/fs/cgroup/sublet.tenants
ledger=$T/ledger/ledger.jsonl
# What a bill is made of: the highest use of each cgroup of the tenant, in records of any kind.
bill() {
    jq -s 'map(select(.tenant == "acme")) | map(.group // {cg, use: .cpu.use}) | group_by(.cg)
        | map(map(.use) | max) | add' "$ledger"
}
used() { sed -n 's/^usage_usec //p' "$top/acme/cpu.stat"; }
kind() { grep "\"k\":\"$1\"" "$ledger" | jq -r .id | sort -u | wc -l; }

t "$COUNT containers of 20 ms are billed as the kernel counted them"
run sublet --tenants "$T/tenants" tenant set acme --cpu 'elastic 1'
expect_status 0
mkdir "$T/rootfs" && cp "$SUBLET_BUILD/load.elf" "$T/rootfs/load"
run -t 380 xargs -a <(seq "$COUNT") -P 2 -I number "$SUBLET" --root "$T/root" --ledger "$T/ledger" --tenants "$T/tenants" \
    run --tenant acme --rootfs "$T/rootfs" -- /load burn 20
expect_status 0
expect_quiet
expect_eq 'started' "$(kind start)" "$COUNT"
expect_eq 'ended' "$(kind exit)" "$COUNT"
kernel=$(used) billed=$(bill)
own=$(grep '"k":"exit"' "$ledger" | jq -s 'map(.cpu.use) | add')
printf '# %-50s promised %9d  measured %9d us\n' 'billed, as the kernel counted' "$kernel" "$billed"
printf '# %-50s promised %9d  measured %9d us\n' "sum of the containers' own accounts" "$kernel" "$own"
# the last one was still ending when it was accounted for
expect_eq 'not billed yet' "$((kernel >= billed && kernel - billed < 3000))" 1
expect_eq 'own accounts, within 1 %' "$((own <= kernel && (kernel - own) * 100 < kernel))" 1
expect_eq 'at least what they were made for' "$((own >= COUNT * 20000))" 1
run sublet --tenants "$T/tenants" tenant remove acme
expect_status 0
expect_eq 'billed when the tenant is closed' "$(bill)" "$kernel"
expect_absent "$top"
