#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Reports over ledgers that are checked in (tests/ledgers, made by its make.py): every form, every
# kind of damage, exact values. With LEDGERS_UPDATE set the expected texts are written anew.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

LEDGERS=$(cd -- "$(dirname "$0")/../ledgers" && pwd)
export COLUMNS=80

# on LEDGER COMMAND...: over ten minutes of it.
on() {
    local ledger=$1
    shift
    run sublet --ledger "$ledger" "$@" --from 2026-11-22T10:00Z --to 2026-11-22T10:10Z
}
# as FILE: the output is the text of that file.
as() {
    expect_status 0
    expect_quiet
    [ -z "${LEDGERS_UPDATE:-}" ] || cp "$T/out" "$LEDGERS/$1"
    cmp -s "$T/out" "$LEDGERS/$1" || fail "not as $1: $(diff "$LEDGERS/$1" "$T/out" | head -n 4)"
}
field() { jq -c "$1" "$T/out"; }
# damaged NAME: a copy of the first ledger to spoil, in $L.
damaged() {
    L=$T/$1
    mkdir "$L"
    cp "$LEDGERS/two-tenants/ledger.jsonl" "$L/"
}

t 'the table closes to the capacity of the host and tells who is to blame'
on "$LEDGERS/two-tenants" report
as two-tenants/table.txt
expect_eq 'widest line' "$(awk '{ if (length($0) > most) most = length($0) } END { print most <= 80 }' "$T/out")" 1

t 'a wide terminal has more columns'
COLUMNS=200 on "$LEDGERS/two-tenants" report
as two-tenants/wide.txt

t 'rows are containers, minutes, hours'
on "$LEDGERS/two-tenants" report --by container
as two-tenants/containers.txt
on "$LEDGERS/two-tenants" report --by minute
as two-tenants/minutes.txt
on "$LEDGERS/two-tenants" report --by hour --tenant acme
as two-tenants/hours.txt

t 'CSV has a unit in every name and lines of the same number of fields'
on "$LEDGERS/two-tenants" report --format csv
as two-tenants/report.csv
expect_eq 'fields' "$(python3 -c 'import csv, sys
print(len({len(row) for row in csv.reader(open(sys.argv[1], newline=""))}))' "$T/out")" 1
expect_eq 'capacity' "$(python3 -c 'import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
used = {row["row"]: 0 for row in rows}
for row in rows: used[row["row"]] += int(row["used_us"])
print(used.pop("capacity") - sum(used.values()))' "$T/out")" 0

t 'JSON has the same sums'
on "$LEDGERS/two-tenants" report --format json
as two-tenants/report.json
expect_eq identity "$(field '[.rows[], .sum | .used_us + .unused_us - .entitled_us - .borrowed_us - .unmetered_us]')" '[0,0,0]'
expect_eq closing "$(field '.closing | .capacity_us - .rows_us - .others_us - .host_us - .idle_us - .stolen_us - .unmetered_us')" 0
expect_eq blame "$(field '.rows[0].blame | map([.by, .cpu_us])')" '[["globex",24000000],["host",3000000]]'

t 'a part of the period is divided by time, and the parts make up the whole'
run sublet --ledger "$LEDGERS/two-tenants" report --format json --from 2026-11-22T10:00:30Z --to 2026-11-22T10:06:30Z
expect_status 0
expect_eq used "$(field '.rows | map(.used_us)')" '[117000000,169500000]'
expect_eq identity "$(field '[.rows[] | .used_us + .unused_us - .entitled_us - .borrowed_us]')" '[0,0]'

t 'tenants are chosen by name and by class'
on "$LEDGERS/two-tenants" report --class victim --format json
expect_eq rows "$(field '.rows | map(.tenant)')" '["acme"]'
expect_eq others "$(field .closing.others_us)" 327000000
on "$LEDGERS/two-tenants" report --tenant nobody --format json
expect_eq rows "$(field .rows)" '[]'

t 'a page asks for no other file'
on "$LEDGERS/two-tenants" report --format html
as two-tenants/report.html
expect_eq 'requests' "$(grep -cE 'https?:|src=|href=|url\(|@import|<script' "$T/out")" 0
expect_out_has 'prefers-color-scheme: dark'
expect_out_has 'role="img"'

t 'why names the neighbour, with figures and what can be done'
on "$LEDGERS/two-tenants" why acme
as two-tenants/why-acme.txt
on "$LEDGERS/two-tenants" why acme --format json
as two-tenants/why-acme.json
on "$LEDGERS/two-tenants" why globex
as two-tenants/why-globex.txt

t 'why names each cause, and nothing where nothing was'
while read -r tenant cause by; do
    on "$LEDGERS/causes" why "$tenant" --format json
    expect_status 0
    expect_eq "$tenant" "$(jq -r '[.causes[] | select(.matters)][0] | .cause // "none", (.by[0].name // "")' "$T/out" | xargs)" "${cause}${by:+ $by}"
done <<'END'
fine none
capped own-cap
threads own-threads
squeezed contract
diskwait disk-neighbour diskhog
memwait memory-neighbour memhog
memlimit own-memory-limit
forks tasks
starved host
ownio own-disk-use
disklimit own-disk-limit
END
on "$LEDGERS/causes" why fine
as causes/why-fine.txt
on "$LEDGERS/causes" why capped
as causes/why-capped.txt
on "$LEDGERS/causes" why starved
as causes/why-starved.txt
on "$LEDGERS/causes" why memlimit
as causes/why-memlimit.txt
on "$LEDGERS/causes" why disklimit
as causes/why-disklimit.txt
on "$LEDGERS/causes" why memwait --format json
expect_eq 'blamed for memory, in all records' "$(field '[.causes[0].by[0] | .name, .records, .of_records]')" '["memhog",10,10]'
run sublet --ledger "$LEDGERS/causes" why fine --from 2026-11-22T11:00Z --to 2026-11-22T11:10Z
expect_status 1
expect_error "sublet: $LEDGERS/causes: no record of tenant 'fine' in this period"

t 'a torn line is told and costs resolution alone'
damaged torn
head -n 20 "$L/ledger.jsonl" >"$L/a"
printf '{"v":1,"k":"sample","seq":\n' >>"$L/a"
tail -n +21 "$L/ledger.jsonl" >>"$L/a"
mv "$L/a" "$L/ledger.jsonl"
on "$L" report --format json
expect_eq used "$(field '.rows | map(.used_us)')" '[194000000,327000000]'
expect_eq ledger "$(field '.ledger | [.torn, .missing, .unfinished, .doubled, .newer]')" '[1,0,0,0,0]'
on "$L" report
expect_out_has '1 line of the ledger is torn: its record is lost, totals are not'

t 'a wrong sum makes a line none, and what it told is in the next'
damaged sum
sed -i '12s/"use":/"use":9/' "$L/ledger.jsonl"
on "$L" report --format json
expect_eq used "$(field '.rows | map(.used_us)')" '[194000000,327000000]'
expect_eq ledger "$(field '.ledger | [.torn, .missing, .unfinished, .doubled, .newer]')" '[1,1,0,0,0]'

t 'a ledger that ends in the middle of a line has a gap at its end'
damaged truncated
size=$(head -n 31 "$L/ledger.jsonl" | wc -c)
truncate -s $((size - 100)) "$L/ledger.jsonl"
on "$L" report --format json
expect_eq used "$(field '.rows | map(.used_us)')" '[154000000,315000000]'
expect_eq ledger "$(field '.ledger | [.torn, .missing, .unfinished]')" '[0,0,1]'
expect_eq gaps "$(field '.gaps | map([.from, .to, .reason])')" '[["2026-11-22T10:08:00.000000Z","2026-11-22T10:10:00.000000Z","after the last record"]]'

t 'a copy of the ledger beside it doubles nothing'
damaged copy
cp "$L/ledger.jsonl" "$L/ledger-0000000001-2026-11-22T10:10:00.000000Z-72915d91.jsonl"
on "$L" report --format json
expect_eq used "$(field '.rows | map([.used_us, .containers_started])')" '[[194000000,1],[327000000,0]]'
expect_eq doubled "$(field .ledger.doubled)" 37

t 'records of a version to come are left out and told'
damaged newer
python3 - "$LEDGERS/make.py" "$L/ledger.jsonl" <<'END'
import runpy, sys
make, path = sys.argv[1:]
sys.argv = [make, path + ".made"]
ledger = runpy.run_path(make)["Ledger"]()
ledger.seq = 37
ledger.put("sample", 1795341630 * 10**6, version=2, tenant="acme", cpu="changed its form")
open(path, "a").writelines(ledger.lines)
END
rm -r "$L/ledger.jsonl.made"
on "$L" report --format json
expect_eq used "$(field '.rows | map(.used_us)')" '[194000000,327000000]'
expect_eq ledger "$(field '.ledger | [.torn, .missing, .newer]')" '[0,0,1]'

t 'another boot begins at nothing'
damaged boot
python3 - "$LEDGERS/make.py" "$L" <<'END'
import runpy, sys
make, folder = sys.argv[1:]
sys.argv = [make, folder + "/made"]
m = runpy.run_path(make)
old = m["two_tenants"]()
new = m["Ledger"]("aaaaaaaa")
S, begin = m["S"], m["BEGIN"]
acme, host = m["Tenant"]("acme", "elastic 0.5", 500000, 4001), m["Host"]()
acme.cpu = {"use": 2 * S}
new.put("head", begin + 700 * S, kernel="6.12.95", host=host.total)
m["sweep"](new, [acme], host, begin + 700 * S, 0)
host.minute(acme.minute(10 * S))
m["sweep"](new, [acme], host, begin + 760 * S, 60 * S)
open(folder + "/ledger-0000000001-2026-11-22T10:10:00.000000Z-72915d91.jsonl", "w").writelines(old.lines)
open(folder + "/ledger.jsonl", "w").writelines(new.lines)
END
rm -r "$L/made"
run sublet --ledger "$L" report --format json --from 2026-11-22T10:00Z --to 2026-11-22T10:12:40Z
expect_status 0
expect_eq used "$(field '.rows | map([.used_us, .unmetered_us])')" '[[206000000,2000000],[327000000,0]]'
expect_eq gaps "$(field '.gaps | map([.from, .to, .reason])')" '[["2026-11-22T10:10:00.000000Z","2026-11-22T10:11:40.000000Z","no meter"]]'

t 'a host without a ledger has an empty report'
run sublet --ledger "$T/none" report --from 2026-11-22T10:00Z --to 2026-11-22T10:10Z
expect_status 0
expect_out_has 'the ledger has no records'
run sublet --ledger "$T/none" why acme
expect_status 1

t 'names of a forged ledger stay text in every form'
damaged forged
python3 - "$LEDGERS/make.py" "$L" <<'END'
import runpy, sys
make, folder = sys.argv[1:]
sys.argv = [make, folder + "/made"]
m = runpy.run_path(make)
ledger, host = m["Ledger"](), m["Host"]()
evil = m["Tenant"]("=<script>alert(1)</script>\"',&\x1b[31m", "<b>\n\"x", 500000, 4001)
m["sweep"](ledger, [evil], host, m["BEGIN"], 0)
host.minute(evil.minute(10 * m["S"], blame={"<img src=x>": 1000}))
m["sweep"](ledger, [evil], host, m["BEGIN"] + 60 * m["S"], 60 * m["S"])
open(folder + "/ledger.jsonl", "w").writelines(ledger.lines)
END
on "$L" report --format html
expect_status 0
expect_out_lacks '<script'
expect_out_lacks '<img'
expect_out_has '=&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;,&amp;\x1b[31m'
on "$L" report
expect_out_lacks $'\x1b'
on "$L" report --format csv
expect_out_lacks $'\x1b'
expect_out_has "tenant,\"'=<script>alert(1)</script>\"\"',&"
on "$L" report --format json
expect_eq name "$(field '.rows[0].tenant | length')" 35

t 'times are absolute, relative or named'
for from in -90s -2h -7d -1w today yesterday 2026-11-22 2026-11-22T10:00 '2026-11-22 10:00:00+01:00'; do
    run sublet --ledger "$T/none" report --from "$from"
    expect_status 0
done
for from in tomorrow -2y 2026-13-01 -h '' 12; do
    run sublet --ledger "$T/none" report "--from=$from"
    expect_status 2
done
run sublet --ledger "$T/none" report --from now --to today
expect_status 2
expect_error "sublet: the period ends before it begins; see 'sublet report --help'"

t 'options that contradict each other are refused'
for options in '--by hour --class victim' '--container x' '--format html --by hour' '--by container --class idle' '--by year'; do
    # shellcheck disable=SC2086
    run sublet --ledger "$T/none" report $options
    expect_status 2
done
run sublet --ledger "$T/none" report --by minute --from -30d
expect_status 1
expect_error 'sublet: the period has 43201 steps, more than 10000 can be told apart'

t 'a browser shows the page in light and dark, asks for nothing and has no complaint'
if ! command -v chromium >/dev/null; then
    skip 'needs chromium'
else
    "$SUBLET" --ledger "$LEDGERS/two-tenants" report --format html --from 2026-11-22T10:00Z --to 2026-11-22T10:10Z >"$T/page.html"
    mkdir "$T/profile"
    for scheme in 0 1; do # dark, light
        HOME=$T/profile run -t 60 chromium --headless --no-sandbox --disable-gpu --no-first-run \
            --user-data-dir="$T/profile" --blink-settings=preferredColorScheme=$scheme --window-size=1000,1200 \
            --enable-logging=stderr --screenshot="$T/shot$scheme.png" "file://$T/page.html"
        expect_status 0
        # the page forbids every request: one would be refused, and told here
        expect_eq 'console' "$(grep -c 'CONSOLE' "$T/err")" 0
        expect test -s "$T/shot$scheme.png"
    done
    expect_eq 'the schemes differ' "$(cmp -s "$T/shot0.png" "$T/shot1.png" && echo same)" ''
fi
