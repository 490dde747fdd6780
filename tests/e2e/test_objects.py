# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that are in several folders of a server that says so (EMAILID of RFC 8474, X-GM-MSGID of Gmail): one file
with several names, fetched once and copied once."""

import contextlib
import json
import os
import re
import tarfile

import pytest

from cache_audit import audit
from dovecot import wait_for
from mount import BINARY, sh
from proxy import Proxy
from scripted_imap import Mailbox, ScriptedImap, message
from servers.cyrus import CyrusServer
from tree import sha256

FOLDERS = (("INBOX",), ("Archive",), ("Lists", "many"), ("Work",), ("Über mich",))
SHARED, ALONE, OCTETS = 6, 2, 20_000
DATE = 1_600_000_000


def octets_of(number, size=OCTETS):
    return message(f"mail {number}", size, f"{number}@x").body


class Gmail(ScriptedImap):
    """One like Gmail: what is in several mailboxes has the same X-GM-MSGID."""
    names = {("INBOX",): "INBOX", ("Archive",): "[Gmail]/All Mail", ("Lists", "many"): "Lists/many", ("Work",): "Work",
             ("Über mich",): "&ANw-ber mich"}

    def __init__(self):
        super().__init__("X-GM-EXT-1")
        for name in self.names.values():
            self.mailboxes[name] = Mailbox(uidvalidity=1000)

    def fill(self):
        for number in range(1, SHARED + 1):
            one = message(f"mail {number}", OCTETS, f"{number}@x", DATE + number)
            one.gmail_id, one.labels = 10 ** 18 + number, ("\\Inbox", "Muy Importante", "&ANw-ber")
            for folder in FOLDERS:
                self.mailboxes[self.names[folder]].append(one.copy())
        for place, folder in enumerate(FOLDERS):
            for number in range(ALONE):
                one = message(f"alone {place} {number}", OCTETS, f"a{place}-{number}@x", DATE + 100)
                one.gmail_id = 2 * 10 ** 18 + place * 100 + number
                self.mailboxes[self.names[folder]].append(one)

    def expunge(self, folder, uid):
        with self.lock:
            mailbox = self.mailboxes[self.names[folder]]
            mailbox.messages = [one for one in mailbox.messages if one.uid != uid]

    def renumber(self, folder):
        with self.lock:
            mailbox = self.mailboxes[self.names[folder]]
            mailbox.put(*mailbox.messages[::-1])
            mailbox.uidvalidity += 1

    def local(self, folder):
        return self.names[folder] if folder[0] == "Archive" else "/".join(folder)


class Cyrus(CyrusServer):
    """Its COPY keeps EMAILID and INTERNALDATE."""

    def fill(self):
        for folder in FOLDERS[1:]:
            self.create(folder)
        self.deliver(("INBOX",), [octets_of(number) for number in range(1, SHARED + 1)], date=DATE)
        with self.session(folder=("INBOX",)) as connection:
            for folder in FOLDERS[1:]:
                assert connection.uid("COPY", f"1:{SHARED}", self.quoted_name(folder))[0] == "OK"
        for place, folder in enumerate(FOLDERS):
            self.deliver(folder, [message(f"alone {place} {number}", OCTETS, f"a{place}-{number}@x").body
                                  for number in range(ALONE)], date=DATE + 100)

    def expunge(self, folder, uid):
        super().expunge(folder, [uid])

    def local(self, folder):
        return "/".join(folder)


@pytest.fixture(params=[Gmail, Cyrus], ids=["gmail", "cyrus"])
def linked(request):
    with request.param() as running:
        running.fill()
        yield running


@pytest.fixture
def linked_proxy(linked):
    with Proxy(linked.imap_port) as running:
        yield running


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "copy"
    path.mkdir()
    return path


def list_all(mounted):
    """{path: its stat}"""
    return {str(path): os.lstat(mounted.path / path) for path in mounted.files()}


def names_of(linked, found, number):
    """The paths of one message of those that all folders have."""
    paths = sorted(path for path in found if re.search(rf"_mail-{number}_\d+\.eml$", path))
    assert {os.path.dirname(path) for path in paths} == {linked.local(folder) for folder in FOLDERS}
    return paths


def literal_octets(proxy):
    return sum(command.received for command in proxy.body_fetches())


DIFFERENT = (SHARED + len(FOLDERS) * ALONE) * OCTETS


def assert_fetched_once(proxy):
    """Every octet of each message was sent once, and little beside."""
    assert DIFFERENT <= literal_octets(proxy) < DIFFERENT * 1.1, list(map(str, proxy.body_fetches()))


def test_one_file_with_several_names(mount, linked):
    mounted = mount(linked)
    found = list_all(mounted)
    assert len(found) == len(FOLDERS) * (SHARED + ALONE)
    for number in range(1, SHARED + 1):
        stats = [found[path] for path in names_of(linked, found, number)]
        assert len({(s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_nlink, s.st_mode) for s in stats}) == 1
        same = sh(["find", mounted.path, "-samefile", mounted.path / names_of(linked, found, number)[0]])
        assert len(same.out.splitlines()) == len(FOLDERS)
    assert len({s.st_ino for s in found.values()}) == SHARED + len(FOLDERS) * ALONE
    assert all(s.st_nlink >= 2 for s in found.values())
    for entry in os.scandir(mounted.path / "INBOX"):
        assert entry.inode() == entry.stat().st_ino
    # Nothing was read for that.
    disk = int(sh(["du", "-sb", mounted.path]).out.split()[0])
    assert DIFFERENT <= disk < DIFFERENT * 1.1 + 4096 * 20


def test_inodes_are_the_same_after_a_remount_and_without_an_index(mount, linked, place):
    mounted = mount(linked)
    before = {path: (s.st_ino, s.st_mtime_ns, s.st_size) for path, s in list_all(mounted).items()}
    mounted.unmount()
    mounted = mount(linked)
    assert {path: (s.st_ino, s.st_mtime_ns, s.st_size) for path, s in list_all(mounted).items()} == before
    mounted.unmount()
    sh(["rm", "-rf", place.cache])
    mounted = mount(linked)
    assert {path: (s.st_ino, s.st_mtime_ns, s.st_size) for path, s in list_all(mounted).items()} == before


def test_rsync_copies_a_message_in_five_folders_once(mount, linked, linked_proxy, target):
    mounted = mount(linked_proxy)
    sh(["rsync", "-aH", f"{mounted.path}/", f"{target}/"])
    assert_fetched_once(linked_proxy)
    assert int(sh(["du", "-sb", target]).out.split()[0]) < DIFFERENT * 1.1 + 4096 * 20
    for number in range(1, SHARED + 1):
        paths = [target / path for path in names_of(linked, list_all(mounted), number)]
        assert {os.stat(path).st_ino for path in paths} == {os.stat(paths[0]).st_ino}
    linked_proxy.clear()
    assert sh(["rsync", "-aH", "--itemize-changes", f"{mounted.path}/", f"{target}/"]).out == ""
    mounted.unmount()
    mounted = mount(linked_proxy)
    assert sh(["rsync", "-aH", "--itemize-changes", f"{mounted.path}/", f"{target}/"]).out == ""
    assert linked_proxy.body_fetches() == []


def test_tar_and_cp_keep_the_links(mount, linked, linked_proxy, target, tmp_path):
    mounted = mount(linked_proxy)
    sh(["tar", "-C", mounted.path, "-cf", tmp_path / "mail.tar", "."])
    with tarfile.open(tmp_path / "mail.tar") as archive:
        members = archive.getmembers()
    assert sum(member.islnk() for member in members) == SHARED * (len(FOLDERS) - 1)
    assert sum(member.isreg() for member in members) == SHARED + len(FOLDERS) * ALONE
    sh(["cp", "-a", f"{mounted.path}/.", target])
    inodes = {os.stat(os.path.join(root, name)).st_ino for root, _, files in os.walk(target) for name in files}
    assert len(inodes) == SHARED + len(FOLDERS) * ALONE
    assert_fetched_once(linked_proxy)


def test_reading_each_name_fetches_once(mount, linked, linked_proxy):
    mounted = mount(linked_proxy)
    for path in mounted.files():
        sha256(mounted.path / path)
    assert_fetched_once(linked_proxy)


def test_grep_through_all_folders_fetches_once(mount, linked, linked_proxy):
    mounted = mount(linked_proxy)
    assert sh(["grep", "-rLa", "no such words", mounted.path], check=False).out.count("\n") == len(FOLDERS) * (SHARED + ALONE)
    assert_fetched_once(linked_proxy)


@pytest.mark.parametrize("was_read", [False, True], ids=["unread", "read"])
def test_expunged_in_one_folder_it_stays_in_the_others(mount, linked, linked_proxy, was_read):
    mounted = mount(linked_proxy, options={"refresh": 1})
    paths = names_of(linked, list_all(mounted), 3)
    first = next(path for path in paths if path.startswith("INBOX/"))
    others = [path for path in paths if path != first]
    if was_read:
        sha256(mounted.path / first)
    before = os.stat(mounted.path / others[0])
    with open(mounted.path / first, "rb") if was_read else contextlib.nullcontext() as held:
        linked_proxy.clear()
        linked.expunge(("INBOX",), 3)
        wait_for(lambda: os.path.basename(first) not in os.listdir(mounted.path / "INBOX")
                 and not (mounted.path / first).exists(), 30, "the name to go")
        for path in others:
            assert os.stat(mounted.path / path).st_ino == before.st_ino
            assert (mounted.path / path).read_bytes() == octets_of(3)
        assert held is None or held.read() == octets_of(3)
    assert len(linked_proxy.body_fetches()) == (0 if was_read else 1)


def test_fetched_from_another_folder_when_it_is_gone_from_the_one_looked_up(mount, linked, linked_proxy):
    """The mount does not know yet that it was expunged there."""
    linked_proxy.hide.update({"IDLE", "NOTIFY"})
    mounted = mount(linked_proxy, options={"refresh": 600})
    paths = names_of(linked, list_all(mounted), 2)
    first = next(path for path in paths if path.startswith("INBOX/"))
    os.listdir(mounted.path / "INBOX")
    linked.expunge(("INBOX",), 2)
    assert (mounted.path / first).read_bytes() == octets_of(2)
    asked = [command.mailbox for command in linked_proxy.body_fetches()]
    # There once, or once more where the connection ended meanwhile; then elsewhere, once.
    assert set(asked[:-1]) == {"INBOX"} and len(asked) <= 3 and asked[-1] != "INBOX"


def test_attributes_are_those_of_all_places(mount, linked):
    mounted = mount(linked)
    paths = names_of(linked, list_all(mounted), 1)
    wanted = sorted(f"{linked.local(folder)}:1" for folder in FOLDERS)
    for path in paths:
        assert sorted(os.getxattr(mounted.path / path, "user.mailmount.places").decode().split("\n")) == wanted
        assert os.getxattr(mounted.path / path, "user.mailmount.uid") == b"1"
        if isinstance(linked, Gmail):
            assert os.getxattr(mounted.path / path, "user.mailmount.labels").decode() == "\\Inbox\nMuy Importante\nÜber"
        else:
            assert "user.mailmount.labels" not in os.listxattr(mounted.path / path)
    alone = next(path for path in list_all(mounted) if "alone-0-0" in path)
    assert os.getxattr(mounted.path / alone, "user.mailmount.places") == f"INBOX:{SHARED + 1}".encode()


def listed_attributes(path):
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


def test_listed_attributes_are_the_same_whatever_was_listed(mount, linked):
    """A copy with all attributes finds nothing changed when more folders are known."""
    mounted = mount(linked)
    directory = mounted.path / linked.local(FOLDERS[-1])
    before = {name: listed_attributes(directory / name) for name in os.listdir(directory)}
    places = {name: os.getxattr(directory / name, "user.mailmount.places") for name in before}
    list_all(mounted)
    assert {name: os.getxattr(directory / name, "user.mailmount.places") for name in before} != places
    assert {name: listed_attributes(directory / name) for name in before} == before
    assert all(attributes and not {"user.mailmount.places", "user.mailmount.uid"} & set(attributes)
               for attributes in before.values())


def test_verify_finds_a_linked_copy_whole(mount, linked, target):
    mounted = mount(linked)
    sh(["rsync", "-aH", f"{mounted.path}/", f"{target}/"])
    result = sh([BINARY, "verify", mounted.path, target])
    assert "differ" not in result.out, result.out


def cached_messages(place, what):
    output = sh([BINARY, "cache", str(place.cache)]).out
    found = re.search(rf"^{re.escape(what)}\s+(\d+) messages", output, re.M)
    assert found, output
    return int(found[1])


def test_the_cache_has_it_once(mount, linked, place):
    mounted = mount(linked)
    paths = names_of(linked, list_all(mounted), 1) + names_of(linked, list_all(mounted), 2)
    for path in paths:
        sha256(mounted.path / path)
    wait_for(lambda: cached_messages(place, "all") >= 2, 30, "both messages in the cache")
    status = json.loads((mounted.path / ".mailmount" / "status").read_text())
    inbox = next(folder for folder in status["folders"] if folder["path"] == "INBOX")
    assert inbox["cached"] >= 2, inbox
    mounted.unmount()
    audited = audit(place.cache, [octets_of(number) for number in range(1, SHARED + 1)])
    assert audited.whole == len(list((place.cache / "content-v1" / "000000").rglob("?" * 15))) >= 2
    source = f"imap://user@127.0.0.1:{linked.imap_port}"
    assert cached_messages(place, source.removeprefix("imap://")) == audited.whole
    sh([BINARY, "cache", "--purge", source, str(place.cache)])
    assert not list((place.cache / "content-v1").rglob("?" * 15))


@pytest.mark.parametrize("linked", [Gmail], ids=["gmail"], indirect=True)
def test_a_new_uidvalidity_needs_no_message_ids(mount, linked, linked_proxy):
    """The same id is the same message: its name, inode and octets stay."""
    mounted = mount(linked_proxy)
    for path in mounted.files():
        sha256(mounted.path / path)
    before = {path: (s.st_ino, s.st_mtime_ns) for path, s in list_all(mounted).items()}
    mounted.unmount()
    linked.renumber(("INBOX",))
    linked_proxy.clear()
    mounted = mount(linked_proxy)
    assert {path: (s.st_ino, s.st_mtime_ns) for path, s in list_all(mounted).items()} == before
    for path in mounted.files():
        sha256(mounted.path / path)
    assert linked_proxy.body_fetches() == []
    assert not [c for c in linked_proxy.commands if "MESSAGE-ID" in str(c).upper()]


@pytest.mark.parametrize("linked", [Cyrus], ids=["cyrus"], indirect=True)
def test_a_renamed_folder_keeps_what_it_has(mount, linked, linked_proxy, target):
    """Its inode, those of its messages, and their octets; a backup moves names alone."""
    mounted = mount(linked_proxy, options={"refresh": 1})
    sh(["rsync", "-aH", f"{mounted.path}/", f"{target}/"])
    found = list_all(mounted)
    before = {os.path.basename(path): (s.st_ino, s.st_mtime_ns) for path, s in found.items()
              if path.startswith("Lists/many/")}
    inode = os.stat(mounted.path / "Lists" / "many").st_ino
    linked_proxy.clear()
    with linked.session() as connection:
        assert connection.rename('"Lists/many"', '"Work/old lists"')[0] == "OK"
    renamed = mounted.path / "Work" / "old lists"
    wait_for(lambda: renamed.exists() and not (mounted.path / "Lists" / "many").exists(), 30, "the new name")
    for _ in range(2):
        assert os.stat(renamed).st_ino == inode
        assert {name: ((renamed / name).stat().st_ino, (renamed / name).stat().st_mtime_ns)
                for name in os.listdir(renamed)} == before
        for name in os.listdir(renamed):
            sha256(renamed / name)
        mounted.unmount()
        mounted = mount(linked_proxy)
    assert linked_proxy.body_fetches() == []
