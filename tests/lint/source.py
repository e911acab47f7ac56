# SPDX-License-Identifier: Apache-2.0
"""What the lint scripts share: the tree, C text without comments and strings, functions, findings."""
import os
import pathlib
import re
import sys

SKIPPED = {".git", "build", ".cache", "__pycache__"}


def tree():
    """The root to look at: the first argument, or the repository this file is in."""
    if len(sys.argv) > 1:
        return pathlib.Path(sys.argv[1]).resolve()
    return pathlib.Path(__file__).resolve().parents[2]


def files(root, tops, suffixes=None):
    """Files below the given folders (or files) of root, sorted, as paths."""
    found = []
    for top in tops:
        path = root / top
        if path.is_file():
            found.append(path)
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(f for f in folders if f not in SKIPPED)
            found += [pathlib.Path(folder) / n for n in sorted(names)]
    return [f for f in found if suffixes is None or f.suffix in suffixes]


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def _spaces(text):
    return re.sub(r"[^\n]", " ", text)


def code(text):
    """C text of the same length with comments and the insides of strings blanked."""

    def blank(match):
        word = match.group()
        if word.startswith("/"):
            return _spaces(word)
        return word[0] + _spaces(word[1:-1]) + word[-1]

    return TOKEN.sub(blank, text)


def without_comments(text):
    """C text of the same length with comments blanked and strings kept."""
    return TOKEN.sub(lambda m: _spaces(m.group()) if m.group().startswith("/") else m.group(), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def closing(text, at):
    """Offset of the bracket that closes the one at `at`, or the end of the text."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    opening, end, depth = text[at], pairs[text[at]], 0
    for i in range(at, len(text)):
        if text[i] == opening:
            depth += 1
        elif text[i] == end:
            depth -= 1
            if depth == 0:
                return i
    return len(text) - 1


def preprocessor_blanked(text):
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: _spaces(m.group()), text, flags=re.M)


ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")
HEAD = re.compile(r"([A-Za-z_]\w*)\s*\(")


def functions(text):
    """(name, offset of the name, parameter text, offset of {, offset of }) of each definition."""
    text = ATTRIBUTE.sub(lambda m: _spaces(m.group()), preprocessor_blanked(text))
    at = 0
    while True:
        brace = text.find("{", at)
        if brace < 0:
            return
        end = closing(text, brace)
        at = max(at, text.rfind(";", at, brace) + 1)
        head = text[at:brace]
        match = HEAD.search(head)
        is_function = match and head.rstrip().endswith(")") and "=" not in head[: match.start()]
        if is_function:
            start = at + match.start(1)
            opening = at + match.end() - 1
            parameters = text[opening + 1 : closing(text, opening)]
            name = parameters if match[1] == "START_TEST" else match[1]
            yield name, start, parameters, brace, end
        at = end + 1


def finish(bad):
    """Prints the findings and ends with status 1 if there are any."""
    for line in bad:
        print(line)
    sys.exit(bool(bad))
