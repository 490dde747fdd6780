# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sits on the line before it is encrypted (CVE-2020-14093, CVE-2021-22946, CVE-2021-22947)."""

from .registry import GREETING, STARTTLS, TLS, misbehaviour


@misbehaviour(GREETING, tls="starttls", unmountable=True)
def preauth_in_clear_text(turn):
    turn.fires()
    turn.send(b"* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n")


@misbehaviour("CAPABILITY", tls="starttls", unmountable=True)
def starttls_stripped(turn):
    turn.answer.lines = [b"* CAPABILITY IMAP4rev1\r\n"]


@misbehaviour(STARTTLS, tls="starttls", unmountable=True)
def starttls_refused(turn):
    turn.fires()
    turn.send(turn.tag + b" NO TLS is out\r\n")


@misbehaviour(STARTTLS, tls="starttls", unmountable=True)
def starttls_bad(turn):
    turn.fires()
    turn.send(turn.tag + b" BAD what?\r\n")


@misbehaviour(STARTTLS, tls="starttls", unmountable=True)
def starttls_unanswered(turn):
    turn.silence()


@misbehaviour(STARTTLS, tls="starttls", unmountable=True)
def starttls_and_no_handshake(turn):
    turn.fires()
    turn.send(turn.tag + b" OK go ahead\r\n")
    turn.silence()


@misbehaviour(STARTTLS, tls="starttls", unmountable=True)
def starttls_and_clear_text(turn):
    turn.fires()
    turn.send(turn.tag + b" OK go ahead\r\n")
    turn.send(b"* CAPABILITY IMAP4rev1\r\nM1 OK done\r\n" * 100)
    turn.silence()


@misbehaviour(STARTTLS, tls="starttls", unmountable=True)
def injected_behind_the_answer(turn):
    turn.fires()
    turn.session.connection.sendall(turn.tag + b" OK go ahead\r\n* PREAUTH injected\r\nM1 OK injected\r\n")
    turn.session.begin_tls()
    turn.is_sent = True


@misbehaviour(TLS, tls="implicit", unmountable=True)
def no_handshake(turn):
    turn.silence()


@misbehaviour(TLS, tls="implicit", unmountable=True)
def dropped_before_the_handshake(turn):
    turn.drop()


@misbehaviour(TLS, tls="implicit", unmountable=True)
def clear_text_instead(turn):
    turn.fires()
    turn.send(b"* OK ready\r\n")
    turn.silence()
