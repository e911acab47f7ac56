#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 240
# Hooks: when and where each of the six kinds runs, what it gets, and what its failure does.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
# shellcheck source=tests/cli/helpers/features.sh
. "$(dirname "$0")/helpers/features.sh"

KINDS=(prestart createRuntime createContainer startContainer poststart poststop)
export TMP=$T

# The hook of all kinds: one line of JSON for each run, in a file of its own.
cat >"$T/note.sh" <<'TEXT'
#!/bin/sh
state=$(cat)
printf '{"kind": "%s", "state": %s, "cwd": "%s", "mnt": "%s", "pid": "%s", "net": "%s", "root": "%s",
    "env": "%s", "args": "%s"}\n' "$1" "$state" "$(pwd)" "$(readlink /proc/self/ns/mnt)" "$(readlink /proc/self/ns/pid)" \
    "$(readlink /proc/self/ns/net)" "$(ls / | tr '\n' ' ')" "$(env | grep ^MARK)" "$*" >>NOTES
TEXT
sed -i "s|NOTES|$T/notes/lines|" "$T/note.sh"
chmod 755 "$T/note.sh"
mkdir "$T/notes"

# hook KIND PATH [ARGS [MORE]]: a filter that adds one.
hook() { printf '.hooks.%s += [{path: "%s", args: %s%s}]' "$1" "$2" "${3:-[]}" "${4:+, $4}"; }

# noting: all kinds note. Those of the container find the folder of the notes by a bind mount, and
# startContainer a shell at the same path inside.
noting() {
    local kind env='env: ["PATH=/usr/bin:/bin", "MARK=yes"]'
    printf '.root.readonly = false | %s' "$(add_mount "$(bound "$T/notes")" "$(bound "$T/note.sh")")"
    for kind in "${KINDS[@]}"; do
        printf ' | %s' "$(hook "$kind" "$T/note.sh" "[\"note\", \"$kind\", \"more\"]" "$env")"
    done
}
bound() { printf '{destination: "%s", source: "%s", options: ["bind"]}' "$1" "$1"; }
# The notes as one list, in the order they were written.
notes() { jq -cs "$1" "$T/notes/lines"; }

t 'every kind of hook runs once, in the order of the specification'
rm -f "$T"/notes/*
sh_bundle "$(noting) | .annotations = {\"a\": \"b\"}" "echo '{\"kind\": \"process\"}' >>$T/notes/lines"
create "$ID"
expect_eq 'after create' "$(notes '[.[].kind]')" '["prestart","createRuntime","createContainer"]'
init_pid=$(sublet state "$ID" | jq .pid)
run sublet start "$ID"
expect_status 0
until_true 5 container_is "$ID" stopped
expect_eq 'before start returns' "$(notes '[.[].kind] - ["process"]')" \
    '["prestart","createRuntime","createContainer","startContainer","poststart"]'
run sublet delete "$ID"
expect_status 0
expect_quiet
expect_eq 'in all' "$(notes '[.[].kind] - ["process"] | last')" '"poststop"'
expect_eq 'startContainer is before the process' \
    "$(notes '[.[].kind] | index("startContainer") < index("process")')" true
# The notes stand for the tests below.
cp "$T/notes/lines" "$T/all"
all() { jq -cs "$1" "$T/all"; }

t 'hooks read the state with the status of the moment and the pid'
expect_eq statuses "$(all '[.[] | select(.state) | .state.status]')" \
    '["creating","creating","creating","created","running","stopped"]'
expect_eq 'id, bundle, annotations' \
    "$(all '[.[] | select(.state) | .state | [.id, .bundle, .annotations]] | unique')" \
    "[[\"$ID\",\"$T/b\",{\"a\":\"b\"}]]"
expect_eq 'pids' "$(all '[.[] | select(.state) | .state.pid] | unique')" "[0,$init_pid]"
expect_eq 'no pid when stopped' "$(all '.[] | select(.kind == "poststop") | .state.pid')" 0
expect_eq version "$(all '[.[] | select(.state) | .state.ociVersion] | unique')" '["1.3.0"]'

t 'hooks of the runtime run on the host, those of the container inside'
for kind in prestart createRuntime poststart poststop; do
    expect_eq "mnt of $kind" "$(all ".[] | select(.kind == \"$kind\") | .mnt")" "\"$(readlink /proc/self/ns/mnt)\""
    expect_eq "pid of $kind" "$(all ".[] | select(.kind == \"$kind\") | .pid")" "\"$(readlink /proc/self/ns/pid)\""
done
for kind in createContainer startContainer; do
    for file in mnt net; do
        expect_eq "$file of $kind" \
            "$(all ".[] | select(.kind == \"$kind\") | .$file == \"$(readlink "/proc/self/ns/$file")\"")" false
    done
done

t 'createContainer comes before the root is changed, startContainer behind'
expect_eq createContainer "$(all '.[] | select(.kind == "createContainer") | .root | contains("boot")')" \
    "$([ -d /boot ] && echo true || echo false)"
expect_eq startContainer "$(all '.[] | select(.kind == "startContainer") | .root')" \
    '"bin dev etc home proc root run sys tmp usr var "'

t 'hooks of the runtime run in the bundle, with the arguments and the environment given'
for kind in prestart createRuntime createContainer; do
    expect_eq "cwd of $kind" "$(all ".[] | select(.kind == \"$kind\") | .cwd")" "\"$T/b\""
done
expect_eq env "$(all '[.[] | select(.state) | .env] | unique')" '["MARK=yes"]'
expect_eq args "$(all '.[0].args')" '"prestart more"'

t 'hooks of a kind run in their order'
rm -f "$T/order"
shell "$(for n in 1 2 3; do
    [ "$n" = 1 ] || printf ' | '
    hook createRuntime /bin/sh "[\"sh\", \"-c\", \"echo $n >>$T/order\"]"
done)" true
expect_status 0
expect_file "$T/order" $'1\n2\n3'

t 'a hook without env has that of the runtime'
run env MARK=here "$SUBLET" spec --help
shell "$(hook createRuntime /bin/sh "[\"sh\", \"-c\", \"env >$T/env\"]")" true
expect_status 0
expect grep -q "^TMP=$T" "$T/env"

t 'a startContainer hook without env has the variables of the container'
mkdir -p "$T/seen"
shell "$(add_mount "{destination: \"/seen\", source: \"$T/seen\", options: [\"bind\"]}")
    | .process.env = [\"PATH=/bin\", \"MARK=inside\"]
    | $(hook startContainer /bin/sh '["sh", "-c", "env >/seen/env"]')" true
expect_status 0
expect_eq variables "$(grep -cE '^(PATH=/bin|MARK=inside)$' "$T/seen/env")" 2
expect_eq "the runtime's" "$(grep -c ^TMP= "$T/seen/env")" 0

# Tools that set devices up inside know the root by config.json alone, and enter the mount namespace.
cat >"$T/enter.sh" <<'TEXT'
#!/bin/sh
pid=$(jq .pid)
exec nsenter -t "$pid" -m mount -t tmpfs hooked "$1"
TEXT
chmod 755 "$T/enter.sh"
for how in '' --no-pivot; do
    t "hooks before the pivot find the container's root, mounts and all, at root.path${how:+ ($how)}"
    sh_bundle "$(hook prestart "$T/enter.sh" "[\"enter\", \"$T/b/rootfs/tmp\"]")
        | $(hook createContainer /bin/sh '["sh", "-c", "ls rootfs/proc/1/fd && test -c rootfs/dev/null"]')" \
        'grep -c "^hooked /tmp " /proc/mounts'
    run sublet run ${how:+"$how"} -b "$T/b" "$ID"
    expect_status 0
    expect_out 1
done

# A bundle whose hook of this kind fails, beside all that would note.
fails() {
    rm -f "$T"/notes/*
    sh_bundle "$(noting) | $(hook "$1" /bin/sh '["sh", "-c", "echo because >&2; exit 3"]')" \
        "echo '{\"kind\": \"process\"}' >>$T/notes/lines; sleep 30"
}

for kind in prestart createRuntime createContainer; do
    t "$kind: a failure ends create, and nothing is left"
    fails "$kind"
    run sublet create -b "$T/b" "$ID"
    expect_status 1
    expect_error "sublet: hooks.${kind}[1]: hook '/bin/sh' exited with status 3: because"
    run sublet state "$ID"
    expect_status 1
    expect_err_has 'container does not exist'
    expect_eq 'poststop hooks run all the same' "$(notes '[.[].kind] | last')" '"poststop"'
done

for kind in startContainer poststart; do
    t "$kind: a failure ends start and the container"
    fails "$kind"
    create "$ID"
    run sublet start "$ID"
    expect_status 1
    expect_error "sublet: hooks.${kind}[1]: hook '/bin/sh' exited with status 3: because"
    run sublet state "$ID"
    expect_status 1
    expect_err_has 'container does not exist'
    expect_eq 'poststop hooks run all the same' "$(notes '[.[].kind] | last')" '"poststop"'
done
expect_eq 'startContainer kept the process from running' "$(
    fails startContainer
    sublet run -b "$T/b" "$ID" 2>/dev/null
    notes '[.[] | select(.kind == "process")]'
)" '[]'

t 'poststop: a failure is a warning'
fails poststop
edit_bundle "$T/b" '.process.args = ["true"]'
run sublet run -b "$T/b" "$ID"
expect_status 0
expect_err_has "hooks.poststop[1]: hook '/bin/sh' exited with status 3: because"
fails poststop
create "$ID"
run sublet delete --force "$ID"
expect_status 0
expect_err_has "hooks.poststop[1]: hook '/bin/sh' exited with status 3: because"

for kind in prestart createRuntime createContainer startContainer; do
    t "$kind: a timeout is kept"
    sh_bundle "$(hook "$kind" /bin/sleep '["sleep", "20"]' 'timeout: 1')" true
    began=$(date +%s%N)
    run -t 10 sublet run -b "$T/b" "$ID"
    took=$((($(date +%s%N) - began) / 1000000))
    expect_status 125
    expect_error "sublet: hooks.${kind}[0]: hook '/bin/sleep' was killed after its timeout of 1 s"
    expect [ "$took" -ge 1000 ] && expect [ "$took" -lt 5000 ]
done

t 'what a hook started dies with it at its timeout'
sh_bundle "$(hook createRuntime /bin/sh '["sh", "-c", "sleep 77 & sleep 77"]' 'timeout: 1')" true
run -t 10 sublet run -b "$T/b" "$ID"
expect_status 125
expect_err_has 'was killed after its timeout'

t 'a hook that is not there is told'
sh_bundle "$(hook createRuntime /not/there)" true
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_error "sublet: hooks.createRuntime[0]: hook '/not/there' exited with status 127: No such file or directory"

t 'a hook that is killed is told'
sh_bundle "$(hook createRuntime /bin/sh '["sh", "-c", "kill -9 $$"]')" true
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_error "sublet: hooks.createRuntime[0]: hook '/bin/sh' was killed by signal 9"

t 'a hook that does not read its state, or leaves a process with its output, delays nothing'
sh_bundle "$(hook createRuntime /bin/sh '["sh", "-c", "exec <&-; sleep 3 & exit 0"]')" true
began=$SECONDS
run sublet run -b "$T/b" "$ID"
expect_status 0
expect [ $((SECONDS - began)) -lt 3 ]
until_true 5 eval '! pgrep -f "^sleep 3$"'

t 'a relative path and a timeout of 0 are refused'
sh_bundle "$(hook createRuntime bin/true)" true
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_err_match '^sublet: hooks.createRuntime\[0\].path: '
sh_bundle "$(hook createRuntime /bin/true '[]' 'timeout: 0')" true
run sublet run -b "$T/b" "$ID"
expect_status 125
expect_err_match '^sublet: hooks.createRuntime\[0\].timeout: '
