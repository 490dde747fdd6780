# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that are killed or stopped in the middle of a copy: nothing wrong is kept, nothing is lost."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from cache_audit import audit
from dovecot import wait_for
from fault_proxy import FaultProxy
from faulty_copy import TRIES_EACH, complete, octets_of_copy, rsync, start_rsync, tries, truth_of
from mount import SLOW, is_mounted, sh

TIMEOUT = 5
STOP_SECONDS = 2
# A message that was partly there is asked for again from where it ends, with at most so much twice.
TWICE_OCTETS = 1_500_000


@pytest.fixture
def own_proxy(own_server):
    with FaultProxy(own_server.imap_port) as running:
        yield running


def kill_mount(mounted):
    """What somebody does whose mount died: it is taken away, and nobody cleans up."""
    mounted.process.kill()
    mounted.process.wait(20 * SLOW)
    result = mounted.fusermount("-uz")
    assert result.returncode == 0, result.stderr
    wait_for(lambda: not is_mounted(mounted.path), 10 * SLOW, "the end of the mount")


@pytest.mark.parametrize("seed", range(10))
def test_a_copy_killed_at_any_point_is_completed(mount, fault_proxy, place, small_corpus, tmp_path, tell_count, seed):
    """kill -9 at a random octet of the copy, or a little later: the cache claims nothing that is not so, what was
    in it is not fetched again, and the next run completes the copy."""
    measured = {"cache": place.directory / "measured"}
    octets = octets_of_copy(mount, fault_proxy, tmp_path / "measured", options=measured)["to_client"]
    truth = truth_of(small_corpus)
    for number, random in tries(seed):
        target, cache = tmp_path / f"copy{number}", place.directory / f"cache{number}"
        mounted = mount(fault_proxy, user="small", options={"cache": cache})
        late_seconds = random.choice((0, random.uniform(0, 0.05)))
        fault = fault_proxy.at(random.randrange(octets), lambda: (time.sleep(late_seconds), mounted.process.kill()))
        result = rsync(mounted, target)
        fault_proxy.forget_faults()
        kill_mount(mounted)
        assert fault.fired or result.returncode == 0, result.err
        found = audit(cache, truth)
        assert not found.problems and found.unfinished <= 1, str(found)
        fault_proxy.clear()

        mounted = mount(fault_proxy, user="small", options={"cache": cache})
        complete(mounted, target, small_corpus)
        fetched = sum(command.literal_octets for command in fault_proxy.body_fetches())
        assert fetched + found.octets <= small_corpus.octets() + TWICE_OCTETS, str(found)
        mounted.unmount()
        found = audit(cache, truth)
        assert not found.problems, str(found)
    tell_count("kills of the mount", TRIES_EACH)


def sessions_of(server):
    """The ids of the server's processes that speak IMAP with a user."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                if int(words[2]) == server.process.pid and (entry / "comm").read_text().strip() == "imap":
                    found.append(int(entry.name))
            except OSError:
                pass
    return found


def kill_sessions(server):
    for pid in sessions_of(server):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("what", ["sessions", "server"])
@pytest.mark.parametrize("seed", range(2))
def test_a_copy_over_a_killed_or_restarted_server_is_completed(mount, own_server, own_proxy, place, small_corpus,
                                                               tmp_path, tell_count, what, seed):
    measured = {"cache": place.directory / "measured"}
    octets = octets_of_copy(mount, own_proxy, tmp_path / "measured", options=measured)["to_client"]
    breaks = {"sessions": lambda: kill_sessions(own_server), "server": own_server.restart}
    again = 0
    for number, random in tries(seed):
        mounted = mount(own_proxy, user="small",
                        options={"cache": place.directory / f"cache{number}", "timeout": TIMEOUT})
        is_over = threading.Event()
        fault = own_proxy.at(random.randrange(octets * 9 // 10), lambda: (breaks[what](), is_over.set()))
        runs = complete(mounted, tmp_path / f"copy{number}", small_corpus)
        again += runs > 1
        assert fault.fired
        assert is_over.wait(30 * SLOW)
        mounted.unmount()
    tell_count(f"kills of {what}", TRIES_EACH)
    tell_count(f"copies that a kill of {what} made run twice", again)


@pytest.mark.parametrize("meanwhile", ["nothing", "cut", "silence"])
@pytest.mark.parametrize("seconds", [STOP_SECONDS, TIMEOUT + 2])
def test_a_copy_over_a_sleep_is_completed(mount, fault_proxy, small_corpus, tmp_path, meanwhile, seconds):
    """The process stands still for a while, shorter and longer than its timeout, and finds its connections as they
    were, ended, or dead without a word."""
    mounted = mount(fault_proxy, user="small", options={"timeout": TIMEOUT})
    stopped = threading.Event()
    fault_proxy.at(1_000_000, lambda: (mounted.signal(signal.SIGSTOP), stopped.set()))
    copy = start_rsync(mounted, tmp_path / "copy")
    try:
        assert stopped.wait(30 * SLOW)
        if meanwhile != "nothing":
            assert fault_proxy.break_all(meanwhile) > 0
        time.sleep(seconds)
    finally:
        mounted.signal(signal.SIGCONT)
        copy.wait((60 + TIMEOUT) * SLOW)
    complete(mounted, tmp_path / "copy", small_corpus)


def test_a_server_that_stands_still_and_goes_on_loses_nothing(mount, own_server, small_corpus, tmp_path):
    """The server's sessions are stopped for less than the timeout: the copy waits and goes on."""
    mounted = mount(own_server, user="small", options={"timeout": 20})
    assert len(sh(["ls", mounted.path / "INBOX"]).out.splitlines()) > 0
    stopped = sessions_of(own_server)
    assert stopped
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    copy = start_rsync(mounted, tmp_path / "copy")
    time.sleep(STOP_SECONDS)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    assert copy.wait(60 * SLOW) == 0
    assert complete(mounted, tmp_path / "copy", small_corpus) == 1
