# SPDX-License-Identifier: GPL-3.0-or-later
"""More than anybody can hold. Whoever takes it all is stopped after FLOOD_OCTETS, so that a test ends."""

from .registry import ACCOUNT, BODY, LISTING, MAILBOX, MESSAGE, misbehaviour

FLOOD_OCTETS = 600 << 20
BLOCK = 1 << 20


def floods(octets, head=b""):
    block = octets * (BLOCK // len(octets) + 1)

    def act(turn):
        turn.fires()
        turn.send(head)
        turn.flood(block, FLOOD_OCTETS)
    return act


def counts_up(make, head=b"", per_block=4000):
    """Lines that differ by a number."""
    def act(turn):
        turn.fires()
        turn.send(head)
        sent, number = 0, 10
        while sent < FLOOD_OCTETS and not turn.server.closing.is_set():
            block = b"".join(make(n) for n in range(number, number + per_block))
            turn.send(block)
            sent, number = sent + len(block), number + per_block
        turn.drop()
    return act


misbehaviour("EXAMINE", hits=MAILBOX, name="endless_line")(floods(b"x" * 64, b"* OK "))
misbehaviour("EXAMINE", hits=MAILBOX, name="endless_atom")(floods(b"x" * 64, b"* X"))
misbehaviour("EXAMINE", hits=MAILBOX, name="endless_blanks")(floods(b" " * 64, b"*"))
misbehaviour("EXAMINE", hits=MAILBOX, name="endless_quoted_string")(floods(b"x" * 64, b'* LIST () "/" "'))
misbehaviour("EXAMINE", hits=MAILBOX, name="endless_flags")(floods(b"\\Seen ", b"* FLAGS ("))
misbehaviour("EXAMINE", hits=MAILBOX, name="endless_untagged")(floods(b"* OK still here\r\n"))
misbehaviour("EXAMINE", hits=MAILBOX, name="endless_exists")(floods(b"* 7 EXISTS\r\n"))
misbehaviour("EXAMINE", hits=MAILBOX, name="endless_code")(floods(b"x" * 64, b"* OK [UIDNEXT "))
misbehaviour("LIST", hits=ACCOUNT, name="endless_list")(
    counts_up(lambda n: b'* LIST () "/" "folder %d"\r\n' % n))
misbehaviour("LIST", hits=ACCOUNT, name="endless_list_of_long_names")(
    counts_up(lambda n: b'* LIST () "/" "%s%d"\r\n' % (b"name" * 50_000, n), per_block=10))
misbehaviour("LIST", hits=ACCOUNT, name="endless_list_of_deep_names")(
    counts_up(lambda n: b'* LIST () "/" "%d%s"\r\n' % (n, b"/a" * 1500), per_block=500))
misbehaviour("LIST", hits=ACCOUNT, name="endless_list_of_attributes")(floods(b"\\Marked ", b"* LIST ("))
misbehaviour("LSUB", hits=ACCOUNT, name="endless_lsub")(
    counts_up(lambda n: b'* LSUB () "/" "folder %d"\r\n' % n))
misbehaviour("STATUS", hits=ACCOUNT, name="endless_status")(
    counts_up(lambda n: b'* STATUS "folder %d" (MESSAGES 5)\r\n' % n))
misbehaviour("UID SEARCH", hits=MAILBOX, name="endless_search")(
    counts_up(lambda n: b" %d" % (2 * n), b"* SEARCH"))
misbehaviour(LISTING, hits=MAILBOX, name="endless_search_unasked")(
    counts_up(lambda n: b" %d" % (2 * n), b"* SEARCH"))
misbehaviour(LISTING, hits=MAILBOX, name="endless_searches")(floods(b"* SEARCH 1 3 5 7 9\r\n"))
misbehaviour(LISTING, hits=MAILBOX, name="endless_vanished")(
    counts_up(lambda n: b",%d" % (2 * n), b"* VANISHED 1"))
misbehaviour(LISTING, hits=MAILBOX, name="endless_messages")(
    counts_up(lambda n: b"* %d FETCH (UID %d FLAGS () RFC822.SIZE 5)\r\n" % (n, n)))
misbehaviour(LISTING, hits=MAILBOX, name="endless_keywords")(
    counts_up(lambda n: b"* 1 FETCH (UID %d FLAGS (%s) RFC822.SIZE 5)\r\n" % (n, b" ".join(
        b"k%d.%d" % (n, i) + b"x" * 200 for i in range(300))), per_block=20))
misbehaviour(LISTING, hits=MAILBOX, name="endless_subject")(floods(
    b"x" * 64, b"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {500000000}\r\nSubject: "))
misbehaviour(LISTING, hits=MAILBOX, name="endless_items")(floods(b"X-ITEM 5 ", b"* 1 FETCH (UID 1 "))
misbehaviour(LISTING, hits=MAILBOX, name="endless_expunge")(floods(b"* 1 EXPUNGE\r\n"))
misbehaviour(BODY, hits=MESSAGE, name="endless_literal")(
    lambda turn: (turn.before_victim(), floods(b"x" * 64, b"* 3 FETCH (UID 3 BODY[] {4294967296}\r\n")(turn)))
misbehaviour(BODY, hits=MESSAGE, name="endless_literal_before_its_uid")(
    lambda turn: (turn.before_victim(), floods(b"x" * 64, b"* 3 FETCH (BODY[] {4294967296}\r\n")(turn)))
misbehaviour(BODY, hits=MESSAGE, name="endless_quoted_body")(
    lambda turn: (turn.before_victim(), floods(b"x" * 64, b'* 3 FETCH (UID 3 BODY[] "')(turn)))
# So many small lines that the connection is kept for long.
misbehaviour(BODY, hits=MAILBOX, name="endless_bodies")(
    lambda turn: (turn.before_victim(), floods(b"* 3 FETCH (UID 9 BODY[] {3}\r\nabc)\r\n")(turn)))
misbehaviour(BODY, hits=MESSAGE, name="endless_continuations")(
    lambda turn: (turn.before_victim(), floods(b"+ go on\r\n")(turn)))
