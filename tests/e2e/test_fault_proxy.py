# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of faults stand on: the proxy that breaks at a chosen octet, the audit of a cache."""

import imaplib
import os
import shutil
import socket
import time

import pytest

from cache_audit import CONTENT, HEADER, audit
from faulty_copy import truth_of
from mount import sh

PASSWORD = "open sesame"


def session_through(proxy, timeout=60):
    session = imaplib.IMAP4("127.0.0.1", proxy.port, timeout=timeout)
    session.login("small", PASSWORD)
    return session


def received(proxy, commands):
    """What a client gets through the proxy until the connection ends or nothing comes for a second."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=1) as connection:
        connection.sendall(commands)
        data = b""
        try:
            while chunk := connection.recv(65536):
                data += chunk
        except OSError:
            return data, "silence"
        return data, "end"


@pytest.mark.parametrize("octet", [0, 1, 17, 100])
def test_a_cut_is_at_exactly_this_octet_of_each_connection(fault_proxy, octet):
    fault = fault_proxy.at(octet, "cut", per="connection", times=2)
    for _ in range(2):
        data, how = received(fault_proxy, b"a NOOP\r\nb CAPABILITY\r\n")
        assert (len(data), how) == (octet, "end")
    assert fault.fired == 2
    session_through(fault_proxy).logout()


def test_a_cut_is_at_exactly_this_octet_of_all_connections(fault_proxy):
    fault = fault_proxy.at(1000, "cut")
    lengths = []
    while not fault.fired:
        lengths.append(len(received(fault_proxy, b"a LOGOUT\r\n")[0]))
    assert len(lengths) > 1 and sum(lengths) == fault_proxy.passed["to_client"] == 1000


def test_a_cut_in_a_command_reaches_the_server_so_far(fault_proxy):
    fault_proxy.at(4, "cut", direction="to_server", per="connection")
    data, how = received(fault_proxy, b"a CAPABILITY\r\n")
    assert how == "end" and b"a OK" not in data


def test_silence_lets_nothing_through_not_even_the_end(fault_proxy):
    fault_proxy.at(20, "silence", per="connection")
    data, how = received(fault_proxy, b"a LOGOUT\r\n")
    assert (len(data), how) == (20, "silence")


def test_a_stall_ends_and_nothing_is_lost(fault_proxy):
    fault_proxy.at(20, "stall", per="connection", seconds=0.5)
    started = time.monotonic()
    data, how = received(fault_proxy, b"a LOGOUT\r\n")
    assert data.startswith(b"* OK ") and data.endswith(b"a OK Logout completed.\r\n") and how == "end"
    assert time.monotonic() - started >= 0.5


def test_delay_and_throttle_are_slow_and_lose_nothing(fault_proxy):
    session = session_through(fault_proxy)
    session.select("INBOX", readonly=True)
    fetch = lambda: session.uid("FETCH", "1:10", "(BODY.PEEK[])")[1]
    whole = fetch()
    started = time.monotonic()
    assert fault_proxy.break_all("delay", seconds=0.2) == 1
    assert fetch() == whole
    assert time.monotonic() - started >= 0.4
    octets = sum(len(item[1]) for item in whole if isinstance(item, tuple))
    fault_proxy.at(0, "throttle", rate=octets * 2)
    started = time.monotonic()
    assert fetch() == whole
    assert time.monotonic() - started >= 0.4


def test_a_rule_for_a_command_may_be_silence(fault_proxy):
    fault_proxy.when("UID FETCH", "silence", after_octets=100)
    session, other = session_through(fault_proxy, timeout=1), session_through(fault_proxy)
    session.select("INBOX", readonly=True)
    with pytest.raises((OSError, imaplib.IMAP4.abort)):
        session.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")
    assert other.noop()[0] == "OK"


@pytest.fixture
def cache(mount, server, place, small_corpus, tmp_path):
    """A cache with the whole account in it, and no process that has it."""
    mounted = mount(server, user="small")
    sh(["cp", "-r", mounted.path, tmp_path / "copy"])
    mounted.unmount()
    return place.cache


def test_the_audit_counts_what_is_there(cache, small_corpus):
    result = audit(cache, truth_of(small_corpus))
    assert not result.problems
    assert (result.whole, result.partial) == (small_corpus.message_count(), 0)
    assert result.octets == small_corpus.octets()


def largest(cache):
    return max((path for path in (cache / CONTENT).rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


@pytest.mark.parametrize("position", [0, 9, 50, HEADER.size, HEADER.size + 100_000, -1])
def test_the_audit_finds_one_octet_that_is_another(cache, position):
    file = largest(cache)
    data = bytearray(file.read_bytes())
    data[position] ^= 1
    os.chmod(file, 0o600)
    file.write_bytes(data)
    result = audit(cache)
    assert len(result.problems) == 1 and str(file) in result.problems[0]


def test_the_audit_finds_a_file_that_is_cut_or_another_messages(cache):
    file = largest(cache)
    shutil.copyfile(file, file.with_name("0000fffff"))
    os.truncate(file, HEADER.size + 1000)
    found = audit(cache)
    assert (len(found.problems), found.unfinished) == (1, 1)
    assert "no message" in audit(cache, [b"something else"]).problems[0]
