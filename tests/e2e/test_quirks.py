# SPDX-License-Identifier: GPL-3.0-or-later
"""What single servers do otherwise than all the others, with the real ones."""

import contextlib
import imaplib
import os

import pytest

from dovecot import wait_for
from mount import SLOW, uid_of
from servers.courier import CourierServer
from servers.cyrus import CyrusServer
from servers.dovecot import MatrixDovecot
from servers.mailutils import MailutilsServer
from servers.node import HoodiecrowServer, WildduckServer

INBOX = ("INBOX",)


@pytest.fixture
def running(request):
    with request.param() as started:
        yield started


def server(kind):
    return pytest.mark.parametrize("running", [kind], ids=[kind.name], indirect=True)


def contents(directory):
    return {uid_of(entry.name): entry.read_bytes() for entry in directory.iterdir() if entry.is_file()}


def plain(text, octets=200):
    return f"Subject: {text}\r\nMessage-ID: <{text}@quirks.example>\r\n\r\n{'x' * octets}\r\n".encode()


def nothing(_):
    return None


# What a session that has not heard of it is given for a message that another one expunged.
AFTER_EXPUNGE = {
    MatrixDovecot: nothing,
    CyrusServer: lambda sent: sent,
    CourierServer: lambda _: b"From: System Administrator",
    MailutilsServer: lambda sent: sent.partition(b"\r\n")[0],  # and headers of its own
    HoodiecrowServer: nothing,
    WildduckServer: nothing,
}


@pytest.mark.parametrize("running", AFTER_EXPUNGE, ids=[kind.name for kind in AFTER_EXPUNGE], indirect=True)
def test_what_is_fetched_after_it_was_expunged_is_never_served(running, mount):
    """An open session is answered with OK and something else than the message, and the mount does not pass it on."""
    messages = [plain(f"number-{number}", 500 + 100 * number) for number in range(3)]
    running.deliver(INBOX, messages)
    mounted = mount(running, options={"cache": "none", "refresh": 3600})
    # The mount's connections have the mailbox open before the message goes.
    names = {uid_of(name): mounted.path / "INBOX" / name for name in os.listdir(mounted.path / "INBOX")}
    held = running.held(INBOX)
    assert names[1].read_bytes() == held[1]
    with running.session(folder=INBOX) as session:
        running.expunge(INBOX, [2])
        answer = [part[1] for part in session.uid("FETCH", "2", "(UID BODY.PEEK[])")[1] if isinstance(part, tuple)]
    expected = AFTER_EXPUNGE[type(running)](messages[1])
    assert answer[0].startswith(expected) if expected else answer == []
    with contextlib.suppress(OSError):
        assert names[2].read_bytes() in (messages[1], held[2])
    assert names[3].read_bytes() in (held[3], running.held(INBOX)[3])


@server(HoodiecrowServer)
def test_hoodiecrow_has_other_messages_under_the_same_uids_after_a_restart(running, mount):
    running.deliver(INBOX, [plain("one"), plain("two")])
    mounted = mount(running, options={"refresh": 1})
    assert contents(mounted.path / "INBOX") == running.held(INBOX)
    mounted.unmount()
    with running.session(folder=INBOX) as session:
        before = session.response("UIDVALIDITY")
    running.restart()
    running.deliver(INBOX, [plain("uno"), plain("due")])
    with running.session(folder=INBOX) as session:
        assert session.response("UIDVALIDITY") == before
    held = running.held(INBOX)
    assert held.keys() == {1, 2}
    mounted = mount(running, options={"refresh": 1})
    assert sorted(contents(mounted.path / "INBOX").values()) == sorted(held.values())


@server(CyrusServer)
def test_cyrus_has_mailboxes_whose_names_climb(running, mount):
    taken = []
    for name in (("..",), (".",), ("..", "up"), ("a", "..", "b")):
        with contextlib.suppress(AssertionError, imaplib.IMAP4.error):
            running.create(name)
            taken.append(name)
    assert len(taken) >= 2, taken
    for name in taken:
        running.deliver(name, [plain("-".join(name))])
    mounted = mount(running)
    for name in taken:
        directory = mounted.path.joinpath(*("%2E" + part[1:] if part in (".", "..") else part for part in name))
        assert list(contents(directory).values()) == list(running.held(name).values())
    assert not (mounted.path.parent / "up").exists()


@server(CourierServer)
def test_courier_without_uidnext_is_followed(running, mount):
    with running.session(folder=INBOX) as session:
        assert session.response("UIDNEXT")[1] == [None]
    running.deliver(INBOX, [plain("one")])
    mounted = mount(running, options={"refresh": 1})
    assert contents(mounted.path / "INBOX") == running.held(INBOX)
    running.deliver(INBOX, [plain("two")])
    wait_for(lambda: contents(mounted.path / "INBOX") == running.held(INBOX), 30 * SLOW, "the new message")


@server(MailutilsServer)
def test_mailutils_has_other_messages_under_the_same_uidvalidity(running, mount):
    """UIDVALIDITY is the second in which a folder was made: one that is deleted and made anew in it has the same."""
    folder, file = ("box",), running.directory / "home" / "user" / "box"
    running.create(folder)
    running.deliver(folder, [plain("zero"), plain("one!")])
    mounted = mount(running, options={"refresh": 1})
    before = running.held(folder)
    assert contents(mounted.path / "box") == before
    # As if within that second: the same UIDs, sizes and times.
    made = file.read_bytes().replace(b"one!", b"two!")
    with running.session() as session:
        session.delete("box")
        session.create("box")
    file.write_bytes(made)
    running.give_away()
    after = running.held(folder)
    assert after != before and {uid: len(octets) for uid, octets in after.items()} == \
        {uid: len(octets) for uid, octets in before.items()}
    wait_for(lambda: sorted(contents(mounted.path / "box").values()) == sorted(after.values()), 30 * SLOW,
             "the other message")
