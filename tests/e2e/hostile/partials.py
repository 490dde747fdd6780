# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranges of a message that is fetched by ranges."""

import re

from scripted_imap import literal

from .registry import BODY, MESSAGE, NothingToDo, misbehaviour


def each_partial(turn, change):
    """change(origin, octets) gives (name, value) for each partial of the victim."""
    items, found = {}, False
    for name, value in turn.victim.items.items():
        origin = re.fullmatch(r"BODY\[\]<(\d+)>", name)
        if origin:
            name, value = change(int(origin[1]), value.partition(b"}\r\n")[2])
            found = True
        items[name] = value
    if not found:
        raise NothingToDo
    turn.victim.items = items


def partial(name, change, **more):
    misbehaviour(BODY, hits=MESSAGE, victim="large", large_octets=9_000_000, name=name, **more)(lambda turn: each_partial(turn, lambda o, b:
                                                                        change(o, b, turn)))


partial("ignored", lambda origin, octets, turn: ("BODY[]", literal(turn.victim.message.body)))
partial("whole_under_its_origin",
        lambda origin, octets, turn: (f"BODY[]<{origin}>", literal(turn.victim.message.body)))
partial("wrong_origin", lambda origin, octets, turn: (f"BODY[]<{origin + 1}>", literal(octets)))
partial("origin_zero", lambda origin, octets, turn: ("BODY[]<0>", literal(octets)))
partial("origin_beyond_64_bits", lambda origin, octets, turn: (f"BODY[]<{2**64 + origin}>", literal(octets)))
partial("origin_negative", lambda origin, octets, turn: ("BODY[]<-1>", literal(octets)))
partial("origin_without_number", lambda origin, octets, turn: ("BODY[]<>", literal(octets)))
partial("origin_with_length",
        lambda origin, octets, turn: (f"BODY[]<{origin}.{len(octets)}>", literal(octets)))
partial("short", lambda origin, octets, turn: (f"BODY[]<{origin}>", literal(octets[:-1])))
partial("empty", lambda origin, octets, turn: (f"BODY[]<{origin}>", literal(b"")))
partial("nil", lambda origin, octets, turn: (f"BODY[]<{origin}>", b"NIL"))
partial("long", lambda origin, octets, turn: (f"BODY[]<{origin}>", literal(octets + b"!")))
partial("shifted_by_one", lambda origin, octets, turn: (
    f"BODY[]<{origin}>", literal(turn.victim.message.body[origin + 1:origin + 1 + len(octets)])))
partial("from_the_beginning", lambda origin, octets, turn: (
    f"BODY[]<{origin}>", literal(turn.victim.message.body[:len(octets)])), undetectable=True)
partial("unmentioned", lambda origin, octets, turn: ("X-NOTHING", b"NIL"))
