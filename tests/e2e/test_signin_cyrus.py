# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in at Cyrus, whose SASL library is another one than Dovecot's, and which binds SCRAM to TLS."""

import os
import re
import shutil

import pytest

from kerberos import KerberosRealm
from mount import Mount
from servers.cyrus import CyrusServer
from test_mount import PASSWORD
from test_signin import one_line, refusal

MECHANISMS = ("PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS GSSAPI")


@pytest.fixture(scope="module")
def realm():
    with KerberosRealm(services=["imap/localhost"], users=["user"]) as realm:
        yield realm


def new_server(realm, settings=""):
    server = CyrusServer({"user": PASSWORD}, tls=True, pop3=False, mechanisms=MECHANISMS, settings=settings)
    # It sees no directory but its own, and has an /etc there.
    (server.directory / "etc").mkdir(exist_ok=True)
    shutil.copy(realm.configuration, server.directory / "etc" / "krb5.conf")
    shutil.copy(realm.keytab, server.directory / "etc" / "krb5.keytab")
    return server


@pytest.fixture(scope="module")
def server(realm):
    with new_server(realm) as running:
        running.deliver(("INBOX",), [b"Subject: hello\r\n\r\nworld\r\n"])
        yield running


@pytest.fixture
def sign_in(server, place):
    """sign_in(auth=…) mounts over TLS, by the server's name."""
    made = []

    def start(at=None, environment=None, password=PASSWORD, arguments=("-v",), **options):
        at = at or server
        mounted = Mount(f"imaps://user@localhost:{at.imaps_port}", place,
                        {"cafile": at.certificates.ca, "connections": 1, **options}, password,
                        arguments=arguments, environment=environment)
        made.append(mounted)
        return mounted.start()

    yield start
    for mounted in made:
        mounted.close()


def ways(mounted):
    """What was tried, in order."""
    return re.findall(r"^mailmount: logging in as user at localhost by (\S+(?: with \S+)?)$", mounted.output(), re.M)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"])
def test_by_password(sign_in, mechanism):
    mounted = sign_in(auth=mechanism)
    message, = (mounted.path / "INBOX").iterdir()
    assert message.read_bytes() == b"Subject: hello\r\n\r\nworld\r\n"
    assert ways(mounted) == [mechanism]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"])
def test_bound_to_tls_1_3(sign_in, mechanism):
    """Cyrus knows tls-unique alone, with TLS 1.3 too."""
    mounted = sign_in(auth=mechanism)
    assert os.listdir(mounted.path) == ["INBOX"]
    assert ways(mounted) == [f"{mechanism} with tls-exporter", f"{mechanism} with tls-unique"]


def test_bound_to_tls_1_2(sign_in, realm):
    """And is what is chosen, where both can."""
    with new_server(realm, "tls_versions: tls1_2") as server:
        mounted = sign_in(at=server)
        assert os.listdir(mounted.path) == ["INBOX"]
        assert ways(mounted) == ["SCRAM-SHA-256-PLUS with tls-unique"]


def test_by_ticket(sign_in, realm):
    mounted = sign_in(password=None, environment={**realm.environment, "KRB5CCNAME": realm.ticket("user")})
    assert os.listdir(mounted.path) == ["INBOX"]
    assert ways(mounted) == ["GSSAPI"]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"])
def test_a_wrong_password_is_one_line(sign_in, mechanism):
    output = refusal(sign_in, auth=mechanism, password="wrong", arguments=())
    one_line(output, f"as user at localhost by {mechanism}: the server says: ")
