# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # variables of lib.sh
# Devices: nodes are really made and really opened. Majors 60 to 63 are kept for experiments: no
# driver has them, so an allowed open ends beyond the rules with ENXIO, and no hardware is touched.

# Each block: the rules, the last that matches decides, and below what they say to whom. r w m: to
# read, to write, to make the node, which is always allowed, as with runc: opening is what counts.
DEVICE_CASES='
rules deny a *:* rwm
    c:1:3:r  yes    c:1:3:w   yes    c:1:5:r  yes    c:1:9:r  yes
    c:5:0:m  yes    c:60:1:r  no     c:60:1:w no     b:60:1:r no
    c:60:1:m yes    b:60:1:m  yes
rules deny a *:* rwm, allow c 60:1 r
    c:60:1:r yes    c:60:1:w  no     c:60:2:r no     b:60:1:r no
rules deny a *:* rwm, allow c 60:1 w
    c:60:1:w yes    c:60:1:r  no
rules deny a *:* rwm, allow c 60:* rw
    c:60:7:r yes    c:60:8:w  yes    c:61:7:r no     b:60:7:r no
rules deny a *:* rwm, allow b *:* rwm
    b:60:1:r yes    b:61:9:w  yes    b:61:9:m yes    c:60:1:r no
rules deny a *:* rwm, allow c 60:* rw, deny c 60:5 w
    c:60:4:w yes    c:60:5:r  yes    c:60:5:w no
rules allow a *:* rwm, deny c 60:* r
    c:60:1:r no     c:60:1:w  yes    c:61:1:r yes    b:60:1:r yes
'

# rules_json RULES: as config.json has them, into $json.
rules_json() {
    local rule word type where access key
    json=
    while read -r word type where access; do
        rule="\"allow\": $([ "$word" = allow ] && echo true || echo false), \"type\": \"$type\", \"access\": \"$access\""
        key=${where%:*}
        [ "$key" = '*' ] || rule+=", \"major\": $key"
        key=${where#*:}
        [ "$key" = '*' ] || rule+=", \"minor\": $key"
        json+="${json:+, }{$rule}"
    done <<<"${1//, /$'\n'}"
}

# device_rules RULES NODE WANTED...: one container, every node tried.
device_rules() {
    local rules=$1 nodes=() answer='' expected='' wrong_ones='' node said json
    shift
    while [ $# -gt 1 ]; do
        nodes+=("$1")
        expected+="$1 $2"$'\n'
        shift 2
    done
    scene
    rules_json "$rules"
    container a "{\"devices\": [$json]}" open "${nodes[@]}"
    ended a
    while read -r node said; do
        answer+="$node $said"$'\n'
        [[ $'\n'$expected == *$'\n'"$node $said"$'\n'* ]] || wrong_ones+=" $node:$said"
    done <"$T/a/out"
    device_count=$((device_count + ${#nodes[@]}))
    row "$rules" "${#nodes[@]} cases" "${wrong_ones:--}" equal "$answer" "$expected"
}
devices() {
    local line cases=() rules='' device_count=0
    while read -r line; do
        case $line in
            rules* | '')
                [ -z "$rules" ] || device_rules "$rules" "${cases[@]}"
                rules=${line#rules } cases=()
                ;;
            *) read -r -a words <<<"$line" && cases+=("${words[@]}") ;;
        esac
    done <<<"$DEVICE_CASES"
    row 'cases in all: 30' "$device_count" - within 30 99 "$device_count"
}
prove_devices() { measure devices; }
