# SPDX-License-Identifier: GPL-3.0-or-later
"""Valgrind over a mount, ls -lR, a full copy and the unmount: no definite leak, no invalid access.

Needs a program built without sanitizers.
"""

import re
from pathlib import Path

from mount import Mount, sh
from tree import compare

PASSWORD = "open sesame"


def test_no_definite_leak(server, place, small_corpus, corpus):
    report = place.logs / "valgrind"
    wrapper = ["valgrind", "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
               "--error-exitcode=99", "--num-callers=30", "--child-silent-after-fork=yes", "--fair-sched=try",
               "--suppressions=/usr/share/glib-2.0/valgrind/glib.supp",
               f"--suppressions={Path(__file__).with_name('valgrind.supp')}", f"--log-file={report}"]
    mounted = Mount(f"imap://user@127.0.0.1:{server.imap_port}", place, {"tls": "none", "timeout": 120}, PASSWORD,
                    wrapper=wrapper, deadline=60, environment={"G_SLICE": "always-malloc"})
    copy = place.directory / "copy"
    try:
        mounted.start()
        sh(["ls", "-lR", mounted.path], timeout=300)
        sh(["rsync", "-a", f"{mounted.path}/", f"{copy}/"], timeout=600)
        assert not compare(copy, corpus)
        sh(["getfattr", "-d", "-R", mounted.path], timeout=300)
        mounted.deadline = 60
        assert mounted.fusermount("-u").returncode == 0
        status = mounted.wait_end(seconds=60)
    finally:
        mounted.kill()
        text = report.read_text() if report.exists() else ""
    assert status == 0, text[-6000:]
    assert re.search(r"ERROR SUMMARY: 0 errors", text), text[-6000:]
    assert "definitely lost: 0 bytes" in text or "no leaks are possible" in text, text[-6000:]
