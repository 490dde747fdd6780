# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that numbers its messages anew, and servers whose numbers are not to be relied on."""

import os
import re

import pytest

from corpus import Corpus
from dovecot import PASSWORD, DovecotServer, wait_for
from mount import sh
from scripted_imap import ScriptedImap, message
from tree import sha256, snapshot


@pytest.fixture
def own_server():
    """One whose messages all have a Message-ID; two of them are the same message."""
    corpus = Corpus(seed=3, large_octets=2_000_000)
    corpus.ordinary(("INBOX",), 40)
    corpus.ordinary(("Archive", "2019"), 5)
    corpus.ordinary(("Lists", "many"), 200)
    corpus.add(("INBOX",), corpus.large(1), "large", subject="large attachment 1")
    twice = corpus.folders[("Lists", "many")].messages[7]
    corpus.add(("Lists", "many"), twice.stored, twice.kind, subject=twice.subject, internaldate=twice.internaldate)
    with DovecotServer(users={"small": PASSWORD}) as dovecot:
        dovecot.stop()
        corpus.write(dovecot.mail_dir("small"))
        yield dovecot.start()


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "copy"
    path.mkdir()
    return path


def rsync(mounted, target):
    """What changed in the copy, by rsync's own words."""
    return sh(["rsync", "-a", "--delete", "--itemize-changes", f"{mounted.path}/", f"{target}/"]).out.splitlines()


def digests(top):
    return {os.path.relpath(os.path.join(root, name), top): sha256(os.path.join(root, name))
            for root, _, names in os.walk(top) for name in names}


def attributes(mounted):
    """{path: the current UID}"""
    return {str(path): int(os.getxattr(mounted.path / path, "user.mailmount.uid")) for path in mounted.files()}


def recognised(mounted):
    """How many messages the program says it recognised, by their Message-ID."""
    return sum(int(n) for n in re.findall(r"(\d+) were recognised", mounted.output()))


def change(server, reverse=False, action=None):
    server.stop()
    if action:
        action(server.mail_dir("small"))
    server.renumber("small", reverse)
    server.start()


@pytest.mark.parametrize("reverse", [False, True], ids=["in-order", "reversed"])
def test_a_new_uidvalidity_between_mounts_moves_nothing(mount, own_server, own_proxy, target, tell_count, reverse):
    mounted = mount(own_proxy, user="small")
    rsync(mounted, target)
    before, uids = snapshot(mounted.path), attributes(mounted)
    mounted.unmount()
    change(own_server, reverse)
    for _ in range(2):  # the second time from the index alone
        own_proxy.clear()
        mounted = mount(own_proxy, user="small")
        assert rsync(mounted, target) == []
        assert snapshot(mounted.path) == before
        assert digests(mounted.path) == digests(target)
        assert not own_proxy.body_fetches()
        if reverse:
            assert attributes(mounted) != uids
        tell_count("re-identified messages", recognised(mounted))
        mounted.unmount()
    assert not own_proxy.log(r"FETCH.*RFC822\.SIZE")


def remove_and_add(mail_dir):
    directory = mail_dir / "Lists" / "many" / "cur"
    sorted(directory.iterdir())[3].unlink()
    file = directory / "1600000000.M1P1.localhost:2,"
    file.write_bytes(b"Subject: came meanwhile\n\nHello.\n")
    os.utime(file, (1600000000, 1600000000))


def test_a_new_uidvalidity_while_mounted_moves_nothing(mount, own_server, own_proxy, target, tell_count):
    mounted = mount(own_proxy, user="small", options={"refresh": 1})
    rsync(mounted, target)
    before, copied = snapshot(mounted.path), digests(target)
    change(own_server, action=remove_and_add)
    own_proxy.clear()
    wait_for(lambda: any("came-meanwhile" in name for name in os.listdir(mounted.path / "Lists" / "many")), 30,
             "the new message")
    changes = rsync(mounted, target)
    assert sorted(line[:2] for line in changes if not line.startswith(".d")) == ["*d", ">f"], changes
    after = snapshot(mounted.path)
    kept = before.keys() & after.keys()
    assert len(kept) == len(before) - 1 == len(after) - 1
    assert {path: after[path] for path in kept} == {path: before[path] for path in kept}
    now = digests(mounted.path)
    assert {path: now[path] for path in kept} == {path: copied[path] for path in kept}
    assert len(own_proxy.body_fetches()) == 1
    tell_count("re-identified messages", recognised(mounted))


@pytest.mark.parametrize("reverse", [False, True], ids=["in-order", "reversed"])
def test_who_reads_on_after_a_new_uidvalidity_reads_the_same_messages(mount, own_server, place, reverse):
    """Without a look at the directory: names are known, and no message was read before."""
    mounted = mount(own_server, user="small", options={"cache": place.directory / "another-cache"})
    expected = digests(mounted.path)
    mounted.unmount()
    mounted = mount(own_server, user="small")
    paths = sorted(expected)
    numbers = {path: os.lstat(mounted.path / path).st_ino for path in paths}
    descriptor = os.open(mounted.path / paths[0], os.O_RDONLY)
    change(own_server, reverse)

    def readable():
        try:
            return os.read(descriptor, 1)
        except OSError:
            return None

    wait_for(readable, 60, "the server to be found again")
    os.close(descriptor)
    assert {path: sha256(mounted.path / path) for path in paths} == expected
    assert {path: os.lstat(mounted.path / path).st_ino for path in paths} == numbers


def test_a_listing_cut_after_a_new_uidvalidity_deletes_nothing(mount, own_server, own_proxy, target):
    mounted = mount(own_proxy, user="small")
    rsync(mounted, target)
    copied = digests(target)
    mounted.unmount()
    change(own_server)
    own_proxy.clear()
    listing = own_proxy.when(r"FETCH 1:\*.*RFC822\.SIZE", "cut", after_octets=500, times=2)
    ids = own_proxy.when(r"FETCH.*HEADER\.FIELDS \(MESSAGE-ID\)", "cut", after_octets=500, times=2)
    mounted = mount(own_proxy, user="small")

    def complete():
        status = sh(["rsync", "-a", "--delete", f"{mounted.path}/", f"{target}/"], check=False).returncode
        assert digests(target) == copied
        return status == 0

    wait_for(complete, 60, "a complete run")
    assert listing.fired and ids.fired
    assert not own_proxy.body_fetches()


# ---- servers whose numbers are not to be relied on ----

DISTRUSTED = {
    "none": {"uidvalidity": None},
    "zero": {"uidvalidity": 0},
    "not-sticky": {"uidvalidity": 7, "not_sticky": True},
    "new-each-time": {"uidvalidity": 7, "not_sticky": True, "new_each_time": True},
}


@pytest.fixture
def scripted():
    with ScriptedImap() as server:
        yield server


def mails(count):
    return [message(f"mail {n}", 500 + n, f"{n}@x", 1_600_000_000 + n) for n in range(1, count + 1)]


def read_all(mounted, server):
    """{name: the bytes}; what can be read must be what the server has under the UID told."""
    found = {}
    for path in mounted.files():
        data = (mounted.path / path).read_bytes()
        uid = int(os.getxattr(mounted.path / path, "user.mailmount.uid"))
        assert data == next(m.body for m in server.inbox.messages if m.uid == uid), path
        found[str(path)] = data
    return found


@pytest.mark.parametrize("kind", DISTRUSTED)
def test_without_uidvalidity_nothing_is_fetched_twice(mount, scripted, kind, tell_count):
    vars(scripted.inbox).update(DISTRUSTED[kind])
    scripted.inbox.put(*mails(20))
    mounted = mount(scripted)
    before, found = snapshot(mounted.path), read_all(mounted, scripted)
    mounted.unmount()
    scripted.clear()
    scripted.restart(*mails(20)[::-1])
    mounted = mount(scripted)
    assert snapshot(mounted.path) == before
    assert read_all(mounted, scripted) == found
    assert not scripted.body_fetches()
    tell_count("re-identified messages", recognised(mounted))


@pytest.mark.parametrize("kind", DISTRUSTED)
def test_without_uidvalidity_no_message_has_the_bytes_of_another(mount, scripted, kind):
    """The same UIDs, sizes, dates and subjects, and other messages."""
    vars(scripted.inbox).update(DISTRUSTED[kind])
    scripted.inbox.put(message("same", 600, "a@x"), message("same", 700, "b@x"), message("same", 800),
                       message("same", 900, "d@x"))
    mounted = mount(scripted)
    assert len(read_all(mounted, scripted)) == 4
    mounted.unmount()
    other = message("same", 800)
    other.body = other.body.replace(b"None", b"none")
    scripted.restart(message("same", 600, "A@x"), message("same", 900, "d@x"), other, message("same", 700, "B@x"))
    mounted = mount(scripted)
    assert len(read_all(mounted, scripted)) == 4


# ---- servers that keep UIDVALIDITY and have other messages after a restart ----

def others(count, letter="o", extra=0):
    """As many messages as mails(), of the same dates and, but for @extra, sizes."""
    return [message(f"{letter}ail {n}", 500 + n + extra, f"{letter}{n}@x", 1_600_000_000 + n)
            for n in range(1, count + 1)]


def read_as_named(mounted, server, paths):
    """How many of the files can be read; each that can is the message that its name says."""
    good = 0
    for path in paths:
        try:
            data = (mounted.path / path).read_bytes()
        except OSError:
            continue
        subject = re.search(r"_(\wail-\d+)_", str(path))[1].replace("-", " ")
        assert data.startswith(f"Subject: {subject}\r\n".encode()), (path, data[:60])
        good += 1
    return good


@pytest.mark.parametrize("uidvalidity, extra", [(1, 0), (1, 7), (1_700_000_000, 7)])
def test_other_messages_while_mounted_are_not_served_under_old_names(mount, scripted, uidvalidity, extra):
    scripted.inbox.uidvalidity = uidvalidity
    scripted.inbox.put(*mails(20))
    mounted = mount(scripted)
    paths = mounted.files()
    assert read_as_named(mounted, scripted, paths[::7]) == 3
    scripted.restart(*others(20, extra=extra))
    # What was read before may still be read; the rest is not there any more.
    assert read_as_named(mounted, scripted, paths) < 20
    listed = wait_for(lambda: [path for path in mounted.files() if "oail" in str(path)], 30, "the new listing")
    assert len(listed) == 20 == len(mounted.files())
    assert len(read_all(mounted, scripted)) == 20


@pytest.mark.parametrize("count", [12, 20, 25])
def test_other_messages_after_a_remount_are_not_served_under_old_names(mount, scripted, count):
    scripted.inbox.put(*mails(20))
    mounted = mount(scripted)
    assert len(read_all(mounted, scripted)) == 20
    mounted.unmount()
    scripted.restart(*others(count))
    mounted = mount(scripted)
    assert read_as_named(mounted, scripted, mounted.files()) <= count
    wait_for(lambda: len([path for path in mounted.files() if "oail" in str(path)]) == count, 30, "the new listing")
    assert len(read_all(mounted, scripted)) == count == len(mounted.files())
