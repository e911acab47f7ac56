#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A service manager that misbehaves on demand: what a scope needs of systemd's D-Bus interface, on
the manager's own socket. Its own group is GROUP ("/name"), its scopes are in GROUP/system.slice; both
are made with the first scope and stay. Each request is printed as a line of JSON, [method, unit, {property: value...}]; a property that is sent twice has both.
usage: fake-systemd.py SOCKET CGROUP-ROOT GROUP HOW
  works            as systemd
  forgets-jobs     a job to start a scope is taken on and never reported as done
  refuses=NAME     properties are set, unless NAME is among them
  removes=FILE     properties are set, and this file is gone then"""
import json
import os
import signal
import socket
import struct
import sys

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, SIGNATURE = 1, 2, 3, 4, 5, 8
OBJECT = "/org/freedesktop/systemd1"
NAME = "org.freedesktop.systemd1"
SIZES = {"y": 1, "b": 4, "u": 4, "i": 4, "t": 8, "x": 8}
FORMATS = {"y": "<B", "b": "<I", "u": "<I", "i": "<i", "t": "<Q", "x": "<q"}


def whole_type(signature):
    """The first complete type of a signature, and the rest."""
    if signature[0] == "a":
        inner, rest = whole_type(signature[1:])
        return "a" + inner, rest
    if signature[0] != "(":
        return signature[0], signature[1:]
    depth = 0
    for i, letter in enumerate(signature):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return signature[: i + 1], signature[i + 1 :]
    raise ValueError(signature)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def align(self, size):
        self.at = (self.at + size - 1) // size * size

    def text(self, length):
        value = self.data[self.at : self.at + length].decode()
        self.at += length + 1
        return value

    def value(self, kind):
        if kind[0] in SIZES:
            self.align(SIZES[kind[0]])
            (value,) = struct.unpack_from(FORMATS[kind[0]], self.data, self.at)
            self.at += SIZES[kind[0]]
            return value
        if kind[0] in "so":
            return self.text(self.value("u"))
        if kind[0] == "g":
            return self.text(self.value("y"))
        if kind[0] == "v":
            return self.value(self.value("g"))
        if kind[0] == "(":
            self.align(8)
            return self.values(kind[1:-1])
        length = self.value("u")
        self.align(8 if kind[1] in "(tx" else 4 if kind[1] in "bsouia" else 1)
        end, items = self.at + length, []
        while self.at < end:
            items.append(self.value(kind[1:]))
        return items

    def values(self, signature):
        found = []
        while signature:
            kind, signature = whole_type(signature)
            found.append(self.value(kind))
        return found


class Writer:
    def __init__(self):
        self.data = bytearray()

    def align(self, size):
        self.data += bytes(-len(self.data) % size)

    def value(self, kind, value):
        if kind in SIZES:
            self.align(SIZES[kind])
            self.data += struct.pack(FORMATS[kind], value)
        elif kind in "so":
            self.value("u", len(value.encode()))
            self.data += value.encode() + b"\0"
        elif kind == "g":
            self.data += struct.pack("<B", len(value)) + value.encode() + b"\0"
        else:  # a variant, as (type, value)
            self.value("g", value[0])
            self.value(*value)


class Manager:
    def __init__(self, client, root, own, how):
        self.client, self.root, self.own, self.how = client, root, own, how
        self.rest, self.serial = b"", 0

    def receive(self, size):
        while len(self.rest) < size:
            more = self.client.recv(65536)
            if not more:
                raise EOFError
            self.rest += more
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

    def greet(self):
        answers = {b"AUTH": b"DATA\r\n", b"DATA": b"OK " + b"0" * 32 + b"\r\n",
                   b"NEGOTIATE_UNIX_FD": b"AGREE_UNIX_FD\r\n"}
        self.receive(1)
        while True:
            line = b""
            while not line.endswith(b"\r\n"):
                line += self.receive(1)
            word = line.split()[0]
            if word == b"BEGIN":
                return
            self.client.sendall(answers[word])

    def send(self, kind, fields, signature="", body=()):
        self.serial += 1
        content, head = Writer(), Writer()
        for letter, value in zip(signature, body):
            content.value(letter, value)
        if signature:
            fields = [*fields, (SIGNATURE, ("g", signature))]
        for code, value in fields:
            head.align(8)
            head.data.append(code)
            head.value("v", value)
        message = Writer()
        for letter, value in zip("yyyyuuu", (ord("l"), kind, 0, 1, len(content.data), self.serial, len(head.data))):
            message.value(letter, value)
        message.data += head.data
        message.align(8)
        self.client.sendall(message.data + content.data)

    def answer(self, call, signature="", *body):
        self.send(RETURN, [(REPLY_SERIAL, ("u", call))], signature, body)

    def refuse(self, call, name, text):
        self.send(ERROR, [(REPLY_SERIAL, ("u", call)), (ERROR_NAME, ("s", name))], "s", [text])

    def tell(self, member, signature, *body):
        where = [(PATH, ("o", OBJECT)), (INTERFACE, ("s", NAME + ".Manager")), (MEMBER, ("s", member))]
        self.send(SIGNAL, where, signature, body)

    def group(self, unit):
        return f"{self.root}{self.own}/system.slice/{unit}"

    # ---- what is asked ----

    def get(self, call, _interface, _name):
        unit = unit_of(self.path)
        self.answer(call, "v", ("s", f"{self.own}/system.slice/{unit}" if unit else self.own))

    def start_transient_unit(self, call, unit, _mode, properties, _aux):
        job = OBJECT + "/job/1"
        self.answer(call, "o", job)
        if self.how == "forgets-jobs":
            return
        os.makedirs(self.group(unit))
        for pid in dict(properties)["PIDs"]:
            put(self.group(unit) + "/cgroup.procs", pid)
        self.tell("JobRemoved", "uoss", 1, job, unit, "done")

    def set_unit_properties(self, call, _unit, _runtime, properties):
        for name, _ in properties:
            if self.how == "refuses=" + name:
                self.refuse(call, "org.freedesktop.DBus.Error.InvalidArgs", f"{name}= is not for you.")
                return
        if self.how.startswith("removes=") and os.path.exists(self.how[8:]):
            os.unlink(self.how[8:])
        self.answer(call)

    def stop_unit(self, call, unit, _mode):
        job = OBJECT + "/job/2"
        if not os.path.isdir(self.group(unit)):
            self.refuse(call, NAME + ".NoSuchUnit", f"Unit {unit} not loaded.")
            return
        self.answer(call, "o", job)
        os.rmdir(self.group(unit))
        self.tell("JobRemoved", "uoss", 2, job, unit, "done")

    def get_unit(self, call, unit):
        if os.path.isdir(self.group(unit)):
            self.answer(call, "o", OBJECT + "/unit/" + unit.encode().hex())
        else:
            self.refuse(call, NAME + ".NoSuchUnit", f"Unit {unit} not loaded.")

    def subscribe(self, call):
        self.answer(call)

    def reset_failed_unit(self, call, unit):
        self.refuse(call, NAME + ".NoSuchUnit", f"Unit {unit} not loaded.")

    def serve(self):
        methods = {"Get": self.get, "Subscribe": self.subscribe, "GetUnit": self.get_unit,
                   "StartTransientUnit": self.start_transient_unit, "StopUnit": self.stop_unit,
                   "SetUnitProperties": self.set_unit_properties, "ResetFailedUnit": self.reset_failed_unit}
        self.greet()
        while True:
            start = self.receive(16)
            _, _, _, _, length, serial, fields = struct.unpack("<BBBBIII", start)
            reader = Reader(start + self.receive((fields + 7) // 8 * 8))
            reader.at = 12
            head = dict(reader.value("a(yv)"))
            body = Reader(self.receive(length)).values(head.get(SIGNATURE, ""))
            self.path = head[PATH]
            print_request(head[MEMBER], body)
            methods[head[MEMBER]](serial, *body)


def unit_of(path):
    return bytes.fromhex(path.rsplit("/", 1)[1]).decode() if "/unit/" in path else ""


def put(name, value):
    with open(name, "w", encoding="ascii") as file:
        file.write(str(value))


def print_request(method, body):
    sent = {}
    for argument in body:
        for entry in argument if isinstance(argument, list) else []:
            name, value = entry[0], entry[1]
            sent[name] = [sent[name], value] if name in sent else value
    print(json.dumps([method, body[0] if body else "", sent]), flush=True)


def main():
    name, root, own, how = sys.argv[1:]
    server = socket.socket(socket.AF_UNIX)
    server.bind(name)
    server.listen(8)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    while True:
        client, _ = server.accept()
        try:
            Manager(client, root, own, how).serve()
        except (EOFError, ConnectionError):
            client.close()


main()
