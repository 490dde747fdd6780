# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to the server through a real proxy, and by IPv6. That it was taken is what the proxy's log says."""

import os
import re
import socket
import threading
import time

import pytest

from dovecot import DovecotServer, free_port
from faulty_copy import complete, start_rsync
from mount import SLOW, sh
from proxies import HttpProxy, SocksProxy
from test_mount import PASSWORD, refused
from tree import compare

WAYS = {
    "socks5": (SocksProxy, None, "socks5", "imaps"),
    "socks5h with a password": (SocksProxy, ("me", "p@ss:w/rd%"), "socks5h", "imap"),
    "http connect": (HttpProxy, None, "http", "imaps"),
    "http connect with a password": (HttpProxy, ("me", "secret"), "http", "imap"),
}


def quoted(text):
    return "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in text)


def port_of(server, scheme):
    class Target:
        imap_port = server.imaps_port if scheme == "imaps" else server.imap_port
    return Target


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_through_a_proxy_is_the_same(mount, server, small_corpus, tmp_path, way):
    kind, credentials, proxy_scheme, scheme = WAYS[way]
    user, password = credentials or (None, None)
    target = port_of(server, scheme)
    with kind(user, password) as proxy:
        url = proxy.url(proxy_scheme, user and quoted(user), password and quoted(password))
        mounted = mount(target, user="small", scheme=scheme,
                        options={"tls": None, "cafile": server.certificates.ca, "proxy": url})
        sh(["rsync", "-a", f"{mounted.path}/", f"{tmp_path}/"])
        assert not compare(tmp_path, small_corpus)
        through = proxy.targets()
        assert through and set(through) == {f"127.0.0.1:{target.imap_port}"}
        mounted.unmount()
        assert password is None or password not in mounted.output()


def test_the_proxy_of_the_environment_is_used_and_no_proxy_obeyed(mount, server):
    with HttpProxy() as proxy:
        def mount_with(options, **variables):
            before = len(proxy.targets())
            mounted = mount(server, user="small", options=options, environment=variables)
            assert os.listdir(mounted.path)
            mounted.unmount()
            return len(proxy.targets()) - before

        assert mount_with({}, all_proxy=f"127.0.0.1:{proxy.port}") > 0
        assert mount_with({}, IMAP_PROXY=proxy.url()) > 0
        assert mount_with({}, imap_proxy=proxy.url(), no_proxy="example.org, 127.0.0.0/8") == 0
        assert mount_with({"proxy": proxy.url()}, NO_PROXY="*") == 0
        assert mount_with({"proxy": "none"}, all_proxy=proxy.url()) == 0
        assert mount_with({"proxy": proxy.url()}, all_proxy="http://192.0.2.1:1") > 0


def test_a_proxy_that_dies_during_a_copy_makes_it_longer(mount, server, small_corpus, tmp_path):
    with SocksProxy() as proxy:
        mounted = mount(server, user="small", options={"proxy": proxy.url(), "bandwidth": "1M", "cache": "none"})
        copy = start_rsync(mounted, tmp_path)
        deadline = time.monotonic() + 20 * SLOW
        while not any(files for _, _, files in os.walk(tmp_path)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert copy.poll() is None
        proxy.stop()
        before = len(proxy.targets())
        proxy.start()
        copy.wait(60 * SLOW)
        complete(mounted, tmp_path, small_corpus)
        assert len(proxy.targets()) > before


# What goes wrong.

@pytest.fixture
def silent():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def no_proxy_at_all():
    """A server of another kind."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def answer():
            try:
                while True:
                    connection, _ = listener.accept()
                    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                    connection.close()
            except OSError:
                pass
        threading.Thread(target=answer, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(2)


# The proxy itself, its sign-in, and what lies behind it are told apart.
FAILURES = {
    "not there": r"the proxy {url} refuses connections; does it run",
    "unknown": r"the host of the proxy {url} is not known",
    "of another kind": r"what answers at {url} is not a proxy of that kind",
    "silent": r"the proxy {url} did not get us to 127\.0\.0\.1 port {port} within 2 seconds",
    "demands a password": r"the proxy {url} demands a user name and a password",
    "refuses the password": r"the proxy {url} refuses the user name 'me' or its password",
    "cannot reach the server": r"the proxy {url} cannot reach 127\.0\.0\.1 port {port} \(.*does the server run",
    "forbids": r"the proxy {url} does not allow connections to 127\.0\.0\.1 port {port}",
    "server silent": r"127\.0\.0\.1 port {port} did not answer within 2 seconds.*by way of the proxy {url}",
}


# (microsocks forbids nothing; a unit test has that.)
@pytest.mark.parametrize("kind, what", [(SocksProxy, what) for what in FAILURES if what != "forbids"]
                         + [(HttpProxy, what) for what in FAILURES])
def test_each_failure_at_a_proxy_is_told_in_words_of_its_own(mount, kind, what, silent, no_proxy_at_all):
    credentials = ("me", "secret") if "password" in what else (None, None)
    extra = {"extra": "ConnectPort 1"} if what == "forbids" else {}
    port = silent if what == "server silent" else free_port()
    with kind(*credentials, **extra) as proxy:
        url = {
            "not there": f"{kind.schemes[0]}://127.0.0.1:{free_port()}",
            "unknown": f"{kind.schemes[0]}://does-not-exist.invalid:1",
            "of another kind": f"{kind.schemes[0]}://127.0.0.1:{no_proxy_at_all}",
            "silent": f"{kind.schemes[0]}://127.0.0.1:{silent}",
            "demands a password": f"{kind.schemes[0]}://127.0.0.1:{proxy.port}",
        }.get(what, proxy.url(password="wrong" if what == "refuses the password" else None))

        class Target:
            imap_port = port
        output = refused(mount, False, FAILURES[what].format(url=re.escape(url.replace("me:wrong@", "").replace(
            "me:secret@", "")), port=port), Target, options={"proxy": url, "timeout": 2})
        assert len(output.splitlines()) == 1
        assert "secret" not in output and "wrong" not in output
        told = [name for name, pattern in FAILURES.items()
                if re.search(pattern.format(url=r"\S+", port=r"\d+"), output)]
        assert told == [what], output


def test_a_name_that_only_the_proxy_knows_needs_socks5h(mount):
    with SocksProxy() as proxy:
        class Target:
            imap_port = 143
        refused(mount, False, r"'does-not-exist\.invalid' is not known on this machine.*socks5h://", Target,
                host="does-not-exist.invalid", options={"proxy": proxy.url("socks5")})
        refused(mount, False, r"the proxy \S+ cannot reach does-not-exist\.invalid port 143", Target,
                host="does-not-exist.invalid", options={"proxy": proxy.url("socks5h")})


def test_a_wrong_proxy_in_the_environment_is_named(mount, server):
    output = refused(mount, False, r"ALL_PROXY: .*'ftp://'.*socks5h://", server,
                     environment={"ALL_PROXY": "ftp://me:secret@127.0.0.1:1"})
    assert len(output.splitlines()) == 1 and "secret" not in output


# IPv6.

@pytest.fixture(scope="module")
def server6(small_corpus):
    """Listens on ::1 alone."""
    server = DovecotServer(users={"small": PASSWORD})
    server.host = "::1"
    server._write_configuration()
    small_corpus.write(server.mail_dir("small"))
    with server:
        yield server


@pytest.mark.parametrize("scheme, host", [("imaps", "[::1]"), ("imap", "[0:0::1]"), ("imaps", "localhost")])
def test_a_copy_over_ipv6_is_the_same(mount, server6, small_corpus, tmp_path, scheme, host):
    """By address, and by a name that has an address of the other kind too, where nobody listens."""
    mounted = mount(port_of(server6, scheme), user="small", scheme=scheme, host=host,
                    options={"tls": None, "cafile": server6.certificates.ca})
    sh(["rsync", "-a", f"{mounted.path}/", f"{tmp_path}/"])
    assert not compare(tmp_path, small_corpus)


@pytest.mark.parametrize("kind", [SocksProxy, HttpProxy])
def test_ipv6_lies_behind_a_proxy_too(mount, server6, kind):
    with kind() as proxy:
        mounted = mount(port_of(server6, "imaps"), user="small", scheme="imaps", host="[::1]",
                        options={"tls": None, "cafile": server6.certificates.ca, "proxy": proxy.url()})
        assert os.listdir(mounted.path)
        assert set(proxy.targets()) <= {f"::1:{server6.imaps_port}", f"[::1]:{server6.imaps_port}"} and proxy.targets()
