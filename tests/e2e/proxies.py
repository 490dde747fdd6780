# SPDX-License-Identifier: GPL-3.0-or-later
"""Real proxies between the mount and the server: microsocks (SOCKS5) and tinyproxy (HTTP CONNECT), unprivileged, on
loopback. What they log proves that a connection went through them."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from dovecot import as_user, free_port, unprivileged_user, wait_for


class RealProxy:
    """Started by `with`; `url(scheme)` is what proxy= takes."""

    schemes = ()

    def __init__(self, user=None, password=None):
        self.user, self.password = user, password
        self.directory = Path(tempfile.mkdtemp(prefix="mailmount-proxy-"))
        self.directory.chmod(0o777)
        self.port = free_port()
        self.process = None

    def url(self, scheme=None, user=None, password=None):
        user, password = user or self.user, password or self.password
        return f"{scheme or self.schemes[0]}://{f'{user}:{password}@' if user else ''}127.0.0.1:{self.port}"

    @property
    def log_file(self):
        return self.directory / "log"

    def targets(self):
        """"host:port" of each connection that was made for a client, in order."""
        return re.findall(self.pattern, self.log_file.read_text(errors="replace"))

    def start(self):
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(as_user(unprivileged_user(), self.command()), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=self.directory, start_new_session=True)
        wait_for(self._listens, 20, "the proxy")
        return self

    def _listens(self):
        assert self.process.poll() is None, self.log_file.read_text(errors="replace")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
            return True
        return False

    def stop(self):
        """At once, with all its connections."""
        self.process.kill()
        self.process.wait(10)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class SocksProxy(RealProxy):
    schemes = ("socks5", "socks5h")
    pattern = r"connected to (\S+:\d+)"

    def command(self):
        credentials = ["-u", self.user, "-P", self.password] if self.user else []
        return ["microsocks", "-i", "127.0.0.1", "-p", str(self.port), *credentials]


class HttpProxy(RealProxy):
    schemes = ("http",)
    pattern = r"CONNECT (\S+:\d+) HTTP"

    def __init__(self, user=None, password=None, extra=""):
        super().__init__(user, password)
        self.extra = extra

    def command(self):
        configuration = self.directory / "tinyproxy.conf"
        configuration.write_text(f"""
Port {self.port}
Listen 127.0.0.1
Timeout 600
LogLevel Connect
LogFile "{self.log_file}"
MaxClients 100
{f'BasicAuth {self.user} {self.password}' if self.user else ''}
{self.extra}
""")
        os.chmod(self.log_file, 0o666)
        return ["tinyproxy", "-d", "-c", str(configuration)]
