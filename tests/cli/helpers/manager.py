#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The service manager's side of sd_notify: prints each datagram as one JSON line, with its number of
descriptors and of pipes among them, which it closes. usage: manager.py SOCKET ("@NAME": an abstract one)"""
import json
import os
import socket
import stat
import sys

server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
server.bind("\0" + name[1:] if name.startswith("@") else name)
print("{}", flush=True)
while True:
    data, fds, _, _ = socket.recv_fds(server, 8192, 8)
    pipes = sum(stat.S_ISFIFO(os.fstat(fd).st_mode) for fd in fds)
    print(json.dumps({"words": data.decode().splitlines(), "fds": len(fds), "pipes": pipes}), flush=True)
    for fd in fds:
        os.close(fd)
