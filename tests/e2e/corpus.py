# SPDX-License-Identifier: GPL-3.0-or-later
"""A seeded mailbox, written straight into a Maildir store, and the truth about it.

`Corpus(...)` decides the folders and messages, `write()` puts them on disk in the form that Dovecot reads
(messages, dates by mtime, UIDs by dovecot-uidlist), and `folders` is the manifest: for every message its
UID, size, SHA-256, date and flags as an IMAP server must serve it. `check()` compares the manifest with
what the server says through Python's imaplib, so that the tests do not rest on the generator alone.
"""

import base64
import datetime
import hashlib
import imaplib
import os
import random
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

EPOCH_START = 946684800  # 2000-01-01
FLAG_LETTERS = {"\\Seen": "S", "\\Answered": "R", "\\Flagged": "F", "\\Deleted": "T", "\\Draft": "D"}


@dataclass
class Message:
    uid: int
    stored: bytes = field(repr=False)
    internaldate: int = 0
    flags: tuple = ()
    kind: str = "plain"
    subject: str = None  # what it is after RFC 2047, where the test cares

    def __post_init__(self):
        served = self.served
        self.size = len(served)
        self.sha256 = hashlib.sha256(served).hexdigest()

    @property
    def served(self):
        # Dovecot serves a stored NUL as 0x80: a literal of RFC 3501 cannot hold one.
        return to_crlf(self.stored).replace(b"\0", b"\x80")

    @property
    def date(self):
        return datetime.datetime.fromtimestamp(self.internaldate, datetime.timezone.utc).strftime("%Y-%m-%d")


@dataclass
class Folder:
    path: tuple  # decoded components, ("INBOX",) or ("Archive", "2019")
    messages: list = field(default_factory=list)
    selectable: bool = True
    uidvalidity: int = 1

    def by_uid(self):
        return {message.uid: message for message in self.messages}


def to_crlf(data):
    return re.sub(rb"(?<!\r)\n", b"\r\n", data)


def modified_utf7(text):
    """RFC 3501, 5.1.3."""
    out, pending = [], ""

    def flush():
        nonlocal pending
        if pending:
            encoded = base64.b64encode(pending.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
            out.append(f"&{encoded}-")
            pending = ""

    for character in text:
        if 0x20 <= ord(character) <= 0x7E:
            flush()
            out.append("&-" if character == "&" else character)
        else:
            pending += character
    flush()
    return "".join(out)


def encoded_word(text, charset="utf-8", encoding="b"):
    raw = text.encode(charset)
    if encoding == "b":
        return f"=?{charset}?B?{base64.b64encode(raw).decode()}?="
    return f"=?{charset}?Q?" + "".join(f"={octet:02X}" for octet in raw) + "?="


HOSTILE_SUBJECTS = [
    "../../../etc/passwd", "..", ".", "/", "\\", "a/b\\c:d*e?f\"g<h>i|j", ".hidden", "...dots", "-rf .", "--help",
    "$(reboot) `reboot` ; reboot", "%2e%2e%2f", "con", "nul.txt", "trailing dot.", "trailing blank ", "~root",
    "many    blanks\tand\ttabs", "x" * 300, "ü" * 200, "日本語の件名" * 30, "emoji \U0001F4EC" * 20,
    "\u202egnp.exe", "\u2066isolate\u2069", "zero\u200bwidth", "combining e\u0301\u0301\u0301", "_1.eml", "5.eml",
    "2020-01-01_fake_7.eml", "\u001b[31mred\u001b[0m", "a\u0007bell", "", "   ", "\u00a0", "#hash", "quo'te\"s", "*",
]

OTHER_FOLDERS = [
    ("Sent",), ("Trash",), ("with space", "and more space"), ("Entwürfe",), ("日本語", "受信箱"), ("Ελληνικά",),
    ("mail \U0001F4EC",), ("Ümläut", "ñandú", "çedilla"), ("100% sure",), ("a%2Fb",), ("%41",), ("dots.in.name",),
    ("quote\"s",), ("back\\slash",), ("amp&ersand",), ("tilde~name",), ("Case",), ("case",), ("CASE",),
    ("Café",), ("Cafe\u0301",), ("5.eml",), ("2020-01-01_looks-like-mail_7.eml",), (".hidden",), (".search",),
    ("[Gmail]", "All Mail"), ("受" * 90,), ("Projects", "one"), ("Projects", "two", "deep", "deeper", "deepest"),
    ("Archive",), ("Archive", "2019", "Q1.reports"), ("-dash",), ("semi;colon",), ("curly{5}",), ("paren(thesis)",),
]


class Corpus:
    """`scale` multiplies the number of ordinary messages, `large_octets` is the size of the two big attachments."""

    def __init__(self, seed=1, scale=1.0, large_octets=20_000_000, separator="/", layout="fs", prefix=""):
        self.random = random.Random(seed)
        self.scale, self.large_octets = scale, large_octets
        self.separator, self.layout, self.prefix = separator, layout, prefix
        self.folders = {}
        self._serial = 0

    # The generator.

    def standard(self):
        """The corpus of the tests: at least 500 messages in some 45 folders."""
        count = lambda n: max(1, int(n * self.scale))
        self.ordinary(("INBOX",), count(150))
        for special in self._specials():
            self.add(("INBOX",), *special)
        for path in OTHER_FOLDERS:
            if path not in self.folders:
                self.ordinary(path, self.random.randint(1, count(8)))
        self.ordinary(("Lists", "many"), count(220))
        for subject in HOSTILE_SUBJECTS:
            for charset, encoding in (("utf-8", "b"), ("utf-8", "q")):
                self.add(("Hostile",), self.message(f"Subject: {encoded_word(subject, charset, encoding)}"),
                         "hostile")
        self.add(("Hostile",), b"Subject: raw \xe4\xf6\xfc latin\nFrom: user@example.org\n\nx\n", "raw8bit")
        self.add(("Hostile",), "Subject: raw ünïcode\n\nx\n".encode(), "rawutf8", subject="raw ünïcode")
        for charset in ("iso-8859-1", "windows-1252", "utf-8", "iso-8859-15"):
            self.add(("Charsets",), self.message(f"Subject: {encoded_word('Grüße aus Köln', charset, 'q')}"),
                     "charset", subject="Grüße aus Köln")
        for charset, text in (("iso-2022-jp", "日本語"), ("shift_jis", "日本語"), ("koi8-r", "Привет"),
                              ("gb18030", "中文"), ("euc-kr", "한국어"), ("big5", "中文")):
            self.add(("Charsets",), self.message(f"Subject: {encoded_word(text, charset)}"), "charset", subject=text)
        self.add(("Charsets",), self.message("Subject: =?x-unknown?B?AAAA?= =?utf-8?Q?broken=?="), "charset")
        for number in range(2):
            self.add(("Large",), self.large(number), "large", subject=f"large attachment {number}")
        same = self.message("Subject: the same message\nMessage-ID: <same@example.org>")
        for path in (("Duplicates",), ("Duplicates", "again")):
            for _ in range(3):
                self.add(path, same, "duplicate", subject="the same message")
        self.sparse(("Sparse",), count(40))
        for flags in ((), ("\\Seen",), ("\\Seen", "\\Answered"), ("\\Flagged",), ("\\Deleted",), ("\\Draft", "\\Seen")):
            self.add(("Flags",), self.message(f"Subject: flags {len(flags)}"), "flags", flags=flags)
        self.folder(("Empty",))
        return self

    def folder(self, path, selectable=True):
        if path not in self.folders:
            for length in range(1, len(path)):
                self.folders.setdefault(path[:length], Folder(path[:length], selectable=False))
            self.folders[path] = Folder(path, selectable=selectable, uidvalidity=1_400_000_000 + len(self.folders))
        folder = self.folders[path]
        if selectable and not folder.selectable:
            folder.selectable, folder.uidvalidity = True, 1_400_000_000 + len(self.folders)
        return folder

    def add(self, path, stored, kind="plain", subject=None, flags=None, uid=None, internaldate=None):
        folder = self.folder(path)
        if uid is None:
            uid = folder.messages[-1].uid + 1 + self.random.choice((0, 0, 0, 0, 1, 7)) if folder.messages else 1
        if flags is None:
            flags = self.random.choice(((), ("\\Seen",), ("\\Seen", "\\Answered"), ("\\Flagged",)))
        if internaldate is None:
            internaldate = EPOCH_START + self.random.randrange(26 * 365 * 86400)
        message = Message(uid, stored, internaldate, tuple(flags), kind, subject)
        folder.messages.append(message)
        return message

    def ordinary(self, path, count):
        for _ in range(count):
            self._serial += 1
            subject = f"message {self._serial} {self._words(self.random.randint(1, 6))}"
            self.add(path, self.message(f"Subject: {subject}"), "ordinary", subject=subject)

    def sparse(self, path, count):
        uids = sorted(self.random.sample(range(1, 4_000_000_000), count - 1)) + [4_294_967_000]
        for uid in uids:
            self.add(path, self.message(f"Subject: sparse {uid}"), "sparse", subject=f"sparse {uid}", uid=uid)

    def _words(self, count):
        words = "report invoice meeting minutes holiday plan draft answer offer thanks question list".split()
        return " ".join(self.random.choice(words) for _ in range(count))

    def message(self, headers, body=None, eol="\n"):
        self._serial += 1
        if body is None:
            body = "\n".join(self._words(10) for _ in range(int(self.random.lognormvariate(3.2, 1.0)) + 1)) + "\n"
            body += f"marker-{self._serial}\n"
        text = (f"From: sender@example.org\nTo: user@example.org\n{headers}\n"
                + ("" if "Message-ID:" in headers else f"Message-ID: <{self._serial}@example.org>\n")
                + f"Date: Sat, 01 Jan 2000 00:00:00 +0000\n\n{body}")
        return text.replace("\n", eol).encode("utf-8", "surrogateescape")

    def large(self, number, subject=None):
        raw = self.random.randbytes(int(self.large_octets * 3 / 4 / 78 * 76))
        text = base64.encodebytes(raw)
        head = (f"Subject: {subject or f'large attachment {number}'}\nMIME-Version: 1.0\nMessage-ID: <large{number}@example.org>\n"
                "Content-Type: multipart/mixed; boundary=frontier\n\n--frontier\n\nsee below\n--frontier\n"
                "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n").encode()
        return head + text + b"--frontier--\n"

    def _specials(self):
        message = self.message
        yield message("Subject: stored with crlf", eol="\r\n"), "crlf", "stored with crlf"
        yield b"Subject: mixed ends\r\nFrom: user@example.org\n\r\nlf\ncrlf\r\nbare\rcr\r\r\n", "mixed", "mixed ends"
        yield b"Subject: eight bit\n\n" + bytes(range(0x80, 0x100)) + b"\n", "8bit", "eight bit"
        yield b"Subject: nul\n\nbefore\0after\0\0\nend\n", "nul", "nul"
        yield b"Subject: no newline at the end\n\nend", "noeol", "no newline at the end"
        yield b"Subject: empty body\nFrom: user@example.org\n\n", "emptybody", "empty body"
        yield b"Subject: headers only\nFrom: user@example.org\n", "noblank", "headers only"
        yield b"\nonly a body, no header at all\n", "noheader", None
        yield b"\n", "onlyblank", None
        yield b"no colon in sight\nand no blank line", "garbage", None
        yield b"Subject:\n\nempty subject\n", "emptysubject", ""
        yield message("Subject: very long header\nX-Long: " + "y" * 100_000), "longheader", "very long header"
        folded = "Subject: folded\n" + "\n".join(f"  part {n}" for n in range(200))
        yield message(folded), "folded", None
        yield message("\n".join(f"X-Many-{n}: {n}" for n in range(2000)) + "\nSubject: many headers"), "many", \
            "many headers"
        yield message("Subject: long line", body="z" * 1_000_000 + "\n"), "longline", "long line"
        yield message("Subject: looks like imap", body=") FLAGS (\\Seen)\n* 1 EXPUNGE\n{5}\nA1 OK done\n{10+}\n"), \
            "protocol", "looks like imap"
        yield message("Subject: dots", body=".\n..\n.\n"), "dots", "dots"
        yield message("Subject: from line", body="From here\n>From there\n"), "from", "from line"
        yield b"Subject: one\nSubject: two\n\nx\n", "twosubjects", "one"
        yield message("Subject: half a megabyte", body=("0123456789abcde\n" * 32768)), "medium", "half a megabyte"
        # Just below and above the sizes at which a reader may change its ways.
        for octets in (16384, 65536, 131071, 131072, 131073, 262144, 1048576):
            head = message(f"Subject: size {octets}", body="", eol="\r\n")
            yield head + b"s" * (octets - len(head)), f"size{octets}", f"size {octets}"

    # The store.

    def directory(self, root, path):
        if path == ("INBOX",):
            return root
        if self.layout == "fs":
            return root.joinpath(*(modified_utf7(component) for component in path))
        # Maildir++ with the listescape plugin: what the layout cannot hold is \xx.
        escape = lambda component: re.sub(r"[./\\~]", lambda m: f"\\{ord(m[0]):02x}", modified_utf7(component))
        return root / ("." + ".".join(escape(component) for component in path))

    def write(self, root):
        root = Path(root)
        for folder in self.folders.values():
            directory = self.directory(root, folder.path)
            if not folder.selectable:
                if self.layout == "fs":
                    directory.mkdir(parents=True, exist_ok=True)
                continue
            for name in ("cur", "new", "tmp"):
                (directory / name).mkdir(parents=True, exist_ok=True)
            (directory / "maildirfolder").touch()
            lines = []
            for number, message in enumerate(folder.messages):
                base = f"{message.internaldate}.M{number}P1.localhost,S={len(message.stored)}"
                letters = "".join(sorted(FLAG_LETTERS[flag] for flag in message.flags))
                file = directory / "cur" / f"{base}:2,{letters}"
                file.write_bytes(message.stored)
                os.utime(file, (message.internaldate, message.internaldate))
                lines.append(f"{message.uid} :{base}")
            following = folder.messages[-1].uid + 1 if folder.messages else 1
            guid = hashlib.md5(repr(folder.path).encode()).hexdigest()
            (directory / "dovecot-uidlist").write_text(
                f"3 V{folder.uidvalidity} N{following} G{guid}\n" + "".join(line + "\n" for line in lines))
        return self

    # The manifest, and the check of it.

    def wire_name(self, path):
        if path == ("INBOX",):
            return "INBOX"
        return self.prefix + self.separator.join(modified_utf7(component) for component in path)

    def selectable(self):
        return [folder for folder in self.folders.values() if folder.selectable]

    def message_count(self):
        return sum(len(folder.messages) for folder in self.folders.values())

    def octets(self):
        return sum(message.size for folder in self.folders.values() for message in folder.messages)

    def check(self, connection):
        """What differs between the manifest and the server, as text; empty when nothing does."""
        problems = []
        listed = {}
        for line in connection.list()[1]:
            match = re.match(rb'\(([^)]*)\) (?:"(?:\\.|[^"])*"|NIL) (?:"((?:\\.|[^"])*)"|(\S+))$', line) \
                if isinstance(line, bytes) else None
            if match:
                name = (match[2] if match[2] is not None else match[3]).decode()
                listed[re.sub(r"\\(.)", r"\1", name)] = match[1].decode()
            else:  # imaplib gives a literal as a tuple
                text = line[1] if isinstance(line, tuple) else line
                if isinstance(line, tuple):
                    listed[text.decode()] = line[0].decode()
        expected = {self.wire_name(folder.path) for folder in self.folders.values()
                    if folder.selectable or self.layout == "fs"}
        for name in sorted((expected ^ set(listed)) - {"INBOX"}):
            problems.append(f"folder {name!r} only in {'manifest' if name in expected else 'LIST'}")
        for folder in self.selectable():
            problems += self._check_folder(connection, folder)
        return problems

    def _check_folder(self, connection, folder):
        name = self.wire_name(folder.path)
        quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        status, data = connection.select(quoted, readonly=True)
        if status != "OK":
            return [f"{name}: {data}"]
        seen = {}
        if int(data[0]):
            _, data = connection.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
            for item in data:
                if isinstance(item, tuple):
                    uid = int(re.search(rb"UID (\d+)", item[0])[1])
                    seen[uid] = (item[1], item[0])
        problems = []
        if list(seen) != [message.uid for message in folder.messages]:
            problems.append(f"{name}: UIDs {list(seen)[:5]}… instead of {[m.uid for m in folder.messages][:5]}…")
        for message in folder.messages:
            body, line = seen.get(message.uid, (None, b""))
            if body is None:
                continue
            size = int(re.search(rb"RFC822.SIZE (\d+)", line)[1])
            date = re.search(rb'INTERNALDATE "([^"]+)"', line)[1].decode().strip()
            then = int(datetime.datetime.strptime(date, "%d-%b-%Y %H:%M:%S %z").timestamp())
            flags = set(re.search(rb"FLAGS \(([^)]*)\)", line)[1].decode().split()) - {"\\Recent"}
            if hashlib.sha256(body).hexdigest() != message.sha256:
                problems.append(f"{name}/{message.uid} ({message.kind}): the bytes differ")
            if size != message.size:
                problems.append(f"{name}/{message.uid} ({message.kind}): size {size}, expected {message.size}")
            if then != message.internaldate:
                problems.append(f"{name}/{message.uid}: date {date}")
            if flags != set(message.flags):
                problems.append(f"{name}/{message.uid}: flags {flags}")
        return problems


def server_state(connection, corpus):
    """Flags and UIDs of everything, to compare before and after: {folder: {uid: flags}}."""
    state = {}
    for folder in corpus.selectable():
        name = corpus.wire_name(folder.path)
        quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        assert connection.select(quoted, readonly=True)[0] == "OK", name
        _, data = connection.uid("FETCH", "1:*", "(UID FLAGS)")
        found = {}
        for line in data:
            if line:
                flags = re.search(rb"FLAGS \(([^)]*)\)", line)[1].decode().split()
                found[int(re.search(rb"UID (\d+)", line)[1])] = tuple(sorted(set(flags) - {"\\Recent"}))
        state[folder.path] = found
    return state


def connect(server, user="user"):
    imaplib._MAXLINE = 20_000_000
    connection = imaplib.IMAP4(server.host, server.imap_port, timeout=60)
    connection.login(user, server.password(user))
    return connection


# What the filesystem makes of it: a second, independent writing-down of the naming rules.

def plain_subject_name(message, number=None):
    """The file name of a message whose subject is ASCII letters, digits and blanks."""
    words = re.sub(r"\s+", "-", (message.subject or "").strip())
    number = message.uid if number is None else number
    return f"{message.date}_{words}_{number}.eml" if words else f"{message.date}_{number}.eml"


def percent_decoded(component):
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), component.encode()).decode()


def same_folded(a, b):
    fold = lambda text: unicodedata.normalize("NFC", text).casefold()
    return fold(a) == fold(b)
