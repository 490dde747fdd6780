# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sequences of everything that can happen to a mailbox, a network and a mount, held against a model.

MAILMOUNT_SEED=N plays one sequence; MAILMOUNT_FULL=1 many. A sequence that failed is made short by
`model_play.py --shrink N`, and kept in model_sequences/.
"""

import os
from pathlib import Path

import pytest

from corpus import Message
from model import Model
from model_play import Sequence, play
from model_steps import WAYS, steps
from model_view import View, files_of_copy, judge_copy, local_path
from mount import FULL

KEPT = sorted((Path(__file__).parent / "model_sequences").glob("*.json"))
SEEDS = [int(os.environ["MAILMOUNT_SEED"])] if "MAILMOUNT_SEED" in os.environ else range(40) if FULL else range(4)


def tell(counts, tell_count):
    for what, number in sorted(counts.items()):
        tell_count(f"{what} in the model test", number)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_sequence_is_as_the_model_says(seed, tell_count):
    print(f"MAILMOUNT_SEED={seed}")
    tell(play(Sequence.of_seed(seed)), tell_count)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_sequence_that_failed_once_is_as_the_model_says(path, tell_count):
    tell(play(Sequence.of_file(path)), tell_count)


# That the model notices.

FOLDERS = {"INBOX": 3, "Lists/many": 2}


@pytest.fixture
def model():
    made = Model()
    for path, count in FOLDERS.items():
        made.add_folder(path)
        for uid in range(1, count + 1):
            date = 1_000_000_000 + len(made.messages) * 86400
            text = f"Subject: message {uid}\r\n\r\nin {path}\r\n".encode()
            made.add(path, Message(uid, text, date, subject=f"message {uid}"), uid)
    made.set_directories(FOLDERS)
    made.settle()
    return made


def write(entry, top):
    number = entry.uid
    file = top / local_path(entry.path) / f"{entry.message.date}_message-{number}_{number}.eml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(entry.message.served)
    os.utime(file, (entry.date, entry.date))
    return file


@pytest.fixture
def tree(model, tmp_path):
    """A directory that is as the model says, and was seen."""
    top = tmp_path / "tree"
    for entry in model.entries.possible:
        write(entry, top)
    assert problems_of(model, top) == []
    return top


def problems_of(model, top):
    view, found = View(model, top), []
    for path in ["", *sorted(model.now_directories)]:
        found += view.judge_listing(path)[0]
    for entry in model.entries.possible:
        if entry.name is not None:
            try:
                with open(top / local_path(entry.path) / entry.name, "rb") as file:
                    found += view.judge_read(entry, file.fileno())
            except OSError as error:
                found.append(str(error))
    return found + view.judge_inodes()


def change_octets(file, octets):
    times = os.stat(file)
    with open(file, "r+b") as opened:
        opened.write(octets)
    os.utime(file, (times.st_atime, times.st_mtime))


def swap(one, other):
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def make_again(file):
    """The same under another inode: the old one is kept, so that it is not used again."""
    file.rename(file.parents[2] / "aside")
    file.write_bytes((file.parents[2] / "aside").read_bytes())
    times = os.stat(file.parents[2] / "aside")
    os.utime(file, (times.st_atime, times.st_mtime))


TAMPERING = {
    "a message is missing": lambda files: files[1].unlink(),
    "there is one more": lambda files: (files[0].parent / "2001-01-01_more_9.eml").write_bytes(b"more"),
    "one is there twice": lambda files: os.link(files[0], files[0].with_name("2001-09-09_message-1_7.eml")),
    "one is too short": lambda files: os.truncate(files[0], 10),
    "an octet is another": lambda files: change_octets(files[0], b"s"),
    "the time is another": lambda files: os.utime(files[0], (0, 0)),
    "the name is another": lambda files: files[0].rename(files[0].with_name("2001-09-09_message-1_8.eml")),
    "the inode is another": lambda files: make_again(files[0]),
    "two have changed names": lambda files: swap(files[0], files[1]),
    "a folder is missing": lambda files: (files[-1].unlink(), files[-2].unlink(), files[-1].parent.rmdir()),
    "there is one folder more": lambda files: (files[0].parent / "more").mkdir(),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_the_model_notices_that(model, tree, what):
    TAMPERING[what](sorted(tree.rglob("*.eml")))
    assert problems_of(model, tree)


def test_the_model_takes_the_old_and_the_new_until_all_was_seen(model, tree):
    entry = model.folders["INBOX"][1_000_000_000]
    model.remove(entry)
    assert problems_of(model, tree) == []
    (tree / "INBOX" / entry.name).unlink()
    assert View(model, tree).judge_listing("INBOX") == ([], None)
    write(entry, tree)
    model.settle()
    assert problems_of(model, tree)


def test_the_model_notices_what_a_copy_lost(model, tree):
    before = files_of_copy(tree)
    assert not judge_copy(model, tree, before, is_complete=True)
    sorted(tree.rglob("*.eml"))[0].unlink()
    assert judge_copy(model, tree, before, is_complete=False)
    assert judge_copy(model, tree, {}, is_complete=True)
    assert not judge_copy(model, tree, {}, is_complete=False)


def test_the_first_seeds_know_all_ways_and_steps():
    sequences = [Sequence.of_seed(seed) for seed in range(4)]
    assert {sequence.way for sequence in sequences} == set(WAYS)
    assert {name for sequence in sequences for name, *_ in sequence.steps} == set(steps())
