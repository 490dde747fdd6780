# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a tree of files, a mount or a copy of one, and asks the model about what it sees.

What is said is wrong, as text; nothing is raised but the errors of the system where a function says so.
"""

import os
from pathlib import Path

from model import AWAY, GONE, File
from mount import local_components


def local_path(path):
    """Where the folder is below the top."""
    return Path(*local_components(path.split("/"))) if path else Path()


def seconds(status):
    return int(status.st_mtime)


class View:
    def __init__(self, model, top):
        self.model, self.top = model, Path(top)

    def directory(self, path):
        return self.top / local_path(path)

    def judge_listing(self, path, may_be_away=False):
        """(what is wrong with a listing of this directory, the error that it ended in)"""
        files, directories = [], []
        try:
            with os.scandir(self.directory(path)) as listing:
                for found in listing:
                    if found.is_dir(follow_symlinks=False):
                        directories.append(found.name)
                    else:
                        status = found.stat(follow_symlinks=False)
                        files.append(File(found.name, status.st_ino, status.st_size, seconds(status)))
        except OSError as error:
            is_gone = error.errno in GONE and not self.model.is_steady(path)
            is_allowed = is_gone or (may_be_away and error.errno in AWAY)
            return [] if is_allowed else [f"{path}: {error!r}, with no reason"], error
        return self.model.judge_listing(path, files, directories), None

    def judge_ls(self, lines, path):
        """The same of what `ls -lNiA --time-style=+%s` printed of a directory."""
        files, directories = [], []
        for line in lines:
            inode, mode, _, _, _, size, mtime, name = line.split(None, 7)
            if mode.startswith("d"):
                directories.append(name)
            else:
                files.append(File(name, int(inode), int(size), int(mtime)))
        return self.model.judge_listing(path, files, directories)

    def judge_read(self, entry, descriptor, offset=0, length=None):
        """What is wrong with the octets there; raises the OSError of reading them."""
        status = os.fstat(descriptor)
        date = seconds(status)
        others = {other.date for other in self.model.possible(entry.path)}
        if date != entry.date and (entry in self.model.entries.steady or date not in others):
            return [f"{entry} is the message of {date}"]
        octets = bytearray()
        wanted = status.st_size - offset if length is None else length
        while wanted > 0 and (piece := os.pread(descriptor, wanted, offset + len(octets))):
            octets += piece
            wanted -= len(piece)
        return [f"{entry}: {problem}" for problem in self.model.judge_octets(date, bytes(octets), offset, length)]

    # The whole tree.

    def judge_inodes(self):
        """No two things have the same inode."""
        found = {}
        for root, directories, files in os.walk(self.top):
            for name in directories + files:
                try:
                    found.setdefault(os.lstat(os.path.join(root, name)).st_ino, []).append(os.path.join(root, name))
                except FileNotFoundError:
                    continue
        return [f"the same inode: {paths}" for paths in found.values() if len(paths) > 1]

    def differences(self):
        """What is not as it is in the mailbox now."""
        return [difference for path in sorted({"", *self.model.now_directories}) for difference in self._difference(path)]

    def _difference(self, path):
        directory = self.directory(path)
        try:
            names = set(os.listdir(directory))
            below = {local_path(other).name for other in self.model.children(path)}
            found = {name: self._attributes(directory / name) for name in names - below}
        except OSError as error:
            return [f"{path}: {error!r}"]
        wanted = {entry.date: (entry.uid, entry.flags) for entry in self.model.folders.get(path, {}).values()}
        told = {date: attributes for date, *attributes in found.values()}
        problems = [f"{path}: folders {sorted(below - names)} are missing"] if below - names else []
        if len(found) != len(wanted) or told.keys() != wanted.keys():
            return problems + [f"{path}: {sorted(found)} instead of {len(wanted)} messages"]
        return problems + [f"{path}: the message of {date} has {told[date]} instead of {wanted[date]}"
                           for date in wanted if tuple(told[date]) != wanted[date]]

    @staticmethod
    def _attributes(file):
        """(date, UID, flags)"""
        flags = os.getxattr(file, "user.mailmount.flags").decode().split()
        return seconds(os.lstat(file)), int(os.getxattr(file, "user.mailmount.uid")), frozenset(flags) - {r"\Recent"}


def files_of_copy(copy):
    """{path below the top: date}"""
    return {path.relative_to(copy): seconds(path.stat()) for path in Path(copy).rglob("*.eml") if path.is_file()}


def judge_copy(model, copy, before, is_complete):
    """What is wrong with what `rsync -a --delete` made of a mount. before: files_of_copy() when it began."""
    now = files_of_copy(copy)
    problems = [f"{path}: {problem}" for path, date in now.items()
                for problem in model.judge_octets(date, (copy / path).read_bytes())]
    for entry in model.entries.steady:
        if entry.name is None:
            continue
        place = local_path(entry.path) / entry.name
        if now.get(place) != entry.date and (is_complete or before.get(place) == entry.date):
            problems.append(f"the copy has no {entry}" + ", but had it before" * (place in before))
    return problems
