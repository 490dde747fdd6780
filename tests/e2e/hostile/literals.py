# SPDX-License-Identifier: GPL-3.0-or-later
"""Octets announced and octets sent."""

import time

from .registry import BODY, MESSAGE, for_each, misbehaviour


def announces(head, with_body=True, then=None):
    """The victim's body with this instead of {N}, a function of its length."""
    def act(turn):
        body = turn.body
        turn.body = head(len(body)) + b"\r\n" + (body if with_body else b"")
        octets = turn.before_victim()
        if then is None:
            turn.send(octets + turn.tag + b" OK done\r\n")
        else:
            turn.send(octets[:-3] if not with_body else octets)
            getattr(turn, then)()
    return act


def cut_by(end, missing=1):
    def act(turn):
        octets = turn.before_victim()
        turn.send(octets[:-3 - missing])
        getattr(turn, end)()
    return act


for_each({
    "too_long_by_one": announces(lambda n: b"{%d}" % (n + 1)),
    "too_long": announces(lambda n: b"{%d}" % (n + 1000)),
    "too_short_by_one": announces(lambda n: b"{%d}" % (n - 1)),
    "too_short": announces(lambda n: b"{%d}" % (n // 2)),
    "four_gib_announced": announces(lambda n: b"{4294967296}"),
    "more_than_four_gib_announced": announces(lambda n: b"{4294967297}"),
    "one_octet_beyond_32_bits": announces(lambda n: b"{%d}" % (2**32 + n)),
    "all_of_64_bits": announces(lambda n: b"{18446744073709551615}"),
    "beyond_64_bits": announces(lambda n: b"{18446744073709551616}"),
    "one_round_beyond_64_bits": announces(lambda n: b"{%d}" % (2**64 + n)),
    "thousand_digits": announces(lambda n: b"{" + b"9" * 1000 + b"}"),
    "negative": announces(lambda n: b"{-1}"),
    "not_a_number": announces(lambda n: b"{abc}"),
    "empty_number": announces(lambda n: b"{}"),
    "hexadecimal": announces(lambda n: b"{0x%x}" % n),
    "brace_without_end": announces(lambda n: b"{%d" % n),
    "blank_behind_the_brace": announces(lambda n: b"{%d} " % n),
    "leading_zeros": announces(lambda n: b"{%018d}" % n),
    "non_synchronising": announces(lambda n: b"{%d+}" % n),
    "literal8": announces(lambda n: b"~{%d}" % n),
    "zero": announces(lambda n: b"{0}", with_body=False),
    "zero_and_the_body": announces(lambda n: b"{0}"),
    "cut": cut_by("drop"),
    "cut_at_half": cut_by("drop", 1500),
    "cut_by_reset": cut_by("reset", 700),
    "stalled": cut_by("silence"),
    "stalled_at_its_beginning": announces(lambda n: b"{%d}" % n, False, "silence"),
}, BODY, hits=MESSAGE)


@misbehaviour(BODY, hits=MESSAGE)
def octet_by_octet(turn):
    octets = turn.before_victim() + turn.tag + b" OK done\r\n"
    for n in range(len(octets)):
        turn.send(octets[n:n + 1])
        if n % 100 == 0:
            time.sleep(0.002)


@misbehaviour(BODY, hits=MESSAGE)
def an_octet_now_and_then(turn):
    octets = turn.before_victim()
    for n in range(len(octets)):
        turn.send(octets[n:n + 1])
        if turn.server.closing.wait(0.4):
            break
    turn.drop()


@misbehaviour(BODY, hits=MESSAGE, victim="large")
def an_octet_now_and_then_of_a_large_one(turn):
    an_octet_now_and_then(turn)


@misbehaviour(BODY, hits=MESSAGE, victim="large")
def large_cut(turn):
    cut_by("drop", 5000)(turn)


@misbehaviour(BODY, hits=MESSAGE, victim="large")
def large_stalled(turn):
    cut_by("silence", 5000)(turn)
