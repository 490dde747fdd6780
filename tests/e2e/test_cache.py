# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache on disk: its limit, what survives, who shares it, and what is done with what cannot be trusted."""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cache_audit import audit
from corpus import Corpus, connect
from dovecot import DovecotServer, wait_for
from mount import BINARY, SLOW, WRAPPER, Failed, Place, sh, uid_of
from proxy import Proxy
from tree import compare, sha256

PASSWORD = "open sesame"
LIMIT = 5 << 20
MESSAGES = 300
MESSAGE_OCTETS = 90_000
LARGE_OCTETS = 30_000_000


@pytest.fixture(scope="module")
def much():
    """Five times the limit, in messages of one size; and one large message."""
    corpus = Corpus(seed=3)
    for number in range(MESSAGES):
        path = ("INBOX",) if number % 2 else ("Lists", "much")
        body = (f"message {number} " + corpus._words(8))[:60]
        corpus.add(path, corpus.message(f"Subject: number {number}", body=(body + "\n") * (MESSAGE_OCTETS // 61)),
                   subject=f"number {number}")
    corpus.large_octets = LARGE_OCTETS
    corpus.add(("Large",), corpus.large(1, "thirty million"), "large", subject="thirty million")
    return corpus


@pytest.fixture(scope="module")
def much_server(much):
    dovecot = DovecotServer(users={"user": PASSWORD})
    much.write(dovecot.mail_dir("user"))
    with dovecot:
        yield dovecot


@pytest.fixture
def much_proxy(much_server):
    with Proxy(much_server.imap_port) as running:
        yield running


def not_large(path):
    return path != ("Large",)


def content_octets(cache):
    """What content files take on the disk."""
    octets = 0
    for root, _, names in os.walk(Path(cache, "content-v1")):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                octets += os.lstat(os.path.join(root, name)).st_blocks * 512
    return octets


class Sampler:
    """Looks at the size of a cache again and again."""

    def __init__(self, cache):
        self.cache, self.most, self.samples = cache, 0, 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._ended.wait(0.01):
            # A file that leaves, and the one that comes in its place, may both be seen by one walk; what is there too
            # much is seen by the next one, too.
            self.most = max(self.most, min(content_octets(self.cache) for _ in range(2)))
            self.samples += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()


def rsync(source, target, *options):
    target.mkdir(exist_ok=True)
    return sh(["rsync", "-a", *options, f"{source}/", f"{target}/"])


def whole_file_octets():
    return MESSAGE_OCTETS * 1.2


# The limit.

def test_the_limit_holds_while_five_times_as_much_is_copied(mount, much_proxy, much, place, tmp_path):
    mounted = mount(much_proxy, options={"cache_size": LIMIT, "exclude": "Large"})
    with Sampler(place.cache) as sampler:
        rsync(mounted.path, tmp_path / "copy")
    assert not compare(tmp_path / "copy", much, only=not_large)
    octets = sum(message.size for folder in much.folders.values() if not_large(folder.path)
                 for message in folder.messages)
    assert octets >= 5 * LIMIT
    assert sampler.samples > 5
    assert LIMIT / 2 < sampler.most <= LIMIT + whole_file_octets(), sampler.most
    # Nothing was fetched twice.
    assert sum(command.literal_octets for command in much_proxy.commands) <= 1.05 * octets + 200_000
    mounted.unmount()
    found = audit(place.cache)
    assert not found.problems, str(found)
    assert found.whole > 30


@pytest.mark.parametrize("order", ["by number", "at random"])
def test_what_left_the_cache_is_fetched_again(mount, much_proxy, much, order):
    mounted = mount(much_proxy, options={"cache_size": LIMIT, "exclude": "Large"})
    # After a remount nothing is in the kernel's memory.
    for _ in range(2):
        files = [mounted.path / name for name in mounted.files()]
        files.sort(key=uid_of if order == "by number" else lambda path: sha256_of(path.name))
        for path in files:
            folder = much.folders[path.parent.relative_to(mounted.path).parts]
            assert sha256(path) == folder.by_uid()[uid_of(path)].sha256
        fetched = sum(command.literal_octets for command in much_proxy.commands)
        # Hardly any of it is there the second time, and none of it is fetched and thrown away unread.
        assert 0.75 * MESSAGES * MESSAGE_OCTETS <= fetched <= 1.1 * MESSAGES * MESSAGE_OCTETS + 500_000
        mounted.unmount()
        much_proxy.clear()
        mounted = mount(much_proxy, options={"cache_size": LIMIT, "exclude": "Large"})


def sha256_of(text):
    import hashlib
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_message_larger_than_the_limit_is_read_all_the_same(mount, much_proxy, much, place, tmp_path):
    mounted = mount(much_proxy, options={"cache_size": LIMIT})
    rsync(mounted.path, tmp_path / "copy")
    assert not compare(tmp_path / "copy", much)
    # It leaves with the next one.
    mounted.unmount()
    mounted = mount(much_proxy, options={"cache_size": LIMIT})
    wait_for(lambda: content_octets(place.cache) <= LIMIT, 10 * SLOW, "a cache within its limit")


def test_the_floor_of_free_disk_is_left_alone(mount, much_proxy, much, place):
    """More than the disk has can never be free: nothing is kept, and everything is read."""
    status = os.statvfs(place.directory)
    mounted = mount(much_proxy, options={"cache_free": status.f_blocks * status.f_frsize + (1 << 30),
                                         "exclude": "Large"})
    assert not compare(mounted.path, much, only=not_large)
    assert content_octets(place.cache) == 0
    assert "cannot be kept in the cache" in mounted.output()


# What survives.

def cat(path):
    with open(os.devnull, "wb") as nowhere:
        return subprocess.Popen(["cat", path], stdout=nowhere, stderr=nowhere)


@pytest.mark.parametrize("end", ["unmount", "kill"])
def test_a_large_message_goes_on_where_it_broke(mount, much_proxy, much, place, end):
    """29 of 30 million octets came before the server was gone: after a remount the rest is fetched, and what
    came of the last range, and for a killed process what was not written down yet."""
    message = much.folders[("Large",)].messages[0]
    limit = 29_000_000
    options = {"connections": 1, "timeout": 5}
    mounted = mount(much_proxy, options=options)
    path = next((mounted.path / "Large").iterdir())
    much_proxy.clear()
    much_proxy.cut_after = limit
    reader = cat(path)
    wait_for(lambda: much_proxy.cut_after is None, 60 * SLOW, "the cut")
    much_proxy.refuse()
    if end == "unmount":
        assert reader.wait(60 * SLOW) != 0
        mounted.unmount()
    else:
        # What came is written by and by.
        wait_for(lambda: audit(place.cache).octets >= limit - (5 << 20), 30 * SLOW, "what came on the disk")
        mounted.kill()
        reader.wait(60)
    found = audit(place.cache, [message.served])
    assert not found.problems and found.partial == 1, str(found)

    much_proxy.accept_again()
    much_proxy.clear()
    mounted = mount(much_proxy, options=options)
    assert sha256(next((mounted.path / "Large").iterdir())) == message.sha256
    fetched = sum(command.literal_octets for command in much_proxy.commands)
    lost = 1 << 20 if end == "unmount" else 5 << 20
    assert fetched <= message.size - limit + lost, fetched
    mounted.unmount()
    found = audit(place.cache, [message.served])
    assert found.whole == 1 and not found.problems, str(found)


def test_a_flipped_octet_is_noticed_after_a_remount(mount, much_proxy, much, place):
    mounted = mount(much_proxy, options={"exclude": "Large"})
    name = sorted(os.listdir(mounted.path / "INBOX"))[0]
    message = much.folders[("INBOX",)].by_uid()[uid_of(name)]
    assert sha256(mounted.path / "INBOX" / name) == message.sha256
    mounted.unmount()
    stored = [path for path in Path(place.cache, "content-v1").rglob("*")
              if path.is_file() and message.served in path.read_bytes()]
    assert len(stored) == 1
    stored[0].chmod(0o600)
    with open(stored[0], "r+b") as file:
        file.seek(50_000)
        octet = file.read(1)
        file.seek(50_000)
        file.write(bytes([octet[0] ^ 1]))
    stored[0].chmod(0o400)
    assert len(audit(place.cache).problems) == 1

    much_proxy.clear()
    mounted = mount(much_proxy, options={"exclude": "Large"})
    assert sha256(mounted.path / "INBOX" / name) == message.sha256
    assert len(much_proxy.body_fetches()) >= 1
    assert "its content is not what was stored" in mounted.output()
    mounted.unmount()
    assert not audit(place.cache).problems


def test_what_was_expunged_leaves_the_cache(mount, own_server, place):
    mounted = mount(own_server, user="small")
    for path in mounted.files():
        sha256(mounted.path / path)
    name = next(name for name in os.listdir(mounted.path / "INBOX") if name.endswith("_1.eml"))
    doomed = (mounted.path / "INBOX" / name).read_bytes()
    mounted.unmount()

    def kept(data):
        return [path for path in Path(place.cache, "content-v1").rglob("*")
                if path.is_file() and data in path.read_bytes()]

    assert len(kept(doomed)) == 1
    folders_before = len(list(Path(place.cache, "content-v1").iterdir()))
    session = connect(own_server, "small")
    session.select("INBOX")
    session.uid("STORE", "1", "+FLAGS", r"(\Deleted)")
    session.expunge()
    session.unselect()
    session.delete("Sent")
    session.logout()
    mounted = mount(own_server, user="small")
    assert name not in os.listdir(mounted.path / "INBOX")
    assert "Sent" not in os.listdir(mounted.path)
    wait_for(lambda: not kept(doomed), 10 * SLOW, "the message out of the cache")
    wait_for(lambda: len(list(Path(place.cache, "content-v1").iterdir())) == folders_before - 1, 10 * SLOW,
             "the folder out of the cache")


# Two on one directory.

@pytest.fixture
def second_place(place):
    """A mount point of its own, for the cache of the first."""
    directory = Place()
    directory.cache = place.cache
    yield directory
    directory.remove()


@pytest.mark.parametrize("size", [0, LIMIT])
def test_two_mounts_share_a_cache(mount, much_proxy, much, place, second_place, tmp_path, size):
    """The same account twice, from nothing, at the same time: both copies are right, and so is what is left."""
    options = {"cache_size": size, "connections": 3}
    mounts = [mount(much_proxy, place=here, options=options, start=False) for here in (place, second_place)]
    for mounted in mounts:
        mounted.launch()
    for mounted in mounts:
        wait_for(lambda m=mounted: m._there_or_ended(), 30 * SLOW, "the mount")
        mounted.pid = mounted._find_pid()
    copies = [tmp_path / "one", tmp_path / "two"]
    with Sampler(place.cache) as sampler:
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(rsync, mounted.path, copy) for mounted, copy in zip(mounts, copies)]:
                done.result()
    for mounted, copy in zip(mounts, copies):
        assert not compare(copy, much)
        # The second time from what is there, from both again.
        assert not compare(mounted.path, much)
    if size:
        # Each may hold the large message, and what the other stored since it looked.
        assert sampler.most <= LIMIT + 2 * LARGE_OCTETS + 4 * (1 << 20), sampler.most
    for mounted in mounts:
        mounted.unmount()
        assert "set aside" not in mounted.output() and "dropped" not in mounted.output(), mounted.output()
    truth = [message.served for folder in much.folders.values() for message in folder.messages]
    found = audit(place.cache, truth)
    assert not found.problems, str(found)
    assert found.whole == (MESSAGES + 1 if size == 0 else found.whole)
    with contextlib.closing(sqlite3.connect(place.cache / "index.sqlite")) as index:
        assert index.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert index.execute("SELECT count(*) FROM message").fetchone() == (MESSAGES + 1,)
        assert index.execute("SELECT count(*) - count(DISTINCT path) FROM folder").fetchone() == (0,)


def test_two_mounts_give_the_same_names_and_inodes(mount, much_proxy, second_place):
    mounts = [mount(much_proxy), mount(much_proxy, place=second_place)]
    listings = [{path: os.lstat(mounted.path / path).st_ino for path in mounted.files()} for mounted in mounts]
    assert listings[0] == listings[1]
    assert len(listings[0]) == MESSAGES + 1


@pytest.mark.parametrize("last", [0, 1])
def test_changes_under_two_mounts(mount, own_server, place, second_place, last):
    """One has seen the change and one has not; whoever ends last, what the index keeps leads to the truth."""
    mounts = [mount(own_server, user="small", place=here) for here in (place, second_place)]
    for mounted in mounts:
        for path in mounted.files():
            sha256(mounted.path / path)
    before = {uid_of(name) for name in os.listdir(mounts[0].path / "INBOX")}
    gone = sorted(before)[3:8]
    session = connect(own_server, "small")
    for number in range(4):
        session.append("INBOX", None, None, f"Subject: new {number}\r\n\r\nHello {number}.\r\n".encode())
    session.select("INBOX")
    session.uid("STORE", ",".join(map(str, gone)), "+FLAGS", r"(\Deleted)")
    session.uid("STORE", "1:3", "+FLAGS", r"(\Flagged)")
    session.expunge()
    session.logout()
    expected = (before - set(gone)) | {max(before) + number for number in range(1, 5)}
    # A new mount sees it at once.
    mounts[0].unmount()
    mounts[0] = mount(own_server, user="small", place=place)
    assert {uid_of(name) for name in os.listdir(mounts[0].path / "INBOX")} == expected
    with contextlib.suppress(OSError):
        for name in os.listdir(mounts[1].path / "INBOX"):
            sha256(mounts[1].path / "INBOX" / name)
    for mounted in (mounts[1 - last], mounts[last]):
        mounted.unmount()
        assert "set aside" not in mounted.output(), mounted.output()

    mounted = mount(own_server, user="small")
    names = os.listdir(mounted.path / "INBOX")
    assert {uid_of(name) for name in names} == expected
    for number in range(4):
        name = next(name for name in names if uid_of(name) == max(before) + number + 1)
        assert (mounted.path / "INBOX" / name).read_bytes().endswith(f"Hello {number}.\r\n".encode())
    mounted.unmount()
    assert not audit(place.cache).problems


# What cannot be trusted.

def make_garbage(cache):
    (cache / "index.sqlite").write_bytes(b"no database at all\n" * 1000)


def make_newer(cache):
    with contextlib.closing(sqlite3.connect(cache / "index.sqlite")) as index:
        index.execute("PRAGMA user_version = 9999")


def cut_index(cache):
    with contextlib.closing(sqlite3.connect(cache / "index.sqlite")) as index:
        index.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.truncate(cache / "index.sqlite", 5000)


def make_unreadable(cache):
    (cache / "index.sqlite").chmod(0)


def open_index_to_others(cache):
    (cache / "index.sqlite").chmod(0o644)


def make_content_a_file(cache):
    shutil.rmtree(cache / "content-v1")
    (cache / "content-v1").write_text("hello")


def open_content_to_others(cache):
    (cache / "content-v1").chmod(0o755)


def make_content_a_link(cache):
    (cache / "content-v1").rename(cache / "elsewhere")
    (cache / "content-v1").symlink_to(cache / "elsewhere")


@pytest.mark.parametrize("damage, aside", [
    (make_garbage, "index.sqlite"), (make_newer, "index.sqlite"), (cut_index, "index.sqlite"),
    (make_unreadable, "index.sqlite"), (open_index_to_others, "index.sqlite"), (make_content_a_file, "content-v1"),
    (open_content_to_others, "content-v1"), (make_content_a_link, "content-v1")])
def test_what_cannot_be_trusted_is_set_aside(mount, server, small_corpus, user_place, damage, aside):
    """As an ordinary user, whom permissions hold."""
    def check():
        mounted = mount(server, user="small", place=user_place)
        copy = user_place.directory / f"copy-{time.monotonic_ns()}"
        sh(["cp", "-a", f"{mounted.path}/.", copy], user=user_place.user)
        assert not compare(copy, small_corpus)
        mounted.unmount()
        return mounted.output(), [path.relative_to(copy) for path in sorted(copy.rglob("*"))]

    _, names = check()
    damage(user_place.cache)
    for path in user_place.cache.iterdir():
        if not path.is_symlink():
            user_place.own(path)

    output, names_again = check()
    assert names_again == names
    assert re.search(r"set aside as '[^']*" + re.escape(aside), output), output
    assert list(user_place.cache.glob(f"{aside}.set-aside-*"))
    assert not audit(user_place.cache).problems
    # Once is enough.
    output, names_again = check()
    assert "set aside" not in output and names_again == names


def test_a_cache_that_cannot_be_written_is_said_at_once(mount, server, user_place):
    user_place.cache.mkdir()
    user_place.own(user_place.cache)
    user_place.cache.chmod(0o500)
    with pytest.raises(Failed) as failed:
        mount(server, user="small", place=user_place)
    assert failed.value.status == 1
    assert str(user_place.cache) in failed.value.output
    assert "cache=none" in failed.value.output


# Nothing on disk.

def test_cache_none_writes_nothing(mount, much_proxy, much, place, tmp_path):
    """And takes no more memory than was asked for, though much more is read."""
    mounted = mount(much_proxy, options={"cache": "none", "cache_size": "8M", "log": place.logs / "log"})
    before = {path for path in place.directory.rglob("*") if mounted.path not in path.parents}
    rsync(mounted.path, tmp_path / "copy")
    assert not compare(tmp_path / "copy", much)
    again = rsync(mounted.path, tmp_path / "copy", "--itemize-changes")
    assert again.out == ""
    after = {path for path in place.directory.rglob("*") if mounted.path not in path.parents}
    assert after == before
    assert not place.cache.exists()
    assert list(place.home.iterdir()) == []
    opened = {os.readlink(link) for link in Path(f"/proc/{mounted.pid}/fd").iterdir()}
    assert not [path for path in opened if str(place.home) in path or "index" in path]
    # Of 57 MB that were read: 8 MiB, what was read ahead at the end, and the program.
    assert own_memory(mounted.pid) <= 45 << 20
    names = mounted.files()
    mounted.unmount()
    assert "cannot be kept" not in mounted.output()
    mounted = mount(much_proxy, options={"cache": "none"})
    assert mounted.files() == names


def own_memory(pid):
    """What a process holds of its own, in octets; 0 where a sanitizer or Valgrind holds most of it."""
    if WRAPPER or re.search(rb"__[at]san_init", Path(f"/proc/{pid}/exe").read_bytes()):
        return 0
    return int(re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def test_cache_none_forgets_what_was_not_read_for_long(mount, much_proxy, much):
    """What was read last is read from memory; of what does not fit, the oldest left."""
    mounted = mount(much_proxy, options={"cache": "none", "cache_size": "8M", "exclude": "Large"})
    names = sorted(os.listdir(mounted.path / "INBOX"), key=uid_of)

    def fetched_for(name):
        much_proxy.clear()
        path = mounted.path / "INBOX" / name
        assert sha256(path) == much.folders[("INBOX",)].by_uid()[uid_of(name)].sha256
        return sum(command.literal_octets for command in much_proxy.commands)

    for name in names:
        sha256(mounted.path / "INBOX" / name)
    # These two alone: who opens one after the other has others fetched ahead, in the place of what is there.
    drop_from_kernel(mounted, [names[-1], names[0]])
    assert fetched_for(names[-1]) == 0
    assert fetched_for(names[0]) >= MESSAGE_OCTETS * 0.9


def drop_from_kernel(mounted, names):
    for name in names:
        with open(mounted.path / "INBOX" / name, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


# mailmount cache.

def cache_command(*arguments, check=True, home=None):
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    if home is not None:
        environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    return sh([BINARY, "cache", *arguments], check=check, env=environment)


def told(output, what):
    """(messages, octets as told) of a line."""
    found = re.search(rf"^{re.escape(what)}\s+(\d+) messages\s+(\S.*)$", output, re.M)
    return int(found[1]) if found else None


def test_the_command_tells_what_is_there(mount, server, small_corpus, place):
    port = server.imap_port
    for user in ("small", "nomail"):
        mounted = mount(server, user=user, options={"cache": None})
        for path in mounted.files():
            sha256(mounted.path / path)
        # In use and not in use.
        for _ in range(2):
            wait_for(lambda: told(cache_command(home=place.home).out, "all") == small_corpus.message_count(),
                     30 * SLOW, "all messages in the cache")
            output = cache_command(home=place.home).out
            assert told(output, f"small@127.0.0.1:{port}") == small_corpus.message_count()
            if mounted.alive():
                mounted.unmount()
    assert output.splitlines()[0] == str(place.home / ".cache" / "mailmount")
    assert told(output, f"nomail@127.0.0.1:{port}") == 0
    output = cache_command(f"imap://nomail@127.0.0.1:{port}", home=place.home).out
    assert told(output, f"nomail@127.0.0.1:{port}") == 0 and told(output, "all") is None
    assert cache_command(f"imap://small@127.0.0.1:{port}", home=place.home).out.count("messages") == 1
    for arguments in ([f"imap://nobody@127.0.0.1:{port}"], [str(place.directory / "nothing")]):
        result = cache_command(*arguments, home=place.home, check=False)
        assert result.returncode == 1 and result.err
    assert not (place.directory / "nothing").exists()
    assert cache_command("a", "b", check=False).returncode == 2


def test_looking_changes_nothing(mount, server, place):
    """Not even an index that a mount would set aside."""
    mounted = mount(server, user="small")
    for path in mounted.files()[:5]:
        sha256(mounted.path / path)
    mounted.unmount()
    make_newer(place.cache)
    before = {path: path.lstat().st_mtime_ns for path in place.cache.rglob("*") if "index.sqlite-" not in path.name}
    result = cache_command(str(place.cache))
    assert told(result.out, "(of no account)") >= 5 and "newer" in result.err
    after = {path: path.lstat().st_mtime_ns for path in place.cache.rglob("*") if "index.sqlite-" not in path.name}
    assert after == before


def test_purging_under_a_mount(mount, much_proxy, much, place, tmp_path):
    """It goes on: what is open is read, and the rest is fetched again, ahead of its reader as the first time."""
    mounted = mount(much_proxy)
    rsync(mounted.path, tmp_path / "copy")
    assert not compare(tmp_path / "copy", much)
    large = next((mounted.path / "Large").iterdir())
    with open(large, "rb") as file:
        assert file.read(1000)
        wait_for(lambda: told(cache_command(str(place.cache)).out, "all") == MESSAGES + 1, 30 * SLOW,
                 "the whole copy in the cache")
        output = cache_command("--purge", str(place.cache)).out
        assert told(output, "all") == 0
        assert content_octets(place.cache) == 0
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        file.seek(1_000_000)
        assert file.read(1000) == much.folders[("Large",)].messages[0].served[1_000_000:1_001_000]
    # Opening them one after another is reading already.
    much_proxy.clear()
    for path in mounted.files():
        with open(mounted.path / path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    rsync(mounted.path, tmp_path / "again")
    assert not compare(tmp_path / "again", much)
    assert sum(command.literal_octets for command in much_proxy.commands) >= MESSAGES * MESSAGE_OCTETS * 0.9
    # Not one by one, once the directory was looked through.
    assert len(much_proxy.body_fetches()) <= MESSAGES * 2 / 3
    mounted.unmount()
    found = audit(place.cache)
    assert found.whole >= MESSAGES and not found.problems, str(found)


def test_purging_one_account_leaves_the_others(mount, server, small_corpus, place):
    for user in ("small", "odd"):
        mounted = mount(server, user=user, password=server.password(user))
        for path in mounted.files():
            sha256(mounted.path / path)
        mounted.unmount()
    port = server.imap_port
    cache_command("--purge", f"imap://odd@127.0.0.1:{port}", str(place.cache))
    output = cache_command(str(place.cache)).out
    assert told(output, f"odd@127.0.0.1:{port}") == 0
    assert told(output, f"small@127.0.0.1:{port}") == small_corpus.message_count()


def test_purging_one_folder_leaves_the_others(mount, server, small_corpus, place):
    mounted = mount(server, user="small")
    for path in mounted.files():
        sha256(mounted.path / path)
    mounted.unmount()
    source = f"imap://small@127.0.0.1:{server.imap_port}"
    lists = sum(len(folder.messages) for path, folder in small_corpus.folders.items() if path[0] == "Lists")
    inbox = len(small_corpus.folders[("INBOX",)].messages)
    assert lists > 0 and inbox > 0

    def count(folder):
        return told(cache_command(f"{source}/{folder}", str(place.cache)).out,
                    f"small@127.0.0.1:{server.imap_port}/{folder}")

    assert (count("Lists"), count("inbox")) == (lists, inbox)
    cache_command("--purge", f"{source}/Lists", str(place.cache))
    assert (count("Lists"), count("inbox")) == (0, inbox)
    assert told(cache_command(str(place.cache)).out, "all") == small_corpus.message_count() - lists
    result = cache_command("--purge", f"{source}/List", str(place.cache), check=False)
    assert result.returncode == 1 and "no folder 'List'" in result.err
    assert told(cache_command(str(place.cache)).out, "all") == small_corpus.message_count() - lists


@pytest.mark.parametrize("arguments", [[], ["--purge"]])
def test_a_directory_that_is_no_cache_is_left_alone(tmp_path, arguments):
    (tmp_path / "letters.set-aside-by-me").write_text("kept")
    (tmp_path / "index.sqlite").write_text("another program's")
    result = cache_command(*arguments, str(tmp_path), check=False)
    assert (result.returncode, result.out) == (1, "")
    assert "not a cache of mailmount" in result.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.sqlite", "letters.set-aside-by-me"]


def test_purging_removes_what_was_set_aside(mount, server, place):
    mounted = mount(server, user="small")
    sha256(mounted.path / mounted.files()[0])
    mounted.unmount()
    make_garbage(place.cache)
    mount(server, user="small").unmount()
    assert "set aside" in cache_command(str(place.cache)).out
    assert "set aside" not in cache_command("--purge", str(place.cache)).out
    assert not list(place.cache.glob("*.set-aside-*"))
    assert (place.cache / "index.sqlite").exists()
