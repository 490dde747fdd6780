# SPDX-License-Identifier: GPL-3.0-or-later
"""Dovecot, as the other tests have it, with the interface of the matrix and POP3."""

import dovecot_settings
from dovecot import DovecotServer, free_port
from servers.server import Server


class MatrixDovecot(DovecotServer, Server):
    name = "Dovecot"

    def __init__(self, users=None, tls=False, pop3=True):
        self.pop3_port = free_port() if pop3 else None
        self.pop3s_port = free_port() if pop3 and tls else None
        super().__init__(users=users, tls=tls,
                         extra=dovecot_settings.pop3(self.pop3_port, self.pop3s_port) if pop3 else "")
