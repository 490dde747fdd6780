# SPDX-License-Identifier: GPL-3.0-or-later
"""The filesystem as it should be: what may be seen in it after each change, and what may not.

The mailbox is a tree of folders with messages. A change need not be seen at once, so that the model holds two things
at the same time: what there is now, and what there was at any moment since it was last known that everything had been
seen (`settle()`). Until then

  - what was there all the time is in every listing (`steady`),
  - what was there at some time may be in it (`possible`),
  - nothing else is.

Afterwards a listing is exactly what there is. No moment is an excuse for a wrong name, size, time or octet, for another
inode of a message that stayed, or for a name that stands for another message than before.

Every message has a date of its own, by which a file is known for the message that it is, whatever its name.
model_steps.py does to a real mailbox what this model is told, and asks it about everything that it sees.
"""

import errno
import re
from collections import Counter
from dataclasses import dataclass, field

from corpus import Message, plain_subject_name
from mount import encoded_component, uid_of

GONE = {errno.ENOENT, errno.ESTALE}
AWAY = {errno.EIO, errno.EHOSTUNREACH, errno.ETIMEDOUT}


def with_parents(path):
    """The path and all that lead to it."""
    components = path.split("/")
    return ["/".join(components[:length]) for length in range(1, len(components) + 1)]


@dataclass(eq=False)
class Entry:
    """A message in a folder, from when it came there until it left."""
    message: Message
    path: str
    uid: int
    flags: frozenset = frozenset()
    name: str = None  # under which it was first seen,
    inode: int = None  # and its inode; neither may change
    number_is_uid: bool = True  # no message of this path ever had another UID

    @property
    def date(self):
        return self.message.internaldate

    def __str__(self):
        return f"{self.path}/{self.name or f'(UID {self.uid})'}"


@dataclass
class Window:
    """The entries, or the directories, of the time since everything was seen for the last time."""
    steady: set = field(default_factory=set)
    possible: set = field(default_factory=set)

    def becomes(self, now):
        self.steady &= now
        self.possible |= now

    def settle(self, now):
        self.steady, self.possible = set(now), set(now)


@dataclass(frozen=True)
class File:
    """What a listing says of a file."""
    name: str
    inode: int
    size: int
    mtime: int


class Model:
    def __init__(self, names="subject"):
        self.names = names
        self.folders = {}  # {path: {date: Entry}}, of those that can hold messages
        self.entries, self.directories = Window(), Window()
        self.messages = {}  # {date: Message}, all that ever were
        self.now_directories = set()
        self.used, self.renumbered = set(), set()  # paths that ever were; those in which a number need not be the UID

    # What happens to the mailbox.

    def add_folder(self, path):
        self.folders[path] = {}
        (self.renumbered if path in self.used else self.used).add(path)

    def remove_folder(self, path):
        del self.folders[path]
        self._changed()

    def rename_folder(self, old, new):
        """The messages are other files afterwards; what was below goes along."""
        for path in [path for path in self.folders if path == old or path.startswith(old + "/")]:
            moved = new + path[len(old):]
            kept = self.folders.pop(path).values()
            self.add_folder(moved)
            for entry in kept:
                self.folders[moved][entry.date] = self._entry(entry.message, moved, entry.uid, entry.flags)
        self._changed()

    def add(self, path, message, uid, flags=frozenset()):
        self.messages[message.internaldate] = message
        self.folders[path][message.internaldate] = self._entry(message, path, uid, flags)
        self._changed()

    def remove(self, entry):
        del self.folders[entry.path][entry.date]
        self._changed()

    def renumber(self, path, uids):
        """{date: UID} after a change of UIDVALIDITY."""
        self.renumbered.add(path)
        for date, uid in uids.items():
            self.folders[path][date].uid = uid
            self.folders[path][date].number_is_uid = False

    def set_directories(self, paths):
        """The folders there are, those that hold no messages included."""
        self.now_directories = {directory for path in paths for directory in with_parents(path)}
        self.directories.becomes(self.now_directories)

    def settle(self):
        """Everything was seen as it is now."""
        self.entries.settle(self._now())
        self.directories.settle(self.now_directories)

    def _entry(self, message, path, uid, flags):
        return Entry(message, path, uid, flags, number_is_uid=path not in self.renumbered)

    def _now(self):
        return {entry for folder in self.folders.values() for entry in folder.values()}

    def _changed(self):
        self.entries.becomes(self._now())

    # What may be seen.

    @property
    def is_settled(self):
        return self.entries.steady == self.entries.possible and self.directories.steady == self.directories.possible

    def possible(self, path):
        return [entry for entry in self.entries.possible if entry.path == path]

    def is_steady(self, path):
        """Whether the directory was there all the time."""
        return path == "" or path in self.directories.steady

    def children(self, path):
        """The directories in this one, as it is now."""
        return self._below(path, self.now_directories)

    def judge_listing(self, path, files, directories, are_copies=False):
        """What is wrong with a listing that was had without an error. are_copies: the files are an rsync of the
        mount, so that inodes are others."""
        problems = []
        known = self.possible(path)
        seen = set()
        for file in files:
            fitting, why = self._fitting(file, known, are_copies)
            seen |= set(fitting)
            if not fitting:
                problems.append(f"{path}/{file.name}: {why}")
            elif len(fitting) == 1 and not are_copies and fitting[0].name is None:
                fitting[0].name, fitting[0].inode = file.name, file.inode
        twice = [date for date, count in Counter(file.mtime for file in files).items()
                 if count > sum(entry.date == date for entry in known)]
        problems += [f"{path}: the message of {date} is there more than once" for date in twice]
        problems += [f"{path}: two files are called {name}"
                     for name, count in Counter(file.name for file in files).items() if count > 1]
        problems += [f"{path}: {entry} is missing"
                     for entry in known if entry in self.entries.steady and entry not in seen]
        return problems + self._judge_directories(path, set(directories))

    def judge_octets(self, date, octets, offset=0, length=None):
        """Whether what was read with success is what the message of this date has there."""
        message = self.messages.get(date)
        if message is None:
            return [f"there never was a message of {date}"]
        wanted = message.served[offset:] if length is None else message.served[offset:offset + length]
        if octets == wanted:
            return []
        at = next((n for n, pair in enumerate(zip(octets, wanted)) if pair[0] != pair[1]), min(len(octets), len(wanted)))
        return [f"{len(octets)} octets instead of {len(wanted)}, other ones from {offset + at} on"]

    def _fitting(self, file, known, are_copies):
        """The entries that this file may be, and why there is none."""
        fitting = [entry for entry in known if entry.date == file.mtime]
        if not fitting:
            return [], "no message has its time"
        if file.size != fitting[0].message.size:
            return [], f"{file.size} octets instead of {fitting[0].message.size}"
        fitting = [entry for entry in fitting if file.name in self._names(entry, file)]
        if not fitting:
            return [], "the name is not that of its message"
        if not are_copies:
            fitting = [entry for entry in fitting if entry.inode in (None, file.inode)]
        return fitting, "inode or name are not those of before"

    def _names(self, entry, file):
        """What this entry may be called: the number is free where the UID changed before it was seen."""
        if entry.name is not None:
            return [entry.name]
        if not re.search(r"(^|_)\d+\.eml$", file.name):
            return []
        number = entry.uid if entry.number_is_uid else uid_of(file.name)
        return [f"{number}.eml" if self.names == "uid" else plain_subject_name(entry.message, number)]

    def _judge_directories(self, path, found):
        names = lambda paths: {encoded_component(other.split("/")[-1]) for other in self._below(path, paths)}
        return [f"{path}/{name}: there is no such folder" for name in sorted(found - names(self.directories.possible))] \
            + [f"{path}/{name}: the folder is missing" for name in sorted(names(self.directories.steady) - found)]

    @staticmethod
    def _below(path, paths):
        depth = path.count("/") + 1 if path else 0
        return {other for other in paths if other.count("/") == depth and (not path or other.startswith(path + "/"))}
