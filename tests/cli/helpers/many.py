#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""many.py SUBLET ROOT BUNDLE ID SECONDS LIMIT_S: eight workers give random commands for one ID.

Prints each answer that is not legal or took longer than the limit, then how often each command
succeeded and was refused.
"""
import collections
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

SUBLET, ROOT, BUNDLE, ID = sys.argv[1:5]
SECONDS, LIMIT_S = float(sys.argv[5]), float(sys.argv[6])

GONE = "container does not exist"
BUSY = "is busy: another command holds it|was deleted by another command"
COMMANDS = {
    "create": (["create", "-b", BUNDLE, ID], f"already exists|{BUSY}"),
    "start": (["start", ID],
              f"{GONE}|already running container|container that has stopped|never completed|is paused|{BUSY}"),
    "state": (["state", ID], GONE),
    "kill": (["kill", ID, "KILL"], f"{GONE}|container not running|{BUSY}"),
    "delete": (["delete", ID], f"{GONE}|not stopped: running|{BUSY}"),
    "delete -f": (["delete", "--force", ID], BUSY),
    "list": (["list", "--format", "json"], None),
    "exec": (["exec", ID, "/bin/true"],
             f"{GONE}|cannot exec in a (stopped|paused) container|not completed by create|died before it was|{BUSY}"),
    "ps": (["ps", ID], f"{GONE}|container not running|{BUSY}"),
    "pause": (["pause", ID], f"{GONE}|container not running|already paused|{BUSY}"),
    "resume": (["resume", ID], f"{GONE}|container not running|not paused|{BUSY}"),
}
WEIGHTS = [4, 3, 2, 2, 1, 1, 1, 2, 1, 1, 2]
FAILURE = {"exec": 125}  # as with run: 1 would be the program's own
KILLED = {"exec": 137}
count: collections.Counter = collections.Counter()
lock = threading.Lock()


def judge(name, legal, status, error, took_s):
    fine = status in (0, KILLED.get(name)) and not error
    if status == FAILURE.get(name, 1) and legal is not None:
        fine = error.count("\n") == 1 and re.search(legal, error) is not None
    with lock:
        count[name, status] += 1
        if not fine:
            print(f"{name}: status {status}: {error!r}")
        if took_s > LIMIT_S:
            print(f"{name}: took {took_s:.1f} s")


def work(number, end):
    choice = random.Random(number)
    while time.monotonic() < end:
        name = choice.choices(list(COMMANDS), WEIGHTS)[0]
        words, legal = COMMANDS[name]
        begun = time.monotonic()
        try:
            # a pipe would be kept open by the container
            with tempfile.TemporaryFile("w+") as error:
                done = subprocess.run([SUBLET, "--root", ROOT, *words], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=error, timeout=20, check=False)
                took_s = time.monotonic() - begun
                error.seek(0)
                text = error.read()
        except subprocess.TimeoutExpired:
            print(f"{name}: never answered")
            continue
        judge(name, legal, done.returncode, text, took_s)


def main():
    end = time.monotonic() + SECONDS
    workers = [threading.Thread(target=work, args=(number, end)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for (name, status), times in sorted(count.items()):
        print(f"# {name}: {times} times status {status}")


main()
