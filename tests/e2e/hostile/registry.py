# SPDX-License-Identifier: GPL-3.0-or-later
"""How a misbehaviour is written:

    @misbehaviour("LIST", hits=ACCOUNT)
    def list_of_nothing(turn):
        turn.answer.lines = []

It is called for each command of that name before the good answer is sent, which it may change, replace or never
send. `hits` says whom it may harm: everybody else must be served as if nothing was wrong."""

from dataclasses import dataclass

ACCOUNT = "account"  # everything may fail
MAILBOX = "mailbox"  # the victim's mailbox may
MESSAGE = "message"  # the victim alone may

GREETING, STARTTLS, TLS = "greeting", "STARTTLS", "TLS"  # moments beside the names of commands
LISTING, BODY, SIZE = "listing", "body", "size"  # kinds of UID FETCH
ANY = "any"  # any command after the login

MISBEHAVIOURS = {}


class NothingToDo(Exception):
    """The misbehaviour found nothing to spoil: it did not fire."""


@dataclass(frozen=True)
class Misbehaviour:
    name: str
    theme: str
    moment: str
    hits: str
    act: object
    victim: str = "small"  # or "large"
    large_octets: int = 1_300_000  # up to 8 MiB are fetched whole when they are read ahead
    undetectable: bool = False  # a lie that nobody can see through at the first read
    renames: bool = False  # what is told of a message is another's: under its name any of the mailbox may be
    lasting: bool = False  # nothing says later that what was told was not so
    capabilities: str = ""  # offered beside those of every server
    tls: str = "none"  # how the mount connects
    traceable: bool = True  # strace can name what is there within reasonable time
    unmountable: bool = False  # the mount may refuse to start, for as long as it lasts


def misbehaviour(moment, hits=ACCOUNT, name=None, **more):
    def register(act):
        theme = act.__module__.rpartition(".")[2]
        full = f"{theme}/{(name or act.__name__).replace('_', '-')}"
        assert full not in MISBEHAVIOURS
        MISBEHAVIOURS[full] = Misbehaviour(full, theme, moment, hits, act, **more)
        return act
    return register


def for_each(table, moment, **more):
    """One misbehaviour for each {name: function of the turn} that the decorated function yields."""
    for name, act in table.items():
        misbehaviour(moment, name=name, **more)(act)
