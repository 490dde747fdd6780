# SPDX-License-Identifier: GPL-3.0-or-later
"""An account by POP3: one folder, the same files."""

import contextlib
import errno
import os
import time

import pytest

from dovecot import PASSWORD, wait_for
from mount import Failed, sh, uid_of
from pop3_proxy import ALLOWED, Pop3Proxy
from scripted_pop3 import Message, ScriptedPop3
from servers import maildrop
from servers.dovecot import MatrixDovecot
from tree import snapshot

INBOX = ("INBOX",)
NEW = b"Received: from a.example by mx.example; Tue, 02 Jan 2024 10:00:00 +0000\r\n" \
      b"Date: Mon, 01 Jan 2024 10:00:00 +0000\r\nSubject: brand new\r\n\r\n.a dot\r\n..\r\n"


@pytest.fixture
def running(small_corpus):
    server = MatrixDovecot(users={"small": PASSWORD}, tls=True)
    small_corpus.write(server.mail_dir("small"))
    with server:
        yield server


@pytest.fixture
def pop3(running):
    with Pop3Proxy(running.pop3_port) as proxy:
        yield proxy
        assert proxy.words() <= ALLOWED, proxy.words()


@pytest.fixture
def pop3_mount(mount, pop3):
    def start(target=pop3, scheme="pop3", **kwargs):
        return mount(target, user="small", scheme=scheme, **kwargs)

    return start


def difference(top, corpus):
    """What differs from the corpus, where messages have the numbers 1, 2, … in the order of their UIDs."""
    messages = [message for _, message in sorted(corpus.folders[INBOX].by_uid().items())]
    names = {uid_of(name): name for name in os.listdir(top / "INBOX")}
    if sorted(names) != list(range(1, len(messages) + 1)):
        return f"the numbers are {sorted(names)}"
    return [name for number, name in names.items()
            if (top / "INBOX" / name).read_bytes() != messages[number - 1].served]


def large(corpus):
    return next(message.served for message in corpus.folders[INBOX].messages if message.kind == "large")


def copy(tree, copied, name):
    target = copied / name
    result = sh(["rsync", "-rt", "--stats", f"{tree.path}/", f"{target}/"], timeout=120)
    return target, int(result.out.split("Number of regular files transferred: ")[1].split()[0].replace(",", ""))


def find(tree, word):
    return next((name for name in os.listdir(tree.path / "INBOX") if word in name), None)


def bodies(proxy):
    return proxy.count("RETR|TOP")


def test_a_copy_is_identical_and_a_second_one_moves_nothing(pop3_mount, pop3, small_corpus, copied):
    tree = pop3_mount()
    assert os.listdir(tree.path) == ["INBOX"]
    target, moved = copy(tree, copied, "pop3-copy")
    assert not difference(target, small_corpus)
    assert moved == len(small_corpus.folders[INBOX].messages)
    # One more may have been brought before, to see whether the server's sizes are exact.
    assert moved <= pop3.count("RETR") <= moved + 1
    before = snapshot(tree.path)
    pop3.forget_lines()
    assert copy(tree, copied, "pop3-copy")[1] == 0
    tree.unmount()

    tree = pop3_mount()
    assert snapshot(tree.path) == before
    assert copy(tree, copied, "pop3-copy")[1] == 0
    assert not difference(tree.path, small_corpus)
    assert bodies(pop3) == 0 and pop3.count("UIDL") >= 1


def test_new_mail_and_deleted_mail(pop3_mount, pop3, running, copied):
    tree = pop3_mount(options={"refresh": 1})
    first = os.listdir(tree.path / "INBOX")
    running.deliver(INBOX, [NEW], user="small")
    name = wait_for(lambda: find(tree, "brand-new"), 60, "the new message")
    # From the newest Received field, not from Date.
    assert name.startswith("2024-01-02_")
    assert (tree.path / "INBOX" / name).read_bytes() == NEW
    gone = find(tree, "large")
    running.expunge(INBOX, [_imap_uid(running, tree, gone)], user="small")
    wait_for(lambda: find(tree, "large") is None, 60, "the deleted message to go")
    assert set(os.listdir(tree.path / "INBOX")) == set(first) - {gone} | {name}
    newest = _imap_uid(running, tree, name)
    tree.unmount()
    # Numbers that were used are not used again, whatever the session calls the messages.
    running.expunge(INBOX, [newest], user="small")
    running.deliver(INBOX, [NEW.replace(b"brand", b"even")], user="small")
    tree = pop3_mount(options={"refresh": 1})
    newest = wait_for(lambda: find(tree, "even-new"), 60, "the newest message")
    assert uid_of(newest) > uid_of(name)


def _imap_uid(server, tree, name):
    octets = (tree.path / "INBOX" / name).read_bytes()
    return next(uid for uid, held in server.held(INBOX, user="small").items() if held == octets)


def test_the_head_of_a_large_message_costs_a_beginning(pop3_mount, pop3, small_corpus):
    tree = pop3_mount()
    name = find(tree, "_large_")
    before = pop3.octets_to_client
    head = sh(["head", "-c", "4096", tree.path / "INBOX" / name]).stdout
    assert head == large(small_corpus)[:4096]
    size = os.stat(tree.path / "INBOX" / name).st_size
    assert size > 3_000_000 and pop3.octets_to_client - before < 400_000
    assert pop3.count(r"TOP \d+ [1-9]") >= 1


def test_the_rest_of_a_large_message_is_fetched_once(pop3_mount, pop3, small_corpus):
    tree = pop3_mount()
    octets = b""
    with open(tree.path / "INBOX" / find(tree, "_large_"), "rb") as file:
        while piece := file.read(65536):
            octets += piece
    assert octets == large(small_corpus)
    number = list(sorted(small_corpus.folders[INBOX].by_uid().items()))
    number = next(place for place, (_, message) in enumerate(number, 1) if message.kind == "large")
    assert pop3.count(f"RETR {number}$") == 1


def test_a_killed_mount_goes_on_where_it_was(pop3_mount, pop3, small_corpus, copied):
    tree = pop3_mount()
    names = sorted(os.listdir(tree.path / "INBOX"))
    for name in names[:10]:
        (tree.path / "INBOX" / name).read_bytes()
    before = snapshot(tree.path)
    tree.kill()
    fetched = pop3.count("RETR")
    tree = pop3_mount()
    assert snapshot(tree.path) == before
    assert not difference(tree.path, small_corpus)
    # What was on its way to the disk when it was killed may come again.
    assert pop3.count("RETR") <= len(names) + fetched


@pytest.mark.parametrize("octets", [1, 700, 40_000, 1_500_000])
def test_a_connection_that_is_cut_within_a_message(pop3_mount, pop3, small_corpus, octets):
    tree = pop3_mount()
    assert len(os.listdir(tree.path / "INBOX")) == len(small_corpus.folders[INBOX].messages)
    pop3.at(octets, "cut")
    assert not difference(tree.path, small_corpus)
    assert pop3.count("QUIT|AUTH") >= 2


def test_a_server_that_is_silent(pop3_mount, pop3):
    tree = pop3_mount(options={"timeout": 3})
    name = find(tree, "_large_")
    pop3.stall()
    with pytest.raises(OSError) as caught:
        (tree.path / "INBOX" / name).read_bytes()
    assert caught.value.errno == 110, caught.value
    pop3.go_on()
    wait_for(lambda: _reads(tree.path / "INBOX" / name), 60, "the server to be used again")


def _reads(path):
    with contextlib.suppress(OSError):
        return len(path.read_bytes()) > 3_000_000
    return False


def test_a_session_ends_that_nobody_uses(pop3_mount, pop3, program):
    """Another reader of the maildrop gets it."""
    tree = pop3_mount(options={"refresh": 3600})
    os.listdir(tree.path / "INBOX")
    assert pop3.live() == 1
    wait_for(lambda: pop3.live() == 0, 60, "the session to end")
    assert pop3.count("QUIT") == 1
    assert (tree.path / "INBOX" / find(tree, "_1.eml")).read_bytes()


def test_a_maildrop_in_use_is_waited_for(small_corpus, mount):
    server = MatrixDovecot(users={"small": PASSWORD})
    server.extra += "protocol pop3 {\n  pop3_lock_session = yes\n}\n"
    server._write_configuration()
    small_corpus.write(server.mail_dir("small"))
    with server, Pop3Proxy(server.pop3_port) as proxy:
        tree = mount(proxy, user="small", scheme="pop3", options={"refresh": 1})
        os.listdir(tree.path / "INBOX")
        proxy.cut_all()
        with maildrop.session(server, "small"):
            # What was listed stays, and says why nothing else is to be had.
            name = find(tree, "_large_")
            assert name is not None
            wait_for(lambda: "in use" in (tree.path / ".mailmount" / "status").read_text(), 60,
                     "the status to tell of the other session")
        wait_for(lambda: _reads(tree.path / "INBOX" / name), 60, "the maildrop")
        tree.close()


def test_a_wrong_password_is_told(mount, pop3):
    with pytest.raises(Failed) as caught:
        mount(pop3, user="small", scheme="pop3", password="wrong")
    assert "logging in as small" in caught.value.output
    assert pop3.count("AUTH") == 1


@pytest.mark.parametrize("scheme", ["pop3", "pop3s"])
def test_tls(mount, running, small_corpus, scheme):
    port = running.pop3_port if scheme == "pop3" else running.pop3s_port
    with Pop3Proxy(port) as proxy:
        tree = mount(proxy, user="small", scheme=scheme, host="localhost",
                     options={"tls": None, "cafile": running.certificates.ca})
        assert not difference(tree.path, small_corpus)
        # What comes after TLS began cannot be read by who sits on the line.
        assert proxy.count("AUTH|USER|RETR") == 0
        assert proxy.count("STLS") == (scheme == "pop3")
        tree.close()


def test_offline_what_was_read_is_there(pop3_mount, pop3, running, small_corpus):
    tree = pop3_mount()
    assert not difference(tree.path, small_corpus)
    before = snapshot(tree.path)
    tree.unmount()
    running.stop()
    tree = pop3_mount(options={"offline": True})
    assert snapshot(tree.path) == before
    assert not difference(tree.path, small_corpus)


def test_other_unique_ids_for_the_same_messages(pop3_mount, pop3, running, small_corpus):
    """A server that is moved to other software: the messages keep their names and numbers."""
    tree = pop3_mount()
    assert not difference(tree.path, small_corpus)
    before = snapshot(tree.path)
    tree.unmount()
    running.stop()
    running.extra += f"protocol pop3 {{\n  pop3_uidl_format = {running.settings.OTHER_UNIQUE_IDS}\n}}\n"
    running._write_configuration()
    running.start()
    tree = pop3_mount()
    assert snapshot(tree.path) == before
    assert not difference(tree.path, small_corpus)
    tree.unmount()
    # And by the new ids from now on.
    pop3.forget_lines()
    tree = pop3_mount()
    assert snapshot(tree.path) == before
    assert not difference(tree.path, small_corpus)
    assert bodies(pop3) == 0


def _large(number):
    return (f"Subject: large {number}\r\n\r\n".encode()
            + b"".join(b"%08d is the number of this line\r\n" % line for line in range(60_000)))


@pytest.mark.parametrize("exact", ["none", "small"])
@pytest.mark.parametrize("error", [-777, 777])
def test_a_large_message_of_another_size(mount, exact, error):
    """However wrong the server's sizes are, who has a message open has seen its right size, or cannot read it."""
    small = b"Subject: small\r\n\r\nThis is\r\nall.\r\n"
    messages = [Message(small, "small", None if exact == "small" else len(small) - 5),
                *(Message(_large(number), f"large{number}", len(_large(number)) + error) for number in range(2))]
    with ScriptedPop3(messages) as server:
        tree = mount(server, user="small", scheme="pop3")
        for number in range(2):
            path = tree.path / "INBOX" / find(tree, f"large-{number}")
            octets, seen = b"", set()
            try:
                with open(path, "rb", buffering=0) as file:
                    seen.add(os.fstat(file.fileno()).st_size)
                    while piece := file.read(65536):
                        octets += piece
                        seen.add(os.fstat(file.fileno()).st_size)
            except OSError as caught:
                assert caught.errno == errno.EIO
                octets = None
            # A server whose sizes were right before is believed until it sends something else.
            assert octets is None if exact == "small" and number == 0 else octets or exact == "small"
            if octets is not None:
                assert octets == messages[1 + number].octets and seen == {len(octets)}
            assert path.read_bytes() == messages[1 + number].octets
            assert path.stat().st_size == len(messages[1 + number].octets)
        tree.close()


def _twin(number):
    """One of many that differ in nothing that a listing tells."""
    return Message(b"Subject: twin\r\nDate: Mon, 01 Jan 2024 10:00:00 +0000\r\n\r\n" + f"{number:08}\r\n".encode(),
                   f"twin{number}")


def test_killed_in_a_first_listing_and_the_newest_is_deleted(mount, place):
    """Under the numbers that were given before nobody finds what comes instead."""
    told = []

    def tarry(line):
        if line.startswith("TOP"):
            told.append(line)
            time.sleep(0.02 if len(told) > 2500 else 0)

    with ScriptedPop3(map(_twin, range(6000))) as server:
        server.at_command = tarry
        tree = mount(server, user="small", scheme="pop3")
        # The listing is shown as it comes: a part of it is in the index by then, and what is read on the disk.
        with os.scandir(tree.path / "INBOX") as entries:
            before = [next(entries).name for _ in range(2400)]
        octets = {name: (tree.path / "INBOX" / name).read_bytes() for name in (before[2020], before[2300])}
        assert list(octets.values()) == [_twin(2020).octets, _twin(2300).octets]
        wait_for(lambda: sum(path.is_file() for path in place.cache.glob("content*/*/*/*")) == 2, 60, "them on the disk")
        tree.kill()
        assert len(told) < 6000
        server.at_command = lambda line: None
        server.messages = [*map(_twin, range(2000)), *map(_twin, range(7000, 7500))]
        tree = mount(server, user="small", scheme="pop3")
        names = os.listdir(tree.path / "INBOX")
        after = {name: (tree.path / "INBOX" / name).read_bytes() for name in sorted(names, key=uid_of)[1900:]}
        assert list(after.values()) == [message.octets for message in server.messages[1900:]]
        assert set(before[:2000]) <= set(names) and after[before[1999]] == _twin(1999).octets
        tree.close()
