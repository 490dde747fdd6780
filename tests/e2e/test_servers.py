# SPDX-License-Identifier: GPL-3.0-or-later
"""The other servers that tests run against: each starts, holds what it is given and ends, with all it started."""

import os

import pytest

from mount import children_of, sh
from servers.server import DATE


def test_cyrus_holds_what_it_is_given(cyrus):
    cyrus.create(("Lists", "many"))
    messages = [b"Subject: %d\r\n\r\n8-bit \xff\r\n" % number for number in range(4)]
    cyrus.deliver(("Lists", "many"), messages)
    cyrus.expunge(("Lists", "many"), [2])
    assert cyrus.held(("Lists", "many")) == {1: messages[0], 3: messages[2], 4: messages[3]}


@pytest.mark.parametrize("cyrus", [{"settings": "suppress_capabilities: OBJECTID"}], indirect=True)
def test_cyrus_takes_more_settings(cyrus):
    with cyrus.session() as connection:
        assert "CONDSTORE" in connection.capabilities and "OBJECTID" not in connection.capabilities


def test_a_mount_of_cyrus_is_copied_to_the_octet(cyrus, mount, tmp_path):
    messages = [b"Subject: %d\r\n\r\n%s\r\n" % (number, b"x" * 1000 * number) for number in range(4)]
    cyrus.deliver(("INBOX",), messages)
    mounted = mount(cyrus)
    sh(["rsync", "-a", f"{mounted.path}/", f"{tmp_path}/"])
    copies = sorted((tmp_path / "INBOX").iterdir(), key=lambda path: path.stat().st_mtime)
    assert [path.read_bytes() for path in copies] == messages
    assert [path.stat().st_mtime for path in copies] == [DATE, DATE + 1, DATE + 2, DATE + 3]


def test_cyrus_leaves_no_process(cyrus):
    first, = children_of(cyrus.process.pid)
    assert children_of(first)
    started = [first, *children_of(first)]
    cyrus.stop()
    assert not [pid for pid in started if os.path.exists(f"/proc/{pid}")]
    assert cyrus.restart().held(("INBOX",)) == {}
