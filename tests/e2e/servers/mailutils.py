# SPDX-License-Identifier: GPL-3.0-or-later
"""GNU Mailutils: imap4d and pop3d over mbox files, one for each folder, in the users' homes."""

from dovecot import free_port, run
from servers.server import Server


class MailutilsServer(Server):
    name = "Mailutils"
    package_root = "mailutils"

    def configure(self):
        self.pop3_port = free_port() if self.pop3 else None
        for name in ("etc", "mail"):
            (self.directory / name).mkdir()
        lines = [f"{self.user.pw_name}:x:{self.user.pw_uid}:{self.user.pw_gid}::/nonexistent:/bin/false"]
        for name, password in self.users.items():
            (self.directory / "home" / name).mkdir(parents=True)
            (self.directory / "mail" / name).touch()  # nothing can be appended to an inbox that is not there
            secret = run(["openssl", "passwd", "-6", "-stdin"], input=password.encode()).stdout.decode().strip()
            lines.append(f"{name}:{secret}:{self.user.pw_uid}:{self.user.pw_gid}::"
                         f"{self.directory}/home/{name}:/bin/sh")
        (self.directory / "etc" / "passwd").write_text("\n".join(lines) + "\n")
        secrets = self.directory / "secrets"
        secrets.write_text("".join(f"{name}\t{password}\n" for name, password in self.users.items()))
        secrets.chmod(0o600)
        # pop3d wants to be in the group "mail", which is its own group here.
        (self.directory / "etc" / "group").write_text(f"mail:x:{self.user.pw_gid}:\n")
        for program, port in (("imap4d", self.imap_port), ("pop3d", self.pop3_port)):
            (self.directory / f"{program}.conf").write_text(f"""
mode daemon;
foreground yes;
max-children 60;
pidfile {self.directory}/{program}.pid;
logging {{ syslog no; }};
mailbox {{ mail-spool {self.directory}/mail; }};
auth {{
  authorization clear;
  authorization system;
  authentication clear;
  authentication generic;
}};
gsasl {{ cram-passwd {self.directory}/secrets; }};
tcp-wrappers {{ enable no; }};
server {self.host}:{port} {{ timeout 1800; }};
""")
        (self.directory / "run").write_text(
            f"imap4d --config-file={self.directory}/imap4d.conf &\n"
            + (f"pop3d --config-file={self.directory}/pop3d.conf &\n" if self.pop3 else "") + "wait\n")

    def command(self):
        return ["sh", self.directory / "run"]
