# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to the mailbox while it is mounted is seen."""

import os
import re
import time

from corpus import connect
from dovecot import wait_for

REFRESH_SECONDS = 2


def numbers(path):
    return {int(re.search(r"(\d+)\.eml$", name)[1]) for name in os.listdir(path) if name.endswith(".eml")}


def test_changes_are_seen_within_the_refresh_time(mount, own_server):
    """New and expunged messages, new and deleted folders, also of a folder that the mount itself has selected."""
    mounted = mount(own_server, user="small", options={"refresh": REFRESH_SECONDS})
    before = numbers(mounted.path / "INBOX")
    with open(mounted.path / "INBOX" / sorted(os.listdir(mounted.path / "INBOX"))[0], "rb") as file:
        assert file.read(10)
    session = connect(own_server, "small")
    session.append("INBOX", None, None, b"Subject: just arrived\r\n\r\nHello.\r\n")
    session.select("INBOX")
    session.uid("STORE", str(min(before)), "+FLAGS", r"(\Deleted)")
    session.expunge()
    session.create("Fresh")
    session.delete("Sent")
    session.logout()
    expected = (before - {min(before)}) | {max(before) + 1}
    time.sleep(REFRESH_SECONDS)
    wait_for(lambda: numbers(mounted.path / "INBOX") == expected, 10, "the messages as they are now")
    folders = set(os.listdir(mounted.path))
    assert "Fresh" in folders and "Sent" not in folders
    name = next(name for name in os.listdir(mounted.path / "INBOX") if "just-arrived" in name)
    assert (mounted.path / "INBOX" / name).read_bytes() == b"Subject: just arrived\r\n\r\nHello.\r\n"


def test_a_directory_being_read_is_not_disturbed(mount, own_server):
    """Who listed a message that was expunged meanwhile gets its bytes or an error, and all the others."""
    mounted = mount(own_server, user="small")
    listing = os.scandir(mounted.path / "Lists" / "many")
    first = next(listing).name
    session = connect(own_server, "small")
    session.select("Lists/many")
    session.uid("STORE", "5", "+FLAGS", r"(\Deleted)")
    session.expunge()
    session.logout()
    names = {first} | {entry.name for entry in listing}
    assert len(names) == 30
    for name in sorted(names):
        try:
            data = (mounted.path / "Lists" / "many" / name).read_bytes()
        except OSError:
            assert name.endswith("_5.eml")
        else:
            assert data
