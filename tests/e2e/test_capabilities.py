# SPDX-License-Identifier: GPL-3.0-or-later
"""Extensions are used where offered, as the proxy's log shows, and none of them is needed."""

import re

import pytest

from proxy import Proxy
from tree import compare

PASSWORD = "open sesame"
ODD_PASSWORD = "pässwörd \"quoted\" \\ back"
EXTENSIONS = ["LITERAL+", "ESEARCH", "LIST-EXTENDED", "SPECIAL-USE", "LIST-STATUS", "ENABLE", "CONDSTORE", "UIDPLUS",
              "ID", "NAMESPACE", "SASL-IR", "COMPRESS=DEFLATE", "UNSELECT", "IDLE", "QRESYNC", "NOTIFY", "CHILDREN",
              "SEARCHRES", "MOVE", "BINARY"]


def whole_round(mount, proxy, corpus, **kwargs):
    """Mounts, lists and reads everything, remounts, lists and reads again."""
    kwargs.setdefault("user", "small")
    mounted = mount(proxy, **kwargs)
    assert not compare(mounted.path, corpus)
    mounted.unmount()
    mounted = mount(proxy, **kwargs)
    assert not compare(mounted.path, corpus)
    mounted.unmount()


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_without(mount, proxy, small_corpus, extension):
    proxy.hide = {extension} | ({"QRESYNC"} if extension == "CONDSTORE" else set())  # which implies it
    whole_round(mount, proxy, small_corpus)
    if extension in ("ID", "ENABLE", "NAMESPACE", "IDLE", "NOTIFY", "UNSELECT"):
        assert not proxy.log(f"^{extension}\\b")
    check_unused(proxy, extension)


def check_unused(proxy, extension):
    log = "\n".join(str(command) for command in proxy.commands)
    patterns = {"ESEARCH": r"SEARCH RETURN", "LIST-EXTENDED": r"^LIST .*(RETURN|\(SUBSCRIBED)",
                "LIST-STATUS": r"^LIST .*STATUS", "SPECIAL-USE": r"^LIST .*SPECIAL-USE",
                "CONDSTORE": r"CONDSTORE|HIGHESTMODSEQ|CHANGEDSINCE|QRESYNC", "COMPRESS=DEFLATE": r"^COMPRESS",
                "QRESYNC": r"QRESYNC"}
    if extension in patterns:
        assert not re.search(patterns[extension], log, re.M), log
    if extension == "LITERAL+":
        assert not any(literal.endswith("+}") for command in proxy.commands for literal in command.literals)


@pytest.mark.core
def test_without_any(mount, proxy, small_corpus):
    """A server that offers IMAP4rev1 alone."""
    proxy.hide = {f"{extension}*" for extension in EXTENSIONS} | {
        "SORT*", "THREAD*", "MULTIAPPEND", "URL-PARTIAL", "CATENATE", "I18NLEVEL*", "ESORT", "WITHIN", "CONTEXT*",
        "SNIPPET*", "PREVIEW*", "STATUS*", "SAVEDATE", "LOGIN-REFERRALS", "STARTTLS", "AUTH=*"}
    whole_round(mount, proxy, small_corpus)
    assert proxy.log("^LOGIN") and not proxy.log("^AUTHENTICATE")
    for extension in EXTENSIONS:
        check_unused(proxy, extension)


@pytest.mark.parametrize("pattern", [
    pytest.param(r"^ID\b", id="ID"),
    pytest.param(r"^NAMESPACE\b", id="NAMESPACE"),
    pytest.param(r"^ENABLE .*CONDSTORE|EXAMINE .*\(CONDSTORE|HIGHESTMODSEQ", id="CONDSTORE"),
    pytest.param(r"^LIST .*RETURN \(", id="LIST-EXTENDED"),
    pytest.param(r"^LIST .*SPECIAL-USE", id="SPECIAL-USE"),
    pytest.param(r"^LIST .*STATUS \(", id="LIST-STATUS"),
])
def test_used_where_offered(mount, proxy, small_corpus, pattern):
    whole_round(mount, proxy, small_corpus)
    assert proxy.log(pattern), [str(command) for command in proxy.commands]


def test_enable_is_sent_where_there_is_something_to_enable(mount, proxy, small_corpus):
    whole_round(mount, proxy, small_corpus)
    enabled = proxy.log(r"^ENABLE ")
    assert enabled and all(command.status == "OK" for command in enabled)


def test_nothing_is_asked_that_was_told(mount, proxy, small_corpus):
    """The greeting and the answer to the login tell the capabilities; the set-up and the list follow each once."""
    mounted = mount(proxy, user="small")
    assert not compare(mounted.path, small_corpus)
    first = [command.name for command in proxy.commands if command.connection == proxy.commands[0].connection]
    assert first[:5] == ["AUTHENTICATE", "ID", "ENABLE", "NAMESPACE", "LIST"]
    assert not proxy.log("^CAPABILITY")


def expunge_five(server, folder):
    import imaplib
    session = imaplib.IMAP4("127.0.0.1", server.imap_port, timeout=60)
    session.login("small", PASSWORD)
    session.select(f'"{folder}"')
    session.uid("STORE", "1:5", "+FLAGS", "(\\Deleted)")
    session.expunge()
    session.logout()


def log_of_a_remount_after_an_expunge(mount, server, corpus, hide):
    """What a mount asks whose folder lost five messages while nothing was mounted."""
    with Proxy(server.imap_port) as proxy:
        proxy.hide = hide
        mounted = mount(proxy, user="small")
        assert not compare(mounted.path, corpus, content=False)
        mounted.unmount()
        expunge_five(server, "Lists/many")
        proxy.clear()
        mounted = mount(proxy, user="small")
        remaining = len(list((mounted.path / "Lists/many").iterdir()))
        assert remaining < len(corpus.folders[("Lists", "many")].messages)
        mounted.unmount()
        return proxy.log(".")


def test_esearch_is_used_for_searching(mount, own_server, small_corpus):
    """What is left of a folder after an expunge is asked for in the short form where there is one."""
    log = log_of_a_remount_after_an_expunge(mount, own_server, small_corpus, {"QRESYNC"})
    searches = [command for command in log if command.name.endswith("SEARCH")]
    assert searches and all("RETURN" in command.arguments for command in searches)


def test_qresync_tells_what_vanished(mount, own_server, small_corpus):
    """With QRESYNC the server tells it with EXAMINE: nothing is searched, and no message is listed again."""
    log = log_of_a_remount_after_an_expunge(mount, own_server, small_corpus, set())
    assert any("(QRESYNC (" in command.arguments for command in log if command.name == "EXAMINE")
    assert not [command for command in log if command.name.endswith(("SEARCH", "FETCH"))]


def test_a_password_that_needs_a_literal_goes_in_one(mount, proxy, small_corpus):
    """With LOGIN, a non-ASCII password is a literal: without waiting where LITERAL+ is offered."""
    proxy.hide = {"AUTH=*", "SASL-IR"}
    whole_round(mount, proxy, small_corpus, user="odd", password=ODD_PASSWORD)
    logins = proxy.log("^LOGIN")
    assert logins and all(literal.endswith("+}") for command in logins for literal in command.literals)
    assert any(command.literals for command in logins)
    proxy.clear()
    proxy.hide |= {"LITERAL+"}
    whole_round(mount, proxy, small_corpus, user="odd", password=ODD_PASSWORD)
    logins = proxy.log("^LOGIN")
    assert any(command.literals for command in logins)
    assert not any(literal.endswith("+}") for command in logins for literal in command.literals)


def test_utf8_accept_is_enabled_where_offered_and_not_relied_on(mount, proxy, corpus):
    """Dovecot 2.3 does not have it: the offer is the proxy's, and the server enables nothing."""
    proxy.add = ["UTF8=ACCEPT"]
    mounted = mount(proxy)
    assert not compare(mounted.path, corpus, content=False)
    assert proxy.log("^ENABLE .*UTF8=ACCEPT")


def test_compress_only_when_asked(mount, proxy, corpus, small_corpus):
    whole_round(mount, proxy, small_corpus)
    assert not proxy.log("^COMPRESS")
    proxy.clear()
    mounted = mount(proxy, options={"compress": True})
    assert not compare(mounted.path, corpus)
    compressed = proxy.log("^COMPRESS DEFLATE")
    assert compressed and all(command.status == "OK" for command in compressed)
    assert proxy.octets_to_client < 0.95 * corpus.octets()


def test_compress_asked_for_and_not_offered_is_no_error(mount, proxy, small_corpus):
    proxy.hide = {"COMPRESS=DEFLATE"}
    whole_round(mount, proxy, small_corpus, options={"compress": True})
    assert not proxy.log("^COMPRESS")


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"])
def test_each_mechanism_signs_in(mount, proxy, small_corpus, mechanism):
    proxy.hide = {f"AUTH={other}" for other in ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN")
                  if other != mechanism}
    mounted = mount(proxy, user="odd", password=ODD_PASSWORD)
    assert not compare(mounted.path, small_corpus, content=False)
    assert {command.arguments.split()[0] for command in proxy.log("^AUTHENTICATE")} == {mechanism}


def test_the_strongest_mechanism_is_chosen(mount, proxy):
    mount(proxy, user="small")
    assert {command.arguments.split()[0] for command in proxy.log("^AUTHENTICATE")} == {"SCRAM-SHA-256"}


def test_first_listing_is_one_fetch_without_envelope(mount, proxy, small_corpus):
    mounted = mount(proxy, user="small")
    list(mounted.path.joinpath("Lists/many").iterdir())
    fetches = [command for command in proxy.log("^UID FETCH") if command.mailbox == "Lists/many"]
    assert len(fetches) == 1
    for item in ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODY.PEEK[HEADER.FIELDS"):
        assert item in fetches[0].arguments
    assert "ENVELOPE" not in fetches[0].arguments


def test_first_listing_by_number_asks_for_no_subject(mount, proxy, small_corpus):
    mounted = mount(proxy, user="small", options={"names": "uid"})
    list(mounted.path.joinpath("Lists/many").iterdir())
    for command in proxy.log("^UID FETCH"):
        assert "BODY" not in command.arguments
