# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: ours, which a server demands, and the server's, which have to be right."""

import os
import ssl

import pytest

import mount as mounting
from dovecot import Certificates, DovecotServer, run
from mount import Failed
from test_mount import PASSWORD, refused
from tls_server import TlsServer
from tree import compare

DEMANDING = """
ssl_ca = <{ca}
ssl_verify_client_cert = yes
ssl_require_crl = no
auth_ssl_require_client_cert = yes
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def demanding_server(small_corpus):
    """A server that lets nobody in who shows no certificate of its authority."""
    server = DovecotServer(users={"small": PASSWORD})
    if not server.version().startswith("2.3"):
        pytest.fail("the configuration of this Dovecot is another one")
    server.extra = DEMANDING.format(ca=server.certificates.ca)
    server._write_configuration()
    server.client = server.certificates.client("small")
    small_corpus.write(server.mail_dir("small"))
    with server:
        yield server


def tls_mount(mount, server, scheme="imaps", **options):
    class Target:
        imap_port = server.imaps_port if scheme == "imaps" else server.imap_port
    return mount(Target, user="small", scheme=scheme,
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
    assert mounting.re.search(named.format(**names), caught.value.output), caught.value.output
