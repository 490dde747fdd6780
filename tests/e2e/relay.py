#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tunnel command: relays between its standard input and output and a port on loopback.

    relay.py PORT [--stubborn]     --stubborn: neither the end of its input nor SIGTERM ends it
"""

import os
import selectors
import signal
import socket
import sys
import time

stubborn = "--stubborn" in sys.argv
if stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(f"\x1b[31mrelay {os.getpid()} of group {os.getpgid(0)} begins\x1b[0m", file=sys.stderr, flush=True)


def write_all(data):
    while data:
        data = data[os.write(1, data):]


def relay(server):
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ, server.sendall)
        selector.register(server, selectors.EVENT_READ, write_all)
        while True:
            for key, _ in selector.select():
                data = os.read(key.fd, 65536)
                if not data:
                    return
                key.data(data)


with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    relay(connection)
while stubborn:
    time.sleep(1)
