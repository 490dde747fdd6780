# SPDX-License-Identifier: GPL-3.0-or-later
"""The server. It has, for one user and any password, INBOX, Good and Later, and a mailbox for each misbehaviour that
keeps to one: six messages, of which the third and the fifth (large) are the victims. It is as plain as IMAP4rev1
allows, with IDLE."""

import contextlib
import re
import socket
import ssl
import struct
import threading

from scripted_imap import Fetch, Mailbox, ScriptedImap, Session, message

from .registry import ACCOUNT, ANY, BODY, GREETING, LISTING, MESSAGE, MISBEHAVIOURS, SIZE, STARTTLS, TLS, NothingToDo

SIZES = {"INBOX": (500, 900, 700), "Good": (500, 20_000, 900, 1200), "Later": (600, 800, 700, 900, 650, 750, 900, 800)}
VICTIMS = {"small": 3, "large": 5}
HELD_BACK_FROM = 3  # a mailbox that is not revealed yet has the messages before
SILENCE_SECONDS = 120


class Gone(Exception):
    """The misbehaviour ended the connection."""


class Armed:
    """A misbehaviour that is to happen so many times (None: always), in one mailbox (None: anywhere)."""

    def __init__(self, misbehaviour, mailbox, times):
        self.misbehaviour, self.mailbox, self.times_left = misbehaviour, mailbox, times
        self.fired, self.state = 0, {}  # what it wants to remember


class HostileServer(ScriptedImap):
    def __init__(self, certificate=None):
        self.certificate = certificate  # of a PEM file; its key beside it
        self.armed, self.held_back = [], {}
        self.closing = threading.Event()
        self.is_implicit_tls = self.offers_tls = False
        super().__init__("IDLE")
        self.session_class = HostileSession
        for name, sizes in SIZES.items():
            self.add_mailbox(name, sizes)

    def add_mailbox(self, name, sizes):
        mailbox = self.mailboxes[name] = Mailbox(uidvalidity=1_600_000_000 + len(self.mailboxes))
        for number, size in enumerate(sizes, 1):
            mailbox.append(message(f"{name} {number}", size, f"{name.lower()}.{number}@example.org",
                                   1_600_000_000 + 86_400 * number))
        return mailbox

    def arm(self, name, times=None, mailbox=None):
        """From now on. One that keeps to a mailbox gets one of its own unless told another."""
        misbehaviour = MISBEHAVIOURS[name]
        if misbehaviour.hits != ACCOUNT and mailbox is None:
            mailbox = name.replace("/", ".") + ("" if times is None else ".first")
        with self.lock:
            if mailbox is not None and mailbox not in self.mailboxes:
                self.add_mailbox(mailbox, (600, 2000, 3000, 700, misbehaviour.large_octets, 900))
            self.armed.append(Armed(misbehaviour, mailbox, times))
            return self.armed[-1]

    def disarm(self):
        with self.lock:
            self.armed = []

    def hold_back(self):
        """Of each mailbox only the first two messages are there yet."""
        with self.lock:
            for name, mailbox in self.mailboxes.items():
                self.held_back[name] = mailbox.messages[HELD_BACK_FROM - 1:]
                mailbox.messages, mailbox.uidnext = mailbox.messages[:HELD_BACK_FROM - 1], HELD_BACK_FROM

    def reveal(self):
        with self.lock:
            for name, messages in self.held_back.items():
                self.mailboxes[name].messages += messages
                self.mailboxes[name].uidnext += len(messages)
            self.held_back = {}

    def get_armed(self, wants):
        with self.lock:
            return [armed for armed in self.armed if armed.times_left != 0 and wants(armed)]

    def note_fired(self, armed):
        with self.lock:
            armed.fired += 1
            print(f"hostile: {armed.misbehaviour.name} fired", flush=True)
            if armed.times_left is not None:
                armed.times_left -= 1

    def drop_connections(self):
        with self.lock:
            for connection in list(self._connections):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.closing.set()
        super().close()


class Turn:
    """What a misbehaviour may do, and to what."""

    def __init__(self, session, command=None, answer=None):
        self.session, self.command, self.answer, self.server = session, command, answer, session.server
        self.armed, self.is_sent, self.has_fired = None, False, False

    # What it is about.

    @property
    def state(self):
        return self.armed.state

    @property
    def tag(self):
        return self.command.tag.encode()

    @property
    def fetches(self):
        return [line for line in self.answer.lines if isinstance(line, Fetch)]

    @property
    def victim(self):
        """The FETCH response for the victim."""
        uid = VICTIMS[self.armed.misbehaviour.victim]
        found = [fetch for fetch in self.fetches if fetch.message.uid == uid]
        if not found:
            raise NothingToDo
        return found[0]

    @property
    def body_name(self):
        """The name of the victim's (first) body item."""
        names = [name for name in self.victim.items if name.startswith("BODY[]")]
        if not names:
            raise NothingToDo
        return names[0]

    @property
    def body(self):
        """The octets that the victim's body item should have."""
        return self.victim.items[self.body_name].partition(b"}\r\n")[2]

    @body.setter
    def body(self, value):
        """As it will stand in the answer."""
        self.victim.items[self.body_name] = value
    def fires(self):
        """It will do it now: told before something is sent, because it may not come back."""
        if not self.has_fired:
            self.server.note_fired(self.armed)
            self.has_fired = True

    # What it does.

    def send(self, octets):
        self.session.connection.sendall(octets)
        self.is_sent = True

    def before_victim(self):
        """Sends everything in front of the victim's response, and returns that as octets."""
        victim = self.victim
        place = self.answer.lines.index(victim)
        self.fires()
        self.send(b"".join(map(bytes, self.answer.lines[:place])))
        return bytes(victim)

    def flood(self, octets, total):
        """So many octets of this over and over, or until the other side goes."""
        self.fires()
        for _ in range(total // len(octets) + 1):
            self.send(octets)
            if self.server.closing.is_set():
                raise Gone
        raise Gone

    def drop(self):
        self.fires()
        raise Gone

    def reset(self):
        self.fires()
        with contextlib.suppress(OSError):
            raw = self.session.connection
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raw.close()
        raise Gone

    def silence(self):
        """Until the other side has had enough."""
        self.fires()
        connection = self.session.connection
        with contextlib.suppress(OSError):
            connection.settimeout(0.5)
            for _ in range(2 * SILENCE_SECONDS):
                if self.server.closing.is_set():
                    break
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(65536):
                        break
        raise Gone


class HostileSession(Session):
    is_private = False

    def do_capability(self, arguments):
        answer = super().do_capability(arguments)
        more = " STARTTLS" if self.server.offers_tls and not self.is_private else ""
        more += "".join(f" {armed.misbehaviour.capabilities}" for armed in self.server.get_armed(lambda _: True)
                       if armed.misbehaviour.capabilities)
        answer.lines = [line.replace(b"\r\n", more.encode() + b"\r\n") for line in answer.lines]
        return answer

    def run(self):
        with contextlib.suppress(Gone, OSError, ValueError):
            super().run()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self.connection.close()

    def greet(self):
        if self.server.is_implicit_tls:
            self.misbehave(Turn(self), TLS)
            self.begin_tls()
        if not self.misbehave(Turn(self), GREETING):
            super().greet()

    def begin_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.certificate, self.server.certificate.with_suffix(".key"))
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.lines = self.connection.makefile("rb")
        self.is_private = True

    def moments(self, command):
        yield command.name
        if command.name == "UID FETCH":
            is_body = "BODY.PEEK[]" in command.arguments
            yield BODY if is_body else LISTING if "FLAGS" in command.arguments else SIZE
        if command.name not in ("LOGIN", "CAPABILITY", "LOGOUT"):
            yield ANY

    def concerns(self, armed, turn):
        """Whether the command is about the mailbox, and the message, that the misbehaviour keeps to."""
        if armed.mailbox is None or turn.command is None:
            return True
        if turn.command.name in ("STATUS", "EXAMINE"):
            name = re.match(r'"([^"]+)"|([^" ]+)', turn.command.arguments)
            return armed.mailbox == (name[1] or name[2])
        if armed.mailbox != self.mailbox_name:
            return False
        return armed.misbehaviour.hits != MESSAGE or any(
            fetch.message.uid == VICTIMS[armed.misbehaviour.victim] for fetch in turn.fetches)

    def misbehave(self, turn, moment):
        """TRUE when there is nothing more to send."""
        for armed in self.server.get_armed(lambda armed: armed.misbehaviour.moment == moment
                                           and self.concerns(armed, turn)):
            turn.armed, turn.has_fired = armed, False
            with contextlib.suppress(NothingToDo):
                armed.misbehaviour.act(turn)
                turn.fires()
            if turn.is_sent:
                return True
        return False

    def send(self, command, answer):
        for moment in self.moments(command):
            if self.misbehave(Turn(self, command, answer), moment):
                return
        super().send(command, answer)

    def read_command(self):
        while True:
            command = super().read_command()
            if command is None or command.name not in ("IDLE", "STARTTLS"):
                return command
            if command.name == "IDLE":
                self.idle(command)
            else:
                self.start_tls(command)

    def start_tls(self, command):
        if self.misbehave(Turn(self, command, None), STARTTLS):
            return
        self.connection.sendall(f"{command.tag} OK go ahead\r\n".encode())
        self.begin_tls()

    def idle(self, command):
        self.connection.sendall(b"+ idling\r\n")
        if not self.misbehave(Turn(self, command, None), "IDLE"):
            self.lines.readline()
            self.connection.sendall(f"{command.tag} OK done\r\n".encode())
