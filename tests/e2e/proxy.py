# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy between the mount and the server that sees, counts, changes and breaks.

It speaks clear text on both sides and understands just enough IMAP to tell commands from the octets of
literals: every command is logged with its mailbox, the octets and untagged lines of its answer and its
status. It can hide or add capabilities, delay, cut, reset, stall and refuse. After COMPRESS it looks into
the deflated streams and forwards them as they are. With `raw=True` (for TLS) it only counts octets and cuts.
"""

import contextlib
import heapq
import itertools
import re
import select
import socket
import struct
import threading
import time
import zlib
from dataclasses import dataclass, field

CHUNK = 1 << 16


@dataclass
class Command:
    connection: int
    tag: str
    name: str  # "LOGIN", "UID FETCH"
    arguments: str
    mailbox: str = None  # of the session when the command was sent
    sent: int = 0  # octets of the command
    received: int = 0  # octets of its answers
    literal_octets: int = 0
    untagged: int = 0
    status: str = None
    is_over: bool = False  # IDLE: DONE was sent
    literals: list = field(default_factory=list)  # of the command line, as it stands: "{3}", "{3+}"
    time: float = 0.0

    def __str__(self):
        return f"{self.name} {self.arguments}".strip()

    @property
    def fetches_body(self):
        """Whether message text is asked for (a field of the header does not count)."""
        if "FETCH" not in self.name:
            return False
        return any(not section.upper().startswith("HEADER.FIELDS")
                   for section in re.findall(r"(?:BODY(?:\.PEEK)?|BINARY(?:\.PEEK)?)\[([^]]*)", self.arguments, re.I)) \
            or bool(re.search(r"\bRFC822(?:\.TEXT|\.HEADER)?\b(?!\.SIZE)", self.arguments, re.I))


@dataclass
class Rule:
    """What to do when a command that matches was seen, and this many octets of its answers were let through."""
    match: callable
    action: str  # "cut", "reset", "stall", or "refuse" (cut, and let nobody in)
    after_octets: int = 0
    skip: int = 0  # matching commands to let pass first
    times: int = 1
    fired: int = 0


class Broken(Exception):
    """The connection was cut on purpose."""


class Proxy:
    def __init__(self, server_port, host="127.0.0.1", raw=False):
        self.server, self.raw = (host, server_port), raw
        self.commands, self.rules = [], []
        self.hide, self.add = set(), []
        self.delay = 0.0  # seconds, one way
        self.octets_to_client = self.octets_to_server = 0
        self.connections = 0
        self.cut_after = None  # octets to the client, over all connections
        self._lock = threading.RLock()
        self._live = set()
        self._stalled = threading.Event()
        self._closed = False
        self._listener = None
        self._listen(0)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    # What a test asks of it.

    def clear(self):
        """Forgets the log, the rules and the counts; connections stay."""
        with self._lock:
            self.commands.clear()
            self.rules.clear()
            self.octets_to_client = self.octets_to_server = 0
            self.cut_after = None

    def when(self, pattern, action, **kwargs):
        """A rule for commands whose text ("UID FETCH 1:* (…)") the regular expression finds, or for a function."""
        match = pattern if callable(pattern) else lambda command: re.search(pattern, str(command), re.I)
        rule = Rule(match, action, **kwargs)
        with self._lock:
            self.rules.append(rule)
        return rule

    def log(self, pattern=""):
        with self._lock:
            return [command for command in self.commands if re.search(pattern, str(command), re.I)]

    def names(self):
        with self._lock:
            return {command.name for command in self.commands}

    def body_fetches(self):
        with self._lock:
            return [command for command in self.commands if command.fetches_body]

    def live(self):
        with self._lock:
            return len(self._live)

    def cut_all(self, reset=False):
        with self._lock:
            sessions = list(self._live)
        for session in sessions:
            session.cut(reset)

    def stall(self):
        """Nothing is forwarded any more, in either direction; connections stay open."""
        self._stalled.set()

    def forget_all(self):
        """On the connections that there are nothing is forwarded ever again, and nobody is told; new ones work."""
        with self._lock:
            for session in self._live:
                session.forgotten = True

    def go_on(self):
        self._stalled.clear()

    def refuse(self):
        """Ends every connection and refuses new ones."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener:
            # Closing alone would leave the socket listening for as long as accept() is in it.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut_all()

    def accept_again(self):
        with self._lock:
            if self._listener is None:
                self._listen(self.port)

    def close(self):
        self._closed = True
        self.go_on()
        self.refuse()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Connections.

    def _listen(self, port):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        self._listener = listener

    def _accept(self):
        while not self._closed:
            listener = self._listener
            if listener is None:
                time.sleep(0.01)
                continue
            try:
                if not select.select([listener], [], [], 0.2)[0]:
                    continue
                client, _ = listener.accept()
            except (OSError, ValueError):
                continue
            try:
                upstream = socket.create_connection(self.server, timeout=10)
                upstream.settimeout(None)
            except OSError:
                client.close()
                continue
            with self._lock:
                if self._listener is not listener:  # nobody is let in any more, since it was accepted
                    client.close()
                    upstream.close()
                    continue
                self.connections += 1
                session = self._new_session(client, upstream, self.connections)
                self._live.add(session)
            session.start()

    def _new_session(self, client, upstream, number):
        return Session(self, client, upstream, number)

    def _gone(self, session):
        with self._lock:
            self._live.discard(session)

    def _wait_while_stalled(self, session):
        while (self._stalled.is_set() or session.forgotten) and not session.broken:
            time.sleep(0.02)

    def _count_to_client(self, length):
        """How many of these octets may go out before the cut that was asked for."""
        with self._lock:
            if self.cut_after is not None:
                allowed = min(length, max(0, self.cut_after - self.octets_to_client))
                self.octets_to_client += allowed
                if allowed < length:
                    self.cut_after = None
                return allowed
            self.octets_to_client += length
            return length


class Sender:
    """Sends on a socket, each piece some time after it was given."""

    def __init__(self, sock, proxy):
        self.socket, self.proxy = sock, proxy
        self.more_delay = 0.0  # seconds, on this connection alone
        self.queue, self.order, self.condition = [], itertools.count(), threading.Condition()
        self.thread = None

    @property
    def delay(self):
        return self.proxy.delay + self.more_delay

    def send(self, data):
        if self.delay <= 0 and self.thread is None:
            self.socket.sendall(data)
            return
        with self.condition:
            if self.thread is None:
                self.thread = threading.Thread(target=self._run, daemon=True)
                self.thread.start()
            heapq.heappush(self.queue, (time.monotonic() + self.delay, next(self.order), data))
            self.condition.notify()

    def finish(self):
        """Sends what is left and shuts the direction down."""
        if self.thread is not None:
            with self.condition:
                heapq.heappush(self.queue, (time.monotonic() + self.delay, next(self.order), None))
                self.condition.notify()
            self.thread.join()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def _run(self):
        while True:
            with self.condition:
                while not self.queue:
                    self.condition.wait()
                due = self.queue[0][0]
                now = time.monotonic()
                if due > now:
                    self.condition.wait(due - now)
                    continue
                data = heapq.heappop(self.queue)[2]
            if data is None:
                return
            try:
                self.socket.sendall(data)
            except OSError:
                return


class Pieces:
    """Cuts a stream into ("line", octets) and ("literal", octets): a line ends in CRLF, a literal follows {n}."""

    LITERAL = re.compile(rb"\{(\d+)\+?\}\r?\n$")

    def __init__(self):
        self.buffer, self.literal = bytearray(), 0

    def feed(self, data):
        self.buffer += data
        while self.buffer:
            if self.literal:
                piece = bytes(self.buffer[:self.literal])
                del self.buffer[:len(piece)]
                self.literal -= len(piece)
                yield "literal", piece
                continue
            end = self.buffer.find(b"\n")
            if end < 0:
                return
            line = bytes(self.buffer[:end + 1])
            del self.buffer[:end + 1]
            found = self.LITERAL.search(line)
            if found:
                self.literal = int(found[1])
            yield "line", line


class Session:
    """One connection: two threads, one for each direction."""

    def __init__(self, proxy, client, upstream, number):
        self.proxy, self.client, self.upstream, self.number = proxy, client, upstream, number
        for sock in (client, upstream):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.to_client, self.to_server = Sender(client, proxy), Sender(upstream, proxy)
        self.open_commands = []  # sent and not yet answered, in order
        self.mailbox = None
        self.broken = False
        self.forgotten = False
        self.half_command = None  # a command line whose literal is still to come
        self.wait_for_plus = False
        self.response_continues = False
        self.opaque = proxy.raw  # TLS: nothing to be read in it
        self.inflate = None  # (client's, server's) after COMPRESS
        self.armed = []  # [(rule, command)]
        self.ended = 0

    def start(self):
        for run in (self._from_client, self._from_server):
            threading.Thread(target=self._guarded, args=(run,), daemon=True).start()

    def cut(self, reset=False):
        self.broken = True
        with contextlib.suppress(OSError):
            if reset:
                # The other thread may be in recv(): it is woken without a FIN, and the last close sends the RST.
                self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.client.shutdown(socket.SHUT_RD)
            else:
                self.client.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self.upstream.shutdown(socket.SHUT_RDWR)

    def _guarded(self, run):
        try:
            run()
        except Broken:
            pass
        except (OSError, ValueError, zlib.error):
            if not self.broken:
                self.cut()
        with self.proxy._lock:
            self.ended += 1
            last = self.ended == 2
        if last:
            self.client.close()
            self.upstream.close()
            self.proxy._gone(self)

    def _obey(self, action):
        if action == "stall":
            self.proxy.stall()
            self.proxy._wait_while_stalled(self)
            return
        if action == "refuse":
            self.proxy.refuse()
        self.cut(reset=action == "reset")
        raise Broken

    # The client's direction.

    def _from_client(self):
        pieces, compressed = Pieces(), False
        while True:
            data = self.client.recv(CHUNK)
            self.proxy._wait_while_stalled(self)
            if not data:
                break
            with self.proxy._lock:
                self.proxy.octets_to_server += len(data)
            if self.opaque:
                self._send_to_server(data)
                continue
            clear = data
            if self.inflate:
                if not compressed:
                    pieces, compressed = Pieces(), True
                clear = self.inflate[0].decompress(data)
            for kind, piece in pieces.feed(clear):
                self._client_piece(kind, piece)
                if not compressed:
                    self._send_to_server(piece)
            if compressed:
                self._send_to_server(data)
        if not self.broken:
            self.to_server.finish()

    def _send_to_server(self, piece):
        self.to_server.send(piece)

    def _client_piece(self, kind, piece):
        text = piece.decode("utf-8", "backslashreplace").rstrip("\r\n")
        with self.proxy._lock:
            if self.half_command:  # goes on after a literal, or with the literal
                self.half_command.arguments += text
                self.half_command.sent += len(piece)
                if kind == "line":
                    self._complete_if_whole(self.half_command, piece)
                return
            running = self.open_commands[-1] if self.open_commands else None
            if running and running.name in ("AUTHENTICATE", "IDLE") and not running.is_over:
                running.is_over = text.upper() == "DONE"  # commands may follow before the server has said so too
                return  # an answer to a continuation request
            words = text.split(" ", 2)
            if len(words) < 2:
                return
            tag, name, rest = words[0], words[1].upper(), words[2] if len(words) > 2 else ""
            if name == "UID":
                name, _, rest = rest.partition(" ")
                name = f"UID {name.upper()}"
            if name in ("LOGIN", "AUTHENTICATE"):
                rest = rest.split(" ")[0] if name == "AUTHENTICATE" else "…"
            command = Command(self.number, tag, name, rest, self.mailbox, len(piece), time=time.monotonic())
            self._complete_if_whole(command, piece)

    def _complete_if_whole(self, command, piece):
        found = Pieces.LITERAL.search(piece)
        if found:
            command.literals.append(found[0].decode().strip())
            self.half_command = command
            if command not in self.open_commands:
                self.open_commands.append(command)
            return
        self.half_command = None
        if command.name in ("EXAMINE", "SELECT"):
            self.mailbox = command.mailbox = self._mailbox_of(command.arguments)
        elif command.name in ("UNSELECT", "CLOSE"):
            self.mailbox = None
        if command not in self.open_commands:
            self.open_commands.append(command)
        self.proxy.commands.append(command)
        for rule in self.proxy.rules:
            if rule.fired < rule.times and rule.match(command):
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                rule.fired += 1
                self.armed.append((rule, command))
                if rule.after_octets == 0:
                    self._obey(rule.action)

    @staticmethod
    def _mailbox_of(arguments):
        found = re.match(r'"((?:\\.|[^"\\])*)"|\{\d+\+?\}(.*)|(\S+)', arguments)
        if found[1] is not None:
            return re.sub(r"\\(.)", r"\1", found[1])
        return found[2] if found[2] is not None else found[3]

    # The server's direction.

    def _from_server(self):
        pieces, compressed = Pieces(), False
        while True:
            data = self.upstream.recv(CHUNK)
            self.proxy._wait_while_stalled(self)
            if not data:
                break
            if self.opaque:
                self._forward(data)
                continue
            clear = data
            if self.inflate:
                compressed = True
                clear = self.inflate[1].decompress(data)
            for kind, piece in pieces.feed(clear):
                piece = self._server_piece(kind, piece)
                if not compressed:
                    self._forward(piece)
            if compressed:
                self._forward(data)
        if not self.broken:
            self._tell_server_is_gone()

    def _tell_server_is_gone(self):
        self.to_client.finish()

    def _forward(self, piece):
        piece = self._fire_armed(piece)
        allowed = self.proxy._count_to_client(len(piece))
        self._send_to_client(piece[:allowed])
        if allowed < len(piece):
            self._obey("cut")

    def _send_to_client(self, piece):
        self.to_client.send(piece)

    def _fire_armed(self, piece):
        """Obeys the rules that are due within this piece; returns what of it is still to be sent."""
        for armed in list(self.armed):
            rule, command = armed
            if command.status and command.received < rule.after_octets:
                self.armed.remove(armed)  # the answer was shorter than that: count it as not fired
                rule.fired -= 1
            elif command.received >= rule.after_octets:
                self.armed.remove(armed)
                before = max(0, len(piece) - (command.received - rule.after_octets))
                self._send_to_client(piece[:before])
                self._obey(rule.action)
                piece = piece[before:]
        return piece

    def _server_piece(self, kind, piece):
        with self.proxy._lock:
            current = self.open_commands[0] if self.open_commands else None
            if kind == "literal":
                if current:
                    current.received += len(piece)
                    current.literal_octets += len(piece)
                return piece
            starts = not self.response_continues
            self.response_continues = bool(Pieces.LITERAL.search(piece))
            if starts and (self.proxy.hide or self.proxy.add):
                piece = self._masked(piece)
            if current is None:
                return piece
            current.received += len(piece)
            if starts and piece.startswith(b"* "):
                current.untagged += 1
            elif starts and not piece.startswith(b"+"):
                self._tagged(piece)
            return piece

    def _tagged(self, piece):
        words = piece.decode("ascii", "replace").split(None, 2)
        for command in self.open_commands:
            if command.tag == words[0]:
                command.status = words[1].upper()
                self.open_commands.remove(command)
                if command.name in ("EXAMINE", "SELECT") and command.status != "OK":
                    self.mailbox = None
                if command.name == "STARTTLS" and command.status == "OK":
                    self.opaque = True
                if command.name == "COMPRESS" and command.status == "OK":
                    self.inflate = (zlib.decompressobj(-15), zlib.decompressobj(-15))
                return

    def _masked(self, line):
        """The line with its capabilities changed: `hide` holds names and prefixes that end in "*"."""
        def change(found):
            words = found[2].decode().split()
            kept = [word for word in words if not self._hidden(word)]
            kept += [word for word in self.proxy.add if word not in kept]
            return found[1] + " ".join(kept).encode() + found[3]

        if self._hidden("CONDSTORE"):
            line = re.sub(rb"\[HIGHESTMODSEQ \d+\]", b"[NOMODSEQ]", line)
        if re.match(rb"\* CAPABILITY ", line, re.I):
            return re.sub(rb"(?i)^(\* CAPABILITY )([^\r\n]*)(.*)$", change, line, flags=re.S)
        return re.sub(rb"(?i)(\[CAPABILITY )([^\]]*)(\])", change, line)

    def _hidden(self, word):
        for pattern in self.proxy.hide:
            if word.upper() == pattern.upper():
                return True
            if pattern.endswith("*") and word.upper().startswith(pattern[:-1].upper()):
                return True
        return False
