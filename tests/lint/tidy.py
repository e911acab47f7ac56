#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy over the sources in compile_commands.json, two at a time, and remembers what passed.

usage: tidy.py TREE BUILD_DIRECTORY
"""
import concurrent.futures
import hashlib
import json
import pathlib
import subprocess
import sys

import source

FILE_TIMEOUT_S = 300


def common_key(root):
    """What every result depends on: the rules and all headers."""
    digest = hashlib.sha256((root / ".clang-tidy").read_bytes())
    for path in source.files(root, ("include", "src", "cgroups"), {".h"}):
        digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.digest()


def entries(root, build):
    tops = (root / "src", root / "cgroups")
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if any(top in path.parents for top in tops):
            yield path, entry["command"]


def check(build, passed, path, key):
    stamp = passed / hashlib.sha256(key + path.read_bytes()).hexdigest()
    if stamp.exists():
        return ""
    try:
        run = subprocess.run(["clang-tidy", "--quiet", "-p", str(build), str(path)], capture_output=True,
                             text=True, timeout=FILE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return f"{path}: clang-tidy took more than {FILE_TIMEOUT_S} s\n"
    if run.returncode == 0:
        stamp.touch()
        return ""
    telling = [line for line in run.stdout.splitlines() if ": error:" in line or ": warning:" in line]
    return "\n".join(telling or [run.stdout + run.stderr]) + "\n"


def main():
    root, build = source.tree(), pathlib.Path(sys.argv[2]).resolve()
    passed = build / "tidy"
    passed.mkdir(exist_ok=True)
    common = common_key(root)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(check, build, passed, path, common + command.encode())
                for path, command in sorted(set(entries(root, build)))]
        text = "".join(run.result() for run in runs)
    source.finish(sorted(set(text.replace(str(root) + "/", "").splitlines())))


main()
