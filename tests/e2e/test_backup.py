# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do with it: copy, compare, search, copy again."""

import json
import os
import re

import pytest

from mount import sh
from tree import compare, sha256, snapshot


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "copy"
    path.mkdir()
    return path


def no_bodies(proxy):
    return [str(command) for command in proxy.body_fetches()]


@pytest.mark.core
def test_rsync_copies_every_byte(mount, proxy, corpus, target, unchanged_flags):
    mounted = mount(proxy)
    sh(["rsync", "-a", f"{mounted.path}/", f"{target}/"])
    assert not compare(target, corpus)


@pytest.mark.core
def test_tar_copies_every_byte(mount, proxy, corpus, target, unchanged_flags):
    mounted = mount(proxy)
    sh(f"tar -C '{mounted.path}' -cf - . | tar -C '{target}' -xf -")
    assert not compare(target, corpus)


def test_tar_writes_an_archive_without_a_word(mount, proxy, tmp_path):
    mounted = mount(proxy)
    result = sh(["tar", "-C", mounted.path, "-cf", tmp_path / "mail.tar", "."])
    assert result.err == ""


def test_cp_copies_every_byte(mount, proxy, corpus, target, unchanged_flags):
    mounted = mount(proxy)
    sh(["cp", "-a", f"{mounted.path}/.", target])
    assert not compare(target, corpus)


def test_cat_in_any_order_gives_every_byte(mount, proxy, corpus):
    mounted = mount(proxy)
    for path in sorted(mounted.files(), key=lambda p: str(p)[::-1])[:200]:
        sha256(mounted.path / path)
    assert not compare(mounted.path, corpus)


def test_grep_finds_the_one_message(mount, proxy, corpus):
    mounted = mount(proxy)
    folder = corpus.folders[("Lists", "many")]
    for message in (folder.messages[0], folder.messages[100], folder.messages[-1]):
        marker = re.search(rb"marker-\d+$", message.stored.strip())[0].decode()
        found = sh(["grep", "-rlw", marker, mounted.path]).out.splitlines()
        assert len(found) == 1 and found[0].endswith(f"_{message.uid}.eml"), (marker, found)
        assert "Lists/many" in found[0]


@pytest.mark.core
def test_second_rsync_moves_nothing(mount, proxy, target, unchanged_flags):
    mounted = mount(proxy)
    sh(["rsync", "-a", f"{mounted.path}/", f"{target}/"])
    proxy.clear()
    again = sh(["rsync", "-a", "--itemize-changes", f"{mounted.path}/", f"{target}/"])
    assert again.out == ""
    assert no_bodies(proxy) == []


def test_second_rsync_after_remount_moves_nothing(mount, proxy, target, unchanged_flags):
    mounted = mount(proxy)
    sh(["rsync", "-a", f"{mounted.path}/", f"{target}/"])
    mounted.unmount()
    proxy.clear()
    mounted = mount(proxy)
    again = sh(["rsync", "-a", "--itemize-changes", f"{mounted.path}/", f"{target}/"])
    assert again.out == ""
    assert no_bodies(proxy) == []


def test_second_rsync_with_a_lost_cache_moves_nothing(mount, proxy, target, place):
    mounted = mount(proxy)
    sh(["rsync", "-a", f"{mounted.path}/", f"{target}/"])
    mounted.unmount()
    proxy.clear()
    mounted = mount(proxy, options={"cache": place.directory / "another-cache"})
    again = sh(["rsync", "-a", "--itemize-changes", f"{mounted.path}/", f"{target}/"])
    changed = [line for line in again.out.splitlines() if not line.startswith(".d")]
    assert changed == []
    assert no_bodies(proxy) == []


def test_content_is_read_from_disk_after_remount(mount, proxy, corpus):
    mounted = mount(proxy)
    assert not compare(mounted.path, corpus)
    mounted.unmount()
    proxy.clear()
    mounted = mount(proxy)
    assert not compare(mounted.path, corpus)
    assert no_bodies(proxy) == []


def test_each_body_crosses_the_wire_once(mount, proxy, corpus):
    """Five tools one after another, and what they read is fetched one time."""
    mounted = mount(proxy)
    for _ in range(3):
        sh(["grep", "-rc", "marker", mounted.path], check=False)
    sh(f"tar -C '{mounted.path}' -cf - . >/dev/null; find '{mounted.path}' -type f -exec cat {{}} + >/dev/null")
    fetched = sum(command.literal_octets for command in proxy.commands)
    assert fetched <= 1.15 * corpus.octets() + 200_000


@pytest.mark.parametrize("command", ["ls -lR", "find . -size +1M", "find . -newermt 2010-01-01", "du -sb", "ls -R",
                                     "tree-walk", "rsync -an . /nonexistent-target"])
def test_listing_reads_no_body(mount, proxy, command):
    mounted = mount(proxy)
    if command == "tree-walk":
        assert snapshot(mounted.path)
    else:
        sh(command, cwd=mounted.path)
    assert no_bodies(proxy) == []


def test_ls_lists_every_message(mount, proxy, corpus):
    mounted = mount(proxy)
    listed = [line for line in sh(["ls", "-lAR", mounted.path]).out.splitlines() if line.startswith("-")]
    assert len(listed) == corpus.message_count()
    assert len(sh(["find", mounted.path, "-type", "f"]).out.splitlines()) == corpus.message_count()


def test_head_of_a_large_message_costs_a_chunk(mount, proxy, corpus):
    mounted = mount(proxy)
    # Listed by somebody else: a child of who listed that opens the first message begins a reading in order.
    name = sh(["ls", mounted.path / "Large"]).out.splitlines()[0]
    proxy.clear()
    sh(["head", "-c", "1000", mounted.path / "Large" / name])
    fetched = sum(command.literal_octets for command in proxy.commands)
    assert 0 < fetched <= 20 * 1024, [str(command) for command in proxy.body_fetches()]


def test_a_read_in_the_middle_and_at_the_end_is_right(mount, proxy, corpus):
    mounted = mount(proxy)
    for name in os.listdir(mounted.path / "Large"):
        message = corpus.folders[("Large",)].by_uid()[int(re.search(r"(\d+)\.eml$", name)[1])]
        with open(mounted.path / "Large" / name, "rb") as file:
            for offset in (message.size - 10, 12_345_678, 0, 131_071, 262_143, message.size, message.size + 5):
                file.seek(offset)
                assert file.read(1000) == message.served[offset:offset + 1000], offset


def test_restic_reads_no_body_again(mount, proxy, tmp_path):
    mounted = mount(proxy)
    environment = {**os.environ, "RESTIC_PASSWORD": "x", "RESTIC_REPOSITORY": str(tmp_path / "repository"),
                   "RESTIC_CACHE_DIR": str(tmp_path / "restic-cache")}
    sh(["restic", "init"], env=environment)
    backup = ["restic", "backup", "--json", "."]
    first = json.loads(sh(backup, env=environment, cwd=mounted.path).out.splitlines()[-1])
    assert first["files_new"] > 500
    mounted.unmount()
    proxy.clear()
    mounted = mount(proxy)
    second = json.loads(sh(backup, env=environment, cwd=mounted.path).out.splitlines()[-1])
    assert (second["files_new"], second["files_changed"]) == (0, 0)
    assert no_bodies(proxy) == []


def test_borg_reads_no_body_again(mount, proxy, tmp_path):
    mounted = mount(proxy)
    environment = {**os.environ, "BORG_BASE_DIR": str(tmp_path / "borg"), "BORG_REPO": str(tmp_path / "repository"),
                   "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}
    sh(["borg", "init", "-e", "none"], env=environment)
    create = ["borg", "create", "--list", "--filter", "AMC"]
    sh([*create, "::first", "."], env=environment, cwd=mounted.path)
    mounted.unmount()
    proxy.clear()
    mounted = mount(proxy)
    second = sh([*create, "::second", "."], env=environment, cwd=mounted.path)
    read_again = [line for line in second.err.splitlines() if re.match(r"[AMC] ", line)]
    assert len(read_again) <= 1, read_again  # borg reads the newest file again, always
    assert no_bodies(proxy) == []


