# SPDX-License-Identifier: GPL-3.0-or-later
"""OAuth2 access tokens (JWT, RFC 7519) that a Dovecot validates by itself, and a command that gives them out."""

import base64
import hashlib
import hmac
import json
import secrets
import time


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class TokenIssuer:
    """Its key is in `directory`, where Dovecot looks for it."""

    def __init__(self, directory):
        self.directory = directory
        self.key_file = directory / "keys" / "default" / "HS256" / "default"
        self.key_file.parent.mkdir(parents=True)
        self.replace_key()

    def replace_key(self):
        """From the next start of the server on, tokens given out before are worth nothing."""
        self.key = secrets.token_bytes(32)
        self.key_file.write_bytes(base64.b64encode(self.key))

    def token(self, user, seconds=3600):
        now = int(time.time())
        head = base64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        claims = base64url(json.dumps({"sub": user, "iat": now - 7200, "exp": now + seconds}).encode())
        signature = hmac.new(self.key, f"{head}.{claims}".encode(), hashlib.sha256).digest()
        return f"{head}.{claims}.{base64url(signature)}"


class TokenCommand:
    """A token_command that notes each run, and prints the first of `tokens` the first time, and so on; the last one
    again and again."""

    def __init__(self, directory, *tokens):
        self.runs, self.file = directory / "token-runs", directory / "tokens"
        self.script = directory / "token-command"
        self.give(*tokens)
        self.runs.write_text("")
        self.script.write_text(f"#!/bin/sh\necho >>{self.runs}\nn=$(wc -l <{self.runs})\n"
                               f"[ -n \"$(sed -n ${{n}}p {self.file})\" ] || n='$'\nsed -n \"${{n}}p\" {self.file}\n")
        self.script.chmod(0o755)

    def give(self, *tokens):
        """Whatever the number of the run."""
        self.file.write_text("".join(f"{token}\n" for token in tokens))

    def count(self):
        return len(self.runs.read_text().splitlines())

    def __str__(self):
        return str(self.script)
