#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prometheus, node_exporter and promtool read what `sublet metrics` tells, where they are installed:
# apt-get install prometheus prometheus-node-exporter.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

make_bundle "$T/b" '.process.args = ["/bin/sleep", "100"]'
examples=$LIB/../../examples/prometheus
A=prometheus$$a
sublet run -d -b "$T/b" "$A" >/dev/null || exit 1
trap 'rc=$?; sublet delete --force "$A"; (exit "$rc"); cli_exit' EXIT

# installed PROGRAM: or the test is skipped.
installed() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

# get PORT PATH: the body.
get() {
    {
        printf 'GET %s HTTP/1.0\r\nHost: x\r\n\r\n' "$2" >&3
        timeout 10 cat <&3 | tr -d '\r' | sed '1,/^$/d'
    } 3<>"/dev/tcp/127.0.0.1/$1"
}
# queried PORT QUERY: the value that Prometheus has; blanks, quotes and braces are none in a path.
queried() { get "$1" "/api/v1/query?query=$(jq -rn --arg q "$2" '$q | @uri')" 2>/dev/null | jq -r '.data.result[0].value[1]'; }
query_is() { [ "$(queried "$1" "$2")" = "$3" ]; }
port_of() { sed -n 's|^serving metrics at http://.*:\([0-9]*\)/metrics$|\1|p' "$1"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
end() {
    kill -TERM "$@"
    wait "$@" || true # how they ended is not asked
}

t 'promtool finds nothing wrong with the metrics'
installed promtool
run sublet metrics
expect_status 0
run -i "$T/out" promtool check metrics
expect_status 0
expect_out ''

t 'the configuration and the rules of the examples are right, and the rules do what they say'
installed promtool
run promtool check config "$examples/prometheus.yml"
expect_status 0
run promtool test rules "$examples/rules.test.yml"
expect_status 0

t 'Prometheus scrapes the server and answers a query with the value of the container'
installed prometheus
if [ -z "$cli_skipped" ]; then
    setpriv --pdeathsig TERM -- "$SUBLET" --root "$T/root" --tenants "$T/tenants" --ledger "$T/ledger" metrics --listen 0 >"$T/serve" &
    server=$!
    until_true 10 test -s "$T/serve"
    target=127.0.0.1:$(port_of "$T/serve")
    port=$(free_port)
    sed -e "s/127.0.0.1:9753/$target/; s/15s/1s/; /job_name: node/,\$d" "$examples/prometheus.yml" >"$T/prometheus.yml"
    cp "$examples/rules.yml" "$T"
    setpriv --pdeathsig KILL -- prometheus --config.file "$T/prometheus.yml" --storage.tsdb.path "$T/tsdb" --web.listen-address "127.0.0.1:$port" \
        --log.level error >"$T/prometheus.log" 2>&1 &
    prometheus=$!
    until_true 30 query_is "$port" "sublet_container_info{container=\"$A\",status=\"running\"}" 1
    expect query_is "$port" 'up{job="sublet"}' 1
    expect_eq 'CPU time of the container' "$(queried "$port" "sublet_container_cpu_used_seconds_total{container=\"$A\"}")" \
        "$(get "${target#*:}" /metrics | sed -n "s/^sublet_container_cpu_used_seconds_total{container=\"$A\"} //p")"
    end "$server" "$prometheus"
fi

t 'node_exporter reads the file'
installed prometheus-node-exporter
if [ -z "$cli_skipped" ]; then
    mkdir -m 755 "$T/text"
    run sublet metrics -o "$T/text/sublet.prom"
    expect_status 0
    port=$(free_port)
    setpriv --pdeathsig KILL -- prometheus-node-exporter --collector.disable-defaults --collector.textfile --collector.textfile.directory "$T/text" \
        --web.listen-address "127.0.0.1:$port" >"$T/node.log" 2>&1 &
    node=$!
    until_true 20 eval "get $port /metrics >'$T/node' 2>/dev/null"
    expect grep -qF "sublet_container_info{container=\"$A\",outside=\"false\",status=\"running\"} 1" "$T/node"
    expect grep -qx 'node_textfile_scrape_error 0' "$T/node"
    expect grep -qx '# TYPE sublet_container_cpu_used_seconds_total counter' "$T/node"
    end "$node"
fi
