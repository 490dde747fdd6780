# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be downloaded: so much a second, so much a day."""

import time

from mount import uid_of
from tree import sha256

KIB = 1024


def test_bandwidth_is_not_exceeded(mount, server, small_corpus):
    rate = 1024 * KIB
    mounted = mount(server, user="small", options={"bandwidth": "1M"})
    file = next((mounted.path / "INBOX").glob("*large*"))
    message = small_corpus.folders[("INBOX",)].by_uid()[uid_of(file)]
    started = time.monotonic()
    assert sha256(file) == message.sha256
    seconds = time.monotonic() - started
    # A second's worth may have been saved, and what was received last is a debt that nobody waits for.
    allowed = rate * (seconds + 1) + 256 * KIB
    assert len(message.served) > 3 * rate
    assert len(message.served) <= allowed, seconds


def test_bandwidth_is_shared_by_all_readers(mount, server, small_corpus):
    """Listing, copying and reading ahead together stay below it."""
    rate = 128 * KIB
    mounted = mount(server, user="small", options={"bandwidth": "128K", "connections": 4})
    started = time.monotonic()
    octets = 0
    for file in mounted.files():
        if "large" not in file.name:
            octets += len((mounted.path / file).read_bytes())
    seconds = time.monotonic() - started
    assert octets > 4 * rate
    assert octets <= rate * (seconds + 1) + 64 * KIB, seconds
