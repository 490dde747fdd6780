# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes first."""

import time

from .registry import GREETING, for_each, misbehaviour


def greets(octets, then=lambda turn: None):
    def act(turn):
        turn.fires()
        turn.send(octets)
        then(turn)
    return act


for_each({
    "bye": greets(b"* BYE not today\r\n", lambda turn: turn.drop()),
    "bye_unavailable": greets(b"* BYE [UNAVAILABLE] maintenance\r\n", lambda turn: turn.drop()),
    "silence": lambda turn: turn.silence(),
    "dropped": lambda turn: turn.drop(),
    "reset": lambda turn: turn.reset(),
    "garbage": greets(bytes(range(256)) * 8 + b"\r\n"),
    "another_protocol": greets(b"SSH-2.0-OpenSSH_9.2\r\n", lambda turn: turn.silence()),
    "web_page": greets(b"HTTP/1.1 400 Bad Request\r\n\r\n<html>\r\n", lambda turn: turn.drop()),
    "mail_drop": greets(b"+OK POP3 ready\r\n", lambda turn: turn.silence()),
    "no": greets(b"* NO\r\n", lambda turn: turn.silence()),
    "tagged": greets(b"M1 OK ready\r\n", lambda turn: turn.silence()),
    "empty_line": greets(b"\r\n* OK ready\r\n"),
    "half": greets(b"* OK rea", lambda turn: turn.silence()),
    "with_nul": greets(b"* OK re\0ady\r\n"),
    "twice": greets(b"* OK ready\r\n* OK ready again\r\n"),
    "preauth_after_it": greets(b"* OK ready\r\n* PREAUTH all yours\r\n"),
    "login_disabled": greets(b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready\r\n"),
    "many_capabilities": greets(b"* OK [CAPABILITY IMAP4rev1" + b" X" * 30_000 + b"] ready\r\n"),
}, GREETING, unmountable=True)


@misbehaviour(GREETING, unmountable=True)
def byte_by_byte_without_end(turn):
    turn.fires()
    turn.send(b"* OK ")
    for _ in range(200):
        turn.send(b"x")
        time.sleep(0.3)
    turn.drop()


@misbehaviour(GREETING, unmountable=True)
def endless(turn):
    turn.flood(b"* OK " + b"x" * 65536, 64 << 20)


@misbehaviour(GREETING, unmountable=True)
def endless_lines(turn):
    turn.fires()
    turn.send(b"* OK ready\r\n")
    turn.flood(b"* OK still ready\r\n" * 4096, 64 << 20)
