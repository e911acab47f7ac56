#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command as a job of a shell on a terminal of its own, and a person at that terminal.

usage: terminal.py OUT [STEP...] -- COMMAND...
What the command writes goes to the file OUT. Steps, in this order, each with a limit of 15 s:
  expect:TEXT   until the output has TEXT behind what was expected before
  type:TEXT     with escapes as in "\\x04"
  size:ROWSxCOLUMNS, signal:NAME, hangup
  stopped       until the job is stopped; the terminal has its modes back
  fg, bg        the shell continues it
  raw, cooked   until the terminal's modes are so
The status is the command's; 99 when a step fails or the modes are not as before at the end.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

LIMIT_S = 15


class Failure(Exception):
    pass


class Shell:
    def __init__(self, out, command):
        self.master, self.slave = pty.openpty()
        self.out = open(out, "wb")
        self.seen = b""
        self.status = None
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        self.resize("24x80")
        self.before = termios.tcgetattr(self.slave)
        self.job = os.fork()
        if self.job == 0:
            self.become(command)
        try:
            os.setpgid(self.job, self.job)
        except PermissionError:
            pass  # it has done so itself and runs already
        self.foreground(self.job)

    def become(self, command):
        os.setpgid(0, 0)
        os.tcsetpgrp(self.slave, os.getpid())
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        for fd in range(3):
            os.dup2(self.slave, fd)
        os.execvp(command[0], command)

    def foreground(self, group):
        if self.slave >= 0:
            os.tcsetpgrp(self.slave, group)

    def look(self, wait_s=0.05):
        """Takes in what was written; whether the job still runs."""
        if self.master >= 0 and select.select([self.master], [], [], wait_s)[0]:
            data = os.read(self.master, 65536)
            self.out.write(data)
            self.seen += data
        elif self.master < 0:
            time.sleep(wait_s)

    def until(self, what, true):
        end = time.monotonic() + LIMIT_S
        while not true():
            if time.monotonic() > end:
                raise Failure(f"{what} did not come; output: {self.seen[-300:]!r}")
            self.look()

    def wait(self, options):
        pid, status = os.waitpid(self.job, os.WNOHANG | options)
        if pid == 0:
            return False
        self.status = status
        return True

    def expect(self, text):
        wanted = text.encode().decode("unicode_escape").encode("latin-1")
        self.until(repr(text), lambda: wanted in self.seen)
        self.seen = self.seen.split(wanted, 1)[1]

    def resize(self, text):
        rows, columns = map(int, text.split("x"))
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def stopped(self):
        self.until("a stop", lambda: self.wait(os.WUNTRACED))
        if not os.WIFSTOPPED(self.status):
            raise Failure(f"ended with {self.status:#x} instead of a stop")
        self.foreground(os.getpgrp())
        if termios.tcgetattr(self.slave) != self.before:
            raise Failure("stopped with the terminal's modes changed")

    def go_on(self, in_front):
        if in_front:
            self.foreground(self.job)
        os.killpg(self.job, signal.SIGCONT)

    def hang_up(self):
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = -1

    def step(self, step):
        word, _, value = step.partition(":")
        if word == "expect":
            self.expect(value)
        elif word == "type":
            os.write(self.master, value.encode().decode("unicode_escape").encode("latin-1"))
        elif word == "size":
            self.resize(value)
        elif word == "signal":
            os.kill(self.job, getattr(signal, "SIG" + value))
        elif word == "hangup":
            self.hang_up()
        elif word == "stopped":
            self.stopped()
        elif word in ("fg", "bg"):
            self.go_on(word == "fg")
        elif word in ("raw", "cooked"):
            self.until(word, lambda: self.is_raw() == (word == "raw"))
        else:
            raise Failure(f"unknown step {step}")

    def end(self):
        self.until("the end", lambda: self.wait(0))
        if self.master >= 0:
            while select.select([self.master], [], [], 0)[0]:
                self.look()
            if termios.tcgetattr(self.slave) != self.before:
                raise Failure("the terminal's modes are not as before")
        self.out.close()
        return os.waitstatus_to_exitcode(self.status)


def main():
    at = sys.argv.index("--")
    if os.fork() != 0:  # a leader of a group could not begin a session
        return os.waitstatus_to_exitcode(os.wait()[1])
    shell = Shell(sys.argv[1], sys.argv[at + 1:])
    try:
        for step in sys.argv[2:at]:
            shell.step(step)
        return shell.end()
    except Failure as failure:
        print(f"terminal: {failure}", file=sys.stderr)
        os.killpg(shell.job, signal.SIGKILL)
        return 99


sys.exit(main())
