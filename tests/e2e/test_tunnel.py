# SPDX-License-Identifier: GPL-3.0-or-later
"""tunnel=: a command is the way to the server, or the server itself."""

import os
import pwd
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dovecot import as_user, free_port, wait_for
from faulty_copy import complete, start_rsync
from mount import SLOW, children_of, sh
from test_mount import PASSWORD, background, refused  # noqa: F401 (a fixture)
from tree import compare

RELAY = Path(__file__).with_name("relay.py")


def preauth(server, user="small", program="imap"):
    """Dovecot's own program for one session, signed in by whoever started it, as over ssh."""
    environment = ["env", f"USER={user}", f"HOME={server.mail_dir(user).parent}"]
    return shlex.join([*as_user(server.user, [*environment, f"/usr/lib/dovecot/{program}"]), "-c",
                       str(server.directory / "dovecot.conf")])


def relay(server, *arguments):
    return shlex.join([sys.executable, str(RELAY), str(server.imap_port), *arguments])


def tunnel_mount(mount, server, command, password=None, **kwargs):
    """Mounts what the command leads to. The URL's port is one on which nobody listens."""
    class Nowhere:
        imap_port = 9
    options = {"tls": None, "tunnel": command, **kwargs.pop("options", {})}
    return mount(Nowhere, user="small", password=password, options=options, **kwargs)


def alive(pids):
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_copy_through_a_tunnel_that_is_signed_in_is_the_same(mount, background, server, small_corpus, tmp_path):
    """No password is looked for, and none of the server's ports is used."""
    log = server.log.read_text()
    mounted = tunnel_mount(mount, server, preauth(server), background=background)
    sh(["rsync", "-a", f"{mounted.path}/", f"{tmp_path}/"])
    assert not compare(tmp_path, small_corpus)
    mounted.unmount()
    assert "imap-login" not in server.log.read_text()[len(log):]


def test_a_tunnel_that_is_not_is_signed_in_to(mount, server, small_corpus, tmp_path):
    mounted = tunnel_mount(mount, server, relay(server), password=PASSWORD)
    sh(["rsync", "-a", f"{mounted.path}/", f"{tmp_path}/"])
    assert not compare(tmp_path, small_corpus)
    children = children_of(mounted.pid)
    assert 1 <= len(children) <= 4
    mounted.unmount()
    assert not alive(children)


def test_what_it_prints_on_standard_error_is_logged_and_harmless(mount, server):
    mounted = tunnel_mount(mount, server, relay(server), password=PASSWORD)
    os.listdir(mounted.path)
    mounted.unmount()
    assert re.search(r"tunnel: .*relay \d+ of group \d+ begins", mounted.output())
    assert "\x1b" not in mounted.output()


# The tunnel that people have.

class Sshd:
    """An sshd of whoever runs the tests, on loopback, who may log in with a key that is made for it."""

    def __init__(self, directory):
        self.directory, self.port, self.process = directory, free_port(), None
        for name in ("host", "client"):
            sh(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name])
        (directory / "sshd_config").write_text(f"""
Port {self.port}
ListenAddress 127.0.0.1
HostKey {directory}/host
AuthorizedKeysFile {directory}/client.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
""")
        (directory / "known_hosts").write_text(
            f"[127.0.0.1]:{self.port} {(directory / 'host.pub').read_text()}")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # it demands an empty directory there

    @property
    def log(self):
        return (self.directory / "log").read_text()

    def command(self, *remote):
        user = pwd.getpwuid(os.geteuid()).pw_name
        return shlex.join(["ssh", "-F", "none", "-p", str(self.port), "-i", str(self.directory / "client"), "-o",
                           f"UserKnownHostsFile={self.directory}/known_hosts", "-o", "BatchMode=yes",
                           f"{user}@127.0.0.1", *remote])

    def __enter__(self):
        with (self.directory / "log").open("wb") as log:
            self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(self.directory / "sshd_config")],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_for(lambda: "Server listening" in self.log, 20 * SLOW, "sshd")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


def test_a_copy_through_ssh_is_the_same(mount, server, small_corpus, tmp_path):
    directory, target = tmp_path / "ssh", tmp_path / "copy"
    directory.mkdir()
    with Sshd(directory) as sshd:
        command = sshd.command(preauth(server))
        mounted = tunnel_mount(mount, server, command, background=True)
        sh(["rsync", "-a", f"{mounted.path}/", f"{target}/"])
        assert not compare(target, small_corpus)
        assert "Accepted publickey" in sshd.log
        children = children_of(mounted.pid)
        mounted.unmount()
        assert children and not alive(children)
    refused(mount, False, r"the tunnel command 'ssh' ended with status 255: ssh: connect to host 127\.0\.0\.1 port "
            rf"{sshd.port}: Connection refused", server, user="small", password=None,
            options={"tls": None, "tunnel": command})


def test_there_are_no_more_tunnels_than_connections(mount, server, tmp_path):
    mounted = tunnel_mount(mount, server, relay(server), password=PASSWORD, options={"connections": 2})
    seen = set()
    copy = start_rsync(mounted, tmp_path)
    while copy.poll() is None:
        children = children_of(mounted.pid)
        assert len(children) <= 2
        seen |= set(children)
    assert copy.returncode == 0 and seen


def test_it_has_a_session_of_its_own_and_no_descriptor_of_ours(mount, server):
    mounted = tunnel_mount(mount, server, relay(server), password=PASSWORD)
    os.listdir(mounted.path)
    child = children_of(mounted.pid)[0]
    assert os.getsid(child) == os.getpgid(child) == child
    assert os.readlink(f"/proc/{child}/cwd") == "/"
    names = {number: os.readlink(f"/proc/{child}/fd/{number}") for number in os.listdir(f"/proc/{child}/fd")}
    ours = {os.readlink(f"/proc/{mounted.pid}/fd/{number}") for number in os.listdir(f"/proc/{mounted.pid}/fd")}
    assert names["0"] == names["1"] and names["0"].startswith("socket:")
    shared = {name for name in set(names.values()) & ours if name != "anon_inode:[eventpoll]"}
    assert not shared - {names["2"]}, names
    # What a terminal does on ^C to the foreground's group does not reach it.
    ended = os.getpgid(mounted.pid) == os.getpgid(child)
    assert not ended


@pytest.mark.parametrize("killed", [signal.SIGTERM, signal.SIGKILL])
def test_a_tunnel_that_dies_during_a_copy_is_made_anew(mount, server, small_corpus, tmp_path, killed):
    mounted = tunnel_mount(mount, server, relay(server), password=PASSWORD,
                           options={"bandwidth": "1M", "cache": "none"})
    copy = start_rsync(mounted, tmp_path)
    wait_for(lambda: any(files for _, _, files in os.walk(tmp_path)), 20 * SLOW, "the first message")
    assert copy.poll() is None
    before = children_of(mounted.pid)
    assert before
    for pid in before:
        os.kill(pid, killed)
    copy.wait(60 * SLOW)
    complete(mounted, tmp_path, small_corpus)
    after = children_of(mounted.pid)
    assert after and not set(after) & set(before)
    assert not alive(before)


def test_a_tunnel_that_does_not_want_to_end_is_killed_and_reaped(mount, server):
    mounted = tunnel_mount(mount, server, relay(server, "--stubborn"), password=PASSWORD)
    os.listdir(mounted.path)
    children = children_of(mounted.pid)
    assert children
    started = time.monotonic()
    mounted.unmount()
    assert time.monotonic() - started < 15 * SLOW
    assert not alive(children)


def test_what_the_command_started_ends_with_it(mount, server):
    mounted = tunnel_mount(mount, server, f"sh -c {shlex.quote(f'sleep 1000 & exec {relay(server)}')}",
                           password=PASSWORD)
    os.listdir(mounted.path)
    sleepers = [pid for child in children_of(mounted.pid) for pid in children_of(child)]
    assert sleepers
    mounted.unmount()
    wait_for(lambda: not alive(sleepers), 10 * SLOW, "the end of what the command started")


@pytest.mark.parametrize("command, pattern", [
    ("/nonexistent/tunnel", r"tunnel command '/nonexistent/tunnel' cannot be run: No such file"),
    ("/etc/passwd", r"tunnel command '/etc/passwd' cannot be run: Permission denied"),
    ("sh -c 'echo some words >&2; echo no route to \x1b[1mhost >&2; exit 255'",
     r"tunnel command 'sh' ended with status 255: no route to \S*host"),
    ("sh -c 'kill -9 $$'", r"tunnel command 'sh' was ended by signal 9 \(Killed\)"),
    ("true", r"tunnel command 'true' ended with status 0"),
    ("echo 220 mail.example.org ESMTP", r"'echo' does not lead to an IMAP server; it says: 220 mail\.example\.org ESMTP"),
    ("echo '* BYE come back tomorrow'", r"refuses connections now: come back tomorrow"),
    ("sleep 1000", r"tunnel command 'sleep' led to no greeting within 2 seconds"),
    ("yes nothing", r"'yes' does not lead to an IMAP server; it says: nothing"),
])
def test_each_failure_of_a_tunnel_is_told_in_words_of_its_own(mount, background, server, command, pattern):
    class Nowhere:
        imap_port = 9
    output = refused(mount, background, pattern, Nowhere, user="small", password=None,
                     options={"tls": None, "tunnel": command, "timeout": 2})
    assert "\x1b" not in output
    assert len([line for line in output.splitlines() if not line.startswith("mailmount: tunnel: ")]) == 1


def test_tunnel_leaves_the_account_the_same(mount, server, proxy, place):
    """What was read through a tunnel is in the cache of the same account over the network."""
    class Target:
        imap_port = proxy.port
    mounted = mount(Target, user="small", password=None, options={"tls": None, "tunnel": preauth(server)})
    sh(["tar", "-cf", "/dev/null", "--", "."], cwd=mounted.path)
    sh(["cat", *map(str, (mounted.path / "INBOX").iterdir())])
    mounted.unmount()
    mounted = mount(proxy, user="small")
    sh(["cat", *map(str, (mounted.path / "INBOX").iterdir())])
    assert not [command for command in proxy.commands if command.fetches_body]
