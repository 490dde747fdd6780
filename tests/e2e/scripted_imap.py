# SPDX-License-Identifier: GPL-3.0-or-later
"""An IMAP server in memory that may do what a good server never does: forget UIDVALIDITY, or keep it over a restart
with other messages. Without extensions, unless it is to be one like Gmail (X-GM-EXT-1). Clear text on loopback; any name and password are right."""

import contextlib
import re
import socket
import threading
import time
from dataclasses import dataclass, field, replace


@dataclass
class Message:
    body: bytes
    internaldate: int = 1_600_000_000
    uid: int = 0
    flags: str = ""
    gmail_id: int = None
    labels: tuple = ()

    def copy(self):
        """The same message, for another mailbox."""
        return replace(self)


@dataclass
class Mailbox:
    uidvalidity: int = 1  # None: it is not told
    not_sticky: bool = False
    new_each_time: bool = False  # another UIDVALIDITY each time it is opened
    messages: list = field(default_factory=list)
    uidnext: int = 1

    def put(self, *messages):
        """These messages and no others, with UIDs from 1 on, as after a restart of a server in memory."""
        self.messages = list(messages)
        for uid, message in enumerate(self.messages, 1):
            message.uid = uid
        self.uidnext = len(self.messages) + 1

    def append(self, message):
        message.uid, self.uidnext = self.uidnext, self.uidnext + 1
        self.messages.append(message)


def message(name, size, message_id=None, internaldate=1_600_000_000):
    """A message with its name as subject, all over its text, of this size."""
    head = f"Subject: {name}\r\n" + (f"Message-ID: <{message_id}>\r\n" if message_id else "") + "\r\n"
    filling = (f"{name} {message_id} " * size)[:size - len(head) - 2]
    return Message((head + filling + "\r\n").encode(), internaldate)


@dataclass
class Command:
    tag: str
    line: str  # without the tag
    name: str  # "UID FETCH" is one
    arguments: str


@dataclass
class Fetch:
    """One FETCH response; its items may be changed before it is sent."""
    number: int
    message: Message
    items: dict  # {name: octets}, in the order of sending

    def __bytes__(self):
        items = b" ".join(name.encode() + b" " + value for name, value in self.items.items())
        return f"* {self.number} FETCH (".encode() + items + b")\r\n"


@dataclass
class Answer:
    lines: list = field(default_factory=list)  # of octets or Fetch
    status: str = "OK done"


def literal(octets):
    return f"{{{len(octets)}}}\r\n".encode() + octets


class ScriptedImap:
    session_class = None  # Session

    def __init__(self, capabilities=""):
        self.lock = threading.RLock()
        self.capabilities = capabilities
        self.mailboxes = {"INBOX": Mailbox()}
        self.log = []  # lines without their tags
        self._connections = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.imap_port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def inbox(self):
        return self.mailboxes["INBOX"]

    def body_fetches(self):
        with self.lock:
            return [line for line in self.log if "BODY.PEEK[]" in line]

    def clear(self):
        with self.lock:
            self.log.clear()

    def restart(self, *messages):
        """Every session ends, and then there are these messages."""
        with self.lock:
            self.inbox.put(*messages)
            for connection in list(self._connections):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._listener.close()
        self.restart()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self.lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError, ConnectionError), connection, connection.makefile("rb") as lines:
            (self.session_class or Session)(self, connection, lines).run()
        with self.lock:
            self._connections.discard(connection)


class Session:
    def __init__(self, server, connection, lines):
        self.server, self.connection, self.lines, self.mailbox, self.mailbox_name = server, connection, lines, None, None

    def run(self):
        self.greet()
        while command := self.read_command():
            with self.server.lock:
                self.server.log.append(command.line)
                answer = self.answer(command)
            self.send(command, answer)
            if command.name == "LOGOUT":
                return

    def greet(self):
        self.connection.sendall(b"* OK ready\r\n")

    def answer(self, command):
        handler = getattr(self, "do_" + command.name.lower().replace(" ", "_"), None)
        return handler(command.arguments) if handler else Answer(status="BAD what?")

    def send(self, command, answer):
        self.connection.sendall(b"".join(map(bytes, answer.lines)) + f"{command.tag} {answer.status}\r\n".encode())

    def read_command(self):
        """None at the end of the connection."""
        tag, _, rest = self._read().partition(" ")
        name, _, arguments = rest.partition(" ")
        name = name.upper()
        if name == "UID":
            verb, _, arguments = arguments.partition(" ")
            name = f"UID {verb.upper()}"
        return Command(tag, rest, name, arguments) if tag else None

    def _read(self):
        """A command, its literals in quotes."""
        text = ""
        while True:
            line = self.lines.readline()
            if not line.endswith(b"\r\n"):
                return ""
            text += line[:-2].decode()
            announced = re.search(r"\{(\d+)\}$", text)
            if not announced:
                return text
            self.connection.sendall(b"+ go on\r\n")
            text = text[:announced.start()] + '"' + self.lines.read(int(announced[1])).decode() + '"'

    def do_capability(self, _):
        capabilities = f"IMAP4rev1 {self.server.capabilities}".rstrip()
        return Answer([f"* CAPABILITY {capabilities}\r\n".encode()])

    def do_login(self, _):
        return Answer(status="OK welcome")

    def do_noop(self, _):
        return Answer()

    def do_logout(self, _):
        return Answer([b"* BYE\r\n"], "OK bye")

    def do_list(self, _):
        return Answer([f'* LIST () "/" "{name}"\r\n'.encode() for name in self.server.mailboxes])

    def do_lsub(self, _):
        return Answer([f'* LSUB () "/" "{name}"\r\n'.encode() for name in self.server.mailboxes])

    def _find(self, arguments):
        name = re.match(r'"([^"]+)"|([^" ]+)', arguments)
        name = name[1] or name[2]
        name = name.upper() if name.upper() == "INBOX" else name
        return name, self.server.mailboxes.get(name)

    def do_status(self, arguments):
        name, mailbox = self._find(arguments)
        if mailbox is None:
            return Answer(status="NO there is none")
        items = {"MESSAGES": len(mailbox.messages), "UIDNEXT": mailbox.uidnext}
        if mailbox.uidvalidity is not None:
            items["UIDVALIDITY"] = mailbox.uidvalidity
        asked = re.search(r"\((.*)\)", arguments)[1].split()
        text = " ".join(f"{item} {items[item]}" for item in asked if item in items)
        return Answer([f'* STATUS "{name}" ({text})\r\n'.encode()])

    def do_examine(self, arguments):
        self.mailbox_name, self.mailbox = self._find(arguments)
        if self.mailbox is None:
            return Answer(status="NO there is none")
        if self.mailbox.new_each_time:
            self.mailbox.uidvalidity += 1
        lines = [f"{len(self.mailbox.messages)} EXISTS", "0 RECENT", r"FLAGS (\Seen)",
                 f"OK [UIDNEXT {self.mailbox.uidnext}] next"]
        if self.mailbox.uidvalidity is not None:
            lines.append(f"OK [UIDVALIDITY {self.mailbox.uidvalidity}] valid")
        if self.mailbox.not_sticky:
            lines.append("NO [UIDNOTSTICKY] not for long")
        return Answer([f"* {line}\r\n".encode() for line in lines], "OK [READ-ONLY] done")

    def _chosen(self, uid_set):
        highest = self.mailbox.messages[-1].uid if self.mailbox.messages else 0
        chosen = set()
        for part in uid_set.split(","):
            first, _, last = part.partition(":")
            ends = [highest if end == "*" else int(end) for end in (first, last or first)]
            chosen |= {m.uid for m in self.mailbox.messages if min(ends) <= m.uid <= max(ends)}
        return [(n, m) for n, m in enumerate(self.mailbox.messages, 1) if m.uid in chosen]

    def do_uid_search(self, arguments):
        if self.mailbox is None:
            return Answer(status="BAD nothing is open")
        found = " ".join(str(m.uid) for _, m in self._chosen(re.search(r"[\d:,*]+", arguments)[0]))
        return Answer([f"* SEARCH {found}".strip().encode() + b"\r\n"])

    def do_uid_fetch(self, arguments):
        if self.mailbox is None:
            return Answer(status="BAD nothing is open")
        uid_set, _, items = arguments.partition(" ")
        return Answer([Fetch(number, message, dict(self._items(message, items)))
                       for number, message in self._chosen(uid_set)])

    @staticmethod
    def _items(message, asked):
        yield "UID", str(message.uid).encode()
        if "FLAGS" in asked:
            yield "FLAGS", f"({message.flags})".encode()
        if "INTERNALDATE" in asked:
            date = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(message.internaldate))
            yield "INTERNALDATE", f'"{date}"'.encode()
        if "RFC822.SIZE" in asked:
            yield "RFC822.SIZE", str(len(message.body)).encode()
        if "X-GM-MSGID" in asked:
            yield "X-GM-MSGID", str(message.gmail_id).encode()
        if "X-GM-LABELS" in asked:
            labels = " ".join('"' + label.replace("\\", "\\\\") + '"' for label in message.labels)
            yield "X-GM-LABELS", f"({labels})".encode()
        for field_name in re.findall(r"HEADER\.FIELDS \(([^)]+)\)", asked):
            header = message.body.partition(b"\r\n\r\n")[0].split(b"\r\n")
            found = b"".join(line + b"\r\n" for line in header
                             if line.lower().startswith(field_name.lower().encode() + b":")) + b"\r\n"
            yield f"BODY[HEADER.FIELDS ({field_name})]", literal(found)
        head, blank, text = message.body.partition(b"\r\n\r\n")
        if "BODY.PEEK[HEADER]" in asked:
            yield "BODY[HEADER]", literal(head + blank)
        if "BODY.PEEK[TEXT]" in asked:
            yield "BODY[TEXT]", literal(text)
        for offset, length in re.findall(r"BODY\.PEEK\[\](?:<(\d+)\.(\d+)>)?", asked):
            octets = message.body[int(offset):int(offset) + int(length)] if offset else message.body
            place = f"<{offset}>" if offset else ""
            yield f"BODY[]{place}", literal(octets)
