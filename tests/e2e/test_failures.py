# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that break, servers that go away: nothing short passes for whole, and it comes back by itself."""

import errno
import imaplib
import os
import time

import pytest

from dovecot import wait_for
from mount import SLOW, Failed, sh, uid_of
from proxy import Proxy
from tree import compare, sha256

PASSWORD = "open sesame"
TIMEOUT = 5
GONE = {errno.EIO, errno.EHOSTUNREACH, errno.ETIMEDOUT}


def rsync_delete(source, target):
    return sh(["rsync", "-a", "--delete", f"{source}/", f"{target}/"], check=False)


def tree_of(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


@pytest.fixture
def backup(mount, server, tmp_path, place, corpus):
    """A complete backup of the whole account, made from a cache that is then given up."""
    target = tmp_path / "backup"
    mounted = mount(server, options={"cache": place.directory / "first-cache"})
    sh(["rsync", "-a", f"{mounted.path}/", f"{target}/"])
    mounted.unmount()
    assert not compare(target, corpus, content=False)
    return target


def listing_of(folder):
    return lambda command: "FETCH" in command.name and command.mailbox == folder and not command.fetches_body


def half_of_listing(mount, proxy, folder, place):
    """How many octets are half of the first listing's answer."""
    mounted = mount(proxy, options={"cache": place.directory / "measuring-cache"})
    list(mounted.path.joinpath(folder).iterdir())
    mounted.unmount()
    octets = sum(command.received for command in proxy.commands if listing_of(folder)(command))
    assert octets > 10_000
    proxy.clear()
    return octets // 2


@pytest.mark.core
def test_a_listing_cut_at_half_deletes_nothing(mount, proxy, backup, corpus, place):
    half = half_of_listing(mount, proxy, "Lists/many", place)
    before = tree_of(backup)
    rule = proxy.when(listing_of("Lists/many"), "cut", after_octets=half, times=1000)
    mounted = mount(proxy, options={"timeout": TIMEOUT})
    result = rsync_delete(mounted.path, backup)
    assert rule.fired
    assert result.returncode != 0
    assert tree_of(backup) == before
    with pytest.raises(OSError):
        os.listdir(mounted.path / "Lists/many")
    proxy.clear()
    wait_for(lambda: rsync_delete(mounted.path, backup).returncode == 0, 60 * SLOW, "a complete run")
    assert tree_of(backup) == before
    assert not compare(backup, corpus)


def test_a_listing_cut_once_is_tried_again(mount, proxy, backup, corpus, place):
    half = half_of_listing(mount, proxy, "Lists/many", place)
    before = tree_of(backup)
    rule = proxy.when(listing_of("Lists/many"), "cut", after_octets=half, times=1)
    mounted = mount(proxy, options={"timeout": TIMEOUT})
    names = os.listdir(mounted.path / "Lists/many")
    assert rule.fired == 1
    assert len(names) == len(corpus.folders[("Lists", "many")].messages)
    rsync_delete(mounted.path, backup)
    assert tree_of(backup) == before


@pytest.mark.parametrize("after_octets", [0, 300, 1500])
def test_a_cut_during_list_deletes_nothing(mount, proxy, backup, corpus, after_octets):
    before = tree_of(backup)
    rule = proxy.when("^LIST|^LSUB", "cut", after_octets=after_octets, times=1000)
    mounted = None
    try:
        mounted = mount(proxy, options={"timeout": TIMEOUT})
    except Failed as failure:
        assert failure.status > 0
    if mounted is not None:
        result = rsync_delete(mounted.path, backup)
        assert result.returncode != 0
    assert rule.fired
    assert tree_of(backup) == before
    proxy.clear()
    if mounted is None:
        mounted = mount(proxy)
    wait_for(lambda: rsync_delete(mounted.path, backup).returncode == 0, 60 * SLOW, "a complete run")
    assert tree_of(backup) == before
    assert not compare(backup, corpus)


def test_a_server_gone_before_the_listing_deletes_nothing(mount, proxy, backup, corpus):
    before = tree_of(backup)
    mounted = mount(proxy, options={"timeout": TIMEOUT})
    proxy.refuse()
    assert rsync_delete(mounted.path, backup).returncode != 0
    assert tree_of(backup) == before
    proxy.accept_again()
    wait_for(lambda: rsync_delete(mounted.path, backup).returncode == 0, 60 * SLOW, "a complete run")
    assert tree_of(backup) == before
    assert not compare(backup, corpus)


def read_error(path):
    """The errno of reading the file from end to end, and how long that took."""
    started = time.monotonic()
    try:
        sha256(path)
    except OSError as error:
        return error.errno, time.monotonic() - started
    return None, time.monotonic() - started


def readable(path, message):
    try:
        return sha256(path) == message.sha256
    except OSError:
        return False


@pytest.mark.parametrize("how", ["refuse", "stall"])
def test_a_server_away_is_an_error_in_time_and_comes_back(mount, proxy, small_corpus, how):
    mounted = mount(proxy, user="small", options={"timeout": TIMEOUT})
    files = sorted((mounted.path / "Lists/many").iterdir(), key=lambda path: uid_of(path))
    by_uid = small_corpus.folders[("Lists", "many")].by_uid()
    assert sha256(files[0]) == by_uid[uid_of(files[0])].sha256
    far = next((mounted.path / "INBOX").glob("*large*"))
    getattr(proxy, how)()
    code, seconds = read_error(far)
    assert code in GONE, code
    assert seconds < (TIMEOUT + 5) * SLOW
    # What was read before is still there.
    assert sha256(files[0]) == by_uid[uid_of(files[0])].sha256
    assert len(os.listdir(mounted.path / "Lists/many")) == len(files)
    proxy.go_on()
    proxy.accept_again()
    large = small_corpus.folders[("INBOX",)].by_uid()[uid_of(far)]
    wait_for(lambda: readable(far, large), 30 * SLOW, "the mount's recovery")
    assert not compare(mounted.path, small_corpus)


def test_a_server_that_restarts_is_found_again(mount, own_server, small_corpus):
    mounted = mount(own_server, user="small", options={"timeout": TIMEOUT})
    assert len(os.listdir(mounted.path / "INBOX")) == len(small_corpus.folders[("INBOX",)].messages)
    file = next((mounted.path / "INBOX").glob("*large*"))
    own_server.stop()
    code, seconds = read_error(file)
    assert code in GONE
    assert seconds < (TIMEOUT + 5) * SLOW
    own_server.start()
    message = small_corpus.folders[("INBOX",)].by_uid()[uid_of(file)]
    wait_for(lambda: readable(file, message), 30 * SLOW, "the mount's recovery")
    assert not compare(mounted.path, small_corpus)


def is_body(command):
    return command.fetches_body


@pytest.mark.core
@pytest.mark.parametrize("action", ["cut", "reset"])
@pytest.mark.parametrize("after_octets", [0, 10, 1000, 100_000])
def test_a_body_cut_once_is_right_or_an_error(mount, proxy, small_corpus, action, after_octets):
    mounted = mount(proxy, user="small", options={"timeout": TIMEOUT})
    file = next((mounted.path / "INBOX").glob("*large*"))
    message = small_corpus.folders[("INBOX",)].by_uid()[uid_of(file)]
    rule = proxy.when(is_body, action, after_octets=after_octets)
    started = time.monotonic()
    try:
        assert file.read_bytes() == message.served
    except OSError as error:
        assert error.errno in GONE
    assert time.monotonic() - started < (TIMEOUT + 5) * 2 * SLOW
    assert rule.fired == 1
    wait_for(lambda: readable(file, message), 30 * SLOW, "the right bytes")


def test_a_body_that_never_comes_fails_alone(mount, proxy, small_corpus):
    """One message cannot be had: it is an error by itself, and its neighbours are whole."""
    mounted = mount(proxy, user="small", options={"timeout": TIMEOUT})
    file = next((mounted.path / "INBOX").glob("*medium*"))
    uid = uid_of(file)
    rule = proxy.when(lambda c: c.fetches_body and c.mailbox == "INBOX"
                      and str(uid) in c.arguments.split(" ")[0].split(","),
                      "cut", after_octets=5000, times=1000)
    code, _ = read_error(file)
    assert code in GONE
    assert rule.fired
    wrong = []
    for other in (mounted.path / "INBOX").iterdir():
        message = small_corpus.folders[("INBOX",)].by_uid()[uid_of(other)]
        if uid_of(other) != uid:
            wait_for(lambda other=other, message=message: readable(other, message), 30 * SLOW, str(other))
    assert not wrong
    proxy.clear()
    message = small_corpus.folders[("INBOX",)].by_uid()[uid]
    wait_for(lambda: readable(file, message), 30 * SLOW, "the message")


@pytest.mark.parametrize("cut_after", [200_000, 2_000_000, 20_000_000])
def test_a_copy_over_a_cut_is_completed_by_the_next(mount, proxy, corpus, tmp_path, cut_after):
    target = tmp_path / "copy"
    mounted = mount(proxy, options={"timeout": TIMEOUT})
    proxy.cut_after = proxy.octets_to_client + cut_after
    sh(["rsync", "-a", f"{mounted.path}/", f"{target}/"], check=False)
    assert proxy.cut_after is None
    # Whatever is there under its final name is right.
    wrong = [problem for problem in compare(target, corpus) if "missing" not in problem]
    assert not wrong
    wait_for(lambda: sh(["rsync", "-a", f"{mounted.path}/", f"{target}/"], check=False).returncode == 0,
             60 * SLOW, "a complete run")
    assert not compare(target, corpus)


def test_a_message_expunged_elsewhere_is_never_short(mount, own_server, small_corpus):
    mounted = mount(own_server, user="small")
    files = sorted((mounted.path / "Lists/many").iterdir(), key=uid_of)
    session = imaplib.IMAP4("127.0.0.1", own_server.imap_port, timeout=60)
    session.login("small", PASSWORD)
    session.select('"Lists/many"')
    session.uid("STORE", str(uid_of(files[3])), "+FLAGS", "(\\Deleted)")
    session.expunge()
    session.logout()
    by_uid = small_corpus.folders[("Lists", "many")].by_uid()
    try:
        content = files[3].read_bytes()
        assert content == by_uid[uid_of(files[3])].served
    except OSError as error:
        assert error.errno in (errno.ENOENT, errno.ESTALE, errno.EIO)
    for file in files[:3] + files[4:]:
        assert sha256(file) == by_uid[uid_of(file)].sha256


def test_new_and_expunged_mail_is_seen_after_remount(mount, own_server, small_corpus):
    mounted = mount(own_server, user="small")
    before = sorted(os.listdir(mounted.path / "Lists/many"), key=uid_of)
    mounted.unmount()
    session = imaplib.IMAP4("127.0.0.1", own_server.imap_port, timeout=60)
    session.login("small", PASSWORD)
    session.append('"Lists/many"', "", '"01-Jan-2020 00:00:00 +0000"', b"Subject: brand new\r\n\r\nx\r\n")
    session.select('"Lists/many"')
    session.uid("STORE", str(uid_of(before[0])), "+FLAGS", "(\\Deleted)")
    session.expunge()
    session.create("Created")
    session.delete("Sent")
    session.logout()
    mounted = mount(own_server, user="small")
    after = sorted(os.listdir(mounted.path / "Lists/many"), key=uid_of)
    assert after[:-1] == before[1:]
    assert "brand-new" in after[-1]
    assert "Created" in os.listdir(mounted.path) and "Sent" not in os.listdir(mounted.path)


def test_size_is_exact_at_open(mount, server):
    """st_size by fstat after open is the number of octets that read() gives."""
    mounted = mount(server, user="small")
    for root, _, names in os.walk(mounted.path):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                assert len(file.read()) == size


def test_a_reader_can_be_interrupted(mount, proxy):
    """A process that waits for a silent server dies when it is killed."""
    import signal
    import subprocess
    mounted = mount(proxy, user="small", options={"timeout": 60})
    file = next((mounted.path / "INBOX").glob("*large*"))
    proxy.stall()
    reader = subprocess.Popen(["cat", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)  # there is no event for "cat waits in read()"
    assert reader.poll() is None
    reader.send_signal(signal.SIGINT)
    assert reader.wait(10 * SLOW) != 0
    proxy.go_on()


def test_a_wrong_server_certificate_later_is_not_accepted(mount, own_server, small_corpus):
    """The certificate is checked on every connection, not only the first."""
    proxy = Proxy(own_server.imaps_port, raw=True)
    try:
        mounted = mount(proxy, user="small", scheme="imaps",
                        options={"tls": None, "cafile": own_server.certificates.ca, "timeout": TIMEOUT})
        file = next((mounted.path / "INBOX").glob("*large*"))
        own_server.stop()
        own_server.certificate = "wronghost"
        own_server._write_configuration()
        own_server.start()
        code, _ = read_error(file)
        assert code is not None
    finally:
        proxy.close()
