# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way of not answering, at every moment."""

from .registry import ACCOUNT, BODY, LISTING, MAILBOX, MESSAGE, misbehaviour

MOMENTS = {"list": ("LIST", ACCOUNT), "lsub": ("LSUB", ACCOUNT), "status": ("STATUS", ACCOUNT),
           "examine": ("EXAMINE", MAILBOX), "listing": (LISTING, MAILBOX), "body": (BODY, MESSAGE)}


def refuses(status):
    def act(turn):
        turn.answer.lines, turn.answer.status = [], status
    return act


def half_and(end):
    """The first half of the answer, then the end."""
    def act(turn):
        turn.fires()
        octets = b"".join(map(bytes, turn.answer.lines))
        turn.send(octets[:len(octets) // 2])
        getattr(turn, end)()
    return act


def bye(turn):
    turn.fires()
    turn.send(b"* BYE enough\r\n")
    turn.drop()


WAYS = {
    "bye": bye,
    "drop": lambda turn: turn.drop(),
    "reset": lambda turn: turn.reset(),
    "silence": lambda turn: turn.silence(),
    "no": refuses("NO no"),
    "bad": refuses("BAD what?"),
    "limit": refuses("NO [LIMIT] slow down"),
    "unavailable": refuses("NO [UNAVAILABLE] not now"),
    "half_and_drop": half_and("drop"),
    "half_and_silence": half_and("silence"),
}

for moment, (command, hits) in MOMENTS.items():
    for way, act in WAYS.items():
        misbehaviour(command, hits=hits, name=f"{way}_at_{moment}")(act)


@misbehaviour("LOGOUT")
def silence_at_logout(turn):
    turn.silence()
