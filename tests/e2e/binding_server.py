# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that speaks TLS 1.3 and takes one login, by SCRAM-SHA-256-PLUS bound by tls-exporter (RFC 5802, RFC 9266).

No server to be had for Debian 12 knows that binding. TLS is OpenSSL's s_server, which tells what it exports; the rest
is here.
"""

import base64
import hashlib
import hmac
import os
import re
import subprocess
import threading
from pathlib import Path

from dovecot import free_port, wait_for

ITERATIONS = 4096


def encoded(octets):
    return base64.b64encode(octets).decode()


class BindingServer:
    """`steps` tells how far the client came: "offered", "bound", "proved"."""

    def __init__(self, certificates, password):
        self.password, self.steps = password, []
        self.imap_port = free_port()
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{self.imap_port}", "-cert", str(certificates.server),
             "-key", str(certificates.server.with_suffix(".key")), "-tls1_3", "-naccept", "1",
             "-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _expect(self, pattern):
        for line in self.process.stdout:
            if found := re.search(pattern, line.decode(errors="replace")):
                return found[1]
        raise EOFError(pattern)

    def _say(self, line):
        self.process.stdin.write(f"{line}\r\n".encode())
        self.process.stdin.flush()

    def _answer(self, octets):
        self._say(f"+ {encoded(octets)}")

    def _serve(self):
        try:
            self._converse()
        except (EOFError, OSError):
            pass

    def _converse(self):
        exported = bytes.fromhex(self._expect(r"Keying material: ([0-9A-F]{64})"))
        self._say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256] ready")
        tag_and_first = self._expect(r"(\S+ AUTHENTICATE SCRAM-SHA-256-PLUS \S+)").split()
        tag, first = tag_and_first[0], base64.b64decode(tag_and_first[-1]).decode()
        header, bare = re.match(r"(p=tls-exporter,[^,]*,)(.*)", first).groups()
        self.steps.append("offered")
        salt, nonce = os.urandom(12), re.search("r=(.*)", bare)[1] + encoded(os.urandom(9))
        challenge = f"r={nonce},s={encoded(salt)},i={ITERATIONS}"
        self._answer(challenge.encode())
        final = base64.b64decode(self._expect(r"^([A-Za-z0-9+/=]{60,})\s*$")).decode()
        without_proof, proof = re.match(r"(c=.*),p=(.*)", final).groups()
        if without_proof != f"c={encoded(header.encode() + exported)},r={nonce}":
            self._say(f"{tag} NO bound to another line")
            return
        self.steps.append("bound")
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), salt, ITERATIONS)
        message = f"{bare},{challenge},{without_proof}".encode()

        def mac(key, text):
            return hmac.new(key, text, hashlib.sha256).digest()

        client_key = mac(salted, b"Client Key")
        signature = mac(hashlib.sha256(client_key).digest(), message)
        if base64.b64decode(proof) == bytes(a ^ b for a, b in zip(client_key, signature)):
            self.steps.append("proved")
        self._answer(b"v=" + encoded(mac(mac(salted, b"Server Key"), message)).encode())
        self._expect(r"^(\s*)$")
        self._say(f"{tag} NO [AUTHORIZATIONFAILED] there is no mail here")

    def __enter__(self):
        self.thread.start()
        wait_for(lambda: self._listens(), 20, "s_server")
        return self

    def _listens(self):
        assert self.process.poll() is None
        # To try a connection would be the one that it takes. 0A is LISTEN.
        table = Path("/proc/net/tcp").read_text(encoding="ascii")
        return bool(re.search(rf":{self.imap_port:04X} \S+ 0A ", table))

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(10)
        self.thread.join(10)
