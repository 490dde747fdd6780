# SPDX-License-Identifier: GPL-3.0-or-later
"""An IMAP server that behaves well but for one named misbehaviour, which is armed and disarmed.

server.py has the server, registry.py how a misbehaviour is written, and the other files have them by theme. To try
one by hand: python3 -m hostile NAME [TIMES], in tests/e2e, and mount what it prints."""

from . import (bodies, dates_flags, drops, expunge, fetch_answers, floods, greeting, idle, lists, literals, login,
               partials, sizes, tags_and_lines, tls, uids, uidvalidity)
from .registry import MISBEHAVIOURS
from .server import HostileServer

__all__ = ["MISBEHAVIOURS", "HostileServer"]
