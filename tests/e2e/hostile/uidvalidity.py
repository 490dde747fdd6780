# SPDX-License-Identifier: GPL-3.0-or-later
"""UIDVALIDITY, and mailboxes that cannot be opened."""

import itertools
import re

from .registry import MAILBOX, for_each, misbehaviour


def tells(value):
    def act(turn):
        turn.answer.lines = [re.sub(rb"UIDVALIDITY \d+", b"UIDVALIDITY " + value, line) for line in turn.answer.lines]
    return act


def refuses(status, lines=None):
    def act(turn):
        turn.answer.lines = turn.answer.lines if lines is None else lines
        turn.answer.status = status
    return act


VALUES = {"zero": b"0", "one": b"1", "largest": b"4294967295", "beyond_32_bits": b"4294967296",
          "beyond_64_bits": b"18446744073709551616", "negative": b"-1", "no_number": b"abc", "nothing": b""}
for_each({f"{name}": tells(value) for name, value in VALUES.items()}, "EXAMINE", hits=MAILBOX)
for_each({f"status_{name}": tells(value) for name, value in VALUES.items()}, "STATUS", hits=MAILBOX)


@misbehaviour("EXAMINE", hits=MAILBOX)
def changing(turn):
    turns = turn.state.setdefault("turns", itertools.count(5000))
    tells(b"%d" % next(turns))(turn)


@misbehaviour("EXAMINE", hits=MAILBOX)
def missing(turn):
    turn.answer.lines = [line for line in turn.answer.lines if b"UIDVALIDITY" not in line]


@misbehaviour("EXAMINE", hits=MAILBOX)
def told_twice(turn):
    turn.answer.lines.append(b"* OK [UIDVALIDITY 77] or this\r\n")


@misbehaviour("EXAMINE", hits=MAILBOX, renames=True, lasting=True)
def reused_for_messages_in_reverse(turn):
    """The UIDs of this session are other messages', and nothing says so."""
    turn.session.mailbox = type(turn.session.mailbox)(turn.session.mailbox.uidvalidity)
    mails = [type(mail)(mail.body, mail.internaldate) for mail in turn.server.mailboxes[
        turn.session.mailbox_name].messages]
    turn.session.mailbox.put(*reversed(mails))


for_each({
    "gone": refuses("NO [NONEXISTENT] gone", []),
    "denied": refuses("NO [NOPERM] not yours", []),
    "in_use": refuses("NO [INUSE] locked", []),
    "server_bug": refuses("NO [SERVERBUG] oops", []),
    "refused_behind_its_data": refuses("NO changed my mind"),
    "open_for_writing": refuses("OK [READ-WRITE] done"),
    "without_any_data": refuses("OK [READ-ONLY] done", []),
}, "EXAMINE", hits=MAILBOX)
