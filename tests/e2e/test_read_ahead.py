# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fetched ahead of readers, counted: few commands for who goes on, nothing for who does not."""

import os
import random
import threading

import pytest

from corpus import Corpus
from dovecot import PASSWORD, DovecotServer, wait_for
from mount import sh
from proxy import Proxy

FOLDERS = [("INBOX",), ("Archive",), ("Lists",), ("Sent",)]
PER_FOLDER = 150
BIG, N_BIG, BIG_OCTETS = ("Big",), 60, 1_000_000


@pytest.fixture(scope="module")
def many():
    """Four folders of ordinary messages, and one of messages of 1 MB."""
    corpus = Corpus(seed=7)

    def big():
        for number in range(N_BIG):
            body = b"%09d 56789abcdef0123456789abcdef0123456789abcdef0123456789abcd\n" % number
            corpus.add(BIG, b"Subject: big %d\n\n" % number + body * (BIG_OCTETS // len(body)), "big",
                       subject=f"big {number}")

    for place, folder in enumerate(FOLDERS):
        corpus.ordinary(folder, PER_FOLDER)
        if place == 1:
            big()  # in the midst of what is read, so that going on blindly would show
    with_mail = DovecotServer(users={"user": PASSWORD})
    corpus.write(with_mail.mail_dir("user"))
    with with_mail:
        yield with_mail, corpus


@pytest.fixture
def counted(many):
    with Proxy(many[0].imap_port) as running:
        yield running


def octets_of(corpus, folders):
    return sum(message.size for folder in folders for message in corpus.folders[folder].by_uid().values())


def read_octets(proxy):
    return sum(command.literal_octets for command in proxy.body_fetches())


def settle(proxy):
    """Until nothing is on its way any more."""
    wait_for(lambda: all(command.status for command in proxy.log("^UID FETCH")), 10, "the answers")


# Each goes through all ordinary folders, one message after another.
READERS = {
    "rsync": "rsync -a --exclude=/Big mnt/ copy/",
    "tar": "tar -C mnt --exclude=./Big -cf - . | cat >/dev/null",
    "cp": "cp -a mnt/INBOX mnt/Archive mnt/Lists mnt/Sent copy/",
    "grep": "grep -rc marker mnt/INBOX mnt/Archive mnt/Lists mnt/Sent",
    "find -exec": "find mnt -path mnt/Big -prune -o -type f -exec cat {} ';' >/dev/null",
    "shell loop": "for d in INBOX Archive Lists Sent; do for f in mnt/$d/*; do cat $f; done; done >/dev/null",
    "restic": "RESTIC_PASSWORD=x restic -q -r repo init && "
              "RESTIC_PASSWORD=x restic -q -r repo backup --exclude mnt/Big mnt",
}


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_in_order_needs_few_commands(mount, counted, many, tmp_path, reader):
    mounted = mount(counted)
    (tmp_path / "copy").mkdir()
    os.symlink(mounted.path, tmp_path / "mnt")
    command = READERS[reader].replace("mnt", str(mounted.path))
    sh(["sh", "-c", command], cwd=tmp_path, check=False,
       env={**os.environ, "RESTIC_CACHE_DIR": str(tmp_path / "cache")})
    settle(counted)
    messages = len(FOLDERS) * PER_FOLDER
    wanted = octets_of(many[1], FOLDERS)
    # Without reading ahead there would be one command for each message.
    assert len(counted.body_fetches()) <= messages / 4
    assert wanted <= read_octets(counted) <= 1.10 * wanted


def test_sixteen_readers_in_no_order_fetch_each_message_once(mount, counted, many):
    mounted = mount(counted)
    paths = [os.path.join(directory, name) for folder in FOLDERS
             for directory, _, names in os.walk(mounted.local(folder)) for name in names]
    random.Random(1).shuffle(paths)
    errors = []

    def read(share):
        try:
            for path in share:
                with open(path, "rb") as file:
                    file.read()
        except OSError as error:
            errors.append(error)

    readers = [threading.Thread(target=read, args=(paths[start::16],)) for start in range(16)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    settle(counted)
    assert not errors
    wanted = octets_of(many[1], FOLDERS)
    assert wanted <= read_octets(counted) <= 1.10 * wanted
    assert len(counted.body_fetches()) <= len(paths) / 2


def test_small_messages_come_with_their_opening(mount, counted, many, tmp_path):
    """The kernel has them before it could ask: hardly a request of a copy is a read."""
    mounted = mount(counted, arguments=["-d"])
    sh(["rsync", "-a", f"{mounted.path}/INBOX/", tmp_path / "copy"])
    assert os.listdir(tmp_path / "copy")
    requests = [line.split("opcode: ")[1].split()[0] for line in mounted.output().splitlines() if "opcode: " in line]
    small = sum(message.size <= 128 * 1024 for message in many[1].folders[("INBOX",)].by_uid().values())
    assert requests.count("OPEN") == PER_FOLDER
    assert small > PER_FOLDER * 0.9
    assert requests.count("READ") <= small / 4 + 8 * (PER_FOLDER - small)


def test_one_message_read_is_one_message_fetched(mount, counted):
    mounted = mount(counted)
    names = sorted(os.listdir(mounted.path / "INBOX"))
    sh(["cat", mounted.path / "INBOX" / names[70]])
    settle(counted)
    assert len(counted.body_fetches()) == 1


def test_a_few_messages_here_and_there_fetch_no_others(mount, counted):
    mounted = mount(counted)
    names = sorted(os.listdir(mounted.path / "INBOX"))
    for place in (20, 120, 3, 77, 51):
        sh(["cat", mounted.path / "INBOX" / names[place]])
    settle(counted)
    assert len(counted.body_fetches()) == 5


def test_heads_of_large_messages_cost_a_chunk_each(mount, counted):
    mounted = mount(counted)
    names = sorted(os.listdir(mounted.path / "Big"))
    counted.clear()
    for name in names:
        sh(["head", "-c", "4096", mounted.path / "Big" / name])
    settle(counted)
    assert counted.octets_to_client <= 20 * 1024 * len(names)


def test_large_messages_are_asked_for_in_few_commands(mount, counted, many):
    mounted = mount(counted)
    sh(f"cat '{mounted.path}'/Big/* >/dev/null")
    settle(counted)
    assert len(counted.body_fetches()) <= 2 * N_BIG
    assert read_octets(counted) <= 1.01 * octets_of(many[1], [BIG])


def test_a_reader_that_stops_leaves_little_unread(mount, counted, many):
    """What lies unread is bounded by what was read, not by the folder."""
    mounted = mount(counted)
    names = sorted(os.listdir(mounted.path / "Big"))
    counted.clear()
    sh(["cat", mounted.path / "Big" / names[0], mounted.path / "Big" / names[1]])
    settle(counted)
    assert read_octets(counted) <= 8 * BIG_OCTETS


def test_a_tree_walk_lists_ahead_and_reads_nothing(mount, counted):
    mounted = mount(counted)
    sh(["ls", "-lR", mounted.path])
    assert counted.body_fetches() == []
    listings = counted.log(r"^UID FETCH .*RFC822.SIZE")
    assert len(listings) == len(FOLDERS) + 1
