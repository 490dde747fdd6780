# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools of the tests do what the tests believe: Python's own IMAP client is the witness."""

import imaplib
import socket
import ssl
import time
import zlib

import pytest

from corpus import connect
from dovecot import wait_for
from proxy import Proxy

PASSWORD = "open sesame"


class Via:
    host = "127.0.0.1"

    def __init__(self, proxy):
        self.imap_port = proxy.port

    @staticmethod
    def password(_):
        return PASSWORD


def test_the_server_serves_the_corpus_through_the_proxy(proxy, corpus):
    session = connect(Via(proxy))
    assert corpus.check(session) == []
    assert corpus.message_count() >= 500
    session.logout()
    assert {"LOGIN", "LIST", "EXAMINE", "UID FETCH"} <= proxy.names()
    assert sum(command.literal_octets for command in proxy.body_fetches()) == corpus.octets()
    wait_for(lambda: proxy.live() == 0, 5, "the end of the connection")


def test_the_proxy_hides_and_adds_capabilities(proxy):
    proxy.hide, proxy.add = {"LITERAL+", "AUTH=*", "STATUS*"}, ["UTF8=ACCEPT"]
    session = imaplib.IMAP4("127.0.0.1", proxy.port, timeout=60)
    assert not {"LITERAL+", "AUTH=PLAIN"} & set(session.capabilities) and "UTF8=ACCEPT" in session.capabilities
    session.login("small", PASSWORD)
    words = session.capability()[1][0].decode().split()
    assert "STATUS=SIZE" not in words and "UTF8=ACCEPT" in words and "ESEARCH" in words


@pytest.mark.parametrize("action", ["cut", "reset", "refuse"])
def test_the_proxy_cuts_where_it_should(proxy, action):
    session = connect(Via(proxy), "small")
    session.select('"Lists/many"', readonly=True)
    session.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    whole = proxy.log("UID FETCH")[0].received
    assert not proxy.body_fetches()
    proxy.clear()
    rule = proxy.when("UID FETCH", action, after_octets=whole // 2)
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        session.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    assert rule.fired == 1
    if action == "refuse":
        with pytest.raises(OSError):
            connect(Via(proxy), "small")
        proxy.accept_again()
    connect(Via(proxy), "small").logout()


def test_the_proxy_stalls_and_delays(proxy):
    session = connect(Via(proxy), "small")
    proxy.delay = 0.05
    started = time.monotonic()
    session.noop()
    assert time.monotonic() - started >= 0.1
    proxy.delay = 0
    session.socket().settimeout(0.5)
    proxy.stall()
    with pytest.raises(OSError):
        session.noop()


def test_the_proxy_looks_into_compressed_connections(proxy):
    with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        connection.settimeout(10)
        lines = connection.makefile("rb")
        lines.readline()
        connection.sendall(f'a LOGIN small "{PASSWORD}"\r\nb COMPRESS DEFLATE\r\n'.encode())
        while not lines.readline().startswith(b"b OK"):
            pass
        deflate, inflate = zlib.compressobj(9, zlib.DEFLATED, -15), zlib.decompressobj(-15)
        connection.sendall(deflate.compress(b"c EXAMINE INBOX\r\nd UID FETCH 1:* (BODY.PEEK[])\r\n")
                           + deflate.flush(zlib.Z_SYNC_FLUSH))
        text = b""
        while b"\r\nd OK" not in text:
            text += inflate.decompress(connection.recv(65536))
    fetch, = proxy.log("UID FETCH")
    assert fetch.mailbox == "INBOX" and fetch.literal_octets > 0 and fetch.status == "OK"


def test_a_message_with_protocol_text_is_no_command(proxy, corpus):
    """What looks like an answer inside a literal is not taken for one."""
    session = connect(Via(proxy))
    session.select("INBOX", readonly=True)
    uid = next(m.uid for m in corpus.folders[("INBOX",)].messages if m.kind == "protocol")
    session.uid("FETCH", str(uid), "(BODY.PEEK[])")
    fetch, = proxy.log("UID FETCH")
    assert (fetch.untagged, fetch.status) == (1, "OK")


def test_the_proxy_passes_tls_and_cuts_it(server):
    with Proxy(server.imaps_port, raw=True) as proxy:
        context = ssl.create_default_context(cafile=server.certificates.ca)
        session = imaplib.IMAP4_SSL("127.0.0.1", proxy.port, ssl_context=context, timeout=60)
        session.login("small", PASSWORD)
        session.select("INBOX", readonly=True)
        assert proxy.octets_to_client > 1000
        proxy.cut_after = proxy.octets_to_client + 10_000
        with pytest.raises((imaplib.IMAP4.abort, OSError)):
            session.uid("FETCH", "1:*", "(BODY.PEEK[])")
        assert proxy.cut_after is None


@pytest.mark.parametrize("mechanism", ["PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_the_server_offers_the_mechanisms(server, mechanism):
    session = imaplib.IMAP4("127.0.0.1", server.imap_port, timeout=60)
    assert f"AUTH={mechanism}" in session.capabilities
    session.shutdown()
