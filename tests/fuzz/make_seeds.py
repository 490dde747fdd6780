#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the seeds that come from real servers: what they say in conversations such as mailmount has.

usage: tests/fuzz/make_seeds.py [HOST:PORT:USER:PASSWORD:NAME]...

Without arguments it starts a throwaway Dovecot. Each conversation becomes a file in corpora/imap-session, named after
the server: the letters of the commands (fuzz-imap-session.c says which) and everything the server sent. Headers of its
messages become seeds of the subject's target, and names of its folders of the names' target.
"""

import hashlib
import re
import socket
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
sys.dont_write_bytecode = True

from corpus import Corpus  # noqa: E402
from dovecot import PASSWORD, DovecotServer  # noqa: E402

# Letter: the command, as the session would send it. %u, %p: the user and the password.
COMMANDS = {
    "c": "CAPABILITY", "n": "NOOP", "o": "LOGOUT", "u": "UNSELECT", "N": "NAMESPACE", "z": "COMPRESS DEFLATE",
    "I": 'ID ("name" "mailmount" "version" "1")', "e": "ENABLE QRESYNC UTF8=ACCEPT", "l": 'LOGIN "%u" "%p"',
    "L": 'LIST "" "*" RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))', "B": 'LSUB "" "*"',
    "S": "STATUS %m (MESSAGES UIDNEXT UIDVALIDITY)", "x": "EXAMINE %m (CONDSTORE)",
    "q": "EXAMINE %m (QRESYNC (1 2 1:99))", "h": "UID SEARCH RETURN (ALL) UID 1:99",
    "f": "UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])",
    "b": "UID FETCH 1:9 BODY.PEEK[]", "r": "UID FETCH 1:9 (BODY.PEEK[]<0.16384> BODY.PEEK[]<99.1>)",
    "y": "NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge "
         "MailboxName SubscriptionChange))",
}
# What a mount says, in parts small enough to be mutated.
CONVERSATIONS = ["clo", "lco", "lLo", "lNo", "lIno", "leLo", "lBo", "lSo", "lxfuo", "lexfo", "leqho", "lxbo", "lxro",
                 "lxho", "lyno", "lfo", "xo", "lxfbrho"]
OCTETS_MAX = 6000


# What other servers say, and what few ever do: {name: (letters, what the server sends)}, M1 being the first letter's tag.
GREETING = "* OK [CAPABILITY IMAP4rev1 ENABLE SASL-IR AUTH=PLAIN AUTH=CRAM-MD5] hello\r\n"
DIALECTS = {
    "objectid": ("f", "* 1 FETCH (UID 1 EMAILID (M6d99ac3275bb4e) THREADID (T64b478a75b7ea9) FLAGS (\\Seen Junk))\r\n"
                      "* 2 FETCH (UID 2 EMAILID NIL EMAILID () THREADID NIL)\r\n* 3 FETCH (EMAILID (a b) UID 3)\r\n"
                      "M1 OK done\r\n"),
    "gmail": ("f", "* 1 FETCH (X-GM-MSGID 1278455344230334865 X-GM-THRID 1266894439832287888 X-GM-LABELS "
                   '(\\Inbox \\Sent Important "Muy Importante" {5}\r\nab cd) UID 1)\r\n'
                   "* 2 FETCH (X-GM-LABELS () X-GM-MSGID x UID 2)\r\n* 3 FETCH (X-GM-LABELS NIL UID 3)\r\n"),
    "esearch": ("h", '* ESEARCH (TAG "M1") UID ALL 1:5,9,4294967295\r\n* ESEARCH (TAG "M1") UID COUNT 3 MIN 1 MAX 9\r\n'
                     "* ESEARCH\r\n* SEARCH 1 2 3 (MODSEQ 917162500)\r\n* SEARCH\r\nM1 OK done\r\n"),
    "esearch-odd": ("h", "* ESEARCH (TAG {2}\r\nM1) UID ALL 5:1 X (a (b {1}\r\nc)) MODSEQ 1\r\n* SEARCH 7 7 0\r\n"),
    "vanished": ("eq", "* ENABLED QRESYNC UTF8=ACCEPT\r\nM1 OK\r\n* VANISHED (EARLIER) 41,43:116,118\r\n"
                       "* 3 FETCH (UID 49 FLAGS () MODSEQ (65402))\r\n* VANISHED 1\r\nM2 OK [CLOSED] x\r\n"),
    "vanished-odd": ("x", "* VANISHED (EARLIER)\r\n* VANISHED 1,,2\r\n* VANISHED (X) 1\r\n"),
    "namespace": ("N", '* NAMESPACE (("" "/" "X-PARAM" ("FLAG1" "FLAG2"))("#mh/" "/")) NIL (({5}\r\nOther NIL {1}\r\nx))\r\n'
                       "M1 OK\r\n"),
    "namespace-four": ("N", "* NAMESPACE NIL NIL NIL NIL\r\n"),
    "lsub": ("B", '* LSUB (\\Noselect) "." INBOX.a\r\n* LSUB () NIL {3}\r\na"b\r\nM1 OK\r\n'),
    "list-extended": ("L", '* LIST (\\HasChildren \\Subscribed) "/" "A" ("CHILDINFO" ("SUBSCRIBED") "X" {1}\r\ny)\r\n'
                           '* STATUS "A" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3 HIGHESTMODSEQ 4 MAILBOXID (F2212ea87-6097) X (a))\r\n'
                           "* STATUS A ()\r\n* STATUS A (MESSAGES x)\r\nM1 OK\r\n"),
    "backoff": ("f", "M1 NO [UNAVAILABLE] Request is throttled. Suggested Backoff Time: 299961 milliseconds\r\n"),
    "backoff-seconds": ("f", "M1 BAD Suggested Backoff Time: 12 seconds\r\n* BYE Suggested Backoff Time: x\r\n"),
    "bodies": ("br", '* 1 FETCH (UID 1 BODY[] "quoted \\" body" BODY[HEADER] {2}\r\nab BODY[1.2.TEXT]<7> NIL)\r\n'
                     '* 2 FETCH (BODY[HEADER.FIELDS (SUBJECT)] "" UID 2 BODY[]<0> {3}\r\nabc BODY[]<99> "")\r\n'
                     "* 3 FETCH (UID 3 BODY[] NIL RFC822.SIZE 0)\r\nM1 OK\r\nM2 OK\r\n"),
    "bodies-odd": ("b", "* 1 FETCH (UID 1 BODY[]<x> {2}\r\nab)\r\n"),
    "gnu": ("bx", "* 1 FETCH (UID 1 BODY[])\r\n* 1 FETCH (UID FLAGS)\r\n* 3 EXPUNGED\r\nM1 OK\r\n* 0 EXPUNGE\r\n"),
    "structures": ("f", '* 1 FETCH (UID 1 ENVELOPE ("d" "s" (("a" NIL "b" "c")) NIL NIL NIL NIL NIL NIL "<i>") BODYSTRUCTURE '
                        '(("text" "plain" ("charset" {5}\r\nutf-8) NIL NIL "7bit" 1 1)("a" "b") "mixed") MODSEQ (1) MODSEQ NIL)\r\n'),
    "idle": ("id", "+ idling\r\n* 2 EXISTS\r\n* 1 EXPUNGE\r\nM1 OK\r\n"),
    "idle-submits": ("in", "+ idling\r\n* 2 EXISTS\r\nM1 OK\r\nM2 OK\r\n"),
    "idle-refused": ("in", "M1 NO not now\r\nM2 OK\r\n"),
    "plain": ("p", "M1 NO [AUTHENTICATIONFAILED] no\r\n"),
    "cram": ("mn", "+ PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2U+\r\nM1 OK [CAPABILITY IMAP4rev2] in\r\nM2 OK\r\n"),
    "cram-bad": ("m", "+ *not base64*\r\nM1 BAD cancelled\r\n"),
    "scram": ("s", "+ cj1hYmMscz1RU1hDUitRNnNlazhiZjkyLGk9NDA5Ng==\r\nM1 OK in\r\n"),
    "oauth": ("t", "+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\r\nM1 NO [AUTHENTICATIONFAILED] no\r\n"),
    "literal-login": ("lc", "+ go on\r\n+ go on\r\nM1 OK in\r\n* CAPABILITY IMAP4rev1 LITERAL+ AUTH=X\r\nM2 OK\r\n"),
    "literal-refused": ("lc", "M1 NO [PRIVACYREQUIRED] no\r\nM2 BAD x\r\n"),
    "codes": ("x", "* OK [UIDVALIDITY 3857529045] x\r\n* OK [UIDNEXT 4392] x\r\n* OK [HIGHESTMODSEQ 1] x\r\n"
                   "* OK [NOMODSEQ] x\r\n* NO [UIDNOTSTICKY] x\r\n* OK [UNSEEN 12] x\r\n* OK [PERMANENTFLAGS (\\* a)] x\r\n"
                   "* OK [BADCHARSET ({1}\r\nx)] y\r\n* OK [X-Y z ( \"] w\r\nM1 OK [READ-ONLY] done\r\n"),
    "narrow-nesting": ("f-", "* 1 FETCH (UID 1 BODYSTRUCTURE ((((((((a)))))))))\r\n"),
    "narrow-list": ("f-", "* 1 FETCH (UID 1 X (" + "a " * 40 + "))\r\n"),
    "narrow-flags": ("f-", "* 1 FETCH (UID 1 FLAGS (a b c d e f g h))\r\n"),
    "narrow-labels": ("f-", "* 1 FETCH (UID 1 X-GM-LABELS (a b c d e f g h))\r\n"),
    "narrow-set": ("h-", "* SEARCH 1 3 5 7 9 11 13\r\n* ESEARCH UID ALL 1,3,5,7,9,11\r\n"),
    "narrow-esearch": ("h-", '* ESEARCH (TAG "M1") UID ALL 1,3,5,7,9,11,13\r\n'),
    "narrow-line": ("n-", "* OK " + "x" * 500 + "\r\n"),
    "narrow-atom": ("n-", "* " + "x" * 500 + "\r\n"),
    "narrow-quoted": ("L-", '* LIST () "/" "' + "x" * 100 + '"\r\n'),
    "narrow-long-quoted": ("L-", '* LIST () "/" "' + "x" * 500 + '"\r\n'),
    "narrow-literal": ("L-", '* LIST () "/" {100}\r\n' + "x" * 100 + "\r\n"),
    "narrow-body": ("b-", "* 1 FETCH (UID 1 BODY[] {2000}\r\n" + "x" * 2000 + ")\r\n"),
    "narrow-number": ("n-", "* " + "1" * 500 + " EXISTS\r\n"),
    "narrow-spaces": ("n-", "* 1" + " " * 500 + "EXISTS\r\n"),
    "narrow-capabilities": ("c-", "* CAPABILITY " + "X " * 30 + "\r\nM1 OK\r\n"),
    "narrow-talk": ("-", "* 1 EXISTS\r\n" * 8),
    "narrow-code": ("x-", "* OK [PERMANENTFLAGS (" + "a " * 60 + ")] x\r\n"),
}


class Conversation:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), 20)
        self.socket.settimeout(20)
        self.received = b""
        self.tag = 0
        self._until(rb"\r\n")

    def say(self, command):
        self.tag += 1
        start = len(self.received)
        self.socket.sendall(f"M{self.tag} {command}\r\n".encode())
        self._until(rb"^M%d (OK|NO|BAD)[^\r\n]*\r\n" % self.tag, start)

    def _until(self, pattern, start=0):
        while not re.search(pattern, self.received[start:], re.M):
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError(self.received[-200:])
            self.received += piece

    def close(self):
        self.socket.close()


def talk(host, port, user, password, letters, mailbox):
    conversation = Conversation(host, port)
    try:
        for letter in letters:
            command = COMMANDS[letter].replace("%u", user).replace("%p", password).replace("%m", mailbox)
            conversation.say(command)
    finally:
        conversation.close()
    return conversation.received.replace(user.encode(), b"user")


def keep(target, name, octets):
    directory = HERE / "corpora" / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(octets[:OCTETS_MAX])


def harvest(host, port, user, password, name):
    mailboxes = re.findall(rb'\* LIST [^\r\n]* "?([^"\r\n]+)"?\r\n', talk(host, port, user, password, "lL", "INBOX"))
    for letters in CONVERSATIONS:
        keep("imap-session", f"{name}-{letters}",
             f"{letters}\n".encode() + talk(host, port, user, password, letters, "INBOX"))
    for mailbox in mailboxes:
        keep("names", f"{name}-{hashlib.sha256(mailbox).hexdigest()[:8]}", b"/" + mailbox)
    for found in set(re.findall(rb"\{\d+\}\r\n(Subject:.*?\r\n)\r\n", talk(host, port, user, password, "lxf", "INBOX"),
                                re.S | re.I)):
        keep("subject", f"{name}-{hashlib.sha256(found).hexdigest()[:8]}", found + b"\r\n")


def write_dialects():
    for name, (letters, text) in DIALECTS.items():
        keep("imap-session", f"dialect-{name}", f"{letters}\n{GREETING}{text}".encode())
    keep("imap-session", "dialect-preauth", b"xc\n* PREAUTH [CAPABILITY IMAP4rev2] x\r\nM1 OK\r\n* BYE\r\n")
    keep("imap-session", "dialect-refused", b"c\n* BYE [UNAVAILABLE] too many\r\n")


def main():
    write_dialects()
    for argument in sys.argv[1:]:
        host, port, user, password, name = argument.split(":")
        harvest(host, int(port), user, password, name)
    if len(sys.argv) > 1:
        return
    with DovecotServer({"user": PASSWORD}) as server:
        Corpus(seed=4, large_octets=100_000).standard().write(server.mail_dir("user"))
        server.give_away()
        harvest(server.host, server.imap_port, "user", PASSWORD, "dovecot")


if __name__ == "__main__":
    main()
