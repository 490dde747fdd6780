# SPDX-License-Identifier: GPL-3.0-or-later
"""A throwaway Dovecot on loopback: its own directory, ports, users and certificates.

Nothing of it needs root. Started by root it gives its privileges up first (user `nobody`), so that the
whole server, its master process included, runs unprivileged either way. `stop()` leaves no process.
"""

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import dovecot_settings

PASSWORD = "open sesame"


def free_port():
    """Below those that the kernel gives to connections: one of these could take it before the server does."""
    while True:
        port = 10000 + secrets.randbelow(22000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def wait_for(condition, seconds, what):
    """Polls until condition() is true and returns its value; fails by name when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def unprivileged_user():
    """The user that servers (and, where a test asks for it, mounts) run as."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def as_user(user, command):
    """The command, with root's privileges given up for the user's where there are any."""
    if os.geteuid() != 0 or user.pw_uid == 0:
        return list(command)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]


def run(command, **kwargs):
    kwargs.setdefault("timeout", 60)
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, **kwargs)


def openssl_version():
    return tuple(int(part) for part in re.search(rb"OpenSSL (\d+)\.(\d+)", run(["openssl", "version"]).stdout).groups())


class Certificates:
    """A CA of its own and what it signed: `server` (good), `expired`, `wronghost`; and a CA that signed nothing."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(exist_ok=True)
        self.ca = self._authority("ca")
        self.other_ca = self._authority("other-ca")
        self.server = self._signed("server", "DNS:localhost,IP:127.0.0.1,IP:::1", days=30)
        self.wronghost = self._signed("wronghost", "DNS:mail.example.org", days=30)
        self.expired = self._signed("expired", "DNS:localhost,IP:127.0.0.1", days=-1)

    def _authority(self, name):
        key, cert = self.directory / f"{name}.key", self.directory / f"{name}.pem"
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", key, "-out", cert, "-days", 30, "-subj", f"/CN=mailmount test {name}",
             "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"])
        return cert

    def client(self, name):
        """A certificate for the user `name`, as a client shows it; its key is beside it, .key."""
        return self._signed(f"client-{name}", None, days=30, common_name=name)

    def future(self):
        """Not valid before 2040: `openssl x509` of Debian 12 cannot make one, `openssl ca` can."""
        good, cert = self.server, self.directory / "future.pem"
        configuration = self.directory / "ca.cnf"
        configuration.write_text(
            f"[ca]\ndefault_ca=a\n[a]\ndatabase={self.directory}/index.txt\nnew_certs_dir={self.directory}\n"
            f"default_md=sha256\npolicy=p\nrand_serial=yes\nunique_subject=no\n[p]\ncommonName=supplied\n")
        (self.directory / "index.txt").touch()
        run(["openssl", "ca", "-batch", "-notext", "-config", configuration, "-cert", self.ca,
             "-keyfile", self.ca.with_suffix(".key"), "-in", good.with_suffix(".csr"), "-out", cert,
             "-startdate", "20400101000000Z", "-enddate", "20410101000000Z", "-extfile", good.with_suffix(".ext")])
        shutil.copy(good.with_suffix(".key"), cert.with_suffix(".key"))
        return cert

    def self_signed(self, name="self-signed"):
        """Signed by itself, for another host than ours: worth nothing without its fingerprint."""
        key, cert = self.directory / f"{name}.key", self.directory / f"{name}.pem"
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", key, "-out", cert, "-days", 30, "-subj", f"/CN=mailmount test {name}"])
        return cert

    def _signed(self, name, alternative_names, days, common_name=None):
        key, cert = self.directory / f"{name}.key", self.directory / f"{name}.pem"
        dates = ["-days", days]
        if days < 0 and openssl_version() >= (3, 4):  # which takes no negative number, but dates
            dates = ["-not_before", "20200101000000Z", "-not_after", "20200201000000Z"]
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternative_names}\nextendedKeyUsage=serverAuth\n"
                              if alternative_names else "extendedKeyUsage=clientAuth\n")
        run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", key, "-out", request, "-subj", f"/CN={common_name or f'mailmount test {name}'}"])
        run(["openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca.with_suffix(".key"),
             "-CAcreateserial", "-out", cert, *dates, "-extfile", extensions])
        return cert


class DovecotServer:
    """One server. `users` maps a name to its password; each user's mail lives in `mail_dir(user)`.

    layout     "fs" (directories as named) or "maildir++" (Dovecot's dotted directories)
    separator  what stands between folder names on the wire
    prefix     of the personal namespace, for example "INBOX."
    mechanisms offered for AUTHENTICATE
    escape_names  store what the layout cannot hold as \\xx (the listescape plugin)
    extra      lines put at the end of the configuration
    """

    def __init__(self, users=None, layout="fs", separator="/", prefix="", certificate="server", tls=True,
                 mechanisms="plain login cram-md5 scram-sha-1 scram-sha-256", escape_names=False, extra="",
                 directory=None):
        self.users = dict(users or {"user": PASSWORD})
        self.layout, self.separator, self.prefix = layout, separator, prefix
        self.mechanisms, self.escape_names, self.extra = mechanisms, escape_names, extra
        self.certificate, self.tls = certificate, tls
        self.own_directory = directory is None
        self.directory = Path(directory or tempfile.mkdtemp(prefix="mailmount-dovecot-"))
        self.directory.mkdir(exist_ok=True)
        self.directory.chmod(0o755)
        self.host = "127.0.0.1"
        self.imap_port, self.imaps_port = free_port(), free_port()
        self.user = unprivileged_user()
        self.settings = dovecot_settings.of_version(self.version())
        self.certificates = Certificates(self.directory) if tls else None
        self.process = None
        for name in self.users:
            self.mail_dir(name).mkdir(parents=True)
        self._write_configuration()
        self.give_away()

    @property
    def log(self):
        return self.directory / "dovecot.log"

    def mail_dir(self, user):
        return self.directory / "home" / user / "Maildir"

    def password(self, user="user"):
        return self.users[user]

    def give_away(self):
        """Makes everything in the server's directory the server's own (after files were put into the store)."""
        if os.geteuid() == 0:
            for root, directories, files in os.walk(self.directory):
                for name in directories + files:
                    os.lchown(os.path.join(root, name), self.user.pw_uid, self.user.pw_gid)
            os.chown(self.directory, self.user.pw_uid, self.user.pw_gid)

    def _write_configuration(self):
        settings, certificate = self.settings, self.tls and getattr(self.certificates, self.certificate)
        (self.directory / "dovecot.conf").write_text(
            settings.FIRST + "protocols = imap\n" + (settings.server_certificate(certificate) if self.tls else "")
            + settings.mail(self.layout, self.escape_names) + settings.users(self.directory / "passwd")
            + self._configuration_common())
        lines = [f"{name}:{{PLAIN}}{password}:{self.user.pw_uid}:{self.user.pw_gid}::{self.directory}/home/{name}::"
                 for name, password in self.users.items()]
        (self.directory / "passwd").write_text("\n".join(lines) + "\n")

    def _configuration_common(self):
        group = run(["id", "-gn", self.user.pw_name]).stdout.decode().strip()
        return f"""
base_dir = {self.directory}/run
state_dir = {self.directory}/state
log_path = {self.log}
listen = {self.host}
default_internal_user = {self.user.pw_name}
default_internal_group = {group}
default_login_user = {self.user.pw_name}
first_valid_uid = 1
ssl = {"yes" if self.tls else "no"}
login_trusted_networks =
login_greeting = ready
auth_mechanisms = {self.mechanisms}
auth_failure_delay = 0
mail_fsync = never
mail_max_userip_connections = 100
maildir_stat_dirs = no
namespace inbox {{
  inbox = yes
  separator = {self.separator}
  prefix = {self.prefix}
  mailbox Sent {{
    special_use = \\Sent
  }}
  mailbox Archive {{
    special_use = \\Archive
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {self.imap_port}
  }}
  inet_listener imaps {{
    port = {self.imaps_port if self.tls else 0}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  # Without it a refused login makes the next ones from this address wait.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
{self.extra}
"""

    def start(self):
        assert self.process is None
        for name in ("run", "state"):
            (self.directory / name).mkdir(exist_ok=True)
        self.give_away()
        command = as_user(self.user, ["dovecot", "-F", "-c", str(self.directory / "dovecot.conf")])
        with open(self.directory / "dovecot.err", "ab") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                                            cwd=self.directory, start_new_session=True)
        try:
            wait_for(self._greets, 20, "dovecot's greeting")
        except TimeoutError:
            self.stop()
            raise RuntimeError("dovecot did not start:\n" + self.errors()) from None
        return self

    def errors(self):
        texts = [path.read_text(errors="replace") for path in (self.directory / "dovecot.err", self.log)
                 if path.exists()]
        return "\n".join(texts)[-4000:]

    def _greets(self):
        if self.process.poll() is not None:
            raise TimeoutError
        try:
            with socket.create_connection((self.host, self.imap_port), timeout=5) as connection:
                return connection.recv(4).startswith(b"* OK")
        except OSError:
            return False

    def stop(self):
        """Ends the server with all its sessions."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        # Sessions outlive the master on purpose (shutdown_clients ends most of them): end the group's rest.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def restart(self):
        self.stop()
        return self.start()

    def renumber(self, user="user", reverse=False):
        """Gives every mailbox of a user another UIDVALIDITY, and its messages UIDs from 1 on: in the same order, or
        in the opposite one. Files that came or went in the store are taken into account. Not while it runs."""
        assert self.process is None
        for uidlist in self.mail_dir(user).rglob("dovecot-uidlist"):
            header, *lines = uidlist.read_text().splitlines()
            uidvalidity = int(re.search(r"\bV(\d+)", header)[1]) + 1000
            guid = re.search(r"\bG\w+", header)[0]
            known = [line.partition(":")[2] for line in lines]
            there = {path.name.partition(":")[0] for path in (uidlist.parent / "cur").iterdir()}
            names = [name for name in known if name.partition(":")[0] in there]
            names += sorted(there - {name.partition(":")[0] for name in names})
            names = names[::-1] if reverse else names
            uidlist.write_text(f"3 V{uidvalidity} N{len(names) + 1} {guid}\n"
                               + "".join(f"{number} :{name}\n" for number, name in enumerate(names, 1)))
            for index in uidlist.parent.glob("dovecot.index*"):
                index.unlink()
        self.give_away()

    def close(self):
        self.stop()
        if self.own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def version(self):
        return re.match(r"[\d.]+", run(["dovecot", "--version"]).stdout.decode()).group()
