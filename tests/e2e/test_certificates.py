# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: ours, which a server demands, and the server's, which have to be right."""

import hashlib
import os
import re
import ssl
import subprocess

import pytest

import mount as mounting
from dovecot import Certificates, DovecotServer, run, wait_for
from mount import Failed
from test_mount import PASSWORD, background, refused  # noqa: F401 (a fixture)
from tls_server import TlsServer
from tree import compare


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def demanding_server(small_corpus):
    """A server that lets nobody in who shows no certificate of its authority."""
    server = DovecotServer(users={"small": PASSWORD})
    server.extra = (server.settings.client_certificates(server.certificates.ca)
                    + "auth_ssl_require_client_cert = yes\n")
    server._write_configuration()
    server.client = server.certificates.client("small")
    small_corpus.write(server.mail_dir("small"))
    with server:
        yield server


def tls_mount(mount, server, scheme="imaps", background=False, **options):
    class Target:
        imap_port = server.imaps_port if scheme == "imaps" else server.imap_port
    return mount(Target, user="small", scheme=scheme, background=background,
                 options={"tls": None, "cafile": server.certificates.ca, **options})


@pytest.mark.parametrize("scheme", ["imaps", "imap"])
def test_a_certificate_of_ours_is_shown_where_it_is_demanded(mount, demanding_server, small_corpus, scheme):
    mounted = tls_mount(mount, demanding_server, scheme, cert=demanding_server.client,
                        key=demanding_server.client.with_suffix(".key"))
    assert not compare(mounted.path, small_corpus)


def test_the_key_may_be_in_the_same_file(mount, demanding_server, place):
    both = place.directory / "both.pem"
    both.write_bytes(demanding_server.client.read_bytes() + demanding_server.client.with_suffix(".key").read_bytes())
    mounted = tls_mount(mount, demanding_server, cert=both)
    assert os.listdir(mounted.path)


def test_without_it_the_server_lets_nobody_in(mount, demanding_server):
    with pytest.raises(Failed) as caught:
        tls_mount(mount, demanding_server)
    assert "certificate" in caught.value.output, caught.value.output


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_demands_one_while_tls_begins_is_told(mount, certificates, version):
    """Not with the password, as Dovecot, but by an alert, as most others."""
    with TlsServer(certificates.server, version=version, demands=certificates.ca) as server:
        options = {"tls": None, "cafile": certificates.ca}
        output = refused(mount, False, r"demands a certificate of ours.*cert=PEM", server, scheme="imaps",
                         options=options)
        assert len(output.splitlines()) == 1
        other = Certificates(certificates.directory / f"other-{version.name}")
        client = other.client("user")
        refused(mount, False, rf"refuses the certificate in cert={client}", server, scheme="imaps",
                options={**options, "cert": client, "key": client.with_suffix(".key")})


@pytest.mark.parametrize("options, named", [
    ({"cert": "/nonexistent.pem"}, "cert=/nonexistent.pem: No such file"),
    ({"cert": "/etc"}, "cert=/etc: .*directory"),
    ({"cert": "/etc/passwd"}, "cert=/etc/passwd: .*BEGIN CERTIFICATE"),
    ({"cert": "{cert}"}, "cert={cert}: .*no private key.*key="),
    ({"cert": "{cert}", "key": "/nonexistent.pem"}, "key=/nonexistent.pem: No such file"),
    ({"cert": "{cert}", "key": "{cert}"}, "key={cert}: .*no private key"),
    ({"cert": "{cert}", "key": "{other}"}, "key={other}: .*does not belong to.*cert={cert}"),
    ({"cert": "{cert}", "key": "{locked}"}, "key={locked}: .*passphrase.*openssl pkey"),
    ({"key": "{key}"}, "key=.*without cert="),
    ({"cafile": "/etc/passwd"}, "cafile=/etc/passwd: .*BEGIN CERTIFICATE"),
])
def test_a_file_that_cannot_be_used_is_named(place, certificates, options, named):
    client = certificates.client("user")
    key = client.with_suffix(".key")
    names = {"cert": client, "key": key, "other": certificates.client("somebody").with_suffix(".key"),
             "locked": certificates.directory / "locked.key"}
    run(["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", names["locked"]])
    options = {name: value.format(**names) for name, value in options.items()}
    with pytest.raises(Failed) as caught:
        mounting.Mount("imaps://user@localhost:1", place, options, PASSWORD).start()
    assert caught.value.status == 2
    assert len(caught.value.output.splitlines()) == 1
    assert re.search(named.format(**names), caught.value.output), caught.value.output


# The server's.

def fingerprint_of(certificate):
    """As the tool prints it that users know: "sha256 Fingerprint=AB:CD:…"."""
    text = run(["openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"]).stdout.decode()
    return "SHA256:" + text.strip().partition("=")[2]


def key_fingerprint_of(certificate):
    key = run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"]).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, capture_output=True, check=True,
                         timeout=60).stdout
    return "sha256:" + hashlib.sha256(der).hexdigest()


WRONG = "SHA256:" + ":".join(["00"] * 32)


@pytest.fixture(scope="module")
def own_certified_server(small_corpus):
    """A server with a certificate that nobody signed, for another host."""
    server = DovecotServer(users={"small": PASSWORD})
    server.certificates.worthless = server.certificates.self_signed()
    server.certificate = "worthless"
    server._write_configuration()
    small_corpus.write(server.mail_dir("small"))
    with server:
        yield server


@pytest.mark.parametrize("scheme", ["imaps", "imap"])
def test_a_pinned_certificate_needs_no_authority(mount, own_certified_server, small_corpus, scheme):
    pin = fingerprint_of(own_certified_server.certificates.worthless)
    mounted = tls_mount(mount, own_certified_server, scheme, cafile=None, fingerprint=pin)
    assert not compare(mounted.path, small_corpus)


def test_a_public_key_can_be_pinned(mount, own_certified_server):
    pin = key_fingerprint_of(own_certified_server.certificates.worthless)
    mounted = tls_mount(mount, own_certified_server, cafile=None, fingerprint=pin)
    assert os.listdir(mounted.path)


@pytest.mark.parametrize("scheme", ["imaps", "imap"])
def test_another_certificate_than_the_pinned_one_is_refused(mount, background, own_certified_server, scheme):
    """The message has the fingerprint of the server's, so that it can be asked for; and the log of the server has no
    attempt to sign in."""
    log = own_certified_server.log
    before = log.stat().st_size if log.exists() else 0
    with pytest.raises(Failed) as caught:
        tls_mount(mount, own_certified_server, scheme, cafile=None, fingerprint=WRONG, background=background)
    output = caught.value.output
    assert len(output.splitlines()) == 1 and "fingerprint=" in output and "127.0.0.1" in output
    assert fingerprint_of(own_certified_server.certificates.worthless) in output
    assert "auth failed" not in log.read_text()[before:] and "Login:" not in log.read_text()[before:]


def test_nothing_is_sent_to_another_certificate_than_the_pinned_one(mount, certificates):
    with TlsServer(certificates.server) as server:
        refused(mount, False, "fingerprint=", server, scheme="imaps", options={"tls": None, "fingerprint": WRONG})
        assert server.connections > 0 and server.octets == 0


def test_a_pin_holds_beside_an_authority_not_instead_of_it(mount, server, own_certified_server):
    good = fingerprint_of(server.certificates.server)
    mounted = tls_mount(mount, server, fingerprint=good)
    assert os.listdir(mounted.path)
    mounted.unmount()
    worthless = own_certified_server.certificates.worthless
    with pytest.raises(Failed, match="signed by nobody but itself"):
        tls_mount(mount, own_certified_server, fingerprint=fingerprint_of(worthless))


def test_a_pin_is_looked_at_on_every_connection(mount, own_certified_server, place):
    """The server gets another certificate under a mount: the next connection is refused."""
    server = own_certified_server
    old = server.certificates.worthless
    mounted = tls_mount(mount, server, cafile=None, fingerprint=fingerprint_of(old), cache="none", refresh=0)
    assert os.listdir(mounted.path / "INBOX")
    server.certificates.worthless = server.certificates.self_signed("another")
    try:
        server._write_configuration()
        server.restart()
        log = server.log.stat().st_size
        with pytest.raises(OSError):
            for name in os.listdir(mounted.path / "INBOX"):
                (mounted.path / "INBOX" / name).read_bytes()
        wait_for(lambda: fingerprint_of(server.certificates.worthless) in mounted.output(), 20, "a message")
        assert "Login:" not in server.log.read_text()[log:]
    finally:
        server.certificates.worthless = old
        server._write_configuration()
        server.restart()


SERVERS = {
    "expired": r"the certificate of 127\.0\.0\.1 has expired \(on 20\d\d-\d\d-\d\d\).*administrator",
    "future": r"the certificate of 127\.0\.0\.1 is not valid yet \(before 2040-01-01\).*clock",
    "wronghost": r"made for another name: mail\.example\.org;",
    "self_signed": r"signed by nobody but itself.*fingerprint.*cafile=",
    "unknown": r"not signed by an authority that is in '.*'.*cafile=.*fingerprint=",
    "unknown to the system": r"not signed by an authority that this system trusts",
    "old": r"only TLS older than 1\.2.*administrator",
}


@pytest.mark.filterwarnings("ignore:.*TLSv1_1:DeprecationWarning")
@pytest.mark.parametrize("what", SERVERS)
def test_each_bad_certificate_is_told_in_words_of_its_own(mount, certificates, what):
    shown = getattr(certificates, what, certificates.server)
    shown = shown() if callable(shown) else shown
    options = {"tls": None, "cafile": {"unknown": certificates.other_ca, "unknown to the system": None}.get(
        what, certificates.ca)}
    old = {"version": ssl.TLSVersion.TLSv1_1, "ciphers": "ALL:@SECLEVEL=0"} if what == "old" else {}
    with TlsServer(shown, **old) as server:
        output = refused(mount, False, SERVERS[what], server, scheme="imaps", options=options)
        assert len(output.splitlines()) == 1
        assert [name for name, pattern in SERVERS.items() if re.search(pattern, output)] == [what]
        assert server.octets == 0


@pytest.mark.parametrize("source, options, named", [
    ("imaps://user@does-not-exist.invalid", {}, r"host 'does-not-exist\.invalid' is not known; is the name spelt right"),
    ("imaps://user@127.0.0.1:1", {}, r"127\.0\.0\.1 refuses connections on port 1; .*is this its port"),
    ("imaps://user@127.0.0.1:0", {}, r"'0' in the URL is not a port: a number from 1 to 65535"),
    ("imaps://user@[::g]", {}, r"'\[::g\]' in the URL is not an IPv6 address"),
    ("imaps://user@::1", {}, r"an IPv6 address in the URL is written in brackets: \[::1\]"),
    ("imaps://user@127.0.0.1", {"fingerprint": "AB:CD"}, r"fingerprint=AB:CD: SHA256: and 64 hex digits.*openssl"),
    ("imaps://user@127.0.0.1", {"proxy": "socks://me:secret@host"}, r"proxy=: 'socks://' is not .*should read socks5h://"),
    ("imaps://user@127.0.0.1", {"tunnel": "ssh host"}, r"tunnel= is not encrypted once more: write imap://"),
    ("imap://user@127.0.0.1", {"tunnel": "ssh 'host"}, r"tunnel: .*quot"),
    ("imap://user@127.0.0.1", {"tunnel": "ssh host", "fingerprint": WRONG}, r"fingerprint= has no meaning with tunnel="),
    ("imap://user@127.0.0.1", {"tls": "none", "cert": "/etc/passwd"}, r"cert= has no meaning with tls=none"),
    ("imap://user@127.0.0.1", {"prxy": "none"}, r"unknown option 'prxy': did you mean 'proxy='"),
])
def test_what_is_wrong_about_the_way_is_named_in_one_line(place, source, options, named):
    with pytest.raises(Failed) as caught:
        mounting.Mount(source, place, options, PASSWORD).start()
    assert len(caught.value.output.splitlines()) == 1 and "secret" not in caught.value.output
    assert re.search(named, caught.value.output), caught.value.output


def test_a_port_without_tls_and_a_port_with_it_are_told(mount, server, place):
    class Clear:
        imap_port = server.imap_port
    refused(mount, False, r"127\.0\.0\.1 port \d+ does not begin with TLS.*imap://", Clear, scheme="imaps",
            options={"tls": None})

    class Tls:
        imap_port = server.imaps_port
    refused(mount, False, r"did not answer within 2 seconds.*imaps://", Tls, options={"tls": None, "timeout": 2})
