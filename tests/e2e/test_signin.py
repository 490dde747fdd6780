# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way to sign in, each with a server that offers it; what is refused, and what is done then."""

import os
import re
import threading

import pytest

from dovecot import DovecotServer, wait_for
from kerberos import KerberosRealm
from mount import SLOW, Failed
from oauth import TokenCommand, TokenIssuer
from proxy import Proxy
from test_mount import PASSWORD
from tree import compare

BY_PASSWORD = ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"]
BY_TOKEN = ["OAUTHBEARER", "XOAUTH2"]


@pytest.fixture(scope="module")
def realm():
    with KerberosRealm(services=["imap/127.0.0.1"], users=["small", "stranger"]) as realm:
        yield realm


class EveryWayServer(DovecotServer):
    """Offers every mechanism that Dovecot has and we know."""

    def __init__(self, users, realm, mechanisms, **kwargs):
        super().__init__(users=users, mechanisms=mechanisms, **kwargs)
        self.issuer = TokenIssuer(self.directory)
        self.client = self.certificates.client("small")
        self.extra = f"""
{self.issuer.passdb}
passdb {{
  driver = static
  mechanisms = external
  args = nopassword=y
}}
auth_krb5_keytab = {realm.keytab}
auth_gssapi_hostname = "$ALL"
import_environment = $import_environment KRB5_CONFIG={realm.configuration}
ssl_ca = <{self.certificates.ca}
ssl_verify_client_cert = yes
ssl_require_crl = no
auth_ssl_username_from_cert = yes
"""
        self._write_configuration()

    def methods(self):
        """By what each login that the server took was made, in order."""
        return re.findall(r"imap-login: .*?Login: user=<[^>]*>, method=([A-Z0-9-]+)", self.log.read_text())


@pytest.fixture(scope="module")
def every_way(small_corpus, realm):
    server = EveryWayServer({"small": PASSWORD}, realm, "plain login cram-md5 scram-sha-1 scram-sha-256 external "
                            "gssapi xoauth2 oauthbearer")
    small_corpus.write(server.mail_dir("small"))
    with server:
        yield server


@pytest.fixture
def method(every_way):
    """method() is how the first login since the test began was made."""
    before = len(every_way.methods())
    return lambda: wait_for(lambda: every_way.methods()[before:], 10 * SLOW, "a login in the server's log")[0]


def tls(server):
    class Target:
        imap_port = server.imaps_port
    return Target


def one_line(output, *parts):
    """It is one line, and says all that."""
    assert len(output.strip().splitlines()) == 1, output
    for part in parts:
        assert re.search(part, output), f"{part!r} is not in: {output}"


def refusal(mount, *args, **kwargs):
    with pytest.raises(Failed) as caught:
        mount(*args, **kwargs)
    assert caught.value.status > 0
    assert PASSWORD not in caught.value.output
    return caught.value.output


# Each mechanism.

@pytest.mark.parametrize("mechanism", BY_PASSWORD)
def test_by_password(mount, every_way, small_corpus, method, mechanism):
    mounted = mount(every_way, user="small", options={"auth": mechanism.lower()})
    assert not compare(mounted.path, small_corpus)
    assert method() == mechanism


@pytest.mark.parametrize("mechanism", BY_TOKEN)
def test_by_token(mount, every_way, place, method, mechanism):
    command = TokenCommand(place.directory, every_way.issuer.token("small"))
    mounted = mount(every_way, user="small", password=None, options={"auth": mechanism, "token_command": command})
    assert "INBOX" in os.listdir(mounted.path)
    assert method() == mechanism
    assert command.count() == 1


def test_by_ticket(mount, every_way, realm, method):
    mounted = mount(every_way, user="small", password=None, options={"auth": "GSSAPI"},
                    environment={**realm.environment, "KRB5CCNAME": realm.ticket("small")})
    assert "INBOX" in os.listdir(mounted.path)
    assert method() == "GSSAPI"


@pytest.mark.parametrize("options", [{}, {"auth": "EXTERNAL"}], ids=["unasked", "asked"])
def test_by_certificate(mount, every_way, method, options):
    mounted = mount(tls(every_way), user="small", password=None, scheme="imaps", options={
        "tls": None, "cafile": every_way.certificates.ca, "cert": every_way.client,
        "key": every_way.client.with_suffix(".key"), **options})
    assert "INBOX" in os.listdir(mounted.path)
    assert method() == "EXTERNAL"
