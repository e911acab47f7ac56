#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rows that the engines' plays have logged as one table: operation x engine, with sublet and with the runtime
beside it. A cell is `pass`, `no [N]` with the reason below, or `-` where the engine has no such operation. Logs of
more than one place, the host and a guest, are put together: a cell is where the row has passed, `host` or `guest`,
and what failed in one place and passed in another is told below as well.

usage: table.py LOG...   (lines: engine, runtime, operation, verdict, seconds, place; parted by tabs)"""
import sys

cells, places, engines, runtimes, operations = {}, [], [], [], []
for path in sys.argv[1:]:
    for line in open(path, encoding="utf-8", errors="replace"):
        engine, runtime, operation, verdict, _, place = line.rstrip("\n").split("\t")
        cells.setdefault((engine, runtime, operation), {})[place] = verdict
        for known, name in (engines, engine), (runtimes, runtime), (operations, operation), (places, place):
            if name not in known:
                known.append(name)
runtimes.sort(key=lambda name: name != "sublet")
columns = [(engine, runtime) for engine in engines for runtime in runtimes]
reasons = []


def passed(verdicts):
    return [place for place in places if verdicts.get(place) == "pass"]


def cell(engine, runtime, operation):
    verdicts = cells.get((engine, runtime, operation))
    if verdicts is None:
        return "-"
    notes = []
    for place, verdict in verdicts.items():
        if verdict != "pass":
            reasons.append(f"[{len(reasons) + 1}] {engine}, {runtime}, {place}: {operation}: {verdict.strip()}")
            notes.append(f"[{len(reasons)}]")
    words = (passed(verdicts) if len(places) > 1 else ["pass"]) if passed(verdicts) else ["no"]
    return " ".join(words + notes)


def row(words):
    return "| " + " | ".join(word.replace("|", "\\|") for word in words) + " |"


def total(column):
    of_column = [verdicts for key, verdicts in cells.items() if key[:2] == column]
    return f"{sum(1 for verdicts in of_column if passed(verdicts))} of {len(of_column)}"


print(row(["operation"] + [f"{engine}: {runtime}" for engine, runtime in columns]))
print(row(["---"] * (len(columns) + 1)))
for operation in operations:
    print(row([operation] + [cell(*column, operation) for column in columns]))
print(row(["passed"] + [total(column) for column in columns]))
print("", *reasons, sep="\n")
