# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be downloaded: so much a second, so much a day."""

import errno
import time
from pathlib import Path

from dovecot import wait_for
from mount import SLOW, sh, uid_of
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


def error_of(path):
    try:
        sha256(path)
    except OSError as error:
        return error.errno
    return None


def listed(mounted):
    """The message files, listed by another process: nothing is read ahead of who opens one file by its name."""
    out = sh(["find", mounted.path, "-type", "f", "-name", "*.eml"]).out
    return sorted(Path(line) for line in out.splitlines())


def test_daily_limit_is_kept_over_a_remount(mount, proxy, small_corpus):
    limit = 1024 * KIB
    options = {"daily_limit": "1M"}
    mounted = mount(proxy, user="small", options=options)
    files = listed(mounted)
    read = next(path for path in files if path.parent.name == "2019")
    large = next(path for path in files if "large" in path.name)
    others = [path for path in files if path.parent.name not in ("2019", "INBOX")]
    message = small_corpus.folders[("Archive", "2019")].by_uid()[uid_of(read)]
    assert sha256(read) == message.sha256
    # The limit is reached in the middle of the large one; what was asked for until then still comes, and no more.
    assert error_of(large) == errno.EDQUOT
    assert {error_of(path) for path in others} == {errno.EDQUOT}
    wait_for(lambda: proxy.octets_to_client > limit, 20 * SLOW, "what was asked for")
    assert proxy.octets_to_client < limit + 1088 * KIB
    before = proxy.octets_to_client

    mounted.unmount()
    mounted = mount(proxy, user="small", options=options)
    # The cache is readable, and known directories are shown.
    assert sha256(read) == message.sha256
    assert listed(mounted) == files
    assert {error_of(path) for path in others} == {errno.EDQUOT}
    assert proxy.octets_to_client < before + 16 * KIB
    mounted.unmount()

    mounted = mount(proxy, user="small")
    assert {error_of(path) for path in others} == {None}
