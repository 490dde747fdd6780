# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares a tree (a mount, or a copy of one) with the corpus."""

import hashlib
import os
import re
from collections import Counter
from pathlib import Path

from corpus import percent_decoded, same_folded
from mount import uid_of


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def collides(corpus, path):
    """Whether some component has a sibling that differs only in case or normal form, or is too long to be kept."""
    for length in range(1, len(path) + 1):
        head = path[:length]
        if len(head[-1].encode()) > 255:
            return True
        for other in corpus.folders:
            if len(other) == length and other[:-1] == head[:-1] and other != head and same_folded(other[-1], head[-1]):
                return True
    return False


def _walk(top):
    def fail(error):
        raise error
    return os.walk(top, onerror=fail)


class Differences(list):
    def __str__(self):
        return "\n".join(self[:40]) + (f"\n… and {len(self) - 40} more" if len(self) > 40 else "")


def compare(top, corpus, times=True, content=True, only=None):
    """What differs between the tree and the corpus. Folders whose names collide are recognised by their content.

    only   a predicate on folder paths: the others are not expected
    """
    problems = Differences()
    wanted = {path: folder for path, folder in corpus.folders.items() if only is None or only(path)}
    plain = {path for path in wanted if not collides(corpus, path)}
    odd = {path for path in wanted if path not in plain}
    odd_contents = Counter(tuple(sorted(m.sha256 for m in wanted[path].messages)) for path in odd)
    seen = set()
    for root, directories, files in _walk(top):
        relative = Path(root).relative_to(top).parts
        if not relative:
            problems.extend(f"a file in the root: {name}" for name in files)
            continue
        path = tuple(percent_decoded(component) for component in relative)
        if path in plain:
            seen.add(path)
            problems.extend(_compare_folder(Path(root), files, wanted[path], times, content))
        elif odd:
            contents = tuple(sorted(sha256(Path(root, name)) for name in files)) if content else None
            if content and not odd_contents[contents]:
                problems.append(f"the folder {'/'.join(relative)} is not expected, or its content is not")
            elif content:
                odd_contents[contents] -= 1
        else:
            problems.append(f"the folder {'/'.join(relative)} is not expected")
    problems.extend(f"missing: {'/'.join(path)}" for path in plain - seen)
    if content:
        problems.extend(f"missing: {count} folders with colliding names" for count in odd_contents.values() if count)
    return problems


def _compare_folder(directory, names, folder, times, content):
    expected = folder.by_uid()
    found = {}
    for name in names:
        if not re.search(r"(^|_)\d+\.eml$", name):
            yield f"{directory}/{name}: not the name of a message"
            continue
        uid = uid_of(name)
        if uid in found:
            yield f"{directory}: {name} and {found[uid]} have the same number"
        found[uid] = name
    for uid in expected.keys() - found.keys():
        yield f"{directory}: message {uid} ({expected[uid].kind}) is missing"
    for uid, name in found.items():
        message = expected.get(uid)
        if message is None:
            yield f"{directory}/{name}: there is no such message"
            continue
        file = directory / name
        status = file.stat()
        if status.st_size != message.size:
            yield f"{file}: {status.st_size} octets instead of {message.size}"
        if times and int(status.st_mtime) != message.internaldate:
            yield f"{file}: mtime {status.st_mtime} instead of {message.internaldate}"
        if content and sha256(file) != message.sha256:
            yield f"{file}: the bytes differ ({message.kind})"


def snapshot(top):
    """{relative path: (inode, size, mtime, ctime)} of every file, without opening one."""
    found = {}
    for root, _, files in _walk(top):
        for name in files:
            status = os.lstat(os.path.join(root, name))
            found[os.path.relpath(os.path.join(root, name), top)] = (
                status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return found
