#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses functions and words that have a better form, each with the reason."""
import re

import source

CALLS = {
    "strcpy strcat stpcpy sprintf vsprintf gets": "no limit; use a struct buf or snprintf",
    "strncpy strncat": "cuts or leaves no NUL silently; use a struct buf or snprintf",
    "strtok": "hidden state",
    "strtol strtoul strtoll strtoull strtod atoi atol atoll sscanf": "accepts what nobody meant; use base/num.h",
    "tmpnam tempnam mktemp": "a name is not a file",
    "system popen": "runs a shell",
    "getenv": "use secure_getenv",
    "alloca": "no limit; use a fixed buffer or an arena",
    "access faccessat euidaccess": "checks what may have changed at the next call",
    "creat dup dup2 pipe accept epoll_create inotify_init": "not O_CLOEXEC from birth; use the call with flags",
    "signal": "use sigaction",
    "exit": "only main ends the process; return a status",
    "realpath": "resolves twice; use sys_open_in",
    "asprintf vasprintf": "use a struct buf",
}

PATTERNS = [
    (r"\bgoto\b", "goto; use OWNED_* and early return"),
    (r"\bwhile\s*\(\s*(?:1|true)\s*\)", "write for (;;)"),
    (r"\[[^\]\n]*\bPATH_MAX\b[^\]\n]*\]", "a path has no such limit; use a struct buf"),
    (r"\btypedef\s+(?:struct|union)\b", "typedef of a struct; its type is worth seeing"),
]

# Calls that make a descriptor, and the flag that must be among their arguments.
CLOEXEC = {
    "open openat": "O_CLOEXEC",
    "pipe2 dup3": "O_CLOEXEC",
    "socket socketpair accept4": "SOCK_CLOEXEC",
    "memfd_create": "MFD_CLOEXEC",
    "eventfd": "EFD_CLOEXEC",
    "signalfd": "SFD_CLOEXEC",
    "timerfd_create": "TFD_CLOEXEC",
    "epoll_create1": "EPOLL_CLOEXEC",
    "inotify_init1": "IN_CLOEXEC",
}

# Files where the rule of a call does not hold, with the reason beside it.
ALLOWED = {
    ("src/main.c", "exit"): "it is main",
    ("src/cli/cli.c", "open"): "stands for a closed standard stream",
    ("src/proc/fds.c", "open"): "stands for a closed standard stream",
    ("src/sys/proc_api.c", "dup3"): "sys_dup_to gives a program its numbered descriptors",
}


def calls(code, names):
    return re.finditer(r"(?<![\w.>])(" + "|".join(names.split()) + r")\s*\(", code)


def findings(name, text):
    code = source.preprocessor_blanked(source.code(text))
    for names, reason in CALLS.items():
        for match in calls(code, names):
            if (name, match[1]) not in ALLOWED:
                yield match.start(), f"{match[1]}: {reason}"
    for pattern, reason in PATTERNS:
        for match in re.finditer(pattern, code):
            yield match.start(), reason
    for names, flag in CLOEXEC.items():
        for match in calls(code, names):
            opening = match.end() - 1
            given = code[opening : source.closing(code, opening)]
            if flag not in given and (name, match[1]) not in ALLOWED:
                yield match.start(), f"{match[1]} without {flag}"
    for match in calls(code, "fopen fdopen popen"):
        opening = match.end() - 1
        modes = re.search(r',\s*"([^"]*)"', text[opening : source.closing(code, opening)])
        if match[1] == "fopen" and (modes is None or "e" not in modes[1]):
            yield match.start(), "fopen without 'e' in its mode"


def main():
    root, bad = source.tree(), []
    for path in source.files(root, ("include", "src", "cgroups"), {".c", ".h"}):
        name, text = str(path.relative_to(root)), path.read_text()
        bad += [f"{name}:{source.line_of(text, at)}: {reason}" for at, reason in sorted(findings(name, text))]
    source.finish(bad)


main()
