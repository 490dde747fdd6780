# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that are cut, silent or slow in the middle of a copy."""

import errno
import mmap
import os
import threading
import time

import pytest

from dovecot import wait_for
from fault_proxy import FaultProxy
from faulty_copy import TRIES_EACH, complete, octets_of_copy, tries
from mount import FULL, SLOW, uid_of
from tree import sha256

TIMEOUT = 5
SILENCE_TIMEOUT = 30 if FULL else 3


@pytest.fixture(params=["clear", "tls", "compress"])
def way(request, server):
    """(proxy, arguments of mount): the three ways in which octets pass the wire."""
    tls = request.param == "tls"
    with FaultProxy(server.imaps_port if tls else server.imap_port, raw=tls) as running:
        options = {"timeout": TIMEOUT}
        if tls:
            options |= {"tls": None, "cafile": server.certificates.ca}
        if request.param == "compress":
            options["compress"] = True
        yield running, {"scheme": "imaps" if tls else "imap", "options": options}


@pytest.mark.parametrize("seed", range(4))
def test_a_copy_cut_at_any_octet_is_completed(mount, way, place, small_corpus, tmp_path, tell_count, seed):
    """The connection ends at a random octet, of what the server says or of what it is told. The copy is the same
    as without it; sometimes rsync must be run again."""
    proxy, arguments = way
    def options(cache):
        return arguments | {"options": arguments["options"] | {"cache": place.directory / cache}}

    octets = octets_of_copy(mount, proxy, tmp_path / "measured", **options("measured"))
    again = 0
    for number, random in tries(seed):
        mounted = mount(proxy, user="small", **options(f"cache{number}"))
        direction = random.choice(("to_client", "to_client", "to_server"))
        left = octets[direction] // 2 if direction == "to_server" else octets[direction] * 9 // 10
        fault = proxy.at(random.randrange(left), random.choice(("cut", "reset")), direction=direction)
        again += complete(mounted, tmp_path / f"copy{number}", small_corpus) > 1
        assert fault.fired == 1
        mounted.unmount()
    tell_count("cuts", TRIES_EACH)
    tell_count("copies that a cut made run twice", again)


def test_a_copy_cut_again_and_again_is_completed(mount, fault_proxy, small_corpus, tmp_path, tell_count):
    """Every connection ends after some hundred thousand octets: a large message comes over several of them."""
    mounted = mount(fault_proxy, user="small", options={"timeout": TIMEOUT, "connections": 2})
    fault = fault_proxy.at(400_000, "cut", per="connection", times=1000)
    runs = complete(mounted, tmp_path / "copy", small_corpus)
    assert fault.fired >= 5
    tell_count("cuts", fault.fired)
    tell_count("copies that a cut made run twice", runs > 1)


def error_of(read, *arguments):
    """The errno of this way of reading, or None."""
    try:
        read(*arguments)
    except OSError as error:
        return error.errno
    return None


def read_directly(path):
    """Past the kernel's cache, which asks a second time by itself when what it read ahead failed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT)
    try:
        block, offset = mmap.mmap(-1, 128 * 1024), 0
        while got := os.preadv(descriptor, [block], offset):
            offset += got
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("how, n_silences", [("directly", 1000), ("as ever", 1)])
def test_silence_in_a_literal_is_a_timeout_for_this_read_alone(mount, fault_proxy, small_corpus, how, n_silences):
    """Connections fall silent in the middle of a literal: who reads this message is told in time, others do not
    notice, and afterwards the message can be read. A single silence is asked over once more, which the reader may
    live to see."""
    mounted = mount(fault_proxy, user="small", options={"timeout": SILENCE_TIMEOUT})
    by_uid = small_corpus.folders[("INBOX",)].by_uid()
    large = next((mounted.path / "INBOX").glob("*large*"))
    asked = lambda c: c.fetches_body and c.mailbox == "INBOX" and c.arguments.startswith(f"{uid_of(large)} ")
    others = [path for folder in ("INBOX", "Archive/2019", "Lists/many", "Sent")
              for path in (mounted.path / folder).iterdir() if path != large]
    rule = fault_proxy.when(asked, "silence", after_octets=100_000, times=n_silences)
    told = {}

    def read_large():
        started = time.monotonic()
        told["errno"] = error_of(read_directly if how == "directly" else sha256, large)
        told["seconds"] = time.monotonic() - started

    reader = threading.Thread(target=read_large)
    reader.start()
    wait_for(lambda: rule.fired, 20 * SLOW, "the silence")
    wrong = [path for path in others if error_of(sha256, path) is not None]
    reader.join(SILENCE_TIMEOUT * 3 * SLOW)
    assert not reader.is_alive()
    assert not wrong
    assert told["errno"] == (errno.ETIMEDOUT if how == "directly" else None)
    assert SILENCE_TIMEOUT - 1 <= told["seconds"] <= (SILENCE_TIMEOUT + 5) * SLOW
    fault_proxy.clear()
    wait_for(lambda: error_of(sha256, large) is None, 30 * SLOW, "a connection that is not silent")
    assert sha256(large) == by_uid[uid_of(large)].sha256


def test_a_silence_shorter_than_the_timeout_is_no_error(mount, fault_proxy, small_corpus, tmp_path):
    mounted = mount(fault_proxy, user="small", options={"timeout": 20})
    fault = fault_proxy.at(1_000_000, "stall", seconds=2)
    assert complete(mounted, tmp_path / "copy", small_corpus) == 1
    assert fault.fired == 1


def test_a_slow_connection_is_not_a_dead_one(mount, fault_proxy, small_corpus):
    """A message that takes longer than the timeout comes whole as long as something comes."""
    mounted = mount(fault_proxy, user="small", options={"timeout": 2})
    file = next((mounted.path / "INBOX").glob("*medium*"))
    fault_proxy.break_all("throttle", rate=120_000)
    fault_proxy.at(0, "throttle", per="connection", times=1000, rate=120_000)
    started = time.monotonic()
    assert sha256(file) == small_corpus.folders[("INBOX",)].by_uid()[uid_of(file)].sha256
    assert time.monotonic() - started > 2
