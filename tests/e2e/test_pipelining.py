# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection serves several folders without waiting for answers in between: the order of the log shows it."""

import os
import threading

import pytest

from corpus import Corpus
from dovecot import PASSWORD, DovecotServer
from proxy import Proxy

FOLDERS = [("INBOX",), ("Archive",), ("Lists",), ("Sent",), ("Work",), ("Drafts",)]
PER_FOLDER = 20


@pytest.fixture(scope="module")
def six():
    corpus = Corpus(seed=11)
    for folder in FOLDERS:
        corpus.ordinary(folder, PER_FOLDER)
    server = DovecotServer(users={"user": PASSWORD})
    corpus.write(server.mail_dir("user"))
    with server:
        yield server


@pytest.fixture
def slow(six):
    """A proxy on a slow line; `behind` counts each EXAMINE that came while the answer to another command was due."""
    with Proxy(six.imap_port) as running:
        running.delay, running.behind, running.examines = 0.1, 0, 0

        def look(command):
            if command.name == "EXAMINE":
                running.examines += 1
                running.behind += any(other is not command and other.status is None and
                                      other.connection == command.connection for other in list(running.commands))
            return False

        running.when(look, "cut")  # never fires
        yield running


def at_once(*work):
    """Runs each on a thread of its own; their results."""
    results = [None] * len(work)

    def run(place):
        try:
            results[place] = work[place]()
        except OSError as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def read(path):
    with open(path, "rb") as file:
        return file.read()


def test_folders_listed_at_once_share_a_connection(mount, slow):
    mounted = mount(slow, options={"connections": 1})
    names = at_once(*(lambda folder=folder: os.listdir(mounted.local(folder)) for folder in FOLDERS))
    assert [sum(name.endswith(".eml") for name in each) for each in names] == [PER_FOLDER] * len(FOLDERS)
    assert slow.connections == 1
    # One waits for nothing because it is the first; without pipelining all would wait.
    assert slow.examines >= len(FOLDERS)
    assert slow.behind >= len(FOLDERS) - 2


def test_messages_of_several_folders_share_a_connection(mount, slow):
    mounted = mount(slow, options={"connections": 1})
    paths = [mounted.local(folder) / sorted(os.listdir(mounted.local(folder)))[7] for folder in FOLDERS]
    slow.examines = slow.behind = 0
    texts = at_once(*(lambda path=path: read(path) for path in paths))
    assert [len(text) for text in texts] == [path.stat().st_size for path in paths]
    assert slow.connections == 1
    assert slow.behind >= len(FOLDERS) - 2
    # Each folder is opened once, not once for each command: some of these bring the size first.
    assert slow.examines <= 2 * len(FOLDERS)
