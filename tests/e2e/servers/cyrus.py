# SPDX-License-Identifier: GPL-3.0-or-later
"""Cyrus IMAP: its own store, CONDSTORE and QRESYNC, and OBJECTID (MAILBOXID, EMAILID, THREADID)."""

from dovecot import free_port
from servers.server import Server

PROGRAMS = "/usr/lib/cyrus/bin"


class CyrusServer(Server):
    """settings   lines put at the end of imapd.conf; one that names a setting again keeps Cyrus from starting
    mechanisms    offered for AUTHENTICATE
    environment   {name: value} for the master and all that it starts
    """
    name = "Cyrus"
    package_root = "cyrus"

    def __init__(self, users=None, tls=False, pop3=True, settings="",
                 mechanisms="PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256", environment=None):
        self.settings, self.mechanisms, self.environment = settings, mechanisms, dict(environment or {})
        super().__init__(users, tls, pop3)

    def configure(self):
        self.imaps_port = free_port() if self.tls else None
        self.pop3_port = free_port() if self.pop3 else None
        self.pop3s_port = free_port() if self.pop3 and self.tls else None
        for name in ("lib", "spool"):
            (self.directory / name).mkdir()
        self._write_imapd_conf()
        self._write_cyrus_conf()

    def _write_imapd_conf(self):
        certificate = self.certificates.server if self.tls else None
        tls = f"tls_server_cert: {certificate}\ntls_server_key: {certificate.with_suffix('.key')}" if self.tls else ""
        (self.directory / "imapd.conf").write_text(f"""
configdirectory: {self.directory}/lib
defaultpartition: default
partition-default: {self.directory}/spool
cyrus_user: {self.user.pw_name}
servername: localhost
admins: cyrus
altnamespace: yes
unixhierarchysep: yes
autocreate_quota: 0
conversations: yes
allowplaintext: yes
munge8bit: no
imapidlepoll: 1
failedloginpause: 0
popminpoll: 0
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {self.directory}/sasldb2
sasl_mech_list: {self.mechanisms}
{tls}
{self.settings}
""")

    def _write_cyrus_conf(self):
        # A process serves one session: those that served others now and then log nobody in any more ("no mechanism
        # available").
        services = {"imap": ("imapd -U 1", self.imap_port), "imaps": ("imapd -s -U 1", self.imaps_port),
                    "pop3": ("pop3d -U 1", self.pop3_port), "pop3s": ("pop3d -s -U 1", self.pop3s_port)}
        lines = [f'  {name} cmd="{PROGRAMS}/{command} -C {self.directory}/imapd.conf"'
                 f' listen="{self.host}:{port}" proto="tcp4" prefork=1 maxforkrate=0'
                 for name, (command, port) in services.items() if port]
        (self.directory / "cyrus.conf").write_text(
            "START {\n" f'  recover cmd="{PROGRAMS}/ctl_cyrusdb -C {self.directory}/imapd.conf -r"\n' "}\n"
            "SERVICES {\n" + "\n".join(lines) + "\n}\nEVENTS {\n}\n")

    def prepare(self):
        for user, password in self.users.items():
            self.run(["saslpasswd2", "-p", "-c", "-f", self.directory / "sasldb2", "-u", "localhost", user],
                     input=password.encode())

    def command(self):
        words = [f"{name}={value}" for name, value in self.environment.items()]
        return ["env", *words, f"{PROGRAMS}/master", "-C", self.directory / "imapd.conf",
                "-M", self.directory / "cyrus.conf", "-p", self.directory / "master.pid"]
