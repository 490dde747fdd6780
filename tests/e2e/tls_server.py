# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that speaks TLS as told, and of IMAP only the greeting: for what goes wrong while TLS begins."""

import contextlib
import socket
import ssl
import threading


class TlsServer:
    """certificate  PEM; its key is beside it, .key
    version      the only one it speaks
    demands      the authority of the certificates that clients have to show
    octets       how much came from clients inside TLS, over all connections
    """

    def __init__(self, certificate, version=None, demands=None, ciphers=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if ciphers:
            self.context.set_ciphers(ciphers)
        self.context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        if version:
            self.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            self.context.maximum_version = version
        if demands:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(demands)
        self.octets = self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.imap_port = self.listener.getsockname()[1]

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(20)
        with contextlib.suppress(OSError), connection, self.context.wrap_socket(connection, server_side=True) as tls:
            tls.sendall(b"* OK [CAPABILITY IMAP4rev1] hello\r\n")
            while data := tls.recv(4096):
                self.octets += len(data)

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
