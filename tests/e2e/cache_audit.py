# SPDX-License-Identifier: GPL-3.0-or-later
"""Goes over the content files of a cache and says what in them is not as they claim.

Written from the format in src/store/content-header.h, not from the code, and run while no process has the cache.
A file claims nothing, that it is whole, or that some stretches of it are there; what it claims must be so. A whole
message is one write, header and all: a file that is shorter than its header says was being written when the process
ended, and everybody can see that.
"""

import hashlib
import struct
from dataclasses import dataclass, field
from pathlib import Path

HEADER = struct.Struct("<8sIIQQIIQ32s16s")
SEGMENT = struct.Struct("<QQ32s")
CONTENT = "content-v1"
MAGIC = b"MMCONT1\n"
WHOLE, PARTIAL = 1, 2
CHECKED_OCTETS = 80


@dataclass
class Audit:
    whole: int = 0
    partial: int = 0
    blank: int = 0  # begun and not yet claiming anything
    unfinished: int = 0  # shorter than a whole one has to be
    octets: int = 0  # claimed to be there
    problems: list = field(default_factory=list)

    def __str__(self):
        return f"{self.whole} whole, {self.partial} partial, {self.blank} blank, {self.unfinished} unfinished, {self.octets} octets" \
               + "".join(f"\n{problem}" for problem in self.problems)


class Unsound(Exception):
    pass


def audit(cache, truth=None):
    """The audit of a cache directory. `truth` holds the contents that may be in it, in full: with it, what a file
    claims must be a part of one of them."""
    result = Audit()
    for path in sorted(Path(cache, CONTENT).rglob("*")):
        if path.is_file():
            try:
                _audit_file(path, truth, result)
            except Unsound as error:
                result.problems.append(f"{path}: {error}")
    return result


def _require(condition, what):
    if not condition:
        raise Unsound(what)


def _audit_file(path, truth, result):
    data = path.read_bytes()
    head = data[:HEADER.size]
    if not head.strip(b"\0"):
        result.blank += 1
        return
    _require(len(head) == HEADER.size, "the header is cut")
    magic, state, n_segments, size, number, folder, _, list_offset, digest, check = HEADER.unpack(head)
    _require(magic == MAGIC, "no magic")
    _require(hashlib.sha256(head[:CHECKED_OCTETS]).digest()[:16] == check, "the header's own check does not fit")
    digits = 9 if folder else 15  # of no folder: what several have
    _require(path.name == f"{number:0{digits}x}" and path.parent.parent.name == f"{folder:06x}", "it is another file's")
    content = data[HEADER.size:HEADER.size + size]
    if state == WHOLE and len(content) < size:
        result.unfinished += 1
        return
    if state == WHOLE:
        _require(hashlib.sha256(content).digest() == digest, "the content is not that of the digest")
        stretches = [(0, size)]
        result.whole += 1
    else:
        _require(state == PARTIAL, f"state {state}")
        stretches = list(_segments(data, content, n_segments, list_offset, digest))
        result.partial += 1
    result.octets += sum(end - start for start, end in stretches)
    _require(truth is None or any(_agrees(known, size, content, stretches) for known in truth),
             "this is no message that there is")


def _segments(data, content, n_segments, list_offset, digest):
    listed = data[list_offset:list_offset + n_segments * SEGMENT.size]
    _require(hashlib.sha256(listed).digest() == digest, "the list of segments is not that of the digest")
    for start, end, its_digest in SEGMENT.iter_unpack(listed):
        _require(hashlib.sha256(content[start:end]).digest() == its_digest and end > start,
                 f"octets {start} to {end} are not those of their digest")
        yield start, end


def _agrees(known, size, content, stretches):
    return len(known) == size and all(known[start:end] == content[start:end] for start, end in stretches)
