# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, the start, what goes wrong at the start, and the end."""

import os
import re
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

import mount as mounting
from dovecot import DovecotServer, as_user, free_port, unprivileged_user, wait_for
from mount import ROOT, SLOW, Failed, children_of, is_mounted, mount_type, processes_with, sh
from proxy import Proxy
from tree import compare

PASSWORD = "open sesame"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount as somebody else")


@pytest.fixture(params=["root", "user"] if os.geteuid() == 0 else ["user"])
def mounter(request):
    """The place of root, and of an ordinary user: tests that take it run for both."""
    return request.getfixturevalue("user_place" if request.param == "user" and os.geteuid() == 0 else "place")


def run(*arguments, environment=None, timeout=30):
    return subprocess.run([str(mounting.BINARY), *map(str, arguments)], capture_output=True, text=True, check=False,
                          timeout=timeout * SLOW, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})


# The command line.

@pytest.mark.parametrize("argument", ["-h", "--help"])
def test_help(argument):
    result = run(argument)
    assert result.returncode == 0
    assert result.stderr == ""
    assert re.search(r"(?i)^usage: mailmount .*SOURCE.* MOUNTPOINT", result.stdout)
    for option in ("cache=", "tls=", "cafile=", "names=", "connections=", "timeout=", "folders=", "exclude=",
                   "subscribed", "log=", "password_command=", "token_command=", "compress", "allow_other", "uid=",
                   "gid=", "umask="):
        assert option in result.stdout, option
    assert all(len(line) <= 100 for line in result.stdout.splitlines())


@pytest.mark.parametrize("argument", ["-V", "--version"])
def test_version(argument):
    result = run(argument)
    assert result.returncode == 0
    assert re.match(r"mailmount \d+\.\d+", result.stdout)


@pytest.mark.parametrize("arguments, named", [
    ([], "imaps://.*MOUNTPOINT"),
    (["imap://user@localhost"], "(?i)mount ?point"),
    (["imap://user@localhost", "/tmp", "more"], "more"),
    (["-o", "nosuchoption", "imap://user@localhost", "{mnt}"], "nosuchoption"),
    (["-o", "nosuch=1", "imap://user@localhost", "{mnt}"], "nosuch"),
    (["--nosuch", "imap://user@localhost", "{mnt}"], "nosuch"),
    (["-o", "names=other", "imap://user@localhost", "{mnt}"], "names.*(subject|uid)"),
    (["-o", "tls=maybe", "imap://user@localhost", "{mnt}"], "tls.*starttls"),
    (["-o", "connections=0", "imap://user@localhost", "{mnt}"], "connections"),
    (["-o", "connections=many", "imap://user@localhost", "{mnt}"], "connections"),
    (["-o", "timeout=-1", "imap://user@localhost", "{mnt}"], "timeout"),
    (["-o", "timeout=", "imap://user@localhost", "{mnt}"], "timeout"),
    (["-o", "umask=999", "imap://user@localhost", "{mnt}"], "umask"),
    (["-o", "cafile=/nonexistent.pem", "imap://user@localhost", "{mnt}"], "/nonexistent.pem"),
    (["http://user@localhost", "{mnt}"], "(?i)http.*imaps?://"),
    (["mail.example.org", "{mnt}"], "(?i)imaps?://"),
    (["imaps://localhost", "{mnt}"], "(?i)user"),
    (["imaps://user@", "{mnt}"], "(?i)host"),
    (["imaps://user@localhost:99999", "{mnt}"], "(?i)port|99999"),
    (["imaps://user:secret@localhost", "{mnt}"], "(?i)password"),
])
def test_a_wrong_command_line_is_named(place, arguments, named):
    result = run(*(argument.replace("{mnt}", str(place.mountpoint)) for argument in arguments))
    assert result.returncode != 0
    assert result.stdout == ""
    assert re.search(named, result.stderr, re.S), result.stderr
    assert len(result.stderr.strip().splitlines()) <= 4, result.stderr
    assert "secret" not in result.stderr
    assert not mounting.SUSPICIOUS.search(result.stderr)
    assert not is_mounted(place.mountpoint)


# Errors of the start: cause and cure, a status that is not 0, nothing mounted.

def refused(mount, background, pattern, *args, seconds=30, **kwargs):
    started = time.monotonic()
    with pytest.raises(Failed) as caught:
        mount(*args, background=background, **kwargs)
    assert time.monotonic() - started < seconds * SLOW
    assert caught.value.status not in (0, None) and caught.value.status > 0
    assert re.search(pattern, caught.value.output, re.I | re.S), caught.value.output
    assert len(caught.value.output.strip().splitlines()) <= 6, caught.value.output
    assert PASSWORD not in caught.value.output
    return caught.value.output


@pytest.fixture(params=["foreground", "background"])
def background(request):
    return request.param == "background"


def test_password_wrong(mount, server, background):
    refused(mount, background, r"password", server, password="wrong")


def test_password_command_fails(mount, server, background):
    refused(mount, background, r"password_command", server, options={"password_command": "false"})


def test_no_password_at_all(mount, server):
    refused(mount, False, r"password", server, password=None)


def test_host_unknown(mount, background, place):
    with pytest.raises(Failed) as caught:
        mounting.Mount("imap://user@does-not-exist.invalid", place, {"tls": "none"}, PASSWORD,
                       background=background).start()
    assert "does-not-exist.invalid" in caught.value.output


def test_nobody_listens(mount, background, server):
    class Nowhere:
        imap_port = free_port()
    output = refused(mount, background, r"127\.0\.0\.1", Nowhere)
    assert str(Nowhere.imap_port) in output


def test_mount_point_missing(mount, server, background, place):
    place.mountpoint.rmdir()
    output = refused(mount, background, r"No such file|does not exist|mkdir", server)
    assert str(place.mountpoint) in output


def test_mount_point_is_a_file(mount, server, place):
    place.mountpoint.rmdir()
    place.mountpoint.touch()
    refused(mount, False, "director", server)


def test_folder_missing(mount, server, background):
    refused(mount, background, "No/Such/Folder", server, folder="/No/Such/Folder")


def test_already_mounted(mount, server, place, background):
    mount(server, user="small")
    refused(mount, background, "already|mounted|in use|busy", server, user="small")
    assert os.listdir(place.mountpoint)


def test_no_server_behind_the_port(mount, place):
    """Something that answers, but not as IMAP does."""
    import socket
    import threading
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def answer():
            try:
                while True:
                    connection, _ = listener.accept()
                    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                    connection.close()
            except OSError:
                pass

        threading.Thread(target=answer, daemon=True).start()

        class Target:
            imap_port = listener.getsockname()[1]
        refused(mount, False, r"IMAP|answer|greeting|protocol|127\.0\.0\.1", Target)
        listener.shutdown(2)


# TLS.

def test_tls_from_the_first_byte(mount, server, small_corpus):
    class Imaps:
        imap_port = server.imaps_port
    mounted = mount(Imaps, user="small", scheme="imaps",
                    options={"tls": None, "cafile": server.certificates.ca})
    assert not compare(mounted.path, small_corpus)


def test_starttls_is_the_rule_for_imap(mount, proxy, server, small_corpus):
    mounted = mount(proxy, user="small", options={"tls": None, "cafile": server.certificates.ca})
    assert not compare(mounted.path, small_corpus)
    assert proxy.log("^STARTTLS")
    assert not proxy.log("^LOGIN|^AUTHENTICATE")  # those are inside TLS, where the proxy cannot see


def test_starttls_stripped_is_refused(mount, proxy, server):
    proxy.hide = {"STARTTLS"}
    refused(mount, False, "STARTTLS|TLS", proxy, user="small",
            options={"tls": None, "cafile": server.certificates.ca})
    assert not proxy.log("^LOGIN|^AUTHENTICATE")


@pytest.mark.parametrize("scheme", ["imap", "imaps"])
def test_wrong_ca_is_refused(mount, server, background, scheme):
    class Target:
        imap_port = server.imaps_port if scheme == "imaps" else server.imap_port
    refused(mount, background, "certificate.*cafile|cafile.*certificate", Target, scheme=scheme,
            options={"tls": None, "cafile": server.certificates.other_ca})
    refused(mount, background, "certificate.*cafile|cafile.*certificate", Target, scheme=scheme,
            options={"tls": None})


@pytest.mark.parametrize("certificate, pattern", [("wronghost", "certificate|host"), ("expired", "expired")])
def test_a_certificate_that_does_not_fit_is_refused(mount, certificate, pattern):
    with DovecotServer(users={"user": PASSWORD}, certificate=certificate) as server:
        class Imaps:
            imap_port = server.imaps_port
        refused(mount, False, pattern, Imaps, scheme="imaps",
                options={"tls": None, "cafile": server.certificates.ca})


# Where the password comes from, and where it never goes.

def test_password_from_netrc(mount, server, place):
    for name in (".netrc", ".authinfo"):
        file = place.home / name
        file.write_text(f'machine other.example.org login user password wrong\n'
                        f'machine 127.0.0.1 login small password "{PASSWORD}"\n')
        file.chmod(0o600)
        mounted = mount(server, user="small", password=None)
        assert os.listdir(mounted.path)
        mounted.unmount()
        file.unlink()


def test_password_command_comes_first(mount, server, place):
    file = place.home / ".netrc"
    file.write_text("machine 127.0.0.1 login small password wrong\n")
    file.chmod(0o600)
    mounted = mount(server, user="small")
    assert os.listdir(mounted.path)


def test_password_from_the_credentials_directory(mount, server, place):
    credentials = place.directory / "credentials"
    credentials.mkdir()
    for name in ("mailmount", "mailmount.password", "password", "small@127.0.0.1"):
        (credentials / name).write_text(PASSWORD)
        (credentials / name).chmod(0o400)
    mounted = mount(server, user="small", password=None, environment={"CREDENTIALS_DIRECTORY": str(credentials)})
    assert os.listdir(mounted.path)


def test_the_password_is_nowhere_to_be_read(mount, server, place):
    mounted = mount(server, user="small", arguments=["-d"])
    list(mounted.path.iterdir())
    for pid in processes_with(place.mountpoint):
        assert PASSWORD.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        assert PASSWORD.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    mounted.unmount()
    import base64
    text = mounted.output()
    for form in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode(),
                 base64.b64encode(f"\0small\0{PASSWORD}".encode()).decode()):
        assert form not in text
    for root, _, files in os.walk(place.cache):
        for name in files:
            assert PASSWORD.encode() not in Path(root, name).read_bytes()


# A mount, as root and as an ordinary user.

@pytest.mark.core
def test_mount_in_the_foreground(mount, server, small_corpus, mounter):
    mounted = mount(server, user="small", place=mounter)
    assert sh(["ls", mounted.path], user=mounter.user).out.split() == ["Archive", "Empty", "INBOX", "Lists", "Sent"]
    kind, flags = mount_type(mounted.path)
    assert kind == "fuse.mailmount"
    assert {"ro", "nosuid", "nodev"} <= set(flags.split(","))
    if mounter.user is None:
        assert not compare(mounted.path, small_corpus)
    else:
        copy = mounter.directory / "copy"
        sh(["rsync", "-a", f"{mounted.path}/", f"{copy}/"], user=mounter.user)
        assert not compare(copy, small_corpus)
    assert mounted.unmount() == 0


@pytest.mark.core
def test_mount_in_the_background(mount, server, small_corpus, mounter):
    mounted = mount(server, user="small", place=mounter, background=True,
                    options={"log": mounter.logs / "log"})
    assert sh(["ls", mounted.path], user=mounter.user).out.split()  # usable as soon as the command came back
    assert os.getsid(mounted.pid) != os.getsid(0)
    status = Path(f"/proc/{mounted.pid}/stat").read_text().rsplit(")", 1)[1].split()
    assert status[4] == "0"  # no controlling terminal
    assert os.readlink(f"/proc/{mounted.pid}/cwd") == "/"
    mounted.unmount()
    assert processes_with(mounter.mountpoint) == []


def test_the_cache_is_for_the_user_alone(mount, server, place):
    mounted = mount(server, user="small", options={"cache": None},
                    environment={"XDG_CACHE_HOME": str(place.home / "xdg")})
    list(mounted.path.joinpath("INBOX").iterdir())
    directory = place.home / "xdg" / "mailmount"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    mounted.unmount()
    for root, directories, files in os.walk(directory):
        for name in directories + files:
            assert not stat.S_IMODE(os.lstat(os.path.join(root, name)).st_mode) & 0o077, name


@pytest.mark.parametrize("how", ["fusermount3 -u", "SIGINT", "SIGTERM", "SIGHUP"])
def test_a_clean_end(mount, proxy, mounter, how):
    mounted = mount(proxy, user="small", place=mounter)
    sh(["ls", "-lR", mounted.path], user=mounter.user)
    sh(f"cat {mounted.path}/INBOX/* >/dev/null", user=mounter.user)
    assert proxy.live() > 0
    if how.startswith("fusermount3"):
        assert mounted.fusermount("-u").returncode == 0
    else:
        mounted.signal(getattr(signal, how))
    status = mounted.wait_end()
    assert status == 0
    assert not is_mounted(mounted.path)
    assert processes_with(mounted.path) == []
    wait_for(lambda: proxy.live() == 0, 5, "the end of the connections")
    # A connection that was still signing in has nothing to take leave of.
    signed_in = {command.connection for command in proxy.log("^(ID|ENABLE|LIST|EXAMINE|UID)")}
    assert {command.connection for command in proxy.log("^LOGOUT")} >= signed_in


@pytest.mark.parametrize("how", ["fusermount3 -u", "SIGTERM"])
def test_a_clean_end_in_the_background(mount, proxy, mounter, how):
    mounted = mount(proxy, user="small", place=mounter, background=True, options={"log": mounter.logs / "log"})
    sh(["ls", "-lR", mounted.path], user=mounter.user)
    if how.startswith("fusermount3"):
        assert mounted.fusermount("-u").returncode == 0
    else:
        mounted.signal(signal.SIGTERM)
    mounted.wait_end()
    assert not is_mounted(mounted.path)
    assert processes_with(mounted.path) == []
    wait_for(lambda: proxy.live() == 0, 5, "the end of the connections")
    assert proxy.log("^LOGOUT")


def test_no_child_is_left_while_mounted(mount, server, place):
    mounted = mount(server, user="small")
    list(mounted.path.iterdir())
    assert children_of(mounted.pid) == []


def test_the_end_comes_with_a_file_open(mount, server):
    mounted = mount(server, user="small")
    name = sorted(os.listdir(mounted.path / "INBOX"))[0]
    with open(mounted.path / "INBOX" / name, "rb") as file:
        assert file.read(10)
        mounted.signal(signal.SIGTERM)
        assert mounted.wait_end() == 0
    assert not is_mounted(mounted.path)


def test_the_end_comes_however_busy_it_is(mount, server):
    """A signal that arrives between two requests is not lost."""
    for _ in range(8):
        mounted = mount(server, user="small")
        busy = subprocess.Popen(["sh", "-c", f"while cat {mounted.path}/INBOX/* && ls -lR {mounted.path}; do :; done"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert os.listdir(mounted.path / "INBOX")
        mounted.signal(signal.SIGTERM)
        busy.wait(20 * SLOW)
        assert mounted.wait_end(seconds=10) == 0
        assert not is_mounted(mounted.path)


def test_the_end_comes_while_the_server_is_silent(mount, proxy):
    """An unmount does not wait for a server that does not answer."""
    mounted = mount(proxy, user="small", options={"timeout": 30})
    list(mounted.path.iterdir())
    proxy.stall()
    started = time.monotonic()
    assert mounted.fusermount("-u").returncode == 0
    assert mounted.wait_end(seconds=10) == 0
    assert time.monotonic() - started < 10 * SLOW


def test_connections_are_limited(mount, proxy, corpus):
    mounted = mount(proxy, options={"connections": 2})
    sh(f"find {mounted.path}/INBOX {mounted.path}/Lists -type f | head -100 | xargs -P 8 -n 5 cat >/dev/null")
    assert proxy.live() <= 2


# Options.

@as_root
def test_others_see_it_with_allow_other(mount, server, place, small_corpus):
    other = unprivileged_user()
    mounted = mount(server, user="small")
    assert sh(["ls", mounted.path], user=other, check=False).returncode != 0
    mounted.unmount()
    mounted = mount(server, user="small", options={"allow_other": True, "uid": 65534, "gid": 65534, "umask": "077"})
    file = next(mounted.path.joinpath("Sent").iterdir())
    assert (file.stat().st_uid, file.stat().st_gid) == (65534, 65534)
    assert stat.S_IMODE(file.stat().st_mode) in (0o400, 0o600)
    assert stat.S_IMODE(mounted.path.stat().st_mode) in (0o500, 0o700)
    assert sh(["cat", file], user=other).out
    mounted.unmount()
    mounted = mount(server, user="small", options={"allow_other": True, "umask": "077"})
    assert sh(["ls", mounted.path], user=other, check=False).returncode != 0  # the modes are checked


def folders_of(mounted):
    return sorted(os.path.relpath(root, mounted.path) for root, _, _ in os.walk(mounted.path))[1:]


@pytest.mark.parametrize("options, expected", [
    ({"folders": "INBOX"}, ["INBOX"]),
    ({"folders": "Lists/*"}, ["Lists", "Lists/many"]),
    ({"folders": "INBOX:Sent"}, ["INBOX", "Sent"]),
    ({"exclude": "Archive*"}, ["Empty", "INBOX", "Lists", "Lists/many", "Sent"]),
    ({"exclude": "Lists/many"}, ["Archive", "Archive/2019", "Empty", "INBOX", "Sent"]),
])
def test_folders_are_chosen(mount, server, options, expected):
    found = folders_of(mount(server, user="small", options=options))
    allowed = [expected, [name for name in expected if name != "Lists"] if "Lists/many" not in expected else expected]
    assert found == expected or found in allowed or set(found) - {"Lists", "Archive"} == \
        set(expected) - {"Lists", "Archive"}


@pytest.mark.parametrize("options, named", [
    ({"folders": "Nope"}, "folders=Nope"),
    ({"folders": "Nope:Sentt"}, "folders=Nope:Sentt"),
    ({"exclude": "*"}, "exclude=*"),
    ({"folders": "Sent", "exclude": "S*"}, "folders=Sent, exclude=S*"),
])
@pytest.mark.parametrize("folder", ["", "/INBOX"], ids=["account", "folder"])
def test_filters_that_let_nothing_through_are_told(mount, server, options, named, folder):
    """An empty mount, copied with --delete, would empty the backup."""
    with pytest.raises(Failed) as caught:
        mount(server, user="small", folder=folder, options=options)
    assert caught.value.status > 0
    output = caught.value.output
    assert len(output.strip().splitlines()) == 1 and f"-o {named};" in output and "'INBOX'" in output, output


def test_only_subscribed_folders(mount, own_server):
    import imaplib
    session = imaplib.IMAP4("127.0.0.1", own_server.imap_port, timeout=60)
    session.login("small", PASSWORD)
    session.subscribe("INBOX")
    session.subscribe("Archive/2019")
    session.logout()
    found = folders_of(mount(own_server, user="small", options={"subscribed": True}))
    assert found == ["Archive", "Archive/2019", "INBOX"]


def test_a_folder_of_the_source_is_the_root(mount, server, small_corpus):
    mounted = mount(server, user="small", folder="/Lists/many")
    assert len(os.listdir(mounted.path)) == len(small_corpus.folders[("Lists", "many")].messages)


def test_the_log_is_where_it_was_asked_for(mount, server, place):
    log = place.logs / "chosen.log"
    mounted = mount(server, user="small", background=True, options={"log": log})
    list(mounted.path.iterdir())
    mounted.unmount()
    assert log.exists() and stat.S_IMODE(log.stat().st_mode) & 0o077 == 0


# Installed.

def test_meson_install_puts_everything_in_place(mount, server, tmp_path, place):
    build = mounting.BINARY.parent
    if not (build / "build.ninja").exists():
        pytest.fail(f"{build} is not a build directory")
    sh(["meson", "install", "-C", build, "--no-rebuild", "--destdir", tmp_path], timeout=120)
    installed = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.is_dir()}
    for wanted in (r"bin/mailmount$", r"sbin/mount\.mailmount$", r"man/man1/mailmount\.1$",
                   r"bash-completion/completions/mailmount$", r"zsh/.*/_mailmount$", r"fish/.*/mailmount\.fish$"):
        assert any(re.search(wanted, path) for path in installed), (wanted, installed)
    helper = next(path for path in tmp_path.rglob("mount.mailmount"))
    binary = next(path for path in tmp_path.rglob("bin/mailmount"))
    secret = place.directory / "secret"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    # As mount(8) calls it: SOURCE DIR [-sfnv] -o OPTIONS, with fstab's own words among the options.
    environment = {**os.environ, "PATH": f"{binary.parent}:{os.environ['PATH']}", "HOME": str(place.home),
                   "ASAN_OPTIONS": "detect_leaks=0"}
    sh([helper, f"imap://small@127.0.0.1:{server.imap_port}", place.mountpoint, "-o",
        f"rw,noauto,nofail,_netdev,x-systemd.automount,nosuid,nodev,ro,tls=none,cache={place.cache},"
        f"password_command=cat {secret}"], env=environment, stdin=subprocess.DEVNULL, timeout=30)
    try:
        assert os.listdir(place.mountpoint / "INBOX")
    finally:
        sh(["fusermount3", "-u", place.mountpoint])
        wait_for(lambda: not processes_with(place.mountpoint), 10 * SLOW, "the end")


def test_the_man_page_is_well_formed():
    result = sh(["man", "--warnings", "-l", "-P", "cat", ROOT / "man" / "mailmount.1"],
                env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANROFFOPT": ""})
    assert result.err == ""
    assert "SYNOPSIS" in result.out and "OPTIONS" in result.out
