# SPDX-License-Identifier: GPL-3.0-or-later
"""A throwaway Kerberos realm on loopback: an MIT KDC with a database of its own, keytabs and tickets."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from dovecot import as_user, free_port, unprivileged_user, wait_for

REALM = "MAIL.TEST"


def program(name):
    """Those of Debian's server packages are in sbin."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


class KerberosRealm:
    """services   principals that servers are, for example "imap/127.0.0.1"; `keytab` has the keys of all
    users         principals that have tickets: ticket(user) is a cache with one
    """

    def __init__(self, services, users):
        self.directory = Path(tempfile.mkdtemp(prefix="mailmount-kerberos-"))
        self.directory.chmod(0o755)
        self.port = free_port()
        self.user = unprivileged_user()
        self.configuration = self.directory / "krb5.conf"
        self.keytab, self.user_keytab = self.directory / "services.keytab", self.directory / "users.keytab"
        self.environment = {"KRB5_CONFIG": str(self.configuration),
                            "KRB5_KDC_PROFILE": str(self.directory / "kdc.conf")}
        self.process = None
        self._write_configuration()
        self._give_away()
        self._run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        for principals, keytab in ((services, self.keytab), (users, self.user_keytab)):
            for principal in principals:
                self._run("kadmin.local", "-r", REALM, "-q", f"addprinc -randkey {principal}")
                self._run("kadmin.local", "-r", REALM, "-q", f"ktadd -k {keytab} {principal}")

    def _write_configuration(self):
        # Names are taken as they are written, without asking any DNS.
        self.configuration.write_text(f"""[libdefaults]
default_realm = {REALM}
dns_lookup_realm = false
dns_lookup_kdc = false
dns_canonicalize_hostname = false
rdns = false
[realms]
{REALM} = {{
  kdc = 127.0.0.1:{self.port}
}}
""")
        (self.directory / "kdc.conf").write_text(f"""[kdcdefaults]
kdc_listen = 127.0.0.1:{self.port}
kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
{REALM} = {{
  database_name = {self.directory}/principal
  key_stash_file = {self.directory}/stash
  acl_file = {self.directory}/acl
}}
[logging]
kdc = FILE:{self.directory}/kdc.log
""")

    def _give_away(self):
        if os.geteuid() == 0:
            for path in [self.directory, *self.directory.iterdir()]:
                os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def _command(self, name, *arguments):
        return as_user(self.user, [program(name), *map(str, arguments)])

    def _run(self, name, *arguments):
        done = subprocess.run(self._command(name, *arguments), env={**os.environ, **self.environment},
                              capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, f"{name} {arguments}: {done.stdout + done.stderr}"

    def ticket(self, user):
        """The name of a cache that holds a ticket of the user's, for KRB5CCNAME."""
        cache = self.directory / f"ticket-{user}"
        self._run("kinit", "-c", cache, "-k", "-t", self.user_keytab, user)
        cache.chmod(0o644)
        return str(cache)

    def _answers(self):
        assert self.process.poll() is None, (self.directory / "kdc.err").read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
            return True
        return False

    def __enter__(self):
        with open(self.directory / "kdc.err", "ab") as errors:
            self.process = subprocess.Popen(self._command("krb5kdc", "-n", "-r", REALM), stdin=subprocess.DEVNULL,
                                            stdout=errors, stderr=errors, start_new_session=True,
                                            env={**os.environ, **self.environment})
        wait_for(self._answers, 20, "the KDC")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        shutil.rmtree(self.directory, ignore_errors=True)
