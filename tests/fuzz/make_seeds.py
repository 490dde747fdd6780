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


def main():
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
