#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses blocks of lines that stand in two places: what is the same belongs into one function."""
import re

import source

BLOCK = 12
TRIVIAL = re.compile(r"[\s{}();,]*|#\s*include.*|return( 0)?;|break;|\}? ?else \{?")


def telling_lines(path):
    """(line number, line) of the lines of code that say something, white space made even."""
    text = source.without_comments(path.read_text())
    rows = ((n, " ".join(line.split())) for n, line in enumerate(text.splitlines(), 1))
    return [(n, line) for n, line in rows if not TRIVIAL.fullmatch(line)]


def extent(one, i, other, j):
    """How many lines from i and j on are the same."""
    count = 0
    while i + count < len(one) and j + count < len(other) and one[i + count][1] == other[j + count][1]:
        count += 1
    return count


def repeats(texts):
    seen = {}
    for name, lines in texts.items():
        i = 0
        while i + BLOCK <= len(lines):
            block = tuple(line for _, line in lines[i : i + BLOCK])
            first = seen.setdefault(block, (name, i))
            apart = first[0] != name or first[1] + BLOCK <= i
            if not apart:
                i += 1
                continue
            count = extent(texts[first[0]], first[1], lines, i)
            yield name, lines[i][0], first[0], texts[first[0]][first[1]][0], count
            i += count


def main():
    root = source.tree()
    paths = source.files(root, ("src", "cgroups", "include"), {".c", ".h"})
    texts = {str(p.relative_to(root)): telling_lines(p) for p in paths}
    source.finish([f"{a}:{n}: {count} lines as in {b}:{m}" for a, n, b, m, count in repeats(texts)])


main()
