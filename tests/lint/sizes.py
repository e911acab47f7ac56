#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses long files and functions, many parameters and deep nesting."""
import re

import source

FILE_LINES = 500
HEADER_LINES = 250
FUNCTION_LINES = 70
PARAMETERS = 6
NESTING = 4
TOPS = ("include", "src", "cgroups", "tests", "examples", ".ci", "CMakeLists.txt")
CODE = {".c", ".h", ".py", ".sh", ".bash", ".cmake", ".txt", ""}


def too_long(root):
    for path in source.files(root, TOPS, CODE):
        if "corpus" in path.parts or "golden" in path.parts:
            continue
        with open(path, errors="replace") as file:
            lines = sum(1 for _ in file)
        limit = HEADER_LINES if path.suffix == ".h" else FILE_LINES
        if lines > limit:
            yield f"{path.relative_to(root)}: {lines} lines, at most {limit}"


def parameter_count(text):
    """The place for the error's text is the same everywhere and does not count; of a callback, the
    library says what it takes."""
    text = text.strip()
    if text in ("", "void") or "struct MHD_Connection *" in text:
        return 0
    flat = re.sub(r"\([^()]*\)", "", text)
    names = [p.strip() for p in flat.split(",")]
    return sum(1 for p in names if p != "..." and not p.startswith("struct sub_err *"))


def nesting(body):
    """The deepest block inside a function's body. Braces of initialisers are no blocks."""
    deepest, stack = 0, []
    for i, letter in enumerate(body):
        if letter == "{":
            before = body[:i].rstrip()
            # a compound literal has its brace right after the ), the formatter sees to it
            initialiser = before.endswith(("=", ",", "{", "(", "return")) or body[:i].endswith(")")
            stack.append(not initialiser)
            deepest = max(deepest, sum(stack))
        elif letter == "}" and stack:
            stack.pop()
    return deepest


def wrong_functions(root):
    for path in source.files(root, ("include", "src", "cgroups", "tests"), {".c", ".h"}):
        text = source.code(path.read_text(errors="replace"))
        for name, start, parameters, brace, end in source.functions(text):
            where = f"{path.relative_to(root)}:{source.line_of(text, start)}: {name}"
            lines = text.count("\n", start, end) + 1
            if lines > FUNCTION_LINES:
                yield f"{where} has {lines} lines, at most {FUNCTION_LINES}"
            count = parameter_count(parameters)
            if count > PARAMETERS:
                yield f"{where} has {count} parameters, at most {PARAMETERS}"
            depth = nesting(text[brace + 1 : end])
            if depth > NESTING:
                yield f"{where} nests {depth} deep, at most {NESTING}"


def main():
    root = source.tree()
    source.finish([*too_long(root), *wrong_functions(root)])


main()
