# SPDX-License-Identifier: GPL-3.0-or-later
"""Courier IMAP: Maildir++ below INBOX, no extensions to speak of."""

from dovecot import free_port, run
from servers.server import Server

LIBRARY = "/usr/lib/courier"


class CourierServer(Server):
    name = "Courier"
    package_root = "courier"
    separator, top = ".", ("INBOX",)

    def configure(self):
        self.pop3_port = free_port() if self.pop3 else None
        (self.directory / "etc" / "courier").mkdir(parents=True)
        public, secret = "", ""
        for name, password in self.users.items():
            home = self.directory / "home" / name
            home.mkdir(parents=True)
            hashed = run(["openssl", "passwd", "-6", "-stdin"], input=password.encode()).stdout.decode().strip()
            public += f"{name}\tuid={self.user.pw_uid}|gid={self.user.pw_gid}|home={home}|mail={home}/Maildir|_=\n"
            secret += f"{name}\tsystempw={hashed}\n"
        etc = self.directory / "etc" / "courier"
        (etc / "userdb").write_text(public)
        (etc / "userdbshadow").write_text(secret)
        (etc / "authdaemonrc").write_text('authmodulelist="authuserdb"\ndaemons=3\n')
        (self.directory / "run").write_text(f"""
set -a
umask 022
mkdir -p /run/courier/authdaemon
. /etc/courier/authdaemonrc
{LIBRARY}/courier-authlib/authdaemond &
. /etc/courier/imapd
. /etc/courier/imapd-ssl
IMAP_STARTTLS=NO
{self._listener(self.imap_port, "imaplogin", "/usr/bin/imapd")}
. /etc/courier/pop3d
{self._listener(self.pop3_port, "courierpop3login", f"{LIBRARY}/courier/courierpop3d") if self.pop3 else ""}
wait
""")

    def _listener(self, port, login, program):
        return (f"couriertcpd -address={self.host} -maxprocs=60 -maxperip=60 -nodnslookup -noidentlookup {port}"
                f" {LIBRARY}/courier/{login} {program} Maildir &")

    def prepare(self):
        etc = self.directory / "etc" / "courier"
        for name in ("userdb", "userdbshadow"):  # what makeuserdb does, which wants to write into /etc
            self.run([f"{LIBRARY}/makedat", f"-src={etc}/{name}", f"-file={etc}/{name}.dat", f"-tmp={etc}/tmp"])
        for name in self.users:
            self.run(["maildirmake.courier", self.directory / "home" / name / "Maildir"])

    def command(self):
        return ["sh", self.directory / "run"]
