#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 60
# What `cmake --install` puts where Debian expects it.
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"
: "${SUBLET_BUILD:?}"
usr=$T/dest/usr

# files FOLDER: those below usr/FOLDER, in one line.
files() { (cd "$usr/$1" && find . -type f -printf '%P\n' | sort | paste -sd ' '); }

t 'the program, its helpers and its unit'
run env DESTDIR="$T/dest" cmake --install "$SUBLET_BUILD" --prefix /usr
expect_status 0
expect_eq sbin "$(files sbin)" sublet
expect_eq libexec "$(files libexec/sublet)" 'metrics netdevices systemd top'
expect_eq unit "$(files lib/systemd)" 'system/sublet-meter.service system/sublet-tenants.service'
expect_eq mode "$(stat -c %a "$usr/sbin/sublet" "$usr"/libexec/sublet/* | sort -u)" 755
run "$usr/sbin/sublet" --version
expect_status 0
expect cmp "$T/out" <("$SUBLET" --version)

t 'systemd takes the units, their program and their manual pages are there'
mkdir "$T/units"
for unit in "$usr"/lib/systemd/system/*; do # with the program of this test
    sed "s,=[^ ]*/sublet ,=$usr/sbin/sublet ," "$unit" >"$T/units/${unit##*/}"
done
run env MANPATH="$usr/share/man" systemd-analyze verify "$T"/units/*.service
expect_status 0
expect_quiet

t 'a manual page for each command of the help, and one for the program'
"$SUBLET" --help >"$T/help"
commands=$(sed -nE '/^Commands:/,/^$/ s/^  ([a-z]+) .*/\1/p' "$T/help" | sort)
expect test "$(wc -w <<<"$commands")" -gt 20
expect_eq pages "$(cd "$usr/share/man/man1" && printf '%s\n' sublet-*.1 | sed 's/^sublet-//; s/\.1$//' | sort)" "$commands"
expect test -s "$usr/share/man/man1/sublet.1"
expect test -s "$usr/share/man/man5/sublet-tenant.5"
expect_eq 'commands of sublet(1)' "$(sed -n '/^The commands are:/,/^\.Sh/ s/^\.It Cm //p' "$usr/share/man/man1/sublet.1" | sort)" "$commands"
run grep -rl '@[A-Z]*@' "$usr/share/man" "$usr/lib/systemd"
expect_out ''

t 'a heading of a manual page is what it says: no word of it is taken for a macro'
for page in "$usr"/share/man/man1/*.1 "$usr/share/man/man5/sublet-tenant.5"; do
    expect_eq "headings of ${page##*/}" \
        "$(mandoc -T ascii "$page" | sed 's/.\x08//g' | grep -E '^( {3})?[A-Za-z<]' | sed '1d; $d; s/^ *//')" \
        "$(sed -nE 's/^\.S[hs] //p' "$page" | sed 's/^\\&//')"
done

t 'completions for both shells, the examples, the README and the licence'
expect_eq bash "$(files share/bash-completion)" completions/sublet
expect_eq zsh "$(files share/zsh)" vendor-completions/_sublet
run bash -n "$usr/share/bash-completion/completions/sublet"
expect_status 0
for file in README.md LICENSE examples/tenants.sh examples/engines/docker.json examples/prometheus/rules.yml; do
    expect test -s "$usr/share/doc/sublet/$file"
done
expect_absent "$usr/share/doc/sublet/examples/quickstart.sh" # it needs the sources
