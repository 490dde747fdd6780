# SPDX-License-Identifier: GPL-3.0-or-later
"""FETCH responses about something else, in pieces, or not at all."""

from scripted_imap import Fetch, literal

from .registry import BODY, LISTING, MAILBOX, MESSAGE, for_each, misbehaviour


@misbehaviour(BODY, hits=MESSAGE)
def missing(turn):
    turn.answer.lines.remove(turn.victim)


@misbehaviour(BODY, hits=MESSAGE)
def missing_and_no(turn):
    turn.answer.lines.remove(turn.victim)
    turn.answer.status = "NO some of them are not there"


@misbehaviour(BODY, hits=MESSAGE)
def expunge_issued(turn):
    turn.answer.lines.remove(turn.victim)
    turn.answer.status = "NO [EXPUNGEISSUED] gone"


@misbehaviour(BODY, hits=MESSAGE)
def of_another_uid(turn):
    turn.victim.items["UID"] = b"777"


@misbehaviour(BODY, hits=MESSAGE)
def of_a_neighbours_uid(turn):
    turn.victim.items["UID"] = b"4"


@misbehaviour(BODY, hits=MESSAGE)
def of_a_neighbours_number(turn):
    turn.victim.number += 1


@misbehaviour(BODY, hits=MESSAGE)
def number_zero(turn):
    turn.victim.number = 0


@misbehaviour(BODY, hits=MESSAGE)
def number_beyond_32_bits(turn):
    turn.victim.number = 2**32 + 3


@misbehaviour(BODY, hits=MESSAGE)
def without_uid(turn):
    del turn.victim.items["UID"]


@misbehaviour(BODY, hits=MESSAGE)
def uid_behind_the_body(turn):
    uid = turn.victim.items.pop("UID")
    turn.victim.items["UID"] = uid


@misbehaviour(BODY, hits=MESSAGE)
def two_uids(turn):
    turn.victim.items["uid"] = b"4"


@misbehaviour(BODY, hits=MESSAGE)
def twice(turn):
    turn.answer.lines.append(turn.victim)


@misbehaviour(BODY, hits=MESSAGE)
def twice_with_another_text(turn):
    victim = turn.victim
    turn.answer.lines.append(Fetch(victim.number, victim.message, {
        **victim.items, turn.body_name: literal(b"y" * len(turn.body))}))


@misbehaviour(BODY, hits=MESSAGE)
def two_bodies_in_one(turn):
    turn.victim.items[turn.body_name.lower()] = literal(b"z" * len(turn.body))


@misbehaviour(BODY, hits=MESSAGE)
def of_an_unknown_message(turn):
    turn.answer.lines.insert(0, Fetch(9999, turn.victim.message, {"UID": b"9999", "BODY[]": literal(b"who am I?")}))


@misbehaviour(BODY, hits=MESSAGE)
def another_messages_body_first(turn):
    turn.answer.lines.insert(0, Fetch(turn.victim.number, turn.victim.message, {
        "BODY[]": literal(b"x" * 100), "FLAGS": b"()"}))


@misbehaviour(BODY, hits=MESSAGE)
def split(turn):
    victim, name = turn.victim, turn.body_name
    place = turn.answer.lines.index(victim)
    rest = Fetch(victim.number, victim.message, {"UID": victim.items["UID"], name: victim.items.pop(name)})
    turn.answer.lines.insert(place + 1, rest)


@misbehaviour(BODY, hits=MESSAGE)
def split_without_uid(turn):
    victim, name = turn.victim, turn.body_name
    place = turn.answer.lines.index(victim)
    turn.answer.lines.insert(place + 1, Fetch(victim.number, victim.message, {name: victim.items.pop(name)}))


@misbehaviour(BODY, hits=MESSAGE)
def noise_between(turn):
    noise = b"* OK [ALERT] noise\r\n* 6 EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen x)\r\n* XNOISE (1 (2 {3}\r\nabc))\r\n"
    turn.answer.lines = [part for line in turn.answer.lines for part in (noise, line)] + [noise]


@misbehaviour(BODY, hits=MESSAGE)
def reordered(turn):
    turn.answer.lines.reverse()


@misbehaviour(BODY, hits=MESSAGE)
def items_reordered(turn):
    turn.victim.items = dict(reversed(turn.victim.items.items()))


@misbehaviour(BODY, hits=MESSAGE)
def unasked_items(turn):
    turn.victim.items = {"X-ODD": b'(1 ("a" {3}\r\nabc) NIL)', "ENVELOPE": b"(NIL NIL)", **turn.victim.items,
                         "BODY[TEXT]": literal(b"text"), "BODY[1.MIME]": b"NIL"}


@misbehaviour(BODY, hits=MESSAGE)
def another_section(turn):
    name = turn.body_name
    turn.victim.items["BODY[TEXT]"] = turn.victim.items.pop(name)


@misbehaviour(BODY, hits=MESSAGE)
def section_without_end(turn):
    name = turn.body_name
    turn.victim.items["BODY["] = turn.victim.items.pop(name)


@misbehaviour(BODY, hits=MESSAGE)
def no_list(turn):
    turn.answer.lines[turn.answer.lines.index(turn.victim)] = b"* 3 FETCH UID 3 BODY[] NIL\r\n"


for_each({
    "listing_missing_one": lambda turn: turn.answer.lines.remove(turn.victim),
    "listing_of_nothing": lambda turn: turn.answer.lines.clear(),
    "listing_twice": lambda turn: turn.answer.lines.extend(turn.answer.lines[:]),
    "listing_reversed": lambda turn: turn.answer.lines.reverse(),
    "listing_split": lambda turn: turn.answer.lines.extend(
        Fetch(f.number, f.message, {"UID": f.items["UID"], "RFC822.SIZE": f.items.pop("RFC822.SIZE")})
        for f in turn.fetches),
    "listing_with_bodies": lambda turn: turn.victim.items.update({"BODY[]": literal(b"unasked")}),
    "listing_without_sizes": lambda turn: [f.items.pop("RFC822.SIZE") for f in turn.fetches],
    "listing_without_uids": lambda turn: [f.items.pop("UID") for f in turn.fetches],
    "listing_without_values": lambda turn: turn.victim.items.update({"RFC822.SIZE": b"", "INTERNALDATE": b""}),
    "listing_with_more": lambda turn: turn.answer.lines.extend(
        b"* %d FETCH (UID %d FLAGS () RFC822.SIZE 5)\r\n" % (n, n) for n in range(100, 130)),
    "subject_is_nil": lambda turn: turn.victim.items.update({"BODY[HEADER.FIELDS (SUBJECT)]": b"NIL"}),
    "subject_is_binary": lambda turn: turn.victim.items.update(
        {"BODY[HEADER.FIELDS (SUBJECT)]": literal(b"Subject: " + bytes(range(256)) + b"\r\n\r\n")}),
    "subject_is_long": lambda turn: turn.victim.items.update(
        {"BODY[HEADER.FIELDS (SUBJECT)]": literal(b"Subject: " + b"=?utf-8?q?=C3=A4?= " * 30_000 + b"\r\n\r\n")}),
}, LISTING, hits=MAILBOX)
