#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What CPU contracts are worth, promised against measured, on two CPUs of which 1.8 are for sale.
# Shares are counted in the guest's own time, so a busy build machine does not change them; a
# measurement out of bounds is taken again, at most six times in all: what a busy build machine takes
# from the emulated CPUs is lost to a cap.
# TEST_TENANTS_LONG=1: windows of ten seconds instead of two.
# long
# limit: 300
# shellcheck disable=SC2016 # for the shells that become load
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

definitions=$T/tenants
top=/sys/fs/cgroup/sublet.tenants
worker=$SUBLET_BUILD/load.elf
window_ms=$((${TEST_TENANTS_LONG:-0} ? 10000 : 2000))
# This script is to be heard beside its hogs, which are niced back to 0.
renice -n -19 $$ >/dev/null
sublet() { "$SUBLET" --root "$T/root" --tenants "$definitions" "$@"; }
run_here() { run "$SUBLET" --root "$T/root" --tenants "$definitions" "$@"; }
# define NAME CONTRACT: told only if it fails.
define() {
    sublet tenant set "$1" --cpu "$2" 2>"$T/err" || fail "$(<"$T/err")"
}
forget() { for name in "$@"; do sublet tenant remove --force "$name"; done; }
# place NAME: where its group is; a pinned one before Linux 6.7 at the top.
place() {
    group=$top/$1
    [ -d "$group" ] || group=/sys/fs/cgroup/sublet.pinned-$1
}
# busy NAME WORDS...: a worker in a group below the tenant's, as its containers are.
busy() {
    local name=$1
    shift
    place "$name"
    mkdir -p "$group/load"
    nice -n 19 bash -c 'echo $$ >"$1/load/cgroup.procs" && shift && exec "$@"' - "$group" "$worker" "$@" &
    disown
}
# The load balancer spreads threads in its own time, and a promise is one over seconds.
settle() { sleep 1; }
calm() {
    for name in "$@"; do
        place "$name"
        [ -d "$group/load" ] || continue
        echo 1 >"$group/load/cgroup.kill"
        until_true 10 grep -q 'populated 0' "$group/load/cgroup.events"
        rmdir "$group/load"
    done
}
# measure NAME...: used thousandths of a CPU of each in one window, into used[].
measure() {
    local name groups=() passed
    for name in "$@"; do
        place "$name"
        groups+=("$group")
    done
    read -ra used <<<"$("$worker" sample "$window_ms" 1 "${groups[@]}")"
    passed=${used[0]}
    used=("${used[@]:1}")
    for name in "${!used[@]}"; do used[name]=$((used[name] * 1000 / passed)); done
}
# within WHAT LOWEST HIGHEST INDEX NAME...: measures until used[INDEX] is in these bounds.
within() {
    local what=$1 lowest=$2 highest=$3 index=$4 _
    shift 4
    settle
    for _ in 1 2 3 4 5 6; do
        measure "$@"
        [ "${used[index]}" -lt "$lowest" ] || [ "${used[index]}" -gt "$highest" ] || break
    done
    printf '# %-58s promised %4d..%4d  measured %4d\n' "$what" "$lowest" "$highest" "${used[index]}"
    { [ "${used[index]}" -ge "$lowest" ] && [ "${used[index]}" -le "$highest" ]; } ||
        fail "$what: ${used[index]} thousandths of a CPU, promised $lowest to $highest"
}
# reaches WHAT PROMISED INDEX NAME...: at least 97 % of what is promised.
reaches() {
    local what=$1 promised=$2
    shift 2
    within "$what" $((promised * 97 / 100)) 2000 "$@"
}
# near WHAT PROMISED INDEX NAME...: within 3 %.
near() {
    local what=$1 promised=$2
    shift 2
    within "$what" $((promised * 97 / 100)) $(((promised * 103 + 99) / 100)) "$@"
}

t 'fixed keeps its cap and its speed when neighbours arrive, with one thread'
define one 'fixed 0.5'
define crowd 'elastic 1.3'
busy one hog 1
near 'fixed 0.5, 1 thread, alone' 500 0 one
alone=${used[0]}
busy crowd hog 4
near 'fixed 0.5, 1 thread, beside 4 hogs' 500 0 one crowd
printf '# %-58s promised  970..1030  measured %4d\n' 'its speed with and without them, per mille' $((used[0] * 1000 / alone))
expect [ $((used[0] * 1000 / alone)) -ge 970 ]
expect [ $((used[0] * 1000 / alone)) -le 1030 ]
calm one crowd

t 'fixed keeps its cap with many threads'
define one 'elastic 0'
define crowd 'elastic 0.5'
define one 'fixed 1.3'
busy one hog 4
near 'fixed 1.3, 4 threads, alone' 1300 0 one
busy crowd hog 4
near 'fixed 1.3, 4 threads, beside 4 hogs' 1300 0 one crowd
reaches 'elastic 0.5 beside it' 500 1 one crowd
calm one crowd

t 'elastic uses what is idle, gets its share when it is not, and gives back within 100 ms'
define one 'elastic 0.5'
define crowd 'elastic 1.3'
busy one hog 2
reaches 'elastic 0.5, alone: all of two CPUs' 2000 0 one
busy crowd hog 4
reaches 'elastic 1.3, that has just arrived' 1300 1 one crowd
reaches 'elastic 0.5, beside it' 500 0 one crowd
# and what was borrowed is given back within 100 ms, the median of ten
read -r hungry <"$top/crowd/load/cgroup.procs"
# In windows of 20 ms: 40 ms while it borrows all; 11 ms, and a tick of 4 ms, is its share.
took=()
mkfifo "$T/nothing"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -STOP "$hungry"
    "$worker" sample 200 1 "$top/one" >/dev/null
    "$worker" sample 20 60 "$top/one" "$top/crowd" >"$T/windows" &
    sampler=$!
    read -rt 0.4 <>"$T/nothing" # a pause without a program, which would have to wait for its turn
    kill -CONT "$hungry"
    wait "$sampler"
    took+=("$(awk '{ now += $1 }
        !came && $3 > 2000 { came = now - $1 }
        came && !done && $2 <= 15000 * $1 / 20000 { done = 1; print int((now - came) / 1000) }
        END { if (!done) print 9999 }' "$T/windows")")
done
median=$(printf '%s\n' "${took[@]}" | sort -n | sed -n 5p)
printf '# %-58s promised    0.. 100  measured %4d  (%s)\n' 'milliseconds until the borrower is back at its share' \
    "$median" "$(printf '%s\n' "${took[@]}" | sort -n | paste -sd ' ')"
expect [ "$median" -le 100 ]
calm one crowd

t 'a ceiling holds'
define one 'elastic 0.5 ceiling 1'
busy one hog 2
near 'elastic 0.5 ceiling 1, alone' 1000 0 one
calm one

t 'a burst takes a hurry that a cap would stop'
forget crowd
# 2 threads of 70 ms in each 270 ms: half of the cap in the long run, more than it in 100 ms
stat_of() { sed -n "s/^$1 //p" "$top/one/cpu.stat"; }
define one 'fixed 1'
busy one pulse 2 70 200
for _ in 1 2 3 4 5; do
    define one 'fixed 1'
    before=$(stat_of nr_throttled)
    measure one
    without=$(($(stat_of nr_throttled) - before))
    define one 'fixed 1 burst 100ms'
    settle
    before=$(stat_of nr_throttled) bursts=$(stat_of nr_bursts)
    measure one
    with=$(($(stat_of nr_throttled) - before)) bursts=$(($(stat_of nr_bursts) - bursts))
    [ "$without" -eq 0 ] || [ "$bursts" -eq 0 ] || [ $((with * 4)) -gt "$without" ] || break
done
printf '# %-58s promised       0     measured %4d  (without burst %d; %d bursts)\n' \
    'periods throttled, fixed 1 burst 100ms' "$with" "$without" "$bursts"
expect [ "$without" -gt 0 ]
expect [ "$bursts" -gt 0 ]
expect [ $((with * 4)) -le "$without" ]
calm one

t 'pinned is not disturbed'
forget one
define crowd 'elastic 0.8'
define solo 'pinned 1'
busy solo hog 1
reaches 'pinned 1, alone' 1000 0 solo
busy crowd hog 4
reaches 'pinned 1, beside 4 hogs' 1000 0 solo crowd
reaches 'elastic 0.8, on what is left' 800 1 solo crowd
calm solo crowd
forget solo crowd

t 'twenty-one tenants at once get what each was promised, beside a busy host as well, and no more is sold'
window_ms=$((window_ms * 3)) # the turns of so many threads are far apart
define big 'elastic 0.5'
names=(big)
for n in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20; do
    define "small-$n" 'elastic 0.05'
    names+=("small-$n")
done
for n in "${names[@]}"; do busy "$n" hog 2; done
settle
lowest_of() { # the lowest of the small ones, into used[1]
    local value lowest=9999
    for value in "${used[@]:1}"; do [ "$value" -ge "$lowest" ] || lowest=$value; done
    used[1]=$lowest
}
for _ in 1 2 3 4 5 6; do
    measure "${names[@]}"
    lowest_of
    [ "${used[0]}" -lt 485 ] || [ "${used[1]}" -lt 48 ] || break
done
printf '# %-58s promised  485..2000  measured %4d\n' 'elastic 0.5 among twenty others' "${used[0]}"
printf '# %-58s promised   48..2000  measured %4d\n' 'elastic 0.05, the least of twenty' "${used[1]}"
expect [ "${used[0]}" -ge 485 ]
expect [ "${used[1]}" -ge 48 ]
# all together, when the host is busy as well
mkdir "/sys/fs/cgroup/other-$ID"
nice -n 19 bash -c 'echo $$ >"$1/cgroup.procs" && exec "$2" hog 4' - "/sys/fs/cgroup/other-$ID" "$worker" &
disown
sublet tenant apply
place .
within 'the tenants, beside 4 hogs of the host' 1746 1900 0 .
echo 1 >"/sys/fs/cgroup/other-$ID/cgroup.kill"
until_true 10 rmdir "/sys/fs/cgroup/other-$ID"
# and what does not fit is not sold
run_here tenant set late --cpu 'fixed 0.4'
expect_status 1
expect_err_has "sublet: tenant 'late': fixed 0.4 does not fit: 2 CPUs - 0 pinned - 0.2 reserve = 1.8 for sale, 1.9 sold, "
expect_err_has '1.5 of it to others, 0.3 left; --overcommit sells it all the same'
calm "${names[@]}"
forget "${names[@]}"
expect_absent "$top"
