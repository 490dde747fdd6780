# SPDX-License-Identifier: GPL-3.0-or-later
"""UIDs in listings, and the numbers that bound them."""

import re

from .registry import LISTING, MAILBOX, for_each


def renumbers(make):
    """make(n, uid) gives the UID of the n-th message listed."""
    def act(turn):
        for n, fetch in enumerate(turn.fetches, 1):
            fetch.items["UID"] = make(n, fetch.message.uid)
    return act


for_each({
    "duplicate": renumbers(lambda n, uid: b"%d" % (uid if n != 4 else 3)),
    "all_the_same": renumbers(lambda n, uid: b"5"),
    "decreasing": renumbers(lambda n, uid: b"%d" % (7 - n)),
    "zero": renumbers(lambda n, uid: b"%d" % (uid if n != 3 else 0)),
    "largest": renumbers(lambda n, uid: b"%d" % (uid if n != 6 else 2**32 - 1)),
    "beyond_32_bits": renumbers(lambda n, uid: b"%d" % (uid if n != 3 else 2**32 + 3)),
    "beyond_64_bits": renumbers(lambda n, uid: b"%d" % (uid if n != 3 else 2**64 + 3)),
    "negative": renumbers(lambda n, uid: b"%d" % (uid if n != 3 else -3)),
    "not_a_number": renumbers(lambda n, uid: b"%d" % uid if n != 3 else b"three"),
    "nil": renumbers(lambda n, uid: b"%d" % uid if n != 3 else b"NIL"),
    "with_leading_zeros": renumbers(lambda n, uid: b"%010d" % uid),
    "beyond_uidnext": renumbers(lambda n, uid: b"%d" % (uid + 1000)),
}, LISTING, hits=MAILBOX, renames=True, lasting=True)


def replaces(pattern, replacement):
    def act(turn):
        turn.answer.lines = [re.sub(pattern, replacement, line) for line in turn.answer.lines]
        turn.answer.lines = [line for line in turn.answer.lines if line]
    return act


NUMBERS = {"zero": b"0", "one": b"1", "low": b"3", "high": b"1000", "huge": b"4294967295",
           "beyond_32_bits": b"4294967299", "beyond_64_bits": b"18446744073709551619", "negative": b"-1",
           "no_number": b"x", "nothing": b""}
for_each({f"uidnext_{name}": replaces(rb"UIDNEXT \d+", b"UIDNEXT " + value) for name, value in NUMBERS.items()},
         "EXAMINE", hits=MAILBOX)
for_each({f"exists_{name}": replaces(rb"\d+ EXISTS", value + b" EXISTS") for name, value in NUMBERS.items()},
         "EXAMINE", hits=MAILBOX)
for_each({f"status_messages_{name}": replaces(rb"MESSAGES \d+", b"MESSAGES " + value)
          for name, value in NUMBERS.items()}, "STATUS", hits=MAILBOX)
for_each({f"status_uidnext_{name}": replaces(rb"UIDNEXT \d+", b"UIDNEXT " + value)
          for name, value in NUMBERS.items()}, "STATUS", hits=MAILBOX)
for_each({
    "uidnext_missing": replaces(rb"\* OK \[UIDNEXT.*\r\n", b""),
    "exists_missing": replaces(rb"\* \d+ EXISTS\r\n", b""),
    "exists_twice": lambda turn: turn.answer.lines.extend([b"* 2 EXISTS\r\n", b"* 400 EXISTS\r\n"]),
}, "EXAMINE", hits=MAILBOX)
