#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sublet metrics: the two formats, the file, the server. What needs controllers is in
# tests/vm/48-metrics-top.sh, Prometheus and node_exporter themselves in tests/engines/prometheus.sh.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

make_bundle "$T/b" '.process.args = ["/bin/sleep", "600"]'
mkdir -m 0755 "$T/tenants"
echo '{"cpu": "elastic 0.05 ceiling 1"}' >"$T/tenants/acme.json"
metrics() { run sublet --tenants "$T/tenants" --ledger "$T/ledger" metrics "$@"; }

# Without its values, which change.
names() { sed -n 's/^\([a-z_]\{1,\}\).*/\1/p' "$1" | sort -u; }

# One for all tests; its name is none that they may not leave behind.
C=metrics$$
sublet run -d -b "$T/b" "$C" >/dev/null || exit 1
trap 'rc=$?; sublet delete --force "$C"; (exit "$rc"); cli_exit' EXIT

t 'a container is told with its counters'
metrics
expect_status 0
expect_quiet
expect_out_has "sublet_container_info{container=\"$C\",status=\"running\",outside=\"false\"} 1"
expect_out_match "^sublet_container_cpu_used_seconds_total\{container=\"$C\"\} 0\.0[0-9]*\$"
expect_out_match '^sublet_build_info\{version="[0-9.]+",commit="[0-9a-z]+"\} 1$'
expect_out_match '^sublet_collector_duration_seconds 0\.[0-9]+$'
cp "$T/out" "$T/m.prom"

t 'each family has its help and its type, once, before its samples'
expect_eq families "$(awk '
    $1 == "#" && $2 == "HELP" { if (help[$3]++) print "help twice " $3; next }
    $1 == "#" && $2 == "TYPE" { type[$3] = $4; if (!help[$3]) print "type before help " $3; last = $3; next }
    { sub(/[{ ].*/, ""); if ($0 != last) print "stray " $0; if (type[$0] == "counter" && $0 !~ /_total$/) print "counter " $0 }
    ' "$T/m.prom")" ''

t 'openmetrics names families without _total, and ends'
metrics --format openmetrics
expect_status 0
expect_out_has '# TYPE sublet_container_cpu_used_seconds counter'
expect_out_has '# UNIT sublet_container_cpu_used_seconds seconds'
expect_out_has '# TYPE sublet_build info'
expect_eq 'last line' "$(tail -n 1 "$T/out")" '# EOF'
expect_eq samples "$(names "$T/out")" "$(names "$T/m.prom")"

t 'a tenant is told with its contract, and has no counters while it has no cgroup'
metrics
expect_out_has 'sublet_tenant_info{tenant="acme",contract="elastic 0.05 ceiling 1"} 1'
expect_out_has 'sublet_tenant_cpu_entitlement_cores{tenant="acme"} 0.05'
expect_out_has 'sublet_tenant_cpu_limit_cores{tenant="acme"} 1'
expect_out_has 'sublet_tenant_cpu_limit_cores{tenant="default"} +Inf'
has_controllers cpu || expect_out_lacks 'sublet_tenant_cpu_used'

t 'dashboards of cAdvisor find containers by its names, if they are asked for'
metrics
expect_eq 'not asked for' "$(names "$T/out" | grep -c '^container_')" 0
metrics --compat
expect_status 0
expect_quiet
who="\{id=\"/[^\"]*$C\",name=\"$C\"\}"
expect_out_match "^container_cpu_usage_seconds_total$who 0\.0[0-9]*\$"
expect_out_match "^container_pressure_cpu_waiting_seconds_total$who [0-9.]+\$"
expect_eq 'age at which it was seen' "$(awk '/^container_start_time_seconds/ { began = $2 }
    /^container_last_seen/ { print ($2 - began > -2 && $2 - began < 600) }' "$T/out")" 1
expect_eq 'the others' "$(names "$T/out" | grep '^sublet_')" "$(names "$T/m.prom")"
expect_eq families "$(awk '
    $1 == "#" && $2 == "TYPE" { if (seen[$3]++) print "twice " $3; last = $3; next }
    !/^#/ { sub(/[{ ].*/, ""); if ($0 != last) print "stray " $0 }' "$T/out")" ''
metrics --compat --format openmetrics
expect_status 0
expect_out_has '# TYPE container_cpu_usage_seconds counter'
expect_out_has '# TYPE container_last_seen gauge'

t 'a controller that is not there gives no sample'
metrics
if has_controllers memory; then skip 'this host has the memory controller'; fi
expect_out_lacks 'memory_current_bytes'
expect_out_lacks 'memory_events_total'

t 'a file is written as a whole, for other users to read'
metrics -o "$T/m.prom"
expect_status 0
expect_out ''
expect_eq mode "$(stat -c %a "$T/m.prom")" 644
expect grep -q '^sublet_build_info' "$T/m.prom"
before=$(stat -c %i "$T/m.prom")
echo stale >"$T/.m.prom.new"
metrics -o "$T/m.prom"
expect_status 0
expect test "$(stat -c %i "$T/m.prom")" != "$before"
expect_absent "$T/.m.prom.new"

t 'a file that cannot be written is an error, and leaves nothing'
metrics -o "$T/none/m.prom"
expect_status 1
expect_error "sublet: --output: cannot open the folder of '$T/none/m.prom': No such file or directory"
mkdir "$T/folder"
metrics -o "$T/folder"
expect_status 1
expect_error "sublet: --output: '$T/folder' is no regular file, which could be replaced"
expect_absent "$T/.folder.new"

t 'a device, a FIFO or a link is not replaced by a file'
mknod -m 666 "$T/null" c 1 3
mkfifo "$T/fifo"
ln -s m.prom "$T/link"
for name in null fifo link; do
    before=$(stat -c '%i %F' "$T/$name")
    metrics -o "$T/$name"
    expect_status 1
    expect_error "sublet: --output: '$T/$name' is no regular file, which could be replaced"
    expect_eq "$name" "$(stat -c '%i %F' "$T/$name")" "$before"
done

t 'addresses that are none are refused'
for address in x 70000 localhost:1 ::1:1 '[::1' 1.2.3:4x :1; do
    metrics --listen "$address"
    expect_status 2
done
expect_err "sublet: option '--listen': ':1' is no port and no ADDRESS:PORT with a numeric address, IPv6 in brackets; see 'sublet metrics --help'"
metrics --listen 0 -o "$T/x"
expect_status 2

t 'without the program that serves the error says what to install'
cp "$SUBLET" "$T/alone"
run "$T/alone" --root "$T/root" metrics --listen 0
expect_status 1
expect_error "sublet: metrics: the program 'libexec/sublet/metrics' is not there; install libmicrohttpd12 and the whole of sublet, or build sublet with it"
rm "$T/alone"

# serve [OPTION...]: in the background; sets $port and $server. end_serve: and its status.
serve() {
    rm -f "$T/serve.out"
    setpriv --pdeathsig TERM -- "$SUBLET" --root "$T/root" --tenants "$T/tenants" --ledger "$T/ledger" metrics "$@" \
        </dev/null >"$T/serve.out" 2>"$T/serve.err" &
    server=$!
    until_true 10 test -s "$T/serve.out"
    port=$(sed -n 's|^serving metrics at http://.*:\([0-9]*\)/metrics$|\1|p' "$T/serve.out")
    expect test -n "$port"
}
end_serve() {
    rm -f "$T/serve.out"
    kill -TERM "$server"
    wait "$server"
    expect_eq 'status of the server' $? 0
    expect_eq 'error output of the server' "$(<"$T/serve.err")" ''
}
# ask METHOD PATH [HEADER...]: whole answer to $T/answer. A server that refuses what it has read so
# far closes the connection before the rest is written.
ask() {
    {
        (
            trap '' PIPE
            printf '%s\r\n' "$1 $2 HTTP/1.1" 'Host: x' 'Connection: close' "${@:3}" '' >&3
        ) 2>/dev/null
        timeout 10 cat <&3 | tr -d '\r' >"$T/answer"
    } 3<>"/dev/tcp/127.0.0.1/$port"
}
answers() { expect_eq 'first line' "$(head -n 1 "$T/answer")" "HTTP/1.1 $1"; }
is_plain() { expect grep -qxF 'Content-Type: text/plain; version=0.0.4; charset=utf-8' "$T/answer"; }
is_open() { expect grep -qxF 'Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8' "$T/answer"; }

if [ -n "${TEST_SANITIZED:-}" ]; then
    t 'the server'
    skip 'the leak check of a sanitizer cannot look at a process without rights'
    exit 0
fi

t 'the server answers in the format that the client likes best'
serve --listen 0
ask GET /metrics
answers '200 OK'
is_plain
expect grep -q "^sublet_container_cpu_used_seconds_total{container=\"$C\"}" "$T/answer"
ask GET /metrics 'Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
is_open
expect_eq 'last line' "$(tail -n 1 "$T/answer")" '# EOF'
ask GET /metrics 'Accept: text/plain;q=0.9, application/openmetrics-text;q=0.8'
is_plain
ask GET /metrics 'Accept: application/openmetrics-text;q=0'
is_plain
ask GET /metrics 'Accept: */*'
is_plain
end_serve

t 'what is not asked for with GET, or is not there, is refused'
serve --listen 0
ask HEAD /metrics
answers '200 OK'
expect_eq 'body' "$(sed '1,/^$/d' "$T/answer")" ''
ask POST /metrics 'Content-Length: 0'
answers '405 Method Not Allowed'
expect grep -qxF 'Allow: GET, HEAD' "$T/answer"
ask GET /
answers '200 OK'
ask GET /etc/passwd
answers '404 Not Found'
ask GET /metrics "X-Long: $(head -c 40000 /dev/zero | tr '\0' x)"
answers '431 Request Header Fields Too Large'
end_serve

t 'one that serves has no rights, and listens to this host alone'
serve --listen 0
program=$(cat "/proc/$server/task/$server/children")
program=${program% }
expect_eq name "$(<"/proc/$program/comm")" metrics
expect_eq rights "$(awk '/^(Uid|Gid|CapPrm|CapEff|NoNewPrivs):/ { print $2 }' "/proc/$program/status" | paste -sd ' ')" \
    '65534 65534 0000000000000000 0000000000000000 1'
expect_eq 'rights of who gathers' "$(awk '/^(CapPrm|CapEff|NoNewPrivs):/ { print $2 }' "/proc/$server/status" | paste -sd ' ')" \
    '0000000000000000 0000000000000000 1'
expect_eq address "$(ss -Hltn "sport = :$port" | awk '{ print $4 }')" "127.0.0.1:$port"
end_serve

t 'a client that is slow keeps nobody waiting'
serve --listen 0
exec 4<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /metrics HT' >&4
exec 5<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n' >&5 # and never reads
ask GET /metrics
answers '200 OK'
exec 4>&- 5>&-
end_serve

t 'many at once are all answered'
serve --listen 0
for ((i = 0; i < 40; i++)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port" && printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3 && timeout 10 head -n 1 <&3) &
done >"$T/many"
until_true 15 eval "[ \$(wc -l <'$T/many') -eq 40 ]"
expect_eq answers "$(tr -d '\r' <"$T/many" | sort | uniq -c | awk '{ print $1, $3 }')" '40 200'
end_serve

t 'it sees what has come since, and ends at SIGTERM with its program'
serve --listen 0
program=$(cat "/proc/$server/task/$server/children")
program=${program% }
sublet delete --force "$C"
ask GET /metrics
expect_eq 'samples of the container' "$(grep -c "$C" "$T/answer")" 0
end_serve
expect test ! -e "/proc/$program"

t 'the server ends when the program that serves is killed'
serve --listen '127.0.0.1:0' --format openmetrics
ask GET /metrics
is_open
program=$(cat "/proc/$server/task/$server/children")
kill -KILL "${program% }"
wait "$server"
expect_eq status $? 1
expect_eq error "$(<"$T/serve.err")" 'sublet: metrics: the program that serves has ended'

t 'a port that is taken is an error'
serve --listen 0
metrics --listen "$port"
expect_status 1
expect_error "sublet: $port: cannot listen: Address already in use"
end_serve
