# SPDX-License-Identifier: GPL-3.0-or-later
"""Other octets than the message's."""

import itertools

from scripted_imap import literal

from .registry import BODY, MESSAGE, for_each, misbehaviour


def becomes(make):
    def act(turn):
        turn.body = make(turn.body)
    return act


for_each({
    "nil": becomes(lambda body: b"NIL"),
    "empty_string": becomes(lambda body: b'""'),
    "empty_literal": becomes(lambda body: literal(b"")),
    "without_value": becomes(lambda body: b""),
    "another_text": becomes(lambda body: literal(b"Subject: no\r\n\r\nThe message is not available.\r\n")),
    "half": becomes(lambda body: literal(body[:len(body) // 2])),
    "without_its_last_octet": becomes(lambda body: literal(body[:-1])),
    "with_one_octet_more": becomes(lambda body: literal(body + b"!")),
    "twice_as_long": becomes(lambda body: literal(body + body)),
    "quoted": becomes(lambda body: b'"short and quoted"'),
    "quoted_with_line_end": becomes(lambda body: b'"' + body[:100] + b'"'),
    "list": becomes(lambda body: b'("TEXT" "PLAIN" NIL)'),
    "atom": becomes(lambda body: b"BODY"),
    "number": becomes(lambda body: b"12345"),
}, BODY, hits=MESSAGE)

# As long as the message, and the first that ever came of it.
for_each({
    "another_text_of_the_same_size": becomes(lambda body: literal(b"x" * len(body))),
    "nul_in_it": becomes(lambda body: literal(body.replace(b"a", b"\0"))),
}, BODY, hits=MESSAGE, undetectable=True)


@misbehaviour(BODY, hits=MESSAGE)
def changing(turn):
    turns = turn.state.setdefault("turns", itertools.count())
    turn.body = literal(turn.body + b"%05d" % next(turns))


@misbehaviour(BODY, hits=MESSAGE)
def changing_in_size(turn):
    turns = turn.state.setdefault("turns", itertools.count(1))
    turn.body = literal(turn.body + b"!" * next(turns))
