# SPDX-License-Identifier: GPL-3.0-or-later
"""A POP3 server in memory that may tell what is not so: how long its messages are. Clear text on loopback; any name
and password are right."""

import socketserver
import threading
from dataclasses import dataclass


@dataclass
class Message:
    octets: bytes
    unique_id: str
    told_size: int = None  # None: as it is

    def size(self):
        return len(self.octets) if self.told_size is None else self.told_size


class ScriptedPop3:
    """messages   may be changed at any time; a session shows those that there were when it began
    at_command    called with each command line before it is answered
    """

    def __init__(self, messages=()):
        self.messages, self.at_command = list(messages), lambda line: None
        self._server = _TcpServer(("127.0.0.1", 0), _Session)
        self._server.script = self
        self.imap_port = self._server.server_address[1]  # what the fixture `mount` connects to
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class _TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


def _lines(octets, n_body=None):
    """As a multi-line answer, with no more than n_body lines behind the header."""
    head, _, body = octets.partition(b"\r\n\r\n")
    if n_body is not None:
        octets = head + b"\r\n\r\n" + b"".join(line + b"\r\n" for line in body.split(b"\r\n")[:n_body])
    stuffed = (b"\r\n" + octets).replace(b"\r\n.", b"\r\n..")[2:]
    return stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n")


class _Session(socketserver.StreamRequestHandler):
    def handle(self):
        script = self.server.script
        messages = list(script.messages)
        self._say(b"+OK ready\r\n")
        for line in self.rfile:
            words = line.decode().split() or [""]
            script.at_command(" ".join(words))
            self._say(self._answer(words[0].upper(), [int(word) for word in words[1:] if word.isdigit()], messages))
            if words[0].upper() == "QUIT":
                return

    def _say(self, octets):
        self.wfile.write(octets)
        self.wfile.flush()

    @staticmethod
    def _answer(word, numbers, messages):
        if word == "CAPA":
            return b"+OK\r\nUSER\r\nTOP\r\nUIDL\r\nPIPELINING\r\n.\r\n"
        if word in ("LIST", "UIDL"):
            told = [message.size() if word == "LIST" else message.unique_id for message in messages]
            return b"+OK\r\n" + b"".join(f"{n} {what}\r\n".encode() for n, what in enumerate(told, 1)) + b".\r\n"
        if word in ("RETR", "TOP"):
            return b"+OK\r\n" + _lines(messages[numbers[0] - 1].octets, *numbers[1:]) + b".\r\n"
        return b"+OK\r\n" if word in ("USER", "PASS", "NOOP", "QUIT") else b"-ERR what?\r\n"
