# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a copy is what the mount shows, told without downloading a message."""

import hashlib
import json
import os
import re
import shutil

import pytest

from mount import BINARY, ROOT, sh

TIMEOUT = 5


@pytest.fixture
def small(mount, proxy):
    return mount(proxy, user="small", options={"timeout": TIMEOUT})


@pytest.fixture
def copy(small, tmp_path):
    """A whole copy; everything is in the cache then."""
    target = tmp_path / "copy"
    sh(["rsync", "-a", f"{small.path}/", f"{target}/"])
    return target


@pytest.fixture
def uncached(mount, proxy, small, copy, place):
    """The same mount with an empty cache, and the copy made before."""
    small.unmount()
    proxy.clear()
    return mount(proxy, user="small", options={"timeout": TIMEOUT, "cache": place.directory / "another-cache"})


def verify(*arguments):
    return sh([BINARY, "verify", *arguments], check=False, timeout=60)


def messages_of(folder):
    return sorted(path for path in folder.iterdir() if path.suffix == ".eml")


def digest_of(path):
    return os.getxattr(path, "user.mailmount.digest").decode()


# The attribute.

def test_the_digest_of_a_cached_message_is_an_attribute_that_is_not_listed(small, proxy):
    path = messages_of(small.path / "INBOX")[0]
    with pytest.raises(OSError):
        digest_of(path)
    assert proxy.body_fetches() == []
    content = path.read_bytes()
    sh(["cat", *messages_of(small.path / "INBOX")])
    small.unmount()
    small.start()
    proxy.clear()
    assert digest_of(path) == "sha256:" + hashlib.sha256(content).hexdigest()
    assert "user.mailmount.digest" not in os.listxattr(path)
    assert proxy.body_fetches() == []


def test_a_copy_with_attributes_is_not_disturbed_by_what_comes_into_the_cache(small, tmp_path):
    sh(["rsync", "-aX", f"{small.path}/", tmp_path / "copy"])
    again = sh(["rsync", "-aX", "--itemize-changes", f"{small.path}/", tmp_path / "copy"])
    assert again.out == ""


# A copy that is the same.

def test_a_copy_is_the_same_by_digest(small, copy, proxy, small_corpus):
    small.unmount()
    small.start()
    proxy.clear()
    result = verify(small.path, copy)
    n = small_corpus.message_count()
    assert (result.returncode, result.out) == (0, "")
    assert f"{n} messages are the same, {n} of them by digest" in result.err
    assert proxy.body_fetches() == []


def test_a_copy_is_the_same_by_name_size_and_time(uncached, copy, proxy, small_corpus):
    result = verify(uncached.path, copy)
    assert (result.returncode, result.out) == (0, "")
    assert f"{small_corpus.message_count()} messages are the same, 0 of them by digest" in result.err
    assert proxy.body_fetches() == []


def test_one_folder_can_be_verified(small, copy):
    assert verify(small.path / "Lists", copy / "Lists").returncode == 0
    assert verify("--quiet", small.path / "Lists", copy / "INBOX").returncode == 1


# Copies that are not.

def lines_of(result):
    return sorted(result.out.splitlines())


def test_missing_and_extra_messages_and_folders_are_named(small, copy):
    gone = messages_of(copy / "INBOX")[2]
    gone.unlink()
    more = copy / "Sent" / "2020-01-01_not-on-the-server_4711.eml"
    more.write_bytes(b"x")
    shutil.rmtree(copy / "Archive" / "2019")
    (copy / "Old").mkdir()
    (copy / "Old" / "12.eml").write_bytes(b"x")
    result = verify(small.path, copy)
    archived = [f"missing Archive/2019/{path.name}" for path in messages_of(small.path / "Archive" / "2019")]
    assert len(archived) == 5
    assert lines_of(result) == sorted([
        f"missing INBOX/{gone.name}", f"extra Sent/{more.name}", "missing Archive/2019/", *archived, "extra Old/",
        "extra Old/12.eml"])
    assert result.returncode == 1


def change_one_octet(path):
    times = os.stat(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_changed_octet_is_found_where_the_digest_is_known(small, copy):
    changed = messages_of(copy / "INBOX")[5]
    change_one_octet(changed)
    result = verify(small.path, copy)
    assert (result.returncode, result.out) == (1, f"different INBOX/{changed.name} (content)\n")


def test_another_size_or_time_is_found_without_a_digest(uncached, copy, proxy):
    longer, later = messages_of(copy / "INBOX")[5:7]
    times = os.stat(longer)
    with longer.open("ab") as file:
        file.write(b"x")
    os.utime(longer, ns=(times.st_atime_ns, times.st_mtime_ns))
    os.utime(later, (0, os.stat(later).st_mtime + 1))
    result = verify(uncached.path, copy)
    size = os.stat(longer).st_size
    assert lines_of(result) == sorted([
        f"different INBOX/{longer.name} (size: {size}, not {size - 1} octets)", f"different INBOX/{later.name} (time)"])
    assert result.returncode == 1
    assert proxy.body_fetches() == []


def test_what_is_no_mail_is_told_and_is_no_difference(small, copy):
    (copy / "INBOX" / "notes.txt").write_text("mine")
    (copy / "link").symlink_to("INBOX")
    result = verify(small.path, copy)
    assert result.returncode == 0
    assert lines_of(result) == ["other INBOX/notes.txt", "other link"]


def test_quiet_says_nothing_and_the_exit_status_all(small, copy):
    assert (verify("--quiet", small.path, copy).returncode, verify("-q", small.path, copy).out) == (0, "")
    messages_of(copy / "INBOX")[0].unlink()
    result = verify("--quiet", small.path, copy)
    assert (result.returncode, result.out, result.err) == (1, "", "")


# Trouble.

def test_a_listing_that_fails_is_trouble_and_nothing_is_called_extra(uncached, copy, proxy):
    rule = proxy.when(lambda command: "FETCH" in command.name and command.mailbox == "Lists/many", "cut",
                      after_octets=300, times=1000)
    result = verify(uncached.path, copy)
    assert rule.fired
    assert result.returncode == 2
    assert "Lists/many cannot be compared" in result.err
    assert "extra" not in result.out and "missing" not in result.out


def test_wrong_arguments_are_refused(small, copy, tmp_path):
    assert verify(small.path).returncode == 2
    assert verify(tmp_path, copy).returncode == 2
    result = verify(small.path, tmp_path / "nowhere")
    assert result.returncode == 2 and "missing" not in result.out
    assert verify("--help").returncode == 0


def test_programs_get_one_object(small, copy):
    victim = sorted((copy / "INBOX").glob("*.eml"))[0]
    victim.unlink()
    (copy / "note.txt").write_text("no mail")
    result = verify("--json", small.path, copy)
    told = json.loads(result.out)
    assert (result.returncode, result.err) == (1, "")
    assert told["findings"] == [{"finding": "missing", "path": f"INBOX/{victim.name}", "why": None},
                                {"finding": "other", "path": "note.txt", "why": None}]
    assert (told["missing"], told["extra"], told["different"], told["other"], told["trouble"]) == (1, 0, 0, 1, 0)
    assert told["same"] == told["same_by_digest"] == len(list(copy.rglob("*.eml")))
    brief = json.loads(verify("--json", "--quiet", small.path, copy).out)
    assert brief == {**told, "findings": []}
    manual = (ROOT / "man" / "mailmount.1").read_text(encoding="utf-8")
    section = re.search(r"^\.SS mailmount verify$.*?(?=^\.SS )", manual, re.M | re.S)[0]
    assert {*told, *told["findings"][0]} - set(re.findall(r"[a-z_]+", section)) == set()
