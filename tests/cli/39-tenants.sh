#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Definitions of tenants: what is written, shown, refused. What the kernel makes of them needs its
# controllers: tests/vm/tenants-contracts.sh.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

dir=$T/tenants
tenant() { run sublet --tenants "$dir" tenant "$@"; }

t 'a definition that is written is the one that is asked for'
tenant set acme --cpu 'elastic 0.05  ceiling 1 burst 10ms' --memory 512M --memory-high 500M \
    --memory-low 1M --swap 0 --virtual 2G --io-weight 200 --pids 99 --realtime yes
expect_status 0
expect_file "$dir/acme.json" '{
    "cpu": "elastic 0.05 ceiling 1 burst 10ms",
    "memory": {
        "max": "512M",
        "high": "500M",
        "low": "1M",
        "swap": "0",
        "virtual": "2G"
    },
    "io": {
        "weight": 200
    },
    "pids": 99,
    "realtime": true
}'

t 'a change leaves the rest, and none takes away'
tenant set acme --pids none --memory-low none --cpu 'fixed 0.05' --realtime no
expect_status 0
expect_file "$dir/acme.json" '{
    "cpu": "fixed 0.05",
    "memory": {
        "max": "512M",
        "high": "500M",
        "swap": "0",
        "virtual": "2G"
    },
    "io": {
        "weight": 200
    }
}'

t 'a dry run writes no definition and tells the sums and the files'
cpus=$(nproc --all)
tenant set dry --cpu 'elastic 0.05 ceiling 0.5' --dry-run
expect_status 0
expect_out_has "$cpus CPUs - 0 pinned - "
expect_out_has 'for sale, 0.1 sold'
expect_out_has "sublet.tenants/dry/cpu.weight '5'"
expect_out_has "sublet.tenants/dry/cpu.max '50000 100000'"
expect_absent "$dir/dry.json"
run sublet --tenants "$T/none" tenant set dry --cpu 'elastic 0.05' -n
expect_status 0
expect_absent "$T/none"

t 'one tenant more than can be read back is refused'
mkdir -m 755 "$T/many"
for ((i = 1; i < 4096; i++)); do
    echo '{"cpu": "elastic 0"}' >"$T/many/t$i.json"
done
run sublet --tenants "$T/many" tenant set more --cpu 'elastic 0' -n
expect_status 1
expect_err_has "$T/many: has 4096 tenants, at most 4096 are possible"
rm "$T/many/t1.json"
run sublet --tenants "$T/many" tenant set more --cpu 'elastic 0' -n
expect_status 0

t 'what does not fit is refused with the numbers, and nothing is written'
tenant set big --cpu "elastic $cpus"
expect_status 1
expect_err_has "sublet: tenant 'big': elastic $cpus does not fit: $cpus CPUs - 0 pinned - "
expect_err_has ' 0.05 of it to others, '
expect_absent "$dir/big.json"
tenant set big --cpu "elastic $cpus" --overcommit
expect_status 0
expect_err_has 'more than there is, every promise is kept to '
tenant set big --cpu 'elastic 0.5'
expect_status 0
tenant remove big
expect_status 0
expect_absent "$dir/big.json"

t 'the list has every tenant, and default'
tenant list --format json
expect_status 0
expect_eq names "$(jq -r '.[] | [.name, .builtin, .contract, .entitledUsPerS] | @tsv' "$T/out")" \
    $'acme\tfalse\tfixed 0.05\t50000\ndefault\ttrue\telastic 0\t0'

t 'a tenant is shown with its limits'
tenant show acme
expect_out_match '^cpu: +fixed 0.05$'
expect_out_match '^memory: +max 512M, high 500M, swap 0, virtual 2G$'
expect_out_match '^cgroup: +/sublet.tenants/acme$'

t 'a path without a disk is refused'
tenant set acme --io /proc=1MB/s
expect_status 1
expect_err "sublet: tenant 'acme': io '/proc': lies in a file system of type proc, which has no disk"
tenant set acme --io /nowhere=1MB/s
expect_status 1
expect_err "sublet: tenant 'acme': io '/nowhere': cannot look for its disk: No such file or directory"

t 'wrong words are refused'
tenant set acme --cpu 'fixed lots'
expect_err "sublet: --cpu: 'lots' is no number of CPUs: at most three decimals, up to 8192"
tenant set acme --io '/=1MB'
expect_err_has "sublet: --io: '/=1MB': expected /PATH=RATE[,RATE...]"
tenant set acme --realtime maybe
expect_err "sublet: --realtime: 'maybe': expected yes or no"
tenant set Acme --cpu 'fixed 1'
expect_err_has "tenant 'Acme': 1 to 63 of the characters"
tenant set host --cpu 'elastic 0.1'
expect_status 1
expect_err "sublet: tenant 'host': in the ledger and in reports this is the name of a row that is no tenant's"
expect_absent "$dir/host.json"
tenant set cpu.max --cpu 'elastic 0.1'
expect_status 1
expect_err "sublet: tenant 'cpu.max': a tenant is a cgroup, and names that begin with 'cpu.' are the kernel's there"
expect_absent "$dir/cpu.max.json"
tenant set acme --memory 0
expect_err "sublet: --memory: 0 bytes are no limit that a process lives in: a size, or 'none' for no limit"
tenant set other
expect_status 2
expect_err_has "a new tenant needs a contract: option '--cpu'"
tenant show nobody
expect_status 1
expect_err "sublet: no tenant 'nobody' is defined in '$dir'"
tenant remove default
expect_status 1
tenant grow acme
expect_status 2
tenant list acme
expect_status 2
tenant list --pids 3
expect_status 2
expect_err_has "option '--pids' does not go with 'list'"
for action in 'set acme' 'remove acme' apply; do
    # shellcheck disable=SC2086 # words
    tenant $action --format json
    expect_status 2
    expect_err_has "option '--format' goes with '${action% acme}' and '--dry-run'"
done

t 'a file that is wrong is told with line and column, and the others are there'
printf '{"cpu": "fixed 0.1",\n "memroy": {"max": "1G"}}' >"$dir/slip.json"
tenant list
expect_status 1
expect_err "sublet: warning: slip.json:2:2: unknown key 'memroy'"
expect_out_match '^acme +fixed 0.05 '
for action in show remove; do
    tenant "$action" slip
    expect_status 1
    expect_err "sublet: warning: slip.json:2:2: unknown key 'memroy'
sublet: tenant 'slip': '$dir/slip.json' is no definition; mend it, or remove the file"
done
rm "$dir/slip.json"

t 'what is wrong with files is told in the order of their names'
for name in f c a e b d; do echo '{}' >"$dir/wrong-$name.json"; done
tenant list
expect_eq order "$(grep -o 'wrong-[a-f]' "$T/err" | tr -d '\n')" wrong-awrong-bwrong-cwrong-dwrong-ewrong-f
rm "$dir"/wrong-*.json

t 'a folder that others may write to is refused'
chmod 777 "$dir"
tenant list
expect_status 1
expect_err "sublet: $dir: others may write to the folder of tenants (mode 777), expected 0755"
chmod 755 "$dir"

if ! has_controllers cpu memory io pids; then
    t 'a host without controllers is told in one line'
    tenant apply
    expect_status 1
    expect_err_match '^sublet: tenants: (this host binds the cpu controller to cgroup v1; boot with|.* offers no cpu controller)'
    tenant set acme --pids 5
    expect_status 0
    expect_err_match '^sublet: warning: acme: defined, but not applied: '
fi

t 'what no longer fits this machine is told, keeps nobody else from a contract, and can be removed'
mkdir -m 755 "$T/shrunk"
echo '{"cpu": "pinned 8000"}' >"$T/shrunk/large.json"
run sublet --tenants "$T/shrunk" tenant list
expect_status 0
expect_err_has "sublet: warning: tenant 'large': 8000 CPUs pinned in all, but of "
run sublet --tenants "$T/shrunk" tenant set small --cpu 'pinned 7000'
expect_status 1
expect_err_has "tenant 'small': 15000 CPUs pinned in all, but of "
expect_absent "$T/shrunk/small.json"
run sublet --tenants "$T/shrunk" tenant remove large
expect_status 0
expect_absent "$T/shrunk/large.json"

t 'a dry removal removes nothing and tells the sums and the groups'
tenant remove acme --dry-run
expect_status 0
expect_out_match '^[0-9]+ CPUs - 0 pinned - .* for sale, 0 sold$'
expect_out_match '^sublet.tenants/acme removed$'
expect_out_match '^sublet.tenants removed$'
expect_out_lacks 'sublet.tenants/acme/'
tenant remove acme --dry-run --format json
expect_json .removed '["sublet.tenants/acme","sublet.tenants"]'
expect test -f "$dir/acme.json"

t 'removed is forgotten'
tenant remove acme
expect_status 0
expect_absent "$dir/acme.json"
tenant remove acme
expect_status 1
