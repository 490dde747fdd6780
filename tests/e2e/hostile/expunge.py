# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that leave at bad times, or that never were."""

from .registry import BODY, LISTING, MAILBOX, MESSAGE, for_each


def with_lines(*lines, at_end=False):
    def act(turn):
        place = len(turn.answer.lines) if at_end else 0
        turn.answer.lines[place:place] = lines
    return act


SHAPES = {
    "of_one": with_lines(b"* 1 EXPUNGE\r\n"),
    "of_one_at_the_end": with_lines(b"* 1 EXPUNGE\r\n", at_end=True),
    "of_all": with_lines(*[b"* 1 EXPUNGE\r\n"] * 6),
    "of_more_than_there_are": with_lines(*[b"* 1 EXPUNGE\r\n"] * 600),
    "of_number_zero": with_lines(b"* 0 EXPUNGE\r\n"),
    "of_a_huge_number": with_lines(b"* 4294967295 EXPUNGE\r\n"),
    "beyond_32_bits": with_lines(b"* 4294967297 EXPUNGE\r\n"),
    "vanished": with_lines(b"* VANISHED 1:4294967295\r\n"),
    "vanished_earlier": with_lines(b"* VANISHED (EARLIER) 1:3,5\r\n"),
    "vanished_nonsense": with_lines(b"* VANISHED 5:x\r\n"),
    "vanished_zero": with_lines(b"* VANISHED 0:3\r\n"),
    "and_exists": with_lines(b"* 3 EXPUNGE\r\n", b"* 0 EXISTS\r\n", b"* 6 EXISTS\r\n"),
}
for_each({f"{name}_while_listing": act for name, act in SHAPES.items()}, LISTING, hits=MAILBOX)
for_each({f"{name}_while_fetching": act for name, act in SHAPES.items()}, BODY, hits=MESSAGE)
for_each({f"{name}_while_opening": act for name, act in SHAPES.items()}, "EXAMINE", hits=MAILBOX)
