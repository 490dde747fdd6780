# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a tree available offline: all of it comes once, and what does not come is named."""

import os
import pty
import re
import signal
import subprocess

import pytest

from dovecot import wait_for
from mount import BINARY, SLOW, processes_with, sh, uid_of
from tree import compare

TIMEOUT = 5
NEXT_FOLDER_OCTETS = 128 * 1024  # so much may be asked for of a folder that is only next in the tree


@pytest.fixture
def small(mount, proxy):
    return mount(proxy, user="small", options={"timeout": TIMEOUT})


def fetch(*arguments):
    return sh([BINARY, "fetch", *arguments], check=False, timeout=60)


def body_octets(proxy):
    return sum(command.literal_octets for command in proxy.body_fetches())


def octets_of(corpus, *paths):
    return sum(message.size for path in paths or corpus.folders for message in corpus.folders[path].messages)


def test_everything_comes_once_and_is_readable_offline(mount, small, proxy, small_corpus):
    result = fetch(small.path)
    assert result.returncode == 0, result.err
    n = small_corpus.message_count()
    assert f"{n} of {n} messages" in result.out and "; 0 failed" in result.out
    assert octets_of(small_corpus) <= body_octets(proxy) <= 1.02 * octets_of(small_corpus)
    small.unmount()
    proxy.refuse()
    again = mount(proxy, user="small", options={"offline": True})
    assert not compare(again.path, small_corpus)


def test_what_is_cached_costs_no_network(small, proxy):
    assert fetch(small.path).returncode == 0
    small.unmount()
    small.start()
    os.listdir(small.path)
    proxy.clear()
    assert fetch(small.path).returncode == 0
    assert proxy.body_fetches() == []


def test_one_folder_and_several(small, proxy, small_corpus):
    assert fetch(small.path / "Lists").returncode == 0
    wanted = octets_of(small_corpus, ("Lists", "many"))
    assert wanted <= body_octets(proxy) <= wanted + NEXT_FOLDER_OCTETS
    result = fetch(small.path / "Sent", small.path / "Archive")
    assert "8 of 8 messages" in result.out
    wanted = octets_of(small_corpus, ("Lists", "many"), ("Sent",), ("Archive", "2019"))
    assert wanted <= body_octets(proxy) <= wanted + 3 * NEXT_FOLDER_OCTETS


def asks_for(folder, uid):
    """A rule for the commands that fetch this message's body."""
    def matches(command):
        if not command.fetches_body or command.mailbox != folder:
            return False
        ranges = re.search(r"^UID FETCH (\S+)", str(command), re.I)[1].split(",")
        ends = [[int(end) for end in both.split(":")] for both in ranges]
        return any(both[0] <= uid <= both[-1] for both in ends)
    return matches


def test_a_message_that_cannot_be_had_is_named_and_the_others_come(small, proxy, small_corpus):
    victim = sorted(path for path in small.files() if path.parent.name == "INBOX")[3]
    proxy.when(asks_for("INBOX", uid_of(victim)), "cut", times=1000)
    result = fetch(small.path / "INBOX")
    assert result.returncode == 1
    assert f"{small.path / victim}: " in result.err
    assert len(result.err.splitlines()) == int(re.search(r"; (\d+) failed", result.out)[1])
    proxy.clear()
    again = fetch(small.path / "INBOX")
    assert (again.returncode, again.err) == (0, "")


def test_a_folder_that_cannot_be_listed_is_named(small, proxy):
    proxy.when(lambda command: "FETCH" in command.name and command.mailbox == "Lists/many", "cut",
               after_octets=300, times=1000)
    result = fetch(small.path)
    assert result.returncode == 1
    assert f"{small.path / 'Lists' / 'many'}: " in result.err
    assert "29 of 29 messages" in result.out or "30 of 30 messages" in result.out


def test_what_failed_is_not_counted_as_fetched(small, proxy):
    names = os.listdir(small.path / "INBOX")
    proxy.when(lambda command: command.fetches_body, "cut", times=1000)
    result = fetch(small.path / "INBOX")
    assert result.returncode == 1
    assert f"0 of {len(names)} messages fetched" in result.out and f"; {len(names)} failed" in result.out


def test_a_cache_that_is_too_small_is_told(mount, proxy):
    mounted = mount(proxy, options={"cache_size": "1M"})
    results = []

    def is_told():  # what was read last may leave when the command has looked already
        results.append(fetch(mounted.path / "Large"))  # two of 20 MB
        return results[-1].returncode == 1

    wait_for(is_told, 60 * SLOW, "a fetch that is not complete")
    result = results[-1]
    assert "; 0 failed" in result.out
    assert re.search(r"\d+ messages did not stay in the cache .*1\.0.MiB.*cache_size=", result.err)
    assert "cache_free=" not in result.err


def test_a_disk_with_too_little_room_is_told(mount, proxy, place):
    disk = os.statvfs(place.directory)
    floor = disk.f_blocks * disk.f_frsize // 2**30 + 1
    mounted = mount(proxy, user="small", options={"cache_free": f"{floor}G"})
    result = fetch(mounted.path / "Sent")
    assert result.returncode == 1
    assert re.search(r"3 messages did not stay in the cache .*iB of its disk are to stay free.*cache_free=", result.err)
    assert "cache_size=" not in result.err


def test_quiet_says_nothing(small):
    result = fetch("--quiet", small.path / "Sent")
    assert (result.returncode, result.out, result.err) == (0, "", "")


def test_a_terminal_sees_a_bar(small):
    control, terminal = pty.openpty()
    process = subprocess.Popen([BINARY, "fetch", small.path], stdout=terminal, stderr=subprocess.PIPE)
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(control, 4096):
            shown += piece
    except OSError:  # what a terminal says when nobody is on the other end any more
        pass
    assert process.wait(30) == 0
    assert re.search(rb"\r\[[#-]{20}\] +\d+% \d+ of \d+", shown), shown
    assert b"; 0 failed" in shown


def test_it_can_be_interrupted_while_the_server_is_silent(small, proxy):
    proxy.when(r"^UID FETCH .*BODY", "stall", after_octets=100)
    process = subprocess.Popen([BINARY, "fetch", small.path / "INBOX"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    wait_for(lambda: proxy.rules[0].fired, 20 * SLOW, "the first body")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20 * SLOW)
    assert process.returncode == 130
    assert "interrupted" in out and err == ""
    proxy.go_on()
    assert "online" in sh([BINARY, "status", small.path], check=False).out


def test_it_can_be_interrupted_while_the_mount_stands_still(small, proxy):
    """Nobody can end a process that waits for a mount whose process was stopped: it is left behind."""
    proxy.when(r"^UID FETCH .*BODY", "stall", after_octets=100)
    process = subprocess.Popen([BINARY, "fetch", small.path / "INBOX"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    wait_for(lambda: proxy.rules[0].fired, 20 * SLOW, "the first body")
    small.signal(signal.SIGSTOP)
    try:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20 * SLOW)  # also that nobody else holds the pipes
    finally:
        small.signal(signal.SIGCONT)
        process.kill()
    assert process.returncode == 130
    assert "interrupted" in out and "does not answer" in err
    proxy.go_on()
    # The one left behind ends, too: the mount itself has the path on its command line.
    wait_for(lambda: processes_with(small.path / "INBOX") == [], 30 * SLOW, "the last reader to end")


@pytest.mark.parametrize("command", [["fetch"], ["verify"]])
def test_a_mount_that_stands_still_is_told_and_not_waited_for(small, tmp_path, command):
    small.signal(signal.SIGSTOP)
    try:
        result = sh([BINARY, *command, small.path, *([tmp_path] if command == ["verify"] else [])], check=False,
                    timeout=30)
    finally:
        small.signal(signal.SIGCONT)
    assert result.returncode == 2
    assert "does not answer" in result.err and f"fusermount3 -uz '{small.path}'" in result.err


def test_wrong_arguments_are_refused(small, tmp_path):
    assert fetch().returncode == 2
    assert fetch(tmp_path).returncode == 2
    assert fetch("--help").returncode == 0
