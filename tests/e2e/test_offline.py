# SPDX-License-Identifier: GPL-3.0-or-later
"""Without a server: what was listed stays listed, what was read stays readable, the rest fails at once."""

import errno
import os
import signal
import time

import pytest

from dovecot import wait_for
from mount import SLOW, Failed, uid_of
from tree import sha256

TIMEOUT = 20
FAST = 5  # seconds; well below the timeout


def read_error(path):
    """The errno of reading the file, and the seconds that took."""
    started = time.monotonic()
    try:
        sha256(path)
    except OSError as error:
        return error.errno, time.monotonic() - started
    return None, time.monotonic() - started


def tree_of(mounted):
    return sorted(str(path) for path in mounted.files())


def readable(path, message):
    try:
        return sha256(path) == message.sha256
    except OSError:
        return False


class Visit:
    """A mount in which everything was listed and one message was read."""

    def __init__(self, mounted, corpus):
        self.by_uid = corpus.folders[("INBOX",)].by_uid()
        self.tree = tree_of(mounted)
        self.read = next((mounted.path / "INBOX").glob("*medium*"))
        self.unread = next((mounted.path / "INBOX").glob("*large*"))
        assert sha256(self.read) == self.message(self.read).sha256

    def message(self, path):
        return self.by_uid[uid_of(path)]

    def check_offline(self, mounted):
        """Everything is listed, what was read can be read, the rest fails fast."""
        assert tree_of(mounted) == self.tree
        assert sha256(self.read) == self.message(self.read).sha256
        code, seconds = read_error(self.unread)
        assert code == errno.EHOSTUNREACH, code
        assert seconds < FAST * SLOW


@pytest.fixture
def options():
    return {"timeout": int(TIMEOUT * SLOW)}


def test_offline_shows_what_is_known(mount, proxy, small_corpus, options):
    mounted = mount(proxy, user="small", options=options)
    visit = Visit(mounted, small_corpus)
    proxy.refuse()
    visit.check_offline(mounted)
    started = time.monotonic()
    for path in sorted((mounted.path / "Lists/many").iterdir()):
        assert read_error(path)[0] == errno.EHOSTUNREACH
    assert time.monotonic() - started < TIMEOUT * SLOW
    proxy.accept_again()
    wait_for(lambda: readable(visit.unread, visit.message(visit.unread)), 30 * SLOW, "the server's return")


def test_it_comes_back_without_being_asked(mount, proxy, small_corpus, options):
    mounted = mount(proxy, user="small", options=options)
    visit = Visit(mounted, small_corpus)
    proxy.refuse()
    assert read_error(visit.unread)[0] == errno.EHOSTUNREACH
    proxy.accept_again()
    before = proxy.connections
    wait_for(lambda: proxy.connections > before and proxy.live() > 0, 60 * SLOW, "a connection nobody asked for")


def test_a_silent_server_is_waited_for_once(mount, proxy, small_corpus):
    """The first to notice waits; who comes after it does not."""
    mounted = mount(proxy, user="small", options={"timeout": int(3 * SLOW)})
    visit = Visit(mounted, small_corpus)
    proxy.stall()
    many = sorted((mounted.path / "Lists/many").iterdir())
    # One error for the connection that there was, one for the one that was tried.
    wait_for(lambda: read_error(visit.unread)[0] == errno.EHOSTUNREACH, 60 * SLOW, "the state of being offline")
    started = time.monotonic()
    codes = {read_error(path)[0] for path in many[:20]}
    assert codes == {errno.EHOSTUNREACH}
    # Twenty reads, each of which would have waited for the timeout.
    assert time.monotonic() - started < 20 * SLOW
    assert tree_of(mounted) == visit.tree
    proxy.go_on()
    wait_for(lambda: readable(visit.unread, visit.message(visit.unread)), 60 * SLOW, "the server's return")


def test_start_without_a_server(mount, proxy, small_corpus, options):
    mounted = mount(proxy, user="small", options=options)
    visit = Visit(mounted, small_corpus)
    mounted.unmount()
    proxy.refuse()
    mounted = mount(proxy, user="small", options=options)
    assert "cannot be reached" in mounted.output()
    visit.check_offline(mounted)
    proxy.accept_again()
    wait_for(lambda: readable(visit.unread, visit.message(visit.unread)), 30 * SLOW, "the server's return")


def test_folders_are_listed_when_it_is_back(mount, proxy, options):
    """Without anybody opening the root."""
    mounted = mount(proxy, user="small", options=options)
    os.listdir(mounted.path)
    mounted.unmount()
    proxy.refuse()
    mount(proxy, user="small", options=options)
    proxy.clear()
    proxy.accept_again()
    wait_for(lambda: proxy.log("^LIST"), 60 * SLOW, "a list that nobody asked for")


def test_start_without_a_server_needs_a_known_account(mount, proxy, options):
    proxy.refuse()
    with pytest.raises(Failed) as failure:
        mount(proxy, user="small", options=options)
    assert failure.value.status > 0
    assert "refuses connections" in failure.value.output


def test_a_wrong_password_is_an_error_at_the_start(mount, proxy, options):
    mounted = mount(proxy, user="small", options=options)
    os.listdir(mounted.path)
    mounted.unmount()
    with pytest.raises(Failed) as failure:
        mount(proxy, user="small", options=options, password="wrong")
    assert failure.value.status > 0


def test_a_connection_that_died_while_the_machine_slept_is_replaced(mount, proxy, small_corpus, options):
    """The process stands still, and meanwhile the other end is gone without a word."""
    mounted = mount(proxy, user="small", options=options)
    visit = Visit(mounted, small_corpus)
    assert proxy.live() > 0
    mounted.signal(signal.SIGSTOP)
    try:
        proxy.forget_all()
        time.sleep(9)  # longer than the clocks are compared
    finally:
        mounted.signal(signal.SIGCONT)
    before = proxy.connections
    assert sha256(visit.unread) == visit.message(visit.unread).sha256
    assert proxy.connections > before


def test_offline_by_option_connects_never(mount, proxy, small_corpus, options):
    mounted = mount(proxy, user="small", options=options)
    visit = Visit(mounted, small_corpus)
    mounted.unmount()
    before = proxy.connections
    mounted = mount(proxy, user="small", options={**options, "offline": True})
    assert "cannot be reached" not in mounted.output()
    visit.check_offline(mounted)
    time.sleep(3)  # for what would connect by itself
    visit.check_offline(mounted)
    mounted.unmount()
    assert proxy.connections == before


def test_offline_by_option_needs_a_known_account(mount, proxy, options):
    with pytest.raises(Failed) as failure:
        mount(proxy, user="small", options={**options, "offline": True})
    assert failure.value.status > 0
    assert proxy.connections == 0
