#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sublet top: as text for scripts, and on a terminal (tmux) at 80 and 200 columns. With tenants under
# load: tests/vm/48-metrics-top.sh.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

make_bundle "$T/b" '.process.args = ["/bin/sleep", "100"]'

# Two for all tests, one of them paused; their names are none that a test may not leave behind.
A=top$$a
B=top$$b
for name in "$A" "$B"; do
    sublet run -d -b "$T/b" "$name" >/dev/null || exit 1
done
sublet pause "$B" || exit 1
drop_both() {
    sublet delete --force "$A"
    sublet delete --force "$B"
}
trap 'rc=$?; drop_both; (exit "$rc"); cli_exit' EXIT

tm() { tmux -S "$T/tmux" -f /dev/null "$@"; }
screen() { tm capture-pane -p -t 0; }
screen_has() { screen | grep -qF -- "$1"; }
shows() { until_true 10 screen_has "$1"; }
lacks() { screen | grep -qF -- "$1" && fail "the screen has '$1'"; }
press() { tm send-keys -t 0 "$@"; }
line() { screen | sed -n "$1{s/ *\$//;p}"; }
# The rows' names in their order.
names() { screen | sed -n '5,$s/^\(top[0-9]*[ab]\) .*/\1/p' | paste -sd ' '; }
both_are_there() { names_are "$A $B" || names_are "$B $A"; }
names_are() { [ "$(names)" = "$1" ]; }

# on_terminal WIDTH HEIGHT [OPTION...]: top in a terminal of its own, and what it left there.
on_terminal() {
    local width=$1 height=$2
    shift 2
    rm -f "$T/before" "$T/after"
    tm new-session -d -x "$width" -y "$height" "stty -g >'$T/before'; ${TOP_ENV:-} '${TOP_BINARY:-$SUBLET}' \
        --root '$T/root' --tenants '$T/tenants' top -d 200ms $*; echo status \$?; stty -g >'$T/after'; sleep 100"
}
pids_of_top() {
    drawer=$(pgrep -P "$(tm display-message -p -t 0 '#{pane_pid}')" -x top)
    reader=$(pgrep -P "$drawer")
}
modes_are_back() {
    expect_eq 'cursor, keypad and screen' \
        "$(tm display-message -p -t 0 '#{cursor_flag}#{keypad_cursor_flag}#{alternate_on}')" 100
}
# ended STATUS: as the shell saw it, with the terminal as it was.
ended() {
    shows "status $1"
    until_true 5 test -s "$T/after"
    expect cmp "$T/before" "$T/after"
    lacks 'sublet top  '
    modes_are_back
}
leave() {
    local server
    server=$(tm display-message -p -t 0 '#{pid}')
    tm kill-server
    until_true 5 test ! -e "/proc/${server:-0}"
    rm -f "$T/tmux"
}

t 'a table has the columns that fit'
run sublet top -b -n 1 -d 50ms -w 80
expect_status 0
expect_quiet
expect_eq titles "$(sed -n 4p "$T/out")" 'NAME             TENANT           STATE          USED  WAIT%   THR%  MEMORY  OOM'
expect_out_match "^$A +- +running +0\.[0-9]{2} "
expect_out_match "^$B +- +paused +0\.00 "
expect_eq widest "$(sed 1,3d "$T/out" | wc -L)" 80
run sublet top -b -n 1 -d 50ms --by container
expect_eq titles "$(sed -n 4p "$T/out" | tr -s ' ')" \
    'NAME TENANT STATE USED WAIT% THR% CPU% MEM% IO% MEMORY LIMIT FULL% SWAP READ/s WRIT/s OPS/s TASKS OOM REFUS'

t 'what the kernel does not tell is a dash'
run sublet top -b -n 1 -d 50ms -w 80
if has_controllers memory; then skip 'this host has the memory controller'; fi
expect_eq 'memory and OOM' "$(awk -v a="$A" '$1 == a { print $7, $8 }' "$T/out")" '- -'

t 'tables follow each other until there are enough'
run sublet top -b -n 3 -d 20ms -w 80 --sort name --reverse --filter "top$$"
expect_status 0
expect_eq tables "$(grep -c '^sublet top ' "$T/out")" 3
expect_eq order "$(awk '/^top/ { print $1 }' "$T/out" | paste -sd ' ')" "$B $A $B $A $B $A"
run sublet top -b -n 1 -d 20ms --filter "$B"
expect_eq rows "$(grep -c '^top' "$T/out")" 1
run sublet top -b -n 1 -d 20ms nobody
expect_out_has 'containers of nobody'
expect_eq rows "$(grep -c '^top' "$T/out")" 0

t 'wrong words are refused'
run sublet top -b -d 1ms
expect_status 2
expect_err "sublet: '--delay' must be at least 10ms; see 'sublet top --help'"
run sublet top -b -n 0
expect_err "sublet: '--iterations' must be at least 1; see 'sublet top --help'"
run sublet top -w 80
expect_err "sublet: '--width' needs '--batch', and at least 20; see 'sublet top --help'"
run sublet top --sort size
expect_status 2
expect_err_has "option '--sort': 'size' is none of NAME TENANT STATE ENTL USED "
run sublet top
expect_status 1
expect_error "sublet: standard input and output are no terminal; '--batch' needs none"

if [ -n "${TEST_SANITIZED:-}" ]; then
    t 'the screen'
    skip 'the leak check of a sanitizer cannot look at a process without rights'
    exit 0
fi

t 'a screen of 80 columns'
on_terminal 80 24 --sort name --by container
shows "$B"
expect_eq titles "$(line 4)" 'NAME             TENANT           STATE          USED  WAIT%   THR%  MEMORY  OOM'
expect_eq place "$(line 3)" containers
expect_eq 'last line' "$(line 24)" '? help  q quit  enter containers  c all  / filter  < > sort  space stop'
expect names_are "$A $B"
expect grep -qE '^sublet top  [0-9:]{8}  every 0\.2 s  tenants 0  containers 2  by NAME *$' <(screen)
press q
ended 0
leave

t 'a screen of 200 columns, and one that becomes narrow'
on_terminal 200 24 --sort name --by container
shows REFUS
expect_eq titles "$(line 4 | tr -s ' ')" \
    'NAME TENANT STATE USED WAIT% THR% CPU% MEM% IO% MEMORY LIMIT FULL% SWAP READ/s WRIT/s OPS/s TASKS OOM REFUS'
expect_eq 'width of the titles' "$(line 4 | wc -L)" 200
tm resize-window -t 0 -x 80 -y 10
until_true 10 eval "! screen_has REFUS"
expect_eq 'last line' "$(line 10)" '? help  q quit  enter containers  c all  / filter  < > sort  space stop'
press q
ended 0
leave

t 'keys sort, filter, stop and help'
on_terminal 80 24 --sort name --by container
shows "$B"
press r
until_true 10 names_are "$B $A"
press r
until_true 10 names_are "$A $B"
press '>'
shows 'by TENANT'
press u
shows 'by USED'
press '/'
shows 'filter: _'
press "$B"
shows "filter: ${B}_"
until_true 10 names_are "$B"
press BSpace
shows "filter: top$$""_"
press a Enter
shows "containers like '$A'"
until_true 10 names_are "$A"
press Escape
until_true 10 both_are_there
press Space
shows '(paused)'
press Space
until_true 10 eval "! screen_has '(paused)'"
press +
shows 'every 0.3 s'
press '?'
shows 'sublet top: keys (any key goes back)'
shows 'n NAME     name of the tenant or container'
press '?'
until_true 10 screen_has 'containers 2'
press c
shows 'tenants'
press q
ended 0
leave

t 'colours say what words say, and NO_COLOR takes them away'
coloured() { tm capture-pane -e -p -t 0 | grep -F "$B" | grep -qF $'\x1b[33mpaused'; }
on_terminal 80 24 --sort name --by container
shows "$B"
until_true 5 coloured
press q
ended 0
leave
TOP_ENV='NO_COLOR=1' on_terminal 80 24 --sort name --by container
shows "$B"
expect_eq 'colours without' "$(coloured && echo some)" ''
press q
ended 0
leave

t 'the terminal is in order after a signal'
for row in 'TERM 143' 'HUP 129' 'INT 130'; do
    on_terminal 80 24
    shows "$B"
    pids_of_top
    kill -"${row% *}" "$drawer"
    ended "${row#* }"
    leave
done
on_terminal 80 24
shows "$B"
press C-c
ended 130
leave

t 'the terminal is in order when either of the two processes is killed'
on_terminal 80 24
shows "$B"
pids_of_top
kill -KILL "$reader"
ended 1
expect screen_has 'sublet: the process that reads the counters has ended'
leave
on_terminal 80 24
shows "$B"
pids_of_top
kill -KILL "$drawer"
until_true 10 test ! -e "/proc/$reader" # what the shell says meanwhile may go with the other screen
expect_eq terminal "$(stty -g -F "$(tm display-message -p -t 0 '#{pane_tty}')")" "$(<"$T/before")"
modes_are_back
leave

t 'neither of the two has more rights than it needs'
on_terminal 80 24
shows "$B"
pids_of_top
expect_eq drawer "$(awk '/^(Uid|CapEff|NoNewPrivs):/ { print $2 }' "/proc/$drawer/status" | paste -sd ' ')" '65534 0000000000000000 1'
expect_eq reader "$(awk '/^(CapEff|NoNewPrivs):/ { print $2 }' "/proc/$reader/status" | paste -sd ' ')" '0000000000000000 1'
press q
ended 0
leave

t 'a terminal that is not known, and a program that is not there, are errors'
TOP_ENV='TERM=nothing-like-that' on_terminal 80 24
shows "sublet: the terminal 'nothing-like-that' (\$TERM) is not known or cannot be used"
shows 'status 1'
leave
cp "$SUBLET" "$T/alone"
TOP_BINARY=$T/alone on_terminal 200 24
shows "sublet: top: the program 'libexec/sublet/top' is not there; install libncurses6 and the whole of sublet, or build sublet with it"
shows 'status 1'
leave
rm "$T/alone"

t 'top ends by itself after as many screens as were asked for'
on_terminal 80 24 -n 2
ended 0
leave
