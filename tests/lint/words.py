#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses unfinished work, paths of one machine, long lines, and files without a licence line."""
import re

import source

TOPS = ("include", "src", "cgroups", "tests", "examples", "man", "cmake", ".ci", "CMakeLists.txt", "README.md")
DATA = {".json", ".jsonl", ".csv", ".txt", ".bin", ".golden", ".out", ".dict", ".png", ".svg", ".html", ".md", ".pyc", ".elf"}
SCRIPTS = {".py", ".sh", ".bash", ".cmake", ""}  # the formatter sees to C
LINE_LENGTH = 160
SPDX = "SPDX-License-Identifier: Apache-2.0"

# Written apart so that this file does not contain them.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
MACHINE = re.compile(r"(?<![\w.$}])/(?:wo" + r"rk|ro" + r"ot/\.|ho" + r"me/[a-z]|tmp/(?:build|brief))\b")


def is_data(path):
    return path.suffix in DATA or "corpus" in path.parts or "golden" in path.parts


def read(path):
    """The text of a file, or None where it is not text."""
    data = path.read_bytes()
    return None if b"\0" in data else data.decode("utf-8", errors="replace")


def judge(path, text):
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        word = UNFINISHED.search(line)
        if word:
            yield number, f"'{word[1]}' marks unfinished work"
        if MACHINE.search(line):
            yield number, "a path of one machine"
        if not is_data(path) and (line.endswith((" ", "\t")) or "\r" in line):
            yield number, "white space at the end of the line"
        if len(line) > LINE_LENGTH and path.suffix in SCRIPTS:
            yield number, f"{len(line)} columns, at most {LINE_LENGTH}"
    if is_data(path) or not lines:
        return
    first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
    if SPDX not in first and SPDX not in "\n".join(lines[:3]):
        yield 1, "no SPDX line"
    elif path.suffix in {".c", ".h"} and lines[0] != f"/* {SPDX} */":
        yield 1, f"the first line is not /* {SPDX} */"


def main():
    root, bad = source.tree(), []
    for path in source.files(root, TOPS):
        text = None if path.is_symlink() else read(path)
        if text is not None and "corpus" not in path.parts:
            bad += [f"{path.relative_to(root)}:{n}: {reason}" for n, reason in judge(path, text)]
    source.finish(bad)


main()
