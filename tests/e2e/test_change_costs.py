# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten changes in a large folder cost what ten changes cost, as far as the server lets it be so."""

import os
import time

import pytest

from corpus import Corpus, connect
from dovecot import PASSWORD, DovecotServer
from mount import uid_of
from proxy import Proxy

MANY = 20_000


@pytest.fixture(scope="module")
def many_server():
    """Small messages; one in twenty UIDs is followed by a gap, as in mailboxes that are in use."""
    corpus = Corpus(seed=5)
    uid = 0
    for number in range(MANY):
        uid += 1 if number % 20 else 5
        corpus.add(("INBOX",), corpus.message(f"Subject: message {number}"), "small", uid=uid)
    with DovecotServer(users={"user": PASSWORD}, tls=False) as dovecot:
        dovecot.stop()
        corpus.write(dovecot.mail_dir("user"))
        yield dovecot.start()


@pytest.fixture
def many_proxy(many_server):
    with Proxy(many_server.imap_port) as running:
        yield running


@pytest.fixture
def session(many_server):
    connection = connect(many_server)
    connection.select("INBOX")
    yield connection
    connection.logout()


def good(answer):
    assert answer[0] == "OK", answer


def paths_by_number(path):
    return {uid_of(name): path / name for name in os.listdir(path)}


# What is hidden, and how many octets ten changes may cost, the list of folders and a login included.
COSTS = {
    "QRESYNC": ((), 5_000),
    "CONDSTORE": (("QRESYNC",), 20_000),
    "neither": (("QRESYNC", "CONDSTORE"), 1_200_000),
}


def ten_changes(session, known):
    """Three are expunged, three get a keyword, four come; (the numbers afterwards, those with the keyword)."""
    ordered = sorted(known)
    gone, marked = ordered[5000:15000:4000], ordered[2000:18000:6000]
    for uids, flag in ((gone, r"\Deleted"), (marked, "$Changed")):
        assert len(uids) == 3
        good(session.uid("STORE", ",".join(map(str, uids)), "+FLAGS", f"({flag})"))
    good(session.expunge())
    for number in range(4):
        good(session.append("INBOX", None, None, f"Subject: arrived {number}\r\n\r\nHello.\r\n".encode()))
    return known - set(gone) | set(range(ordered[-1] + 1, ordered[-1] + 5)), marked


@pytest.mark.parametrize("offered", COSTS)
def test_ten_changes_cost_octets_for_ten_changes(mount, many_proxy, session, offered, tell_count):
    hidden, most = COSTS[offered]
    many_proxy.hide.update(hidden, ("NOTIFY", "IDLE"))
    for remounts, when in ((False, ""), (True, ", after a remount")):
        mounted = mount(many_proxy, options={"refresh": 0})
        known = paths_by_number(mounted.path / "INBOX").keys()
        assert len(known) > MANY * 0.99
        if remounts:
            mounted.unmount()
        expected, marked = ten_changes(session, known)
        many_proxy.clear()
        if remounts:
            mounted = mount(many_proxy, options={"refresh": 0})
        time.sleep(1.1)  # it asks once a second at most
        found = paths_by_number(mounted.path / "INBOX")
        octets = many_proxy.octets_to_client
        assert found.keys() == expected
        assert all(b"$Changed" in os.getxattr(found[number], "user.mailmount.flags") for number in marked)
        tell_count(f"octets for ten changes among {MANY} with {offered}{when}", octets)
        assert octets < most
        mounted.unmount()
