# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk of the cache is full, or becomes so: reading goes on, and what is kept is right."""

import errno
import os

import pytest

from cache_audit import audit
from dovecot import wait_for
from faulty_copy import complete, truth_of
from mount import SLOW, Failed, sh, uid_of
from tree import sha256

DISK_OCTETS = 8 << 20  # not even one of the large messages of the corpus fits in it
WARNINGS_MAX = 5  # that something cannot be written, of the content and of the index: not one for each message


@pytest.fixture
def small_disk(place):
    """A disk of its own for the cache; filled up by fill(), given room again by grow()."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a tmpfs")
    directory = place.directory / "disk"
    directory.mkdir()
    sh(["mount", "-t", "tmpfs", "-o", f"size={DISK_OCTETS},mode=755", "none", directory])
    yield directory
    sh(["umount", "-l", directory])


def fill(disk):
    """Takes what is left."""
    with open(disk / "ballast", "ab", buffering=0) as ballast:
        for size in (1 << 20, 1 << 16, 1 << 12):
            try:
                while True:
                    ballast.write(bytes(size))
            except OSError as error:
                assert error.errno == errno.ENOSPC
    assert os.statvfs(disk).f_bavail == 0


def warnings_of(mounted):
    return [line for line in mounted.output().splitlines() if line]


@pytest.mark.parametrize("cache_free", ["default", "0"])
def test_a_cache_on_a_disk_that_is_too_small(mount, server, corpus, small_disk, tmp_path, cache_free):
    """The copy is several times as large as the disk."""
    cache = small_disk / "cache"
    options = {"cache": cache} | ({"cache_free": 0} if cache_free == "0" else {})
    mounted = mount(server, options=options)
    assert complete(mounted, tmp_path / "copy", corpus) == 1
    assert len(warnings_of(mounted)) <= WARNINGS_MAX, mounted.output()
    mounted.unmount()
    found = audit(cache, truth_of(corpus))
    assert not found.problems, str(found)
    assert found.octets > 0


def test_a_disk_that_becomes_full_and_has_room_again(mount, server, small_corpus, small_disk, tmp_path):
    """Nothing at all can be written from some point on, by the index neither; later it can, and is."""
    cache = small_disk / "cache"
    mounted = mount(server, user="small", options={"cache": cache, "cache_free": 0})
    inbox = small_corpus.folders[("INBOX",)].by_uid()
    assert len(os.listdir(mounted.path / "INBOX")) == len(inbox)
    fill(small_disk)
    for file in (mounted.path / "INBOX").iterdir():
        assert sha256(file) == inbox[uid_of(file)].sha256
    assert audit(cache).octets == 0
    assert 1 <= len(warnings_of(mounted)) <= WARNINGS_MAX, mounted.output()

    (small_disk / "ballast").unlink()
    assert complete(mounted, tmp_path / "copy", small_corpus) == 1
    kept = len(small_corpus.folders[("Lists", "many")].messages)
    wait_for(lambda: audit(cache).whole >= kept, 20 * SLOW, "content in the cache again")
    mounted.unmount()
    found = audit(cache, truth_of(small_corpus))
    assert not found.problems, str(found)
    mounted = mount(server, user="small", options={"cache": cache, "cache_free": 0})
    assert complete(mounted, tmp_path / "anew", small_corpus) == 1


def test_a_mount_with_no_room_for_a_cache_says_so_or_works(mount, server, small_corpus, small_disk, tmp_path):
    """Not even the index can be made: the mount is refused with the reason, or does without."""
    fill(small_disk)
    try:
        mounted = mount(server, user="small", options={"cache": small_disk / "cache"})
    except Failed as failure:
        assert failure.status > 0 and ("full" in failure.output or "space" in failure.output)
    else:
        assert complete(mounted, tmp_path / "copy", small_corpus) == 1
