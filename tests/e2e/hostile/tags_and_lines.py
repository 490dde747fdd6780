# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that are none, and answers to what was not asked."""

from .registry import BODY, LISTING, MAILBOX, MESSAGE, for_each


def tagged_as(make_tag):
    def act(turn):
        turn.fires()
        turn.send(b"".join(map(bytes, turn.answer.lines)) + make_tag(turn) + b" OK done\r\n")
    return act


def with_line(line, place=0):
    def act(turn):
        turn.answer.lines.insert(place, line)
    return act


def line_ends(replacement):
    """Of this response only, where no literal holds any."""
    def act(turn):
        turn.fires()
        lines = b"".join(map(bytes, turn.answer.lines)) + turn.tag + b" OK done\r\n"
        turn.send(lines.replace(b"\r\n", replacement))
        if replacement == b"":
            turn.silence()
    return act


for_each({
    "wrong_tag": tagged_as(lambda turn: b"M999999"),
    "foreign_tag": tagged_as(lambda turn: b"A1"),
    "tag_without_number": tagged_as(lambda turn: b"M"),
    "huge_tag": tagged_as(lambda turn: b"M99999999999999999999"),
    "lower_case_tag": tagged_as(lambda turn: turn.tag.lower()),
    "double_tag": tagged_as(lambda turn: turn.tag + b" OK done\r\n" + turn.tag),
    "early_tag": lambda turn: turn.answer.lines.insert(0, turn.tag + b" OK done\r\n"),
    "unasked_continuation": with_line(b"+ go on\r\n"),
    "empty_line": with_line(b"\r\n"),
    "star_alone": with_line(b"*\r\n"),
    "no_star": with_line(b"OK hello\r\n"),
    "unknown_response": with_line(b"* XYZZY (a {3}\r\n)))) \"(\" ((())))\r\n"),
    "number_alone": with_line(b"* 12\r\n"),
    "huge_number": with_line(b"* 99999999999999999999999 EXISTS\r\n"),
    "negative_number": with_line(b"* -5 EXISTS\r\n"),
    "nul_in_line": with_line(b"* OK a\0b\r\n"),
    "controls_in_line": with_line(b"* OK \x01\x02\x1b[31m\x7f\xff\xfe\r\n"),
    "second_greeting": with_line(b"* PREAUTH hello\r\n"),
    "bare_cr": with_line(b"* OK a\rb\r\n* 3 EXP\rUNGE\r\n"),
    "nesting_without_end": with_line(b"* XNEST " + b"(" * 200_000 + b"\r\n"),
    "nesting_in_fetch": with_line(b"* 1 FETCH (UID 1 BODYSTRUCTURE " + b"(" * 200_000 + b"\r\n"),
    "many_untagged": with_line(b"* OK still here\r\n" * 50_000),
    "two_line_ends": line_ends(b"\r\r\n"),
}, LISTING, hits=MAILBOX)

for_each({
    "bare_lf": line_ends(b"\n"),
    "cr_alone": line_ends(b"\r"),
    "no_line_end": line_ends(b""),
}, "EXAMINE", hits=MAILBOX)

for_each({
    "wrong_tag_at_body": tagged_as(lambda turn: b"M999999"),
    "double_tag_at_body": tagged_as(lambda turn: turn.tag + b" OK done\r\n" + turn.tag),
    "unasked_continuation_at_body": with_line(b"+ go on\r\n"),
    "no_line_end_behind_body": lambda turn: turn.send(turn.before_victim()[:-2] + turn.tag + b" OK done\r\n"),
    "no_parenthesis_behind_body": lambda turn: turn.send(turn.before_victim()[:-3] + b"\r\n" + turn.tag
                                                         + b" OK done\r\n"),
    "line_end_before_body": lambda turn: turn.send(turn.before_victim().replace(b" BODY[]", b"\r\n BODY[]")
                                                   + turn.tag + b" OK done\r\n"),
}, BODY, hits=MESSAGE)
