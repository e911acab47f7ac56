# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of exec share: a container that sleeps, to enter. Sourced after cli.sh, features.sh.
: "${T:?}" "${ID:?}" "${SUBLET:?}"

# begin [JQ-FILTER]: container $ID runs; its process never ends by itself.
begin() {
    make_bundle "$T/b" ".process.args = [\"/bin/sleep\", \"1000\"] | ${1:-.}"
    run sublet run --detach -b "$T/b" "$ID"
    expect_status 0
}

end() {
    run sublet delete --force "$ID"
    expect_status 0
    expect_quiet
}

# enter ARGUMENT...: exec with these options and this command.
enter() { run sublet exec "$@"; }

# process JQ-FILTER: $T/process.json, the container's own process with the filter.
process() { jq ".process | $1" "$T/b/config.json" >"$T/process.json"; }

# ns_of PID KIND: which namespace that is.
ns_of() { readlink "/proc/$1/ns/$2"; }
init_pid() { sublet state "$ID" | jq .pid; }

# group_dir: the folder of the container's cgroup.
group_dir() {
    local group cgroup=/sys/fs/cgroup
    group=$(sed -n 's/^0:://p' "/proc/$(init_pid)/cgroup")
    [ -e "$cgroup$group/cgroup.procs" ] || cgroup=$cgroup/unified
    printf '%s\n' "$cgroup$group"
}
# group_has N: that many processes are in it.
group_has() { [ "$(wc -l <"$(group_dir)/cgroup.procs")" -eq "$1" ]; }
expect_alone() { until_true 5 group_has "$1"; }
