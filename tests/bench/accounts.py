#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeded mail accounts of real-world shape, written straight into Maildirs and kept for the next run.

  mail      --messages (10,000) in --folders (24): sizes log-normal with a median of 8 KB, 2% of them with an
            attachment of 0.2 to 5 MB; about 440 MB
  many      one folder of --many (100,000) small messages
  large     --large (1,000) messages of 1 MB
  sparse    1,000 small messages with UIDs spread up to 4,000,000,000; `dense` the same ones numbered from 1
  subset    --subset (300) ordinary messages in INBOX, for clients that would take too long

Each account is DIRECTORY/NAME/Maildir with DIRECTORY/NAME/manifest.json beside it: what was asked for, how many
messages and octets it holds, and the digest of all of them, so that a copy can be held against it.
"""

import argparse
import hashlib
import json
import math
import os
import random
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from corpus import modified_utf7  # noqa: E402

VERSION = 3  # of what is generated; another number makes everything anew
START, YEARS = 1_262_304_000, 16  # 2010-01-01
LINE = 76
FOLDERS = [
    ("INBOX",), ("Archive", "2019"), ("Archive", "2020"), ("Archive", "2021"), ("Archive", "2022"), ("Sent",),
    ("Lists", "announcements"), ("Lists", "development"), ("Lists", "users"), ("Entwürfe",), ("Trash",), ("Junk",),
    ("Projects", "alpha"), ("Projects", "beta"), ("Projects", "beta", "reports"), ("Receipts",), ("Travel",),
    ("日本語", "受信箱"), ("Family",), ("House",), ("Bank statements",), ("Newsletters",), ("School",), ("Old mail",),
]
WORDS = ("report invoice meeting minutes holiday plan draft answer offer thanks question list budget review order "
         "delivery contract schedule update reminder notes summary agenda ticket release").split()


class Writer:
    """One account. `digest` is that of every message's own digest, sorted: the order of a copy does not matter."""

    def __init__(self, root, seed):
        self.random = random.Random(seed)
        self.root = Path(root)
        self.text = self._text(4_000_000)
        self.base64 = self._base64(8_000_000)
        self.digests, self.octets, self.messages, self.folders = [], 0, 0, 0

    def _text(self, octets):
        lines, length = [], 0
        while length < octets:
            words = [self.random.choice(WORDS) for _ in range(12)]
            line = " ".join(words)[:LINE].rstrip() + "\n"
            lines.append(line)
            length += len(line)
        return "".join(lines).encode()

    def _base64(self, octets):
        import base64
        return base64.encodebytes(self.random.randbytes(octets * 3 // 4))

    def _slice(self, source, octets):
        """Whole lines out of the source, as many octets as asked for or a little more."""
        start = source.index(b"\n", self.random.randrange(max(1, len(source) - octets - 200))) + 1
        return source[start:source.index(b"\n", start + octets) + 1]

    def subject(self):
        return " ".join(self.random.choice(WORDS) for _ in range(self.random.randint(2, 7)))

    def message(self, number, octets, attachment=0):
        head = (f"Return-Path: <sender{number % 97}@example.org>\n"
                f"Received: from mail.example.org ([192.0.2.{number % 250}]) by mx.example.org with ESMTPS\n"
                f"From: Sender <sender{number % 97}@example.org>\nTo: user@example.org\nSubject: {self.subject()}\n"
                f"Message-ID: <{number}.{self.random.getrandbits(48):x}@example.org>\n"
                "Date: Fri, 01 Jan 2010 00:00:00 +0000\nMIME-Version: 1.0\n")
        if not attachment:
            return (head + "Content-Type: text/plain; charset=utf-8\n\n").encode() \
                + self._slice(self.text, max(100, octets - len(head)))
        return (head + "Content-Type: multipart/mixed; boundary=frontier\n\n--frontier\n\n").encode() \
            + self._slice(self.text, octets) \
            + (b"--frontier\nContent-Type: application/octet-stream; name=attachment.bin\n"
               b"Content-Transfer-Encoding: base64\n\n") \
            + self._slice(self.base64, attachment) + b"--frontier--\n"

    def folder(self, path, messages):
        """`messages` yields (uid, stored octets)."""
        directory = self.root.joinpath(*([] if path == ("INBOX",) else map(modified_utf7, path)))
        for name in ("cur", "new", "tmp"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        (directory / "maildirfolder").touch()
        cur, lines, uid = str(directory / "cur"), [], 0
        for number, (uid, stored) in enumerate(messages):
            date = START + self.random.randrange(YEARS * 365 * 86400)
            served = stored.replace(b"\n", b"\r\n")
            base = f"{date}.M{number}P1.localhost,S={len(stored)},W={len(served)}"
            file = f"{cur}/{base}:2,{'S' if self.random.random() < 0.8 else ''}"
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(descriptor, stored)
            os.utime(descriptor, (date, date))
            os.close(descriptor)
            lines.append(f"{uid} :{base}\n")
            self.digests.append(hashlib.sha256(served).digest())
            self.octets += len(served)
        self.messages += len(lines)
        self.folders += 1
        guid = hashlib.md5(repr(path).encode()).hexdigest()
        (directory / "dovecot-uidlist").write_text(f"3 V{1_500_000_000 + self.folders} N{uid + 1} G{guid}\n"
                                                   + "".join(lines))

    def summary(self):
        return {"messages": self.messages, "folders": self.folders, "octets": self.octets,
                "digest": digest_of(self.digests)}


def digest_of(digests):
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


def _shares(total, parts):
    """Folder sizes as people have them: the first is large, the last ones are small."""
    weights = [1 / (index + 1.5) for index in range(parts)]
    counts = [max(1, round(total * weight / sum(weights))) for weight in weights]
    counts[0] += total - sum(counts)
    return counts


def _write_mail(writer, messages, folders):
    paths = (FOLDERS + [("More", f"folder {n}") for n in range(folders)])[:folders]
    number = 0

    def some(count):
        nonlocal number
        uid = 0
        for _ in range(count):
            number += 1
            uid += 1 + writer.random.choice((0, 0, 0, 0, 0, 1, 5))
            attachment = 0
            # Every 50th, so that a smaller account has the same share of large ones.
            if number % 50 == 25:
                attachment = int(math.exp(writer.random.uniform(math.log(200_000), math.log(4_900_000))))
            size = min(int(writer.random.lognormvariate(math.log(8200), 1.06)), 400_000)
            yield uid, writer.message(number, size, attachment)

    for path, count in zip(paths, _shares(messages, folders)):
        writer.folder(path, some(count))


def _write_small(writer, messages, uids=None):
    uids = uids or range(1, messages + 1)
    writer.folder(("INBOX",), ((uid, writer.message(uid, writer.random.randint(500, 1500))) for uid in uids))


def _write_sparse(writer, messages):
    # The same messages as `dense`: a numbering of its own.
    stored = (writer.message(number + 1, writer.random.randint(500, 1500)) for number in range(messages))
    numbering = sorted(random.Random(7).sample(range(1, 4_000_000_000), messages))
    writer.folder(("INBOX",), zip(numbering, stored))


def _write_large(writer, messages):
    writer.folder(("INBOX",), ((number + 1, writer.message(number, 2000, 1_000_000)) for number in range(messages)))


ACCOUNTS = {
    "mail": lambda writer, size: _write_mail(writer, size["messages"], size["folders"]),
    "many": lambda writer, size: _write_small(writer, size["many"]),
    "large": lambda writer, size: _write_large(writer, size["large"]),
    "sparse": lambda writer, size: _write_sparse(writer, size["sparse"]),
    "dense": lambda writer, size: _write_small(writer, size["sparse"]),
    "subset": lambda writer, size: _write_mail(writer, size["subset"], 1),
}
NEEDS = {"mail": ("messages", "folders"), "many": ("many",), "large": ("large",), "sparse": ("sparse",),
         "dense": ("sparse",), "subset": ("subset",)}
SIZE = {"messages": 10_000, "folders": 24, "many": 100_000, "large": 1000, "sparse": 1000, "subset": 300}


def ensure(directory, name, size, seed=1):
    """The account's directory (its home: Maildir below it) and its summary, generated unless already there."""
    wanted = {"version": VERSION, "seed": seed, **{key: size[key] for key in NEEDS[name]}}
    home = Path(directory) / "-".join([name, *(str(size[key]) for key in NEEDS[name])])
    manifest = home / "manifest.json"
    if manifest.exists():
        found = json.loads(manifest.read_text())
        if found["wanted"] == wanted:
            return home, found
    shutil.rmtree(home, ignore_errors=True)
    (home / "Maildir").mkdir(parents=True)
    started = time.monotonic()
    writer = Writer(home / "Maildir", seed)
    ACCOUNTS[name](writer, size)
    found = {"wanted": wanted, **writer.summary()}
    manifest.write_text(json.dumps(found))  # last: what was not finished has none
    print(f"accounts: {home.name}: {found['messages']:,} messages, {found['octets'] / 1e6:,.0f} MB in "
          f"{time.monotonic() - started:.1f} s", file=sys.stderr)
    return home, found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("account", nargs="*", help=f"of {', '.join(ACCOUNTS)}; all when none is named")
    parser.add_argument("--seed", type=int, default=1)
    for key, value in SIZE.items():
        parser.add_argument(f"--{key}", type=int, default=value)
    arguments = parser.parse_args()
    for name in arguments.account or ACCOUNTS:
        ensure(arguments.directory, name, vars(arguments), arguments.seed)


if __name__ == "__main__":
    main()
