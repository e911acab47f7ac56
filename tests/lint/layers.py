#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses includes that layers.txt does not allow, private headers of other rooms, and cycles."""
import pathlib
import re

import source

TOPS = ("include", "src", "cgroups")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def read_rules(path):
    rooms, libraries, bad = {}, {}, []
    for line in path.read_text().splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "library":
            libraries[words[1]] = set(words[2:])
            continue
        bad += [f"layers.txt: {words[0]} may not see {w}, which is not above it" for w in words[1:] if w not in rooms]
        rooms[words[0]] = set(words[1:])
    return rooms, libraries, bad


def room_of(path):
    """The room a file of the tree belongs to: its folder, or the name of its public header."""
    parts = path.parts
    if parts[0] == "cgroups":
        return "cgroups"
    if parts[0] == "include":
        return pathlib.Path(parts[2]).stem
    return parts[1] if len(parts) > 2 else pathlib.Path(parts[1]).stem


def judge(root, path, kind, name, rooms, libraries):
    """The reason why this include is wrong, or None."""
    here = room_of(path.relative_to(root))
    if here not in rooms:
        return f"room '{here}' is not in layers.txt"
    if kind == "<":
        for prefix, allowed in libraries.items():
            if name.startswith(prefix) and here not in allowed:
                return f"{here} may not include <{name}>"
        return None
    if name.startswith("sublet/"):
        other = pathlib.Path(pathlib.Path(name).parts[1]).stem
        if other != here and other not in rooms[here]:
            return f"{here} may not include {name}"
        return None if (root / "include" / name).exists() else f"no such header {name}"
    if path.relative_to(root).parts[0] == "include":
        return f"a public header includes the private {name}"
    if ".." in pathlib.Path(name).parts or not (path.parent / name).exists():
        return f"private header {name} of another room"
    return None


def resolve(root, path, name):
    return root / "include" / name if name.startswith("sublet/") else (path.parent / name).resolve()


def cycles(graph):
    """Each header from which a path of includes leads back to itself, with that path."""
    done, found = set(), []

    def visit(node, trail):
        if node in trail:
            found.append(" -> ".join(p.name for p in trail[trail.index(node) :] + [node]))
            return
        if node in done:
            return
        done.add(node)
        for other in graph.get(node, ()):
            visit(other, trail + [node])

    for node in graph:
        visit(node, [])
    return found


def main():
    root = source.tree()
    rooms, libraries, bad = read_rules(root / "tests/lint/layers.txt")
    graph = {}
    for path in source.files(root, TOPS, {".c", ".h"}):
        text = source.without_comments(path.read_text())
        for match in INCLUDE.finditer(text):
            reason = judge(root, path, match[1], match[2], rooms, libraries)
            if reason is not None:
                bad.append(f"{path.relative_to(root)}:{source.line_of(text, match.start())}: {reason}")
            if match[1] == '"' and path.suffix == ".h":
                graph.setdefault(path, []).append(resolve(root, path, match[2]))
    bad += [f"headers include each other: {c}" for c in cycles(graph)]
    source.finish(bad)


main()
