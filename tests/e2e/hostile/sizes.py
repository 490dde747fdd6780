# SPDX-License-Identifier: GPL-3.0-or-later
"""RFC822.SIZE that is wrong in the listing (CVE-2021-3657, CVE-2018-14350), and when it is asked for again."""

from .registry import LISTING, MESSAGE, SIZE, for_each, misbehaviour


def tells(make):
    def act(turn):
        turn.victim.items["RFC822.SIZE"] = make(len(turn.victim.message.body))
    return act


LIES = {
    "low": lambda n: b"%d" % (n - 100),
    "low_by_one": lambda n: b"%d" % (n - 1),
    "high": lambda n: b"%d" % (n + 100),
    "high_by_one": lambda n: b"%d" % (n + 1),
    "one": lambda n: b"1",
    "zero": lambda n: b"0",
    "huge": lambda n: b"4294967295",
    "beyond_32_bits": lambda n: b"%d" % (2**32 + n),
    "beyond_63_bits": lambda n: b"%d" % (2**63 + n),
    "all_of_64_bits": lambda n: b"18446744073709551615",
    "beyond_64_bits": lambda n: b"%d" % (2**64 + n),
    "negative": lambda n: b"-1",
    "nil": lambda n: b"NIL",
    "word": lambda n: b"large",
    "quoted": lambda n: b'"%d"' % n,
}
for name, make in LIES.items():
    misbehaviour(LISTING, hits=MESSAGE, name=name)(tells(make))
    misbehaviour(LISTING, hits=MESSAGE, name=f"{name}_of_a_large_one", victim="large")(tells(make))


@misbehaviour(LISTING, hits=MESSAGE)
def twice(turn):
    turn.victim.items["rfc822.size"] = b"77"
