# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the end-to-end tests, and the list of what passed (for the check of SEMANTICS.md)."""

import os
import signal
import stat
from pathlib import Path

import pytest

import mount as mounting
from corpus import Corpus, connect, server_state
from dovecot import DovecotServer, unprivileged_user
from fault_proxy import FaultProxy
from mount import Mount, Place
from proxy import Proxy
from servers.cyrus import CyrusServer

PASSWORD = "open sesame"
TEST_SECONDS = 180
ODD_PASSWORD = "pässwörd \"quoted\" \\ back"


def pytest_configure(config):
    config.addinivalue_line("markers", "core: belongs to the short run against a second build")
    config.addinivalue_line("markers", "seconds(n): may take so long")
    config.addinivalue_line("markers", "needs_program: drives the program")
    # A shell's background jobs ignore SIGINT, and so would every program that is started here.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Ordinary users mount through fusermount3, which opens /dev/fuse; some machines give it to root alone.
    if os.geteuid() == 0 and os.path.exists("/dev/fuse"):
        if stat.S_IMODE(os.stat("/dev/fuse").st_mode) != 0o666:
            os.chmod("/dev/fuse", 0o666)
            print("conftest: /dev/fuse is now mode 0666, so that ordinary users can mount")
    # fusermount3 reads it; a bare debootstrap or container has none.
    if os.geteuid() == 0 and not os.path.lexists("/etc/mtab"):
        os.symlink("/proc/self/mounts", "/etc/mtab")
        print("conftest: /etc/mtab is now a link to /proc/self/mounts, so that fusermount3 can unmount")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """No test takes for ever: after TEST_SECONDS, or its own mark's, it is interrupted where it stands, in its fixtures too."""
    def too_long(*_):
        signal.alarm(60)  # for the fixtures' ends
        raise TimeoutError(f"{item.nodeid} took too long")

    previous = signal.signal(signal.SIGALRM, too_long)
    own = item.get_closest_marker("seconds")
    signal.alarm(int((own.args[0] if own else TEST_SECONDS) * mounting.SLOW))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


@pytest.fixture(scope="session", autouse=True)
def program():
    if not mounting.BINARY.exists():
        pytest.exit(f"{mounting.BINARY} does not exist: build it, or set MAILMOUNT", returncode=3)
    return mounting.BINARY


@pytest.fixture(scope="session")
def corpus():
    return Corpus(seed=1).standard()


@pytest.fixture(scope="session")
def small_corpus():
    """Some 60 messages, for tests about other things than messages."""
    corpus = Corpus(seed=2)
    corpus.ordinary(("INBOX",), 20)
    corpus.ordinary(("Archive", "2019"), 5)
    corpus.ordinary(("Lists", "many"), 30)
    corpus.ordinary(("Sent",), 3)
    corpus.add(("INBOX",), b"Subject: medium\n\n" + b"0123456789abcde\n" * 32768, "medium", subject="medium")
    corpus.add(("INBOX",), b"Subject: large\n\n" + b"0123456789abcde\n" * 200_000, "large", subject="large")
    corpus.folder(("Empty",))
    return corpus


@pytest.fixture(scope="session")
def server(corpus, small_corpus):
    """The Dovecot of the session. `user` has the whole corpus, `small` and `odd` (a difficult password) the small
    one, and `nomail` nothing. Nobody changes it: a test that does starts a server of its own."""
    users = {"user": PASSWORD, "small": PASSWORD, "odd": ODD_PASSWORD, "nomail": PASSWORD}
    dovecot = DovecotServer(users=users)
    corpus.write(dovecot.mail_dir("user"))
    small_corpus.write(dovecot.mail_dir("small"))
    small_corpus.write(dovecot.mail_dir("odd"))
    dovecot.start()
    connection = connect(dovecot)
    problems = corpus.check(connection)
    connection.logout()
    assert not problems, problems
    yield dovecot
    dovecot.close()


@pytest.fixture
def own_server(small_corpus):
    """A small server of this test's own, to be stopped, restarted and changed."""
    dovecot = DovecotServer(users={"small": PASSWORD})
    small_corpus.write(dovecot.mail_dir("small"))
    with dovecot:
        yield dovecot


@pytest.fixture
def cyrus(request):
    """A Cyrus of this test's own, with an empty INBOX of "user". parametrize("cyrus", [{"settings": "…"}],
    indirect=True) gives it what CyrusServer takes."""
    with CyrusServer(**getattr(request, "param", {})) as running:
        yield running


@pytest.fixture
def proxy(server):
    with Proxy(server.imap_port) as running:
        yield running


@pytest.fixture
def fault_proxy(server):
    with FaultProxy(server.imap_port) as running:
        yield running


@pytest.fixture
def own_proxy(own_server):
    with Proxy(own_server.imap_port) as running:
        yield running


@pytest.fixture
def place():
    directory = Place()
    yield directory
    directory.remove()


@pytest.fixture
def user_place():
    """A place of an ordinary user's."""
    directory = Place(unprivileged_user())
    yield directory
    directory.remove()


@pytest.fixture
def mount(request, place):
    """mount(target, user="user", folder="", place=…, **options) mounts through a server or a proxy in clear text,
    and may be called again after unmount(): same mount point, same cache. start=False gives the Mount unstarted."""
    mounts = []
    for below in ("own_server", "cyrus", "linked", "running", "own_proxy", "proxy", "fault_proxy"):  # set up first, and so ended last
        if below in request.fixturenames:
            request.getfixturevalue(below)

    def start(target, user="user", folder="", place=place, options=None, start=True, password=PASSWORD,
              scheme="imap", host="127.0.0.1", **kwargs):
        port = target.port if isinstance(target, Proxy) else target.imap_port
        every = {"tls": "none", "timeout": int(20 * mounting.SLOW), **(options or {})}
        source = f"{scheme}://{user}@{host}:{port}{folder}"
        made = Mount(source, place, every, password, **kwargs)
        mounts.append(made)
        return made.start() if start else made

    yield start
    errors = []
    for made in reversed(mounts):
        try:
            made.close()
        except AssertionError as error:
            errors.append(str(error))
        report = getattr(request.node, "report_call", None)
        if report is not None and report.failed:
            print(f"--- {' '.join(made.command)}\n{made.output()[-6000:]}")
    assert not errors, "\n".join(errors)


@pytest.fixture
def unchanged_flags(server, corpus):
    """Flags and UIDs of the whole account are the same after the test as before."""
    connection = connect(server)
    before = server_state(connection, corpus)
    yield before
    after = server_state(connection, corpus)
    connection.logout()
    assert after == before


@pytest.fixture(scope="session")
def copied(tmp_path_factory):
    """A directory for copies, removed at the end of the session."""
    return tmp_path_factory.mktemp("copies")


@pytest.fixture
def tell_count(record_property):
    """tell_count("kills", 10) adds to the counts that scripts/test prints at its end; with highest=True the highest
    of all is printed."""
    def tell(what, number, highest=False):
        record_property(f"{'highest' if highest else 'count'} {what}", int(number))
        print(f"{what}: {number}")
    return tell


# The tests that ran, one per line: "test_backup.py::test_name", "not passed: test_backup.py::test_name".

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.report_call = report
    if not hasattr(item, "outcomes"):
        item.outcomes = {}
    item.outcomes[report.when] = report.passed


def pytest_sessionfinish(session):
    target = os.environ.get("MAILMOUNT_PASSED_TESTS")
    if not target:
        return
    with Path(target).open("a", encoding="utf-8") as file:
        for item in session.items:
            outcomes = getattr(item, "outcomes", {})
            good = outcomes and all(outcomes.values()) and "call" in outcomes
            file.write(f"{'' if good else 'not passed: '}{item.path.name}::{item.name}\n")
