# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree that one sees: folders, names, attributes. All of it on one mount of the whole corpus, unless said."""

import datetime
import errno
import os
import pty
import re
import select
import stat
import termios
import time
import unicodedata
from pathlib import Path

import pytest

from corpus import Corpus, percent_decoded, plain_subject_name
from dovecot import DovecotServer
from mount import Mount, Place, SLOW, sh, uid_of
from tree import collides, compare, sha256, snapshot

PASSWORD = "open sesame"
FORBIDDEN = set("/\\:*?\"<>|") | {chr(c) for c in range(0x21)} | {chr(c) for c in range(0x7f, 0xa1)} | {
    chr(c) for c in (0x200e, 0x200f, *range(0x202a, 0x202f), *range(0x2066, 0x206a))}


@pytest.fixture(scope="module")
def tree(server):
    place = Place()
    mounted = Mount(f"imap://user@127.0.0.1:{server.imap_port}", place, {"tls": "none"}, PASSWORD).start()
    yield mounted
    try:
        mounted.close()
    finally:
        place.remove()


def messages(tree, corpus, path):
    """[(file, message)] of a folder."""
    directory, by_uid = tree.local(path), corpus.folders[path].by_uid()
    return [(directory / name, by_uid[uid_of(name)]) for name in sorted(os.listdir(directory))
            if name.endswith(".eml") and os.path.isfile(directory / name)]


# Folders.

def test_every_folder_and_message_is_there(tree, corpus):
    assert not compare(tree.path, corpus, content=False)


def test_folders_that_differ_in_case_or_normal_form_are_all_there(tree, corpus):
    names = os.listdir(tree.path)
    folded = [unicodedata.normalize("NFC", name).casefold() for name in names]
    assert len(set(folded)) == len(names)
    for expected, number in (("case", 3), ("café", 2)):
        similar = [name for name in names
                   if unicodedata.normalize("NFC", name).casefold().startswith(expected)]
        assert len(similar) == number, similar
    # Each shows its own messages: the sets of numbers and sizes together are the corpus's.
    paths = [path for path in corpus.folders if collides(corpus, path) and len(path[0].encode()) < 255]
    wanted = sorted(sorted(m.size for m in corpus.folders[path].messages) for path in paths)
    shown = sorted(sorted(entry.stat().st_size for entry in os.scandir(tree.path / name)) for name in names
                   if any(name.lower().startswith(p[0].lower()[:4]) or unicodedata.normalize("NFC", name).startswith("Caf")
                          for p in paths) and name.casefold()[:3] in ("cas", "caf"))
    assert shown == wanted


def test_a_component_over_255_octets_is_cut_and_marked(tree):
    long = [name for name in os.listdir(tree.path) if name.startswith("受受")]
    assert len(long) == 1 and len(long[0].encode()) <= 255
    assert re.search(r"~[0-9a-f]{8}$", long[0])
    assert os.listdir(tree.path / long[0])


@pytest.mark.parametrize("name", ["100% sure", "a%2Fb", "%41", "5.eml", "2020-01-01_looks-like-mail_7.eml", ".search",
                                  "quote\"s", "back\\slash", "dots.in.name", ".hidden", "mail \U0001F4EC"])
def test_an_odd_folder_name_is_reversible(tree, corpus, name):
    found = [local for local in os.listdir(tree.path) if percent_decoded(local) == name]
    assert len(found) == 1
    assert len(os.listdir(tree.path / found[0])) == len(corpus.folders[(name,)].messages)


def test_a_folder_never_looks_like_a_message_or_a_view(tree):
    for name in os.listdir(tree.path):
        assert not re.match(r"^(\d{4}-\d\d-\d\d_.*)?\d+\.eml$", name)
        assert name not in (".search", ".parts", ".headers", ".mailmount")


def test_a_percent_before_two_hex_digits_is_written_as_25(tree):
    names = os.listdir(tree.path)
    assert "a%252Fb" in names and "%2541" in names and "100% sure" in names


def test_a_noselect_parent_is_a_directory(tree, corpus):
    assert not corpus.folders[("Projects",)].selectable
    assert sorted(os.listdir(tree.path / "Projects")) == ["one", "two"]
    assert os.listdir(tree.path / "Projects/two/deep/deeper/deepest")


def test_an_empty_folder_is_an_empty_directory(tree):
    assert os.listdir(tree.path / "Empty") == []


def test_inbox_is_one_directory(tree):
    assert [name for name in os.listdir(tree.path) if name.upper() == "INBOX"] == ["INBOX"]


def test_hierarchy_by_dots_under_a_prefix():
    """Delimiter "." and everything under "INBOX.", as Courier has it, with slashes in names."""
    corpus = Corpus(seed=3, separator=".", layout="maildir++", prefix="INBOX.")
    corpus.ordinary(("INBOX",), 3)
    corpus.ordinary(("Sent",), 2)
    corpus.ordinary(("Archive", "2019", "Jänner"), 4)
    corpus.ordinary(("either/or",), 2)
    server = DovecotServer(users={"user": PASSWORD}, layout="maildir++", separator=".", prefix="INBOX.",
                           escape_names=True)
    corpus.write(server.mail_dir("user"))
    place = Place()
    with server:
        mounted = Mount(f"imap://user@127.0.0.1:{server.imap_port}", place, {"tls": "none"}, PASSWORD).start()
        try:
            files = mounted.files()
            assert len(files) == 11
            assert {path.parts[-2] for path in files if path.parts[-2] != "INBOX"} \
                == {"Sent", "Jänner", "either%2For"}
            assert {path.parts[-4:-1] for path in files if "Jänner" in path.parts} in (
                {("Archive", "2019", "Jänner")}, {("INBOX", "Archive", "2019", "Jänner")})
            wanted = sorted(m.sha256 for folder in corpus.folders.values() for m in folder.messages)
            assert sorted(sha256(mounted.path / path) for path in files) == wanted
        finally:
            mounted.close()
            place.remove()


# Names.

@pytest.mark.core
def test_a_name_is_date_subject_number(tree, corpus):
    for path in (("INBOX",), ("Lists", "many"), ("Sparse",), ("Charsets",)):
        for file, message in messages(tree, corpus, path):
            if message.subject is not None:
                assert file.name == plain_subject_name(message)


def test_every_name_is_harmless(tree, corpus):
    count = 0
    for relative in tree.files():
        name = relative.name
        count += 1
        assert len(os.fsencode(name)) <= 143
        os.fsencode(name).decode("utf-8")
        assert not FORBIDDEN & set(name), repr(name)
        assert re.match(r"\d{4}-\d\d-\d\d_", name), repr(name)
        assert re.search(r"_\d+\.eml$", name), repr(name)
        assert not re.match(r"\d{4}-\d\d-\d\d_\.", name), repr(name)
    assert count == corpus.message_count()


def test_a_subject_is_decoded_from_any_charset(tree, corpus):
    names = [file.name for file, message in messages(tree, corpus, ("Charsets",)) if message.subject]
    assert sum("Grüße-aus-Köln" in name for name in names) == 4
    for word in ("日本語", "Привет", "中文", "한국어"):
        assert any(f"_{word}_" in name for name in names), word
    assert any("raw-ünïcode" in name for name in os.listdir(tree.path / "Hostile"))


def test_a_message_without_subject_is_date_and_number(tree, corpus):
    found = 0
    for file, message in messages(tree, corpus, ("INBOX",)):
        if message.kind in ("noheader", "onlyblank", "garbage", "emptysubject"):
            assert file.name == f"{message.date}_{message.uid}.eml"
            found += 1
    assert found == 4


def test_the_bare_number_is_the_same_file(tree, corpus):
    for file, message in messages(tree, corpus, ("INBOX",))[:20]:
        bare = file.with_name(f"{message.uid}.eml")
        assert bare.stat().st_ino == file.stat().st_ino
        assert sha256(bare) == message.sha256
    assert not any(re.fullmatch(r"\d+\.eml", name) for name in os.listdir(tree.path / "INBOX"))


def test_a_wrong_name_is_no_file(tree, corpus):
    file, message = messages(tree, corpus, ("INBOX",))[0]
    for name in (f"{message.date}_other_{message.uid}.eml", "999999999.eml", f"0{message.uid}.eml", "0.eml",
                 f"{message.uid}.EML", "x", "x" * 255, f"1970-01-01_{message.uid}.eml"):
        with pytest.raises(FileNotFoundError):
            os.stat(file.with_name(name))
    with pytest.raises(OSError) as caught:
        os.stat(file.with_name("x" * 256))
    assert caught.value.errno == errno.ENAMETOOLONG


def test_names_by_number_only(mount, server, small_corpus):
    mounted = mount(server, user="small", options={"names": "uid"})
    assert sorted(os.listdir(mounted.path / "INBOX"), key=uid_of) == \
        [f"{message.uid}.eml" for message in small_corpus.folders[("INBOX",)].messages]
    assert not compare(mounted.path, small_corpus)


def test_a_listing_is_in_the_order_of_numbers_without_repetition(tree, corpus):
    with os.scandir(tree.path / "Lists/many") as entries:
        uids = [uid_of(entry.name) for entry in entries if entry.is_file()]
    assert uids == [message.uid for message in corpus.folders[("Lists", "many")].messages]


def test_uids_up_to_the_limit_are_listed(tree, corpus):
    assert sorted(uid_of(name) for name in os.listdir(tree.path / "Sparse")) == \
        sorted(message.uid for message in corpus.folders[("Sparse",)].messages)


# Attributes.

@pytest.mark.core
def test_size_time_and_kind_are_the_messages(tree, corpus):
    for path in (("INBOX",), ("Large",), ("Hostile",), ("Sparse",)):
        for file, message in messages(tree, corpus, path):
            status = file.stat()
            assert status.st_size == message.size
            assert status.st_mtime == message.internaldate
            assert stat.S_ISREG(status.st_mode)
            assert stat.S_IMODE(status.st_mode) & 0o477 == 0o400
            assert status.st_nlink == 1
            assert status.st_uid == os.geteuid() and status.st_gid == os.getegid()
            assert (status.st_blocks * 512 >= status.st_size)


def test_a_directory_looks_like_one(tree):
    for path in (tree.path, tree.path / "INBOX", tree.path / "Projects", tree.path / "Empty"):
        status = path.stat()
        assert stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) & 0o577 == 0o500
        assert status.st_nlink >= 1
        assert 0 <= status.st_mtime <= time.time() + 60
    listing = sh(["ls", "-a", tree.path / "INBOX"]).out.split("\n")
    assert listing[:2] == [".", ".."]
    assert os.stat(tree.path / "INBOX" / "..").st_ino == tree.path.stat().st_ino


def test_inode_numbers_are_unique(tree, corpus):
    inodes = [value[0] for value in snapshot(tree.path).values()]
    assert len(set(inodes)) == len(inodes) == corpus.message_count()
    assert 0 not in inodes


def test_everything_is_the_same_after_remount(mount, server):
    mounted = mount(server)
    before = snapshot(mounted.path)
    directories = {path: os.stat(path).st_ino for path, _, _ in os.walk(mounted.path)}
    times = {path: os.stat(path).st_mtime for path in directories}
    mounted.unmount()
    mounted = mount(server)
    assert snapshot(mounted.path) == before
    assert {path: os.stat(path).st_ino for path, _, _ in os.walk(mounted.path)} == directories
    assert {path: os.stat(path).st_mtime for path in directories} == times


def test_names_survive_the_loss_of_the_index(mount, server, place, corpus):
    mounted = mount(server)
    before = {name: value[1:3] for name, value in snapshot(mounted.path).items()}
    mounted.unmount()
    mounted = mount(server, options={"cache": place.directory / "another-cache"})
    after = {name: value[1:3] for name, value in snapshot(mounted.path).items()}
    assert after == before


def test_statfs_says_something_sensible(tree):
    result = os.statvfs(tree.path)
    assert result.f_namemax >= 143
    assert result.f_bsize >= 512
    assert result.f_bavail == 0 or result.f_bavail <= result.f_blocks
    assert result.f_flag & os.ST_RDONLY
    assert sh(["df", tree.path]).out.count("\n") == 2
    assert sh(["df", "-i", tree.path]).out.count("\n") == 2
    assert "Block size" in sh(["stat", "-f", tree.path]).out


# Extended attributes.

def expected_attributes(message):
    moment = datetime.datetime.fromtimestamp(message.internaldate, datetime.timezone.utc)
    return {"user.mailmount.uid": str(message.uid), "user.mailmount.flags": set(message.flags), "date": moment}


def check_attributes(read, message):
    expected = expected_attributes(message)
    assert read("user.mailmount.uid") == expected["user.mailmount.uid"]
    flags = read("user.mailmount.flags")
    assert set(flags.split()) - {"\\Recent"} == expected["user.mailmount.flags"]
    date = read("user.mailmount.internaldate")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", date)
    assert datetime.datetime.fromisoformat(date.replace("Z", "+00:00")) == expected["date"]
    identifier = re.search(rb"(?im)^Message-ID: (<[^>\r\n]+>)", message.stored)
    if identifier:
        assert read("user.mailmount.message-id") == identifier[1].decode()


def test_attributes_by_getxattr(tree, corpus):
    for path in (("Flags",), ("INBOX",)):
        for file, message in messages(tree, corpus, path)[:30]:
            names = os.listxattr(file)
            assert {"user.mailmount.uid", "user.mailmount.flags", "user.mailmount.internaldate"} <= set(names)
            assert all(name.startswith("user.mailmount.") for name in names)
            check_attributes(lambda name: os.getxattr(file, name).decode(), message)


def test_attributes_by_getfattr(tree, corpus):
    file, message = next(pair for pair in messages(tree, corpus, ("Flags",)) if "\\Answered" in pair[1].flags)
    text = sh(["getfattr", "-d", "--absolute-names", file]).out
    assert f'user.mailmount.uid="{message.uid}"' in text
    assert "user.mailmount.flags=" in text and "Seen" in text and "Answered" in text


def test_an_attribute_that_is_not_there(tree, corpus):
    file, _ = messages(tree, corpus, ("INBOX",))[0]
    for name, expected in (("user.mailmount.nothing", errno.ENODATA), ("user.other", errno.ENODATA),
                           ("security.capability", errno.EOPNOTSUPP), ("trusted.x", errno.EOPNOTSUPP)):
        with pytest.raises(OSError) as caught:
            os.getxattr(file, name)
        assert caught.value.errno == expected, name
    assert os.listxattr(tree.path / "INBOX") == []


@pytest.mark.parametrize("tool", ["rsync -aX", "tar --xattrs", "cp -a"])
def test_copies_carry_the_attributes(tree, corpus, tmp_path, tool):
    source = tree.path / "Flags"
    try:
        os.setxattr(tmp_path, "user.probe", b"1")
    except OSError:
        pytest.fail(f"{tmp_path} is on a filesystem without user attributes: set TMPDIR to another")
    if tool.startswith("rsync"):
        sh(["rsync", "-aX", f"{source}/", f"{tmp_path}/"])
    elif tool.startswith("tar"):
        sh(f"tar --xattrs --xattrs-include='user.*' -C '{source}' -cf - . | "
           f"tar --xattrs --xattrs-include='user.*' -C '{tmp_path}' -xf -")
    else:
        sh(["cp", "-a", f"{source}/.", tmp_path])
    by_uid = corpus.folders[("Flags",)].by_uid()
    names = os.listdir(tmp_path)
    assert len(names) == len(by_uid)
    for name in names:
        check_attributes(lambda key, name=name: os.getxattr(tmp_path / name, key).decode(), by_uid[uid_of(name)])


# Reading.

def test_open_files_are_independent(tree, corpus):
    pairs = messages(tree, corpus, ("INBOX",))[:50]
    files = [(open(file, "rb"), message) for file, message in pairs]
    for file, message in reversed(files):
        with file:
            assert file.read() == message.served


def test_reading_a_directory_and_listing_a_file_fail_as_they_should(tree, corpus):
    file, _ = messages(tree, corpus, ("INBOX",))[0]
    with pytest.raises(NotADirectoryError):
        os.listdir(file)
    with pytest.raises(IsADirectoryError):
        open(tree.path / "INBOX", "rb").read()


def test_mutt_shows_a_message(tree, corpus, tmp_path):
    """mutt -f wants an mbox: one "From " line before the message makes the file one."""
    file, message = next(pair for pair in messages(tree, corpus, ("INBOX",)) if pair[1].kind == "ordinary")
    mbox = tmp_path / "mbox"
    mbox.write_bytes(b"From user@example.org Sat Jan  1 00:00:00 2000\n" + Path(file).read_bytes())
    pid, terminal = pty.fork()
    if pid == 0:
        termios.tcsetwinsize(0, (24, 80))
        os.environ.update(TERM="vt100", HOME=str(tmp_path))
        os.execvp("mutt", ["mutt", "-n", "-F", "/dev/null", "-R", "-e",
                           f"set folder={tmp_path} spoolfile=/dev/null move=no", "-f", str(mbox)])
    output, wanted = b"", message.subject.split()[0:2]
    deadline = time.monotonic() + 20 * SLOW
    try:
        while " ".join(wanted).encode() not in output:
            assert time.monotonic() < deadline, output
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    output += os.read(terminal, 65536)
                except OSError:  # mutt has ended
                    pytest.fail(output.decode(errors="replace"))
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)
