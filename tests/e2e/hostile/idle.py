# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes while nothing was asked."""

from .registry import misbehaviour


def floods(octets, total=8 << 20):
    def act(turn):
        turn.fires()
        block = octets * (65536 // len(octets))
        for _ in range(total // len(block)):
            turn.session.connection.sendall(block)
    return act


misbehaviour("IDLE", name="flood_of_exists")(floods(b"* 6 EXISTS\r\n"))
misbehaviour("IDLE", name="flood_of_growth")(
    lambda turn: (turn.fires(), [turn.session.connection.sendall(b"* %d EXISTS\r\n" % n) for n in range(6, 3000)]))
misbehaviour("IDLE", name="flood_of_expunge")(floods(b"* 1 EXPUNGE\r\n"))
misbehaviour("IDLE", name="flood_of_flags")(floods(b"* 1 FETCH (FLAGS (\\Seen))\r\n"))
misbehaviour("IDLE", name="flood_of_ok")(floods(b"* OK still here\r\n"))
misbehaviour("IDLE", name="dropped")(lambda turn: turn.drop())
misbehaviour("IDLE", name="reset")(lambda turn: turn.reset())
misbehaviour("IDLE", name="silence")(lambda turn: turn.silence())


@misbehaviour("IDLE")
def bye(turn):
    turn.fires()
    turn.send(b"* BYE idle for too long\r\n")
    turn.drop()


@misbehaviour("IDLE")
def ended_by_the_server(turn):
    turn.fires()
    turn.send(turn.tag + b" OK enough\r\n")


@misbehaviour("IDLE")
def second_continuation(turn):
    turn.fires()
    turn.session.connection.sendall(b"+ idling\r\n")


@misbehaviour("IDLE")
def bodies(turn):
    turn.fires()
    turn.session.connection.sendall(b"* 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\n" * 1000)


@misbehaviour("IDLE")
def literal_without_end(turn):
    turn.fires()
    turn.session.connection.sendall(b"* 1 FETCH (UID 1 BODY[] {500000000}\r\nhello")
