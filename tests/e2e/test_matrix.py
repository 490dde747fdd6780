# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold with every server, and every protocol that it has. Each test is a column of the table that
matrix_cells.py describes and scripts/test prints; each cell has a server of its own."""

import contextlib
import errno
import imaplib
import os
from pathlib import Path

import pytest

from corpus import percent_decoded
from dovecot import wait_for
from matrix_cells import cells
from mount import SLOW, Failed, sh, uid_of
from pop3_proxy import Pop3Proxy
from proxy import Proxy
from servers import maildrop
from servers.courier import CourierServer
from servers.cyrus import CyrusServer
from servers.dovecot import MatrixDovecot
from servers.mailutils import MailutilsServer
from servers.node import HoodiecrowServer, WildduckServer
from servers.server import DATE

SERVERS = {kind.name: kind for kind in (MatrixDovecot, CyrusServer, CourierServer, MailutilsServer, HoodiecrowServer,
                                        WildduckServer)}
INBOX = ("INBOX",)
# Every server takes some of them, and none takes all.
ODD_NAMES = ["with space", "Grüße", "日本語", "a&b", "100%41", "quote\"d", "back\\slash", "star*", "tilde~", ".hidden",
             "trailing ", "semi;colon", "[brackets]", "x_2020-01-01_5.eml", "..", ".", "../up", "a" * 120]
LARGE_OCTETS = 700_001
STEP_OCTETS = 65536


class Cell:
    """A server, a proxy that counts what is asked of it, and how to mount it."""

    scheme = "imap"

    def __init__(self, server, mount):
        self.server, self._mount = server, mount
        self.proxy = self.make_proxy()

    def make_proxy(self):
        return Proxy(self.server.imap_port)

    def mount(self, options=None, **kwargs):
        return self._mount(self.proxy, scheme=self.scheme, options={"refresh": 2, **(options or {})}, **kwargs)

    def is_signed_in(self):
        return any(command.status == "OK" for command in self.proxy.log("^(LOGIN|AUTHENTICATE)"))

    def bodies(self):
        """The commands that asked for message text."""
        return [str(command) for command in self.proxy.body_fetches()]

    def partial_bodies(self):
        return [command for command in self.bodies() if "]<" in command]

    def clear(self):
        self.proxy.clear()

    def deliver(self, messages, date=DATE):
        """Into INBOX."""
        self.server.deliver(INBOX, messages, date=date)

    def fill(self):
        """Three folders, with messages of many sizes."""
        many, empty = (*self.server.top, "Lists", "many"), (*self.server.top, "Empty")
        self.deliver([message(number, 100 * number) for number in range(12)])
        self.server.create(many)
        self.server.deliver(many, [message(100 + number, 7000 * number) for number in range(25)], date=DATE + 50)
        self.server.create(empty)

    def held(self, path=INBOX):
        """{number: octets} of a folder, as the server tells it to another client."""
        return self.server.held(path)

    def holds(self):
        """{path: {number: octets}} of all folders."""
        return {path: self.held(path) for path in self.server.folders()}

    def expunge(self, numbers_of_files):
        self.server.expunge(INBOX, numbers_of_files)


class Pop3Cell(Cell):
    """The same by POP3: one folder, whose messages are numbered in the order in which they came. What the server holds
    is asked by POP3, too: some tell other octets than by IMAP, or another order."""

    scheme = "pop3"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._unique_ids = []  # in the order in which they came

    def make_proxy(self):
        return Pop3Proxy(self.server.pop3_port)

    def is_signed_in(self):
        return self.proxy.count("UIDL") > 0

    def bodies(self):
        with self.proxy._lock:
            return [line for line in self.proxy.lines if line.startswith(("RETR", "TOP"))]

    def partial_bodies(self):
        return [line for line in self.bodies() if line.startswith("TOP") and not line.endswith(" 0")]

    def clear(self):
        self.proxy.forget_lines()

    def deliver(self, messages, date=DATE):
        wait_for(lambda: self._delivers(messages, date), 60 * SLOW, "the maildrop")
        # Notes the order. Mailutils writes into messages, when a session ends, that they were read in it.
        self.held()

    def _delivers(self, messages, date):
        """Whether the mount's session let them in."""
        with contextlib.suppress(AssertionError):
            self.server.deliver(INBOX, messages, date=date)
            return True
        return False

    def fill(self):
        self.deliver([message(number, 100 * number) for number in range(12)])

    def held(self, path=INBOX):
        octets = maildrop.held(self.server)
        self._unique_ids += [unique_id for unique_id in octets if unique_id not in self._unique_ids]
        return {self._unique_ids.index(unique_id) + 1: octets[unique_id] for unique_id in octets}

    def holds(self):
        return {INBOX: self.held()}

    def expunge(self, numbers_of_files):
        maildrop.delete(self.server, [self._unique_ids[number - 1] for number in numbers_of_files])


CELLS = {"IMAP": Cell, "POP3": Pop3Cell}


def column(name):
    wanted = [cell for cell in cells() if cell[2] == name]
    assert wanted, name
    return pytest.mark.parametrize("cell", wanted, ids=[f"{server}-{protocol}" for server, protocol, _ in wanted],
                                   indirect=True)


@pytest.fixture
def running(request, record_property):
    """The server of the cell."""
    server, protocol, name = request.node.callspec.params["cell"]
    record_property("cell", f"{server}|{protocol}|{name}")
    with SERVERS[server]() as started:
        yield started


@pytest.fixture
def cell(request, running, mount):
    made = CELLS[request.param[1]](running, mount)
    yield made
    made.proxy.close()


def message(number, octets=200):
    head = f"From: a@example.org\r\nSubject: message {number}\r\nMessage-ID: <{number}@matrix.example>\r\n\r\n".encode()
    lines = b"".join(b"%08d of message %d, 8-bit \xe9\r\n" % (line, number) for line in range(octets // 32))
    return head + lines


def tree(top):
    """{path: {uid: octets}} of a mount or a copy."""
    found = {}
    for root, _, names in os.walk(top, onerror=fail):
        parts = Path(root).relative_to(top).parts
        if parts:
            found[tuple(percent_decoded(part) for part in parts)] = {
                uid_of(name): Path(root, name).read_bytes() for name in names}
    return found


def fail(error):
    raise error


def without_parents(folders, held):
    """Without the directories that are there for what is in them, and are no folders that the server lists."""
    return {path: messages for path, messages in folders.items()
            if path in held or messages or not any(other[:len(path)] == path and other != path for other in folders)}


def assert_same(found, held):
    found = without_parents(found, held)
    assert found.keys() == held.keys()
    for path, messages in held.items():
        assert found[path].keys() == messages.keys(), path
        wrong = [uid for uid in messages if found[path][uid] != messages[uid]]
        assert not wrong, (path, wrong, found[path][wrong[0]][:300], messages[wrong[0]][:300])


def file_of(mounted, number, folder="INBOX"):
    return next(path for path in (mounted.path / folder).iterdir()
                if path.is_file() and uid_of(path.name) == number)


def numbers(path):
    return {uid_of(entry.name) for entry in os.scandir(path) if entry.is_file()}


@column("sign-in")
def test_signs_in(cell):
    with pytest.raises(Failed) as caught:
        cell.mount(password="not the password")
    assert "password" in caught.value.output and len(caught.value.output.strip().splitlines()) <= 6
    assert cell.mount().alive()
    assert cell.is_signed_in()


@column("mount")
def test_mounts(cell):
    cell.fill()
    mounted = cell.mount()
    top = mounted.path.joinpath(*cell.server.top)
    for _ in range(2):  # the second time from what is known
        assert len(numbers(mounted.path / "INBOX")) == 12
        if cell.scheme == "pop3":
            assert os.listdir(mounted.path) == ["INBOX"]
            continue
        assert {"Lists", "Empty"} <= set(os.listdir(top))
        assert len(numbers(top / "Lists" / "many")) == 25
        assert os.listdir(top / "Empty") == []
    assert mounted.unmount() == 0


@column("copy identical")
def test_a_copy_is_identical(cell, tmp_path):
    cell.fill()
    mounted = cell.mount()
    sh(["rsync", "-a", f"{mounted.path}/", f"{tmp_path}/"])
    held = cell.holds()
    assert sum(map(len, held.values())) == (12 if cell.scheme == "pop3" else 37)
    assert_same(tree(tmp_path), held)
    if cell.scheme == "pop3":  # which tells no dates but those in the headers
        return
    times = sorted(int(path.stat().st_mtime) for path in tmp_path.rglob("*.eml"))
    assert times == [*range(DATE, DATE + 12), *range(DATE + 50, DATE + 75)]


@column("second copy moves nothing")
def test_a_second_copy_moves_nothing(cell, tmp_path):
    cell.fill()
    for turn in range(3):
        mounted = cell.mount()
        copied = sh(["rsync", "-a", "--itemize-changes", f"{mounted.path}/", f"{tmp_path}/"]).out
        if turn == 0:
            files = [line for line in copied.splitlines() if line.startswith(">f")]
            assert len(files) == (12 if cell.scheme == "pop3" else 37) and cell.bodies()
        else:
            assert (copied, cell.bodies()) == ("", [])
        if turn == 1:  # the third is another mount's
            mounted.unmount()
        else:
            cell.clear()
        if turn == 0:
            again = sh(["rsync", "-a", "--itemize-changes", f"{mounted.path}/", f"{tmp_path}/"]).out
            assert (again, cell.bodies()) == ("", [])
            mounted.unmount()


@column("new mail seen")
def test_new_mail_is_seen(cell):
    cell.fill()
    mounted = cell.mount()
    known = numbers(mounted.path / "INBOX")
    for turn in range(1 if cell.scheme == "pop3" else 2):  # by POP3 Courier lets nobody in twice within ten seconds
        cell.deliver([message(1000 + turn, 5000)])
        wait_for(lambda: len(numbers(mounted.path / "INBOX")) == 13 + turn, 30 * SLOW, "the new message")
        new = max(numbers(mounted.path / "INBOX"))
        assert known < numbers(mounted.path / "INBOX") and new > max(known)
        assert file_of(mounted, new).read_bytes() == cell.held()[new]
        known = numbers(mounted.path / "INBOX")


@column("expunged mail gone")
def test_expunged_mail_is_gone(cell):
    cell.fill()
    mounted = cell.mount()
    known = sorted(numbers(mounted.path / "INBOX"))
    gone = {known[0], known[4], known[-1]}
    cell.expunge(gone)
    wait_for(lambda: numbers(mounted.path / "INBOX") == set(known) - gone, 30 * SLOW, "the listing without them")
    assert {uid: file_of(mounted, uid).read_bytes() for uid in set(known) - gone} == cell.held()


@column("odd folder names")
def test_odd_folder_names(cell, tell_count):
    for number, name in enumerate(ODD_NAMES):
        with contextlib.suppress(AssertionError, imaplib.IMAP4.error):  # not a name to this server
            cell.server.create((*cell.server.top, name))
            cell.server.deliver((*cell.server.top, name), [message(number)])
    held = cell.holds()
    assert sum(map(len, held.values())) >= 8, held.keys()
    tell_count(f"odd folder names of {cell.server.name}", sum(map(len, held.values())))
    assert_same(tree(cell.mount().path), held)


@column("64 KiB partial reads rejoin")
def test_partial_reads_rejoin(cell):
    cell.deliver([message(1), message(2, LARGE_OCTETS), message(3)])
    held = cell.held()
    number = max(held, key=lambda uid: len(held[uid]))
    path = file_of(cell.mount(options={"cache": "none"}), number)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        steps = range(0, size, STEP_OCTETS)
        backwards = {start: os.pread(descriptor, STEP_OCTETS, start) for start in reversed(steps)}
        forwards = b"".join(os.pread(descriptor, STEP_OCTETS, start) for start in steps)
    finally:
        os.close(descriptor)
    assert forwards == b"".join(backwards[start] for start in steps) == held[number]
    assert cell.partial_bodies()


@column("expunged while it is read")
def test_a_message_expunged_while_it_is_read(cell):
    cell.deliver([message(1, 3000), message(2, 8 * LARGE_OCTETS), message(3, 3000)])
    held = cell.held()
    number = max(held, key=lambda uid: len(held[uid]))
    mounted = cell.mount(options={"cache": "none"})
    with open(file_of(mounted, number), "rb", buffering=0) as file:
        start = file.read(STEP_OCTETS)
        assert start and held[number].startswith(start)
        cell.expunge({number})
        rest, error = b"", None
        try:
            while piece := file.read(STEP_OCTETS):
                rest += piece
        except OSError as caught:
            error = caught.errno
    # What was read is right; the message is whole, or there was an error.
    assert held[number].startswith(start + rest)
    assert error in (errno.ESTALE, errno.EIO) if start + rest != held[number] else error is None
    wait_for(lambda: number not in numbers(mounted.path / "INBOX"), 30 * SLOW, "the listing without it")
    others = held.keys() - {number}
    assert {uid: file_of(mounted, uid).read_bytes() for uid in others} == cell.held()
