#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demonstration: a throwaway IMAP server with a little mail, mounted, searched, backed up, compared.

Every line behind a `$` is run by the shell exactly as it is printed, and what follows is what it printed. Called
by scripts/demo, which builds the program first.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
sys.dont_write_bytecode = True

from corpus import Corpus, encoded_word  # noqa: E402
from dovecot import DovecotServer  # noqa: E402
from mount import is_mounted  # noqa: E402
from tree import compare  # noqa: E402

PASSWORD = "demo"
BOLD, GREEN, RED, PLAIN = ("\033[1m", "\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty() else ("",) * 4
DAY = 86400


def sample():
    corpus = Corpus(seed=4711, large_octets=6_000_000)
    now = 1_760_000_000
    def put(path, subject, days_ago, body=None, flags=("\\Seen",), words=None):
        header = subject if subject.isascii() else encoded_word(subject)
        corpus.add(path, corpus.message(f"Subject: {header}", body), subject=subject, flags=flags,
                   internaldate=now - days_ago * DAY)

    put(("INBOX",), "Minutes of the meeting", 40)
    put(("INBOX",), "Einladung: Fest im Grünen", 21)
    put(("INBOX",), "Your invoice", 12, "Please find below invoice 4711.\n\nTotal: 42.00 EUR\n")
    put(("INBOX",), "Re: Re: which train?", 3, flags=("\\Seen", "\\Answered"))
    put(("INBOX",), "写真をありがとう", 1, flags=())
    for number in range(1, 61):
        put(("Archive", "2024"), f"Weekly report {number}", 700 - number * 7)
    for number in range(1, 121):
        put(("Lists", "fuse-devel"), f"[PATCH v{number % 5 + 1}] readdirplus, part {number}", 400 - number)
    put(("Entwürfe",), "Brief an die Behörde", 9, flags=("\\Draft",))
    put(("Receipts",), "Your invoice (copy)", 11, "A copy of invoice 4711.\n")
    corpus.add(("INBOX",), corpus.large(0, "Holiday pictures"), subject="Holiday pictures", flags=(), internaldate=now - 2 * DAY)
    return corpus


class Demo:
    def __init__(self, directory, environment):
        self.directory, self.environment = directory, environment

    def run(self, line, limit=None, comment=None):
        """Prints and runs one line; at most `limit` lines of what it prints are shown."""
        if comment:
            print(f"\n# {comment}")
        print(f"{BOLD}$ {line}{PLAIN}", flush=True)
        result = subprocess.run(["bash", "-c", line], cwd=self.directory, env=self.environment, timeout=60,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, errors="replace", check=False)
        lines = result.stdout.rstrip("\n").splitlines()
        for text in lines[:limit]:
            print(text)
        if limit is not None and len(lines) > limit:
            print(f"… {len(lines) - limit} more")
        sys.stdout.flush()
        if result.returncode != 0:
            print(f"{RED}exit status {result.returncode}{PLAIN}")
            raise SystemExit(1)
        return result.stdout


def main():
    started = time.monotonic()
    corpus = sample()
    directory = Path(tempfile.mkdtemp(prefix="mailmount-demo-"))
    directory.chmod(0o755)
    (directory / "mail").mkdir()
    netrc = directory / ".netrc"
    netrc.write_text(f"machine localhost login user password {PASSWORD}\n")
    netrc.chmod(0o600)
    environment = {**os.environ, "PATH": f"{ROOT / 'build'}:{os.environ['PATH']}", "HOME": str(directory),
                   "XDG_CACHE_HOME": str(directory / "cache"), "LC_ALL": "C.UTF-8", "TZ": "UTC",
                   "GREP_COLORS": "", "QUOTING_STYLE": "literal"}
    server = DovecotServer(users={"user": PASSWORD}, directory=directory / "server")
    corpus.write(server.mail_dir("user"))
    demo = Demo(directory, environment)
    try:
        server.start()
        shutil.copy(server.certificates.ca, directory / "ca.pem")
        print(f"A throwaway Dovecot {server.version()} serves {corpus.message_count()} messages on port "
              f"{server.imaps_port} of localhost.")
        demo.run(f"mailmount -o cafile=ca.pem imaps://user@localhost:{server.imaps_port} mail",
                 comment="Mount it; the password is in ~/.netrc")
        demo.run("ls mail", comment="Folders are directories, messages are files")
        demo.run("ls -lG --time-style=long-iso mail/INBOX")
        demo.run("getfattr -d mail/INBOX/*train*")
        demo.run("grep -rl 'invoice 4711' mail", comment="Search it")
        demo.run("rsync -a mail/ backup/ && du -sh --apparent-size backup", comment="Back it up")
        again = demo.run("rsync -ai mail/ backup/", comment="Once more: nothing has changed, nothing is transferred")
        demo.run("tar -cf mail.tar mail", comment="Or as an archive; everything comes from the cache now")
        demo.run("fusermount3 -u mail", comment="Done")
        subprocess.run(["tar", "-xf", "mail.tar"], cwd=directory, check=True, timeout=60)
        problems = compare(directory / "backup", corpus) + compare(directory / "mail", corpus)
        if problems or again:
            print(f"{RED}The backup is not what the server has:{PLAIN}", *problems[:40], again, sep="\n")
            return 1
        print(f"\n{GREEN}verified: {corpus.message_count()} of {corpus.message_count()} messages ({corpus.octets():,} "
              f"octets), by rsync and by tar,\nhave the SHA-256, the size and the date of the message on the server{PLAIN}")
        print(f"({time.monotonic() - started:.1f} s)")
        return 0
    finally:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            if is_mounted(directory / "mail"):
                subprocess.run(["fusermount3", "-uz", directory / "mail"], timeout=20, check=False)
        server.close()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
