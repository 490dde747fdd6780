# SPDX-License-Identifier: GPL-3.0-or-later
"""What other sessions change is seen while it is mounted: because the server tells it, or by asking every so often.

Where the server tells it, `refresh` is an hour: nothing but its word can be the reason for what is seen.
"""

import errno
import os
import subprocess
import time
from collections import namedtuple

import pytest

from corpus import Corpus, connect
from dovecot import PASSWORD, DovecotServer, wait_for
from mount import SLOW, sh, uid_of
from proxy import Proxy
from tree import sha256, snapshot

Way = namedtuple("Way", "hidden refresh seconds")
WAYS = {
    "notify": Way((), 3600, 15),
    "idle": Way(("NOTIFY",), 3600, 15),
    "neither": Way(("NOTIFY", "IDLE"), 2, 15),
}


@pytest.fixture(params=WAYS)
def way(request, own_proxy):
    own_proxy.hide.update(WAYS[request.param].hidden)
    return request.param


@pytest.fixture
def session(own_server):
    connection = connect(own_server, "small")
    yield connection
    connection.logout()


def good(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def deliver(session, folder, subject="just arrived"):
    good(session.append(folder, None, None, f"Subject: {subject}\r\n\r\nHello.\r\n".encode()))


def store(session, folder, uids, flags):
    good(session.select(folder))
    good(session.uid("STORE", ",".join(map(str, uids)), "+FLAGS", f"({flags})"))


def expunge(session, folder, *uids):
    store(session, folder, uids, r"\Deleted")
    good(session.expunge())


def numbers(path):
    return {uid_of(name) for name in os.listdir(path)}


def named(path, number):
    return next(path / name for name in os.listdir(path) if uid_of(name) == number)


def texts(path):
    """Its messages; None while they change."""
    try:
        return {entry.read_bytes() for entry in path.iterdir()}
    except OSError:
        return None


def flags_of(path):
    return set(os.getxattr(path, "user.mailmount.flags").decode().split())


def start(mount, proxy, way="notify", **kwargs):
    return mount(proxy, **{"user": "small", **kwargs}, options={"refresh": WAYS[way].refresh})


def await_watch(proxy, way, *folders):
    """Until the server was asked to tell what changes in these folders."""
    def is_watched():
        if way == "idle":
            idling = {command.mailbox for command in proxy.log("^IDLE$") if command.received and not command.is_over}
            return idling >= set(folders)
        return way == "neither" or any(command.status == "OK" for command in proxy.log("^NOTIFY SET"))

    wait_for(is_watched, 15 * SLOW, f"the watch of {folders}")


def await_rest(proxy):
    """Until the mount asks for nothing for a moment: a folder that is renamed while another process lists may stay
    under its old name in Dovecot's list for ever."""
    def is_resting():
        return time.monotonic() - max(command.time for command in proxy.log()) > 0.7

    wait_for(is_resting, 30 * SLOW, "a moment without commands")


def see(way, condition, what):
    return wait_for(condition, WAYS[way].seconds * SLOW, what)


# What is seen.

def test_messages_that_come_change_move_and_go_are_seen(mount, own_proxy, session, way):
    mounted = start(mount, own_proxy, way)
    inbox, archive = mounted.path / "INBOX", mounted.path / "Archive" / "2019"
    for _ in range(2):  # the second time from the kernel
        known, archived = numbers(inbox), numbers(archive)
    first, second, third, *_ = sorted(known)
    new = max(known) + 1
    await_watch(own_proxy, way, "INBOX", "Archive/2019")

    deliver(session, "INBOX")
    see(way, lambda: numbers(inbox) == known | {new}, "the new message")
    assert named(inbox, new).read_bytes() == b"Subject: just arrived\r\n\r\nHello.\r\n"
    expunge(session, "INBOX", first)
    see(way, lambda: numbers(inbox) == known - {first} | {new}, "the listing without the expunged message")
    flagged = named(inbox, third)
    assert "$Forwarded" not in flags_of(flagged)
    store(session, "INBOX", [third], r"\Flagged $Forwarded")
    see(way, lambda: flags_of(flagged) >= {r"\Flagged", "$Forwarded"}, "the new flags")
    good(session.uid("MOVE", str(second), "Archive/2019"))
    see(way, lambda: numbers(inbox) == known - {first, second} | {new}, "the listing without the moved message")
    see(way, lambda: numbers(archive) == archived | {max(archived) + 1}, "the moved message")


def test_who_does_not_open_the_directory_sees_it_too(mount, own_proxy, session, way):
    """Its time changes, what is gone cannot be looked up, and then a listing needs no network."""
    mounted = start(mount, own_proxy, way)
    inbox = mounted.path / "INBOX"
    for _ in range(2):
        known = numbers(inbox)
    gone = named(inbox, min(known))
    made = os.stat(inbox).st_mtime_ns
    assert gone.exists()
    await_watch(own_proxy, way, "INBOX")
    deliver(session, "INBOX")
    expunge(session, "INBOX", min(known))
    see(way, lambda: not gone.exists(), "the end of the expunged message")
    assert os.stat(inbox).st_mtime_ns > made
    expected = known - {min(known)} | {max(known) + 1}
    if way == "neither":
        assert numbers(inbox) == expected
    else:
        own_proxy.refuse()
        see(way, lambda: numbers(inbox) == expected, "the new message")


@pytest.mark.parametrize("way", ["notify", "neither"], indirect=True)
def test_folders_that_come_go_and_get_another_name_are_seen(mount, own_proxy, session, way):
    mounted = start(mount, own_proxy, way)
    for _ in range(2):
        before = set(os.listdir(mounted.path))
        sent = numbers(mounted.path / "Sent")
        os.listdir(mounted.path / "Lists" / "many")
    await_watch(own_proxy, way)
    good(session.create("Fresh"))
    deliver(session, "Fresh")
    see(way, lambda: set(os.listdir(mounted.path)) == before | {"Fresh"}, "the new folder")
    see(way, lambda: numbers(mounted.path / "Fresh") == {1}, "the message in it")
    await_rest(own_proxy)
    good(session.rename("Sent", "Sent-earlier"))
    see(way, lambda: set(os.listdir(mounted.path)) == before - {"Sent"} | {"Fresh", "Sent-earlier"}, "the new name")
    assert numbers(mounted.path / "Sent-earlier") == sent
    assert not (mounted.path / "Sent").exists()
    await_rest(own_proxy)
    good(session.delete("Lists/many"))
    see(way, lambda: not (mounted.path / "Lists" / "many").exists(), "the end of the deleted folder")


@pytest.mark.parametrize("way", ["neither"], indirect=True)
def test_folders_swapped_or_made_again_are_seen(mount, own_proxy, session, way):
    """Afterwards there are folders of the same names as before: not every server with NOTIFY tells of that."""
    mounted = start(mount, own_proxy, way)
    sent, many = mounted.path / "Sent", mounted.path / "Lists" / "many"
    for _ in range(2):
        of_sent, of_many = texts(sent), texts(many)
    await_watch(own_proxy, way)
    await_rest(own_proxy)
    good(session.rename("Sent", "Aside"))
    good(session.rename("Lists/many", "Sent"))
    good(session.rename("Aside", "Lists/many"))
    see(way, lambda: (texts(sent), texts(many)) == (of_many, of_sent), "the messages of the swapped folders")
    await_rest(own_proxy)
    good(session.delete("Sent"))
    good(session.create("Sent"))
    see(way, lambda: texts(sent) == set(), "the folder made again")
    assert texts(many) == of_sent


@pytest.mark.parametrize("way", ["notify", "neither"], indirect=True)
def test_flags_change_and_a_copy_is_not_made_again(mount, own_proxy, session, small_corpus, tmp_path, way):
    mounted = start(mount, own_proxy, way)
    copy = ["rsync", "-ai", "--delete", f"{mounted.path}/", f"{tmp_path}/copy/"]
    assert sh(copy).out
    before = snapshot(mounted.path)
    await_watch(own_proxy, way)
    own_proxy.clear()
    for folder in small_corpus.selectable():
        if folder.messages:
            store(session, f'"{small_corpus.wire_name(folder.path)}"', ["1:*"], r"\Flagged $Changed")
    see(way, lambda: all(flags_of(mounted.path / path) >= {r"\Flagged", "$Changed"} for path in before),
        "the flags of all messages")
    assert sh(copy).out == ""
    assert snapshot(mounted.path) == before
    assert not own_proxy.body_fetches()


# Who is at it meanwhile.

def test_an_expunged_message_is_gone_or_is_what_was_read(mount, own_proxy, session):
    """Opened before, listed before, and open: no error but these, and no other octets."""
    mounted = start(mount, own_proxy)
    many = mounted.path / "Lists" / "many"
    paths = [named(many, number) for number in sorted(numbers(many))[2:5]]
    unread, read, opened = paths
    truth = {path: path.read_bytes() for path in (read, opened)}
    descriptor = os.open(opened, os.O_RDONLY)
    await_watch(own_proxy, "notify")
    expunge(session, "Lists/many", *map(uid_of, paths))
    see("notify", lambda: not {*os.listdir(many)} & {path.name for path in paths}, "the listing without them")

    def outcome(read):
        try:
            return read()
        except OSError as error:
            assert error.errno in (errno.ENOENT, errno.ESTALE), error
            return None

    assert outcome(unread.read_bytes) is None
    assert outcome(read.read_bytes) in (None, truth[read])
    assert outcome(lambda: os.pread(descriptor, 1 << 20, 0)) in (None, truth[opened])
    os.close(descriptor)


@pytest.fixture
def busy_corpus():
    corpus = Corpus(seed=4)
    corpus.ordinary(("INBOX",), 3000)
    corpus.ordinary(("Lists", "many"), 600)
    return corpus


@pytest.fixture
def busy(mount, busy_corpus):
    """A mount of some thousand messages, and another session with them."""
    with DovecotServer(users={"small": PASSWORD}, tls=False) as dovecot, Proxy(dovecot.imap_port) as proxy:
        dovecot.stop()
        busy_corpus.write(dovecot.mail_dir("small"))
        dovecot.start()
        session = connect(dovecot, "small")
        mounted = start(mount, proxy)
        await_watch(proxy, "notify")
        yield mounted, session
        session.logout()
        mounted.unmount()


def test_a_listing_that_is_being_read_goes_on(busy):
    """What came and went while it is read disturbs no other message: each is there once."""
    mounted, session = busy
    inbox = mounted.path / "INBOX"
    before = sorted(numbers(inbox))
    listing = os.scandir(inbox)
    found = [uid_of(next(listing).name) for _ in range(len(before) // 2)]
    behind, ahead = found[100], before[-100]
    gone = named(inbox, behind)
    deliver(session, "INBOX")
    expunge(session, "INBOX", behind, ahead)
    see("notify", lambda: not gone.exists(), "the end of the expunged message")
    found += [uid_of(entry.name) for entry in listing]
    assert len(found) == len(set(found))
    assert set(before) - set(found) <= {ahead}
    assert set(found) - set(before) <= {before[-1] + 1}


def test_a_copy_goes_on_while_messages_come_and_go(busy, busy_corpus, tmp_path, tell_count):
    mounted, session = busy
    messages = busy_corpus.folders["Lists", "many"].by_uid()
    expunged, delivered = set(), 0
    copy = subprocess.Popen(["rsync", "-a", "--bwlimit=200", f"{mounted.path}/Lists/many/", f"{tmp_path}/copy/"],
                            stderr=subprocess.PIPE)
    while copy.poll() is None and len(expunged) < 300:
        uid = busy_corpus.random.choice(sorted(messages.keys() - expunged))
        expunge(session, "Lists/many", uid)
        expunged.add(uid)
        deliver(session, "Lists/many")
        delivered += 1
        time.sleep(0.02)
    _, errors = copy.communicate(timeout=120 * SLOW)
    assert copy.returncode in (0, 24), errors.decode()
    assert delivered > 20
    tell_count("messages that came and went during a copy", delivered + len(expunged))
    copied = {uid_of(name): tmp_path / "copy" / name for name in os.listdir(tmp_path / "copy")}
    old = messages.keys() & copied.keys()
    assert messages.keys() - expunged <= old
    assert {uid: sha256(copied[uid]) for uid in old} == {uid: messages[uid].sha256 for uid in old}
    assert all(copied[uid].read_bytes().startswith(b"Subject: just arrived\r\n") for uid in copied.keys() - old)
