#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rows that the engines' plays have logged as one table: operation x engine, with sublet and with the runtime
beside it. A cell is `pass`, `no [N]` with the reason below, or `-` where the engine has no such operation.

usage: table.py LOG...   (lines: engine, runtime, operation, verdict, seconds; parted by tabs)"""
import sys

cells, engines, runtimes, operations = {}, [], [], []
for path in sys.argv[1:]:
    for line in open(path, encoding="utf-8", errors="replace"):
        engine, runtime, operation, verdict, _ = line.rstrip("\n").split("\t")
        cells[engine, runtime, operation] = verdict
        for known, name in (engines, engine), (runtimes, runtime), (operations, operation):
            if name not in known:
                known.append(name)
runtimes.sort(key=lambda name: name != "sublet")
columns = [(engine, runtime) for engine in engines for runtime in runtimes]
reasons = []


def cell(engine, runtime, operation):
    verdict = cells.get((engine, runtime, operation))
    if verdict is None or verdict == "pass":
        return verdict or "-"
    reasons.append(f"[{len(reasons) + 1}] {engine}, {runtime}: {operation}: {verdict.strip()}")
    return f"no [{len(reasons)}]"


def row(words):
    return "| " + " | ".join(word.replace("|", "\\|") for word in words) + " |"


print(row(["operation"] + [f"{engine}: {runtime}" for engine, runtime in columns]))
print(row(["---"] * (len(columns) + 1)))
for operation in operations:
    print(row([operation] + [cell(*column, operation) for column in columns]))
print(row(["passed"] + [
    "{} of {}".format(*(sum(1 for key, verdict in cells.items() if key[:2] == column and wanted in (None, verdict))
                        for wanted in ("pass", None))) for column in columns]))
print("", *reasons, sep="\n")
