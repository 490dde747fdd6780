# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy that counts POP3 commands, and breaks connections as fault_proxy.py does."""

import re

from fault_proxy import FaultProxy, FaultSession

# Whatever happens, nothing else is ever said.
ALLOWED = {"CAPA", "STLS", "AUTH", "USER", "PASS", "STAT", "LIST", "UIDL", "TOP", "RETR", "NOOP", "QUIT"}


class Pop3Proxy(FaultProxy):
    def __init__(self, server_port):
        self.lines = []  # command lines of all connections; what a login says is no more than its first word
        super().__init__(server_port, raw=True)
        self.imap_port = self.port  # what the fixture `mount` connects to

    def _new_session(self, client, upstream, number):
        return Pop3Session(self, client, upstream, number)

    def count(self, pattern):
        with self._lock:
            return sum(bool(re.match(pattern, line)) for line in self.lines)

    def forget_lines(self):
        with self._lock:
            self.lines.clear()

    def words(self):
        with self._lock:
            return {line.split()[0] for line in self.lines}


class Pop3Session(FaultSession):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.partial = b""
        self.in_exchange = False  # of SASL: the lines that follow AUTH are no commands

    def _send_to_server(self, piece):
        *lines, self.partial = (self.partial + piece).split(b"\n")
        with self.proxy._lock:
            for line in lines:
                text = line.decode("utf-8", "replace").strip()
                word = text.split(" ")[0]
                if self.in_exchange and word not in ALLOWED:
                    continue
                self.in_exchange = word == "AUTH"
                self.proxy.lines.append(word if word in ("AUTH", "USER", "PASS") else text)
        super()._send_to_server(piece)
