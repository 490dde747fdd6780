# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is let in, and how."""

from .registry import for_each


def answers(status, lines=()):
    def act(turn):
        turn.answer.lines, turn.answer.status = list(lines), status
    return act


def sends_first(octets):
    def act(turn):
        turn.fires()
        turn.session.connection.sendall(octets)
    return act


for_each({
    "no": answers("NO not you"),
    "no_authentication_failed": answers("NO [AUTHENTICATIONFAILED] wrong"),
    "no_unavailable": answers("NO [UNAVAILABLE] later"),
    "no_limit": answers("NO [LIMIT] too many connections"),
    "no_in_words": answers("NO Suggested Backoff Time: 1500 milliseconds"),
    "referral": answers("NO [REFERRAL imap://user@127.0.0.1:1/] try there"),
    "ok_referral": answers("OK [REFERRAL imap://user@127.0.0.1:1/] also there"),
    "bad": answers("BAD what?"),
    "silence": lambda turn: turn.silence(),
    "dropped": lambda turn: turn.drop(),
    "reset": lambda turn: turn.reset(),
    "bye": answers("NO bye", [b"* BYE go away\r\n"]),
    "unasked_continuation": sends_first(b"+ what else?\r\n"),
    "ok_without_capabilities": answers("OK [CAPABILITY] welcome"),
    "alert_with_escapes": answers("OK [ALERT] \x1b]0;owned\x07\x1b[2Jwelcome", [b"* OK [ALERT] \x1b[31mred\r\n"]),
}, "LOGIN", unmountable=True)

for_each({
    "capability_of_nothing": answers("OK done", [b"* CAPABILITY\r\n"]),
    "capability_without_answer": answers("OK done"),
    "capability_refused": answers("NO secret"),
    "capability_thousands": answers("OK done", [b"* CAPABILITY IMAP4rev1" + b" AUTH=X" * 5000 + b"\r\n"]),
    "capability_odd": answers("OK done", [b"* CAPABILITY IMAP4rev1 AUTH= AUTH=\xff\xfe " + b"Y" * 3000 + b"\r\n"]),
    "capability_silence": lambda turn: turn.silence(),
}, "CAPABILITY", unmountable=True)
