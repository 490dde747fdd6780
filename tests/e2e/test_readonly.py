# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading changes nothing: every command on the wire is on the list, and every attempt to write is EROFS."""

import errno
import os
import re

import pytest

from mount import sh
from tree import compare

ALLOWED = {
    "CAPABILITY", "ID", "ENABLE", "STARTTLS", "AUTHENTICATE", "LOGIN", "NAMESPACE", "LIST", "LSUB", "STATUS",
    "EXAMINE", "UNSELECT", "NOOP", "IDLE", "NOTIFY", "COMPRESS", "GETQUOTA", "GETQUOTAROOT", "SEARCH", "UID SEARCH",
    "FETCH", "UID FETCH", "LOGOUT"}


def check_commands(proxy):
    assert proxy.names() <= ALLOWED, proxy.names() - ALLOWED
    for command in proxy.commands:
        if "FETCH" in command.name:
            assert not re.search(r"\bBODY\[|\bBINARY\[|\bRFC822(?!\.SIZE)\b", command.arguments), str(command)


@pytest.mark.core
def test_every_command_is_on_the_list(mount, proxy, corpus, unchanged_flags):
    mounted = mount(proxy)
    sh(["ls", "-lR", mounted.path])
    assert not compare(mounted.path, corpus)
    sh(["getfattr", "-R", "-d", mounted.path])
    mounted.unmount()
    check_commands(proxy)
    assert proxy.log("^EXAMINE") and proxy.log("^UID FETCH") and proxy.log("^LOGOUT")


def attempts(mounted):
    folder = mounted.path / "INBOX"
    file = folder / sorted(os.listdir(folder))[0]
    return {
        "unlink": lambda: os.unlink(file),
        "create": lambda: open(folder / "new.eml", "xb"),
        "write": lambda: open(file, "r+b"),
        "append": lambda: open(file, "ab"),
        "truncate": lambda: os.truncate(file, 0),
        "mkdir": lambda: os.mkdir(mounted.path / "new"),
        "rmdir": lambda: os.rmdir(mounted.path / "Empty"),
        "rename": lambda: os.rename(file, folder / "other.eml"),
        "rename folder": lambda: os.rename(mounted.path / "Empty", mounted.path / "Full"),
        "link": lambda: os.link(file, folder / "other.eml"),
        "symlink": lambda: os.symlink("x", folder / "link"),
        "mkfifo": lambda: os.mkfifo(folder / "fifo"),
        "chmod": lambda: os.chmod(file, 0o600),
        "chown": lambda: os.chown(file, 1, 1),
        "utime": lambda: os.utime(file, (1, 1)),
        "setxattr": lambda: os.setxattr(file, "user.x", b"1"),
        "removexattr": lambda: os.removexattr(file, "user.mailmount.uid"),
    }


def test_every_attempt_to_write_is_refused(mount, proxy, small_corpus):
    mounted = mount(proxy, user="small")
    for name, attempt in attempts(mounted).items():
        with pytest.raises(OSError) as caught:
            attempt()
        assert caught.value.errno == errno.EROFS, name
    for command in ("rm -f {}/INBOX/*.eml", "touch {}/INBOX/*.eml", "rm -rf {}/Empty", "cp /etc/passwd {}/INBOX/"):
        assert sh(command.format(mounted.path), check=False).returncode != 0
    assert not compare(mounted.path, small_corpus)
    mounted.unmount()
    check_commands(proxy)


def test_rw_is_not_promised_yet(mount, server):
    """-o rw must not be taken silently for a mount that cannot write."""
    try:
        mounted = mount(server, user="small", options={"rw": True})
    except Exception as error:
        assert "rw" in str(error)
        return
    pytest.fail(f"-o rw was accepted: {mounted.output()}")
