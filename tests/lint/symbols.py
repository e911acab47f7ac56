#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses rooms whose static library asks the linker for symbols that are another room's duty.

usage: symbols.py TREE BUILD_DIRECTORY
"""
import fnmatch
import pathlib
import re
import subprocess
import sys

import source


def read_rules(path):
    rules = []
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            rooms, _, patterns = line.partition(":")
            rules.append((set(rooms.split()), patterns.split()))
    return rules


def plain(symbol):
    """The name as the source has it: without symbol version, and the fortified form undone."""
    symbol = symbol.split("@")[0]
    fortified = re.fullmatch(r"__(\w+?)(?:_chk|_2)", symbol)
    return fortified[1] if fortified else symbol


def undefined(library):
    """(object, symbol) of what the library's members leave to the linker."""
    text = subprocess.run(["nm", "-u", str(library)], capture_output=True, text=True, check=True).stdout
    member = ""
    for line in text.splitlines():
        if line.endswith(":"):
            member = line[:-1]
        elif line.split():
            yield member, plain(line.split()[-1])


def main():
    root, build = source.tree(), pathlib.Path(sys.argv[2])
    rules = read_rules(root / "tests/lint/symbols.txt")
    libraries = sorted(build.glob("**/libsublet_*.a"))
    bad = [] if libraries else [f"no libsublet_*.a below {build}: nothing was checked"]
    for library in libraries:
        room = library.stem.removeprefix("libsublet_")
        for member, symbol in undefined(library):
            for rooms, patterns in rules:
                if room not in rooms and any(fnmatch.fnmatchcase(symbol, p) for p in patterns):
                    bad.append(f"{room}: {member} uses {symbol}, left to {' '.join(sorted(rooms)) or 'nobody'}")
    source.finish(bad)


main()
