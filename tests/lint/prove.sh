#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shows that each lint can fail: plants one fault at a time in a small tree of its own and expects
# the lint to name it. Prints what was not found; nothing if all is well.
# shellcheck disable=SC2016 # faults are planted as they are
set -u
lint_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd -- "$lint_dir/../.." && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/sublet-lint.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
SPDX='/* SPDX-License-Identifier: Apache-2.0 */'
CLEAN="$SPDX"'
#include "sublet/sys.h"

int clean(int value)
{
    return sys_twice(value);
}
'
failed=0
cases=0

# A tree that passes every lint.
plant_clean() {
    tree=$scratch/tree
    rm -rf "$tree"
    mkdir -p "$tree"/{include/sublet/base,src/{base,sys,ns,priv,run},man,tests/lint,build/tidy}
    cp "$lint_dir"/{layers,symbols}.txt "$tree/tests/lint/"
    cp "$repo"/{.clang-format,.clang-tidy} "$tree/"
    printf '%s\nint sys_twice(int value);\n' "$SPDX" >"$tree/include/sublet/sys.h"
    printf '%s\nint ns_join(void);\n' "$SPDX" >"$tree/include/sublet/ns.h"
    printf '%s\n#define ERR 1\n' "$SPDX" >"$tree/include/sublet/base/err.h"
    printf '%s' "$CLEAN" >"$tree/src/ns/clean.c"
    printf '.\\" SPDX-License-Identifier: Apache-2.0\n.Dd $Mdocdate$\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd does\n' \
        >"$tree/man/x.1"
    printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\necho "$1"\n' >"$tree/tests/clean.sh"
}

# Compiles what is in the tree into one library a room, as symbols and tidy want it.
build_tree() {
    local room file
    for room in "$tree"/src/*/; do
        room=$(basename "$room")
        for file in "$tree/src/$room"/*.c; do
            [ -f "$file" ] || continue
            cc -D_GNU_SOURCE -w -I"$tree/include" -c "$file" -o "$tree/build/$room.o" &&
                ar rc "$tree/build/libsublet_$room.a" "$tree/build/$room.o"
        done
    done
    find "$tree/src" -name '*.c' | while read -r file; do
        printf '{"directory": "%s", "command": "cc -D_GNU_SOURCE -I%s/include -c %s", "file": "%s"},\n' \
            "$tree" "$tree" "$file" "$file"
    done | sed '1s/^/[/; $s/,$/]/' >"$tree/build/compile_commands.json"
}

complain() {
    printf 'lint %s: %s\n' "$1" "$2"
    failed=1
}

# fault LINT WANTED FILE TEXT: with this file in the tree the lint must fail and say WANTED.
fault() {
    local lint=$1 wanted=$2 file=$3 text=$4 said
    cases=$((cases + 1))
    plant_clean
    mkdir -p "$(dirname "$tree/$file")"
    printf '%b' "$text" >"$tree/$file"
    case $lint in symbols | tidy) build_tree ;; esac
    said=$("$lint_dir/run.sh" --tree "$tree" --build "$tree/build" "$lint")
    case $said in
        'not ok'*"$wanted"*) ;;
        *) complain "$lint" "did not say '$wanted' about $file but: $said" ;;
    esac
}

# In C with the licence line.
c_fault() { fault "$1" "$2" "$3" "$SPDX\\n$4"; }

repeat() {
    local i
    for ((i = 0; i < $1; i++)); do
        printf '%s' "${2//@/$i}"
    done
}

plant_clean
build_tree
for lint in layers sizes banned words duplicates format man shell symbols tidy; do
    said=$("$lint_dir/run.sh" --tree "$tree" --build "$tree/build" "$lint")
    [ "$said" = "ok - lint $lint" ] || complain "$lint" "refuses the clean tree: $said"
done

c_fault layers 'sys may not include sublet/ns.h' src/sys/a.c '#include "sublet/ns.h"\n'
c_fault layers 'ns may not include <yajl/yajl_parse.h>' src/ns/a.c '#include <yajl/yajl_parse.h>\n'
c_fault layers 'private header ../base/b.h of another room' src/ns/a.c '#include "../base/b.h"\n'
c_fault layers 'no such header sublet/sys/none.h' src/ns/a.c '#include "sublet/sys/none.h"\n'
c_fault layers "room 'new' is not in layers.txt" src/new/a.c '#include "sublet/sys.h"\n'
c_fault layers 'headers include each other' include/sublet/base/a.h '#include "sublet/base/a.h"\n'
fault layers 'base may not see sys, which is not above it' tests/lint/layers.txt 'base sys\nsys\nns sys\n'

c_fault sizes '501 lines, at most 500' src/ns/a.c "$(repeat 500 'int a@;\n')"
c_fault sizes '251 lines, at most 250' include/sublet/net.h "$(repeat 250 'int a@;\n')"
c_fault sizes 'long has 71 lines' src/ns/a.c "int long(void)\n{\n$(repeat 68 '    b@();\n')}\n"
c_fault sizes 'wide has 7 parameters' src/ns/a.c 'int wide(int a, int b, int c, int d, int e, int f, int g)\n{\n}\n'
c_fault sizes 'deep nests 5 deep' src/ns/a.c \
    "int deep(void)\n{\n$(repeat 5 'if (a) {\n')$(repeat 5 '}\n')}\n"

for call in 'strcpy(a, b)' 'sprintf(a, b)' 'strtok(a, b)' 'strtoul(a, 0, 0)' 'atoi(a)' 'sscanf(a, b)' 'gets(a)' \
    'tmpnam(a)' 'system(a)' 'popen(a, b)' 'getenv(a)' 'alloca(1)' 'access(a, 0)' 'dup(1)' 'pipe(a)' 'exit(1)'; do
    c_fault banned "${call%%(*}: " src/ns/a.c "int f(void)\n{\n    return $call;\n}\n"
done
c_fault banned 'goto' src/ns/a.c 'int f(void)\n{\nagain:\n    goto again;\n}\n'
c_fault banned 'write for (;;)' src/ns/a.c 'void f(void)\n{\n    while (1)\n        g();\n}\n'
c_fault banned 'a path has no such limit' src/ns/a.c 'char path[PATH_MAX + 1];\n'
c_fault banned 'typedef of a struct' src/ns/a.c 'typedef struct a b;\n'
c_fault banned 'openat without O_CLOEXEC' src/ns/a.c 'int f(void)\n{\n    return openat(g(1), "x", O_RDONLY);\n}\n'
c_fault banned "fopen without 'e'" src/ns/a.c 'void *f(void)\n{\n    return fopen("x", "r");\n}\n'

c_fault words 'marks unfinished work' src/ns/a.c "/* TO""DO: more */\n"
c_fault words 'marks unfinished work' src/ns/a.c "/* FIX""ME */\n"
c_fault words 'a path of one machine' src/ns/a.c "/* see /wo""rk/main */\n"
c_fault words 'white space at the end' src/ns/a.c 'int a; \n'
fault words 'no SPDX line' src/ns/a.c 'int a;\n'
fault words 'the first line is not' src/ns/a.c '// SPDX-License-Identifier: Apache-2.0\nint a;\n'
fault words 'no SPDX line' tests/a.sh '#!/bin/sh\necho\n'

block=$(repeat 12 '    call@();\n')
c_fault duplicates '12 lines as in src/ns/a.c:3' src/ns/a.c "int a;\n${block}int b;\n$block"

c_fault format 'src/ns/a.c:2:' src/ns/a.c 'int  a;\n'
fault man 'man/b.1:' man/b.1 '.\\" SPDX-License-Identifier: Apache-2.0\n.Dt B 1\n.Sh NAME\n.Bogus x\n'
fault shell 'tests/b.sh:3:' tests/b.sh '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\nrm $1\n'
fault shell 'tests/b:3:' tests/b '#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\nrm $1\n'

for call in 'mount(0, 0, 0, 0, 0)' 'setns(0, 0)' 'syscall(1)' 'prctl(1)' 'openat(0, "x", 0)' 'fork()'; do
    c_fault symbols "uses ${call%%(*}, left to" src/priv/a.c "int a(void);\nint a(void)\n{\n    return $call;\n}\n"
done
c_fault symbols 'uses yajl_parse, left to json' src/run/a.c \
    'int yajl_parse(void);\nint a(void)\n{\n    return yajl_parse();\n}\n'
c_fault symbols 'uses getenv, left to nobody' src/sys/a.c \
    'int getenv(void);\nint a(void)\n{\n    return getenv();\n}\n'

c_fault tidy 'bugprone-sizeof-expression' src/ns/a.c \
    'int a(const char *text);\nint a(const char *text)\n{\n    return (int) sizeof(sizeof(text));\n}\n'

[ "$cases" -gt 50 ] || complain prove "only $cases faults planted"
exit "$failed"
