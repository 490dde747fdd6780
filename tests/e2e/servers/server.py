# SPDX-License-Identifier: GPL-3.0-or-later
"""What every server of the matrix is to the tests.

A server listens on loopback ports of its own, with a directory of its own, as an unprivileged user, in a process
group (those from Debian's packages: also in a process and mount namespace) of its own. Its users have the password
that they were given. What tests put into it, they put in and look at by its own IMAP, or where a subclass knows
better, in its store.
"""

import base64
import contextlib
import imaplib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from corpus import modified_utf7
from dovecot import PASSWORD, Certificates, as_user, free_port, unprivileged_user, wait_for
from mount import children_of
from servers.packages import debian_root

ENTER_ROOT = Path(__file__).with_name("enter-root")
START_SECONDS = 40
DATE = 1_500_000_000


class Server:
    """One server; a subclass says how it is started and what is different about it.

    imap_port, imaps_port, pop3_port, pop3s_port   where it listens; None where it does not
    separator           of folder names on the wire
    top                 where new folders go: () or ("INBOX",)
    keeps_octets        it gives back what was appended to it, octet for octet (bare LF become CRLF)
    keeps_nul           NUL octets in a message, too
    forgets             its messages live in its memory: a restart loses them
    """
    name = None
    package_root = None  # a name in packages.ROOTS
    separator, top = "/", ()
    keeps_octets, keeps_nul, forgets = True, False, False
    imap_port = imaps_port = pop3_port = pop3s_port = None
    host = "127.0.0.1"

    def __init__(self, users=None, tls=False, pop3=True):
        self.users = dict(users or {"user": PASSWORD})
        self.tls, self.pop3 = tls, pop3
        self.directory = Path(tempfile.mkdtemp(prefix=f"mailmount-{type(self).__name__.lower()}-"))
        self.directory.chmod(0o755)
        self.user = unprivileged_user()
        self.certificates = Certificates(self.directory) if tls else None
        self.log = self.directory / "server.log"
        self.process = None
        self.imap_port = free_port()
        self.configure()

    # What a subclass has.

    def configure(self):
        """Chooses the other ports and writes the configuration."""

    def command(self):
        """The words that start the server in the foreground."""
        raise NotImplementedError

    def prepare(self):
        """What is to be done before the first start, with the server's own programs."""

    # The process.

    def start(self):
        assert self.process is None
        self.give_away()
        if not (self.directory / "prepared").exists():
            self.prepare()
            (self.directory / "prepared").touch()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.inside(self.command()), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=self.directory, start_new_session=True)
        try:
            wait_for(self._greets, START_SECONDS, f"{self.name}'s greeting")
        except TimeoutError:
            self.stop()
            raise RuntimeError(f"{self.name} did not start:\n{self.errors()}") from None
        return self

    def inside(self, command):
        """The command as the server's user and, where the server has one, in its root."""
        command = [str(word) for word in command]
        if self.package_root is None:
            return as_user(self.user, command)
        own = ["--map-root-user"] if os.geteuid() != 0 else []
        # A namespace of processes: nothing of the server outlives the first of them.
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", *own, str(ENTER_ROOT),
                str(debian_root(self.package_root)), str(self.directory),
                str(self.user.pw_uid), str(self.user.pw_gid), *command]

    def run(self, command, **kwargs):
        """Runs one of the server's own programs to its end."""
        kwargs.setdefault("timeout", 60)
        done = subprocess.run(self.inside(command), capture_output=True, check=False, cwd=self.directory, **kwargs)
        assert done.returncode == 0, f"{command}: {done.stdout + done.stderr}"
        return done

    def give_away(self):
        """Makes everything in the server's directory the server's own."""
        if os.geteuid() == 0:
            for root, directories, files in os.walk(self.directory):
                for name in directories + files:
                    os.lchown(os.path.join(root, name), self.user.pw_uid, self.user.pw_gid)
            os.chown(self.directory, self.user.pw_uid, self.user.pw_gid)

    def errors(self):
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def _greets(self):
        if self.process.poll() is not None:
            raise TimeoutError
        return all(self._answers(port) for port in (self.imap_port, self.pop3_port) if port)

    def _answers(self, port):
        try:
            with socket.create_connection((self.host, port), timeout=5) as connection:
                return connection.recv(4).startswith((b"* OK", b"+OK"))
        except OSError:
            return False

    def stop(self):
        """Ends the server with all its sessions."""
        if self.process is None:
            return
        process, self.process = self.process, None
        # The first process of a namespace is waited for by unshare, and with it everything in the namespace.
        for pid in children_of(process.pid) if self.package_root else []:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # The mail in it.

    def password(self, user="user"):
        return self.users[user]

    def connect(self, user="user"):
        """A session of imaplib, signed in."""
        imaplib._MAXLINE = 20_000_000
        connection = imaplib.IMAP4(self.host, self.imap_port, timeout=60)
        connection.login(user, quoted(self.password(user)).strip('"'))
        return connection

    @contextlib.contextmanager
    def session(self, user="user", folder=None):
        """connect() for a while, with a folder selected if one is named."""
        connection = self.connect(user)
        try:
            if folder is not None:
                check(connection.select(self.quoted_name(folder)))
            yield connection
        finally:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                connection.logout()

    def wire_name(self, path):
        """A folder's name on the wire: path is a tuple of components."""
        return self.separator.join(modified_utf7(component) for component in path)

    def quoted_name(self, path):
        return quoted(self.wire_name(path))

    def create(self, path, user="user"):
        """Makes a folder. Those above it need not be there; then they can be none that hold messages, or come too."""
        with self.session(user) as connection:
            check(connection.create(self.quoted_name(path)))

    def deliver(self, path, messages, user="user", date=DATE):
        """Appends messages (octets), each a second later than the one before."""
        with self.session(user) as connection:
            for number, octets in enumerate(messages):
                when = imaplib.Time2Internaldate(time.gmtime(date + number))
                check(connection.append(self.quoted_name(path), "", when, octets))

    def expunge(self, path, uids, user="user"):
        with self.session(user, path) as connection:
            check(connection.uid("STORE", ",".join(map(str, uids)), "+FLAGS.SILENT", "(\\Deleted)"))
            check(connection.expunge())

    def folders(self, user="user"):
        """The paths of all folders that can hold messages."""
        with self.session(user) as connection:
            lines = check(connection.list('""', '"*"'))
        found = set()
        for line in lines:
            if not line:
                continue
            if isinstance(line, tuple):  # the name came as a literal
                line = line[0].rsplit(b"{", 1)[0] + line[1]
            attributes, name = re.match(rb'\(([^)]*)\) (?:"\\?."|NIL) (.*)$', line, re.S).groups()
            if not re.search(rb"(?i)\\(noselect|nonexistent)\b", attributes):
                found.add(self._path_of(name.decode()))
        return found

    def _path_of(self, name):
        if name.startswith('"'):
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
        name = re.sub("&([^-]*)-", lambda found: base64.b64decode(
            found[1].replace(",", "/") + "=" * (-len(found[1]) % 4)).decode("utf-16-be") if found[1] else "&", name)
        return tuple(name.split(self.separator))

    def held(self, path, user="user"):
        """{uid: octets}: what the server gives for BODY.PEEK[]."""
        with self.session(user) as connection:
            check(connection.select(self.quoted_name(path), readonly=True))
            found = {}
            for uid in (check(connection.uid("SEARCH", "ALL"))[0] or b"").split():
                for part in check(connection.uid("FETCH", uid.decode(), "(UID BODY.PEEK[])")):
                    if isinstance(part, tuple):
                        assert int(re.search(rb"UID (\d+)", part[0] + b" UID " + uid)[1]) == int(uid)
                        found[int(uid)] = part[1]
            return found

    def mail_url(self, scheme="imap", port=None, user="user"):
        port = port or {"imap": self.imap_port, "imaps": self.imaps_port, "pop3": self.pop3_port,
                        "pop3s": self.pop3s_port}[scheme]
        return f"{scheme}://{user.replace('@', '%40')}@{self.host}:{port}"


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def check(answer):
    status, data = answer
    assert status == "OK", f"the server said {status}: {data}"
    return data
