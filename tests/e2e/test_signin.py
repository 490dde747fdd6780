# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way to sign in, each with a server that offers it; what is refused, and what is done then."""

import os
import re
import threading

import pytest

from binding_server import BindingServer
from dovecot import DovecotServer, free_port, wait_for
from dovecot_settings import pop3 as pop3_settings
from kerberos import KerberosRealm
from mount import SLOW, Failed
from oauth import TokenCommand, TokenIssuer
from proxies import HttpProxy
from proxy import Proxy
from test_mount import PASSWORD
from tree import compare

BY_PASSWORD = ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"]
BY_TOKEN = ["OAUTHBEARER", "XOAUTH2"]


@pytest.fixture(scope="module")
def realm():
    with KerberosRealm(services=["imap/127.0.0.1", "pop/127.0.0.1"], users=["small", "stranger"]) as realm:
        yield realm


class EveryWayServer(DovecotServer):
    """Offers every mechanism that Dovecot has and we know."""

    def __init__(self, users, realm, mechanisms, **kwargs):
        super().__init__(users=users, mechanisms=mechanisms, **kwargs)
        self.issuer = TokenIssuer(self.directory)
        self.client = self.certificates.client("small")
        self.pop3_port = free_port()
        self.extra = (pop3_settings(self.pop3_port) + self.settings.sign_in_by_token(self.directory)
                      + self.settings.sign_in_by_certificate()
                      + self.settings.sign_in_by_kerberos(realm.keytab, realm.configuration)
                      + self.settings.client_certificates(self.certificates.ca))
        self._write_configuration()

    def methods(self):
        """By what each login that the server took was made, in order: "Login" to 2.3, "Logged in" to 2.4."""
        return re.findall(r"(?:imap|pop3)-login: .*?(?:Login|Logged in): user=<[^>]*>, method=([A-Z0-9-]+)",
                          self.log.read_text())


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


def pop3(server):
    class Target:
        imap_port = server.pop3_port
    return Target


@pytest.mark.parametrize("mechanism", [*BY_PASSWORD, *BY_TOKEN, "GSSAPI"])
def test_by_pop3(mount, every_way, realm, place, method, mechanism):
    """What signs in is the same, whatever the protocol."""
    token, ticket = mechanism in BY_TOKEN, mechanism == "GSSAPI"
    password = None if token or ticket else PASSWORD
    mounted = mount(pop3(every_way), user="small", scheme="pop3", password=password, options={
        "auth": mechanism, **({"token_command": TokenCommand(place.directory, every_way.issuer.token("small"))}
                              if token else {})},
        environment={**realm.environment, "KRB5CCNAME": realm.ticket("small")} if ticket else None)
    assert os.listdir(mounted.path) == ["INBOX"]
    assert method() == mechanism


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


def test_bound_to_tls_by_the_exporter(mount, server):
    """Both ends computed the same: the server told us to be who we are, and we it."""
    with BindingServer(server.certificates, PASSWORD) as binding_server:
        output = refusal(mount, binding_server, scheme="imaps",
                         options={"tls": None, "cafile": server.certificates.ca, "auth": "SCRAM-SHA-256-PLUS"})
        assert binding_server.steps == ["offered", "bound", "proved"]
    one_line(output, "by SCRAM-SHA-256-PLUS: the server says: .*there is no mail here")


# The choice.

@pytest.fixture
def every_way_proxy(every_way):
    with Proxy(every_way.imap_port) as running:
        yield running


def tried(proxy):
    """The mechanisms that the server was asked for, in order."""
    return [str(command).split()[1] if command.name == "AUTHENTICATE" else "LOGIN command"
            for command in proxy.log("^(AUTHENTICATE|LOGIN)")]


def hide(*mechanisms):
    return {f"AUTH={mechanism}" for mechanism in mechanisms}


@pytest.mark.parametrize("hidden,chosen", [
    ([], "SCRAM-SHA-256"),
    (BY_PASSWORD[:1], "SCRAM-SHA-1"),
    (BY_PASSWORD[:2], "CRAM-MD5"),
    (BY_PASSWORD[:3], "PLAIN"),
    (BY_PASSWORD[:4], "LOGIN"),
    (BY_PASSWORD, "LOGIN command")], ids=lambda value: value if isinstance(value, str) else len(value))
def test_the_strongest_that_is_offered_is_chosen(mount, every_way_proxy, hidden, chosen):
    every_way_proxy.hide = hide(*hidden)
    mounted = mount(every_way_proxy, user="small", options={"connections": 1})
    assert "INBOX" in os.listdir(mounted.path)
    assert tried(every_way_proxy) == [chosen]


@pytest.mark.parametrize("hidden,chosen", [([], "OAUTHBEARER"), (["OAUTHBEARER"], "XOAUTH2")],
                         ids=["both", "the-older-one"])
def test_with_a_token_the_standard_comes_first(mount, every_way, every_way_proxy, place, hidden, chosen):
    every_way_proxy.hide = hide(*hidden)
    mount(every_way_proxy, user="small", password=None, options={
        "connections": 1, "token_command": TokenCommand(place.directory, every_way.issuer.token("small"))})
    assert tried(every_way_proxy) == [chosen]


def test_a_ticket_comes_before_the_password(mount, every_way_proxy, realm):
    environment = {**realm.environment, "KRB5CCNAME": realm.ticket("small")}
    mount(every_way_proxy, user="small", password=None, options={"connections": 1}, environment=environment)
    assert tried(every_way_proxy) == ["GSSAPI"]


@pytest.mark.parametrize("ticket", ["none", "stranger"])
def test_where_the_ticket_does_not_do_the_password_does(mount, every_way_proxy, realm, place, ticket):
    """There is none after all, or it is somebody else's."""
    cache = realm.ticket("stranger") if ticket == "stranger" else str(place.directory / "nothing")
    mount(every_way_proxy, user="small", options={"connections": 1},
          environment={**realm.environment, "KRB5CCNAME": cache})
    assert tried(every_way_proxy)[-1] == "SCRAM-SHA-256"


def test_a_mechanism_that_the_server_does_not_have_after_all(mount):
    """The server offers it and says BAD or NO to it: the password was not judged, the next one is tried."""
    server = DovecotServer(users={"small": PASSWORD}, mechanisms="plain", tls=False)
    with server, Proxy(server.imap_port) as proxy:
        proxy.add = ["AUTH=SCRAM-SHA-256", "AUTH=CRAM-MD5"]
        mounted = mount(proxy, user="small", options={"connections": 1})
        assert "INBOX" in os.listdir(mounted.path)
        assert tried(proxy) == ["SCRAM-SHA-256", "CRAM-MD5", "PLAIN"]
        mounted.unmount()
        proxy.clear()
        output = refusal(mount, proxy, user="small", options={"auth": "SCRAM-SHA-256"})
        one_line(output, "small at 127.0.0.1 by SCRAM-SHA-256", "mechanism")
        assert set(tried(proxy)) == {"SCRAM-SHA-256"}


# What is refused.

@pytest.mark.parametrize("mechanism", BY_PASSWORD)
def test_a_wrong_password_is_one_line_and_is_tried_once(mount, every_way_proxy, mechanism):
    every_way_proxy.hide = hide(*BY_PASSWORD[:BY_PASSWORD.index(mechanism)])
    output = refusal(mount, every_way_proxy, user="small", password="wrong")
    one_line(output, f"as small at 127.0.0.1 by {mechanism}: the server says: .*AUTHENTICATIONFAILED", "check the user")
    assert tried(every_way_proxy) == [mechanism]


@pytest.mark.parametrize("options", [{}, {"auth": "SCRAM-SHA-1"}], ids=["chosen", "forced"])
def test_a_wrong_user_is_one_line_and_is_tried_once(mount, every_way_proxy, options):
    """Servers lock out who fails too often."""
    output = refusal(mount, every_way_proxy, user="smal", options=options)
    mechanism = options.get("auth", "SCRAM-SHA-256")
    one_line(output, f"as smal at 127.0.0.1 by {mechanism}: the server says: .*AUTHENTICATIONFAILED", "check the user")
    assert "auth=PLAIN" not in output
    assert tried(every_way_proxy) == [mechanism]


def test_a_wrong_token_is_one_line(mount, every_way_proxy, place):
    command = TokenCommand(place.directory, "first-wrong-one", "second-wrong-one", "third")
    output = refusal(mount, every_way_proxy, user="small", password=None, options={"token_command": command})
    one_line(output, "as small at 127.0.0.1 by OAUTHBEARER: the server says: ", "invalid_token", "token_command")
    assert command.count() == 2
    assert tried(every_way_proxy) == ["OAUTHBEARER"] * 2


def test_a_wrong_token_that_stays_the_same_is_not_sent_twice(mount, every_way_proxy, place):
    command = TokenCommand(place.directory, "always-the-same")
    output = refusal(mount, every_way_proxy, user="small", password=None, options={"token_command": command})
    one_line(output, "as small at 127.0.0.1 by OAUTHBEARER: the server says: ", "invalid_token", "token_command")
    assert command.count() == 2
    assert tried(every_way_proxy) == ["OAUTHBEARER"]


def test_a_ticket_of_somebody_else_is_one_line(mount, every_way, realm):
    output = refusal(mount, every_way, user="small", password=None, options={"auth": "GSSAPI"},
                     environment={**realm.environment, "KRB5CCNAME": realm.ticket("stranger")})
    one_line(output, "as small at 127.0.0.1 by GSSAPI: the server says: ")


def test_no_ticket_is_one_line(mount, every_way, realm, place):
    output = refusal(mount, every_way, user="small", password=None, options={"auth": "GSSAPI"},
                     environment={**realm.environment, "KRB5CCNAME": str(place.directory / "nothing")})
    one_line(output, "as small at 127.0.0.1 by GSSAPI: .*no Kerberos ticket", "kinit")


def test_a_certificate_of_somebody_else_is_one_line(mount, every_way):
    client = every_way.certificates.client("stranger")
    client.chmod(0o644)
    output = refusal(mount, tls(every_way), user="small", password=None, scheme="imaps", options={
        "tls": None, "cafile": every_way.certificates.ca, "cert": client, "key": client.with_suffix(".key"),
        "auth": "EXTERNAL"})
    one_line(output, "as small at 127.0.0.1 by EXTERNAL: the server says: ")


# Tokens that expire.

def test_an_expired_token_is_asked_for_once_more(mount, every_way, every_way_proxy, place):
    command = TokenCommand(place.directory, every_way.issuer.token("small", seconds=-60),
                           every_way.issuer.token("small"))
    mounted = mount(every_way_proxy, user="small", password=None, options={"token_command": command})
    assert "INBOX" in os.listdir(mounted.path)
    assert command.count() == 2


def test_one_connection_asks_for_a_token_for_all(mount, small_corpus, realm, place):
    """All connections break, and the token is worth nothing any more: each is refused, one asks."""
    server = EveryWayServer({"small": PASSWORD}, realm, "oauthbearer")
    small_corpus.write(server.mail_dir("small"))
    with server, Proxy(server.imap_port) as proxy:
        command = TokenCommand(place.directory, server.issuer.token("small"))
        mounted = mount(proxy, user="small", password=None, options={
            "token_command": command, "connections": 4, "cache": "none", "names": "uid"})
        files = [mounted.path / name for name in mounted.files()]
        assert command.count() == 1
        server.stop()
        server.issuer.replace_key()
        command.give(server.issuer.token("small"))
        server.start()
        proxy.clear()
        proxy.delay = 0.03  # so that the others begin before the first is done
        readers = [threading.Thread(target=lambda file=file: file.read_bytes()) for file in files]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(60 * SLOW)
        refused = [command for command in proxy.log("^AUTHENTICATE") if command.status == "NO"]
        assert len(refused) > 1, "one connection was enough: nothing is shown"
        assert command.count() == 2


# Lines that others can read.

@pytest.fixture
def unprotected(every_way_proxy):
    """What lies behind a proxy is not this machine, and nothing is encrypted."""
    with HttpProxy() as running:
        yield {"proxy": running.url(), "connections": 1}


def test_no_clear_password_crosses_an_unprotected_line(mount, every_way, every_way_proxy, unprotected, place):
    mounted = mount(every_way_proxy, user="small", options=unprotected)
    assert tried(every_way_proxy) == ["SCRAM-SHA-256"]
    mounted.unmount()
    every_way_proxy.clear()
    for mechanism in ("PLAIN", "LOGIN"):
        output = refusal(mount, every_way_proxy, user="small", options={**unprotected, "auth": mechanism})
        one_line(output, f"127.0.0.1 .*password of small in clear text .*by {mechanism}; use TLS")
    command = TokenCommand(place.directory, every_way.issuer.token("small"))
    for mechanism in BY_TOKEN:
        output = refusal(mount, every_way_proxy, user="small", password=None,
                         options={**unprotected, "auth": mechanism, "token_command": command})
        one_line(output, f"127.0.0.1 .*token of small in clear text .*by {mechanism}; use TLS")
    every_way_proxy.hide = hide("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5")
    output = refusal(mount, every_way_proxy, user="small", options=unprotected)
    one_line(output, "in clear text .*use TLS")
    assert tried(every_way_proxy) == []


def test_on_an_unprotected_line_nothing_comes_after_a_refusal(mount, unprotected):
    """Whoever sits on the line could have it refused, to get a weaker one."""
    server = DovecotServer(users={"small": PASSWORD}, mechanisms="plain cram-md5", tls=False)
    with server, Proxy(server.imap_port) as proxy:
        proxy.add = ["AUTH=SCRAM-SHA-256"]
        output = refusal(mount, proxy, user="small", options=unprotected)
        one_line(output, "small at 127.0.0.1 by SCRAM-SHA-256: the server says: ")
        assert set(tried(proxy)) == {"SCRAM-SHA-256"}


# What was written wrongly.

@pytest.mark.parametrize("options,parts", [
    ({"token_command": "false"}, ["token_command: 'false' failed with exit status 1"]),
    ({"token_command": "true"}, ["token_command: 'true' printed no secret"]),
    ({"token_command": "no-such-program-here"}, ["token_command: 'no-such-program-here' cannot be run"]),
    ({"token_command": r"printf 'to\\001ken'"}, ["OAUTHBEARER", "control character"]),
    ({"token_command": "echo {error:none}"}, ["OAUTHBEARER", "the server says"]),
    ({"password_command": "false"}, ["password_command: 'false' failed with exit status 1"]),
    ({"password_command": "true"}, ["password_command: 'true' printed no secret"]),
    ({"auth": "nonsense"}, ["auth=nonsense", "SCRAM-SHA-256", "LOGIN is expected"]),
    ({"auth": "XOAUTH2"}, ["auth=XOAUTH2 needs token_command="]),
    ({"auth": "EXTERNAL"}, ["auth=EXTERNAL needs cert="]),
    ({"auth": "SCRAM-SHA-256-PLUS"}, ["auth=SCRAM-SHA-256-PLUS .*tls=none"]),
], ids=lambda value: "-".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "")
def test_a_wrong_option_is_one_line(mount, every_way, options, parts):
    output = refusal(mount, every_way, user="small", password=None, options=options)
    one_line(output, *parts)


@pytest.mark.parametrize("auth,parts", [
    ("SCRAM-SHA-256-PLUS", ["127.0.0.1 does not offer auth=SCRAM-SHA-256-PLUS", "it offers .*SCRAM-SHA-256"]),
    ("GSSAPI", ["127.0.0.1 does not offer auth=GSSAPI", "it offers .*PLAIN"])])
def test_a_mechanism_that_is_not_offered_is_one_line(mount, server, auth, parts):
    output = refusal(mount, tls(server), user="small", password=None if auth == "GSSAPI" else PASSWORD, scheme="imaps",
                     options={"tls": None, "cafile": server.certificates.ca, "auth": auth})
    one_line(output, *parts)


# COMPRESS=DEFLATE

def test_a_compressed_copy_is_the_same_and_costs_less(mount, own_server, own_proxy, small_corpus):
    octets = {}
    for compress in (None, True):
        own_proxy.clear()
        mounted = mount(own_proxy, user="small", options={"compress": compress, "cache": "none"})
        assert not compare(mounted.path, small_corpus)
        octets[compress] = own_proxy.octets_to_client
        assert bool(own_proxy.log("^COMPRESS DEFLATE")) == bool(compress)
        mounted.unmount()
    assert octets[True] < octets[None] / 2, octets
