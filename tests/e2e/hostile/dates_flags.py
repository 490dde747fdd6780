# SPDX-License-Identifier: GPL-3.0-or-later
"""INTERNALDATE and FLAGS."""

from scripted_imap import literal

from .registry import LISTING, MAILBOX, MESSAGE, for_each


def tells(name, value):
    def act(turn):
        turn.victim.items[name] = value
    return act


DATES = {"of_nothing": b'""', "in_year_zero": b'" 1-Jan-0000 00:00:00 +0000"',
         "in_year_9999": b'"31-Dec-9999 23:59:59 +1400"', "before_1970": b'" 1-Jan-1901 00:00:00 +0000"',
         "of_no_day": b'"31-Feb-2020 25:61:61 +9999"', "in_words": b'"yesterday"', "long": b'"' + b"9" * 100_000 + b'"',
         "nil": b"NIL", "a_number": b"1234567890", "a_literal": literal(b"17-Jul-1996 02:44:25 -0700"),
         "binary": b'"\xff\xfe\x01"', "of_another_form": b'"Mon, 17 Jul 1996 02:44:25 -0700"'}
for_each({f"date_{name}": tells("INTERNALDATE", value) for name, value in DATES.items()}, LISTING, hits=MESSAGE)

FLAGS = {"long": b"(" + b"k" * 200_000 + b")", "too_long": b"(" + b"k" * 300_000 + b")",
         "thousands": b"(" + b" ".join(b"k%d" % n for n in range(5000)) + b")",
         "a_thousand": b"(" + b" ".join(b"k%d" % n for n in range(1000)) + b")",
         "odd": b"(\\Seen \\ \\\\ \\* [] {} % k\xc3\xa4 ~x)", "nil": b"NIL", "quoted": b'("\\\\Seen" "a b")',
         "nested": b"(\\Seen (a b))", "without_end": b"(\\Seen", "no_list": b"\\Seen", "empty_names": b"(  )",
         "with_escapes": b"(\x1b[31mred)", "twice": b"(\\Seen) FLAGS (\\Deleted)"}
for_each({f"flags_{name}": tells("FLAGS", value) for name, value in FLAGS.items()}, LISTING, hits=MAILBOX)
