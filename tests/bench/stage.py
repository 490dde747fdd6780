# SPDX-License-Identifier: GPL-3.0-or-later
"""What the works are played on: the server with its accounts, the proxies, mounts, and how a command is measured."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from dovecot import PASSWORD, DovecotServer, wait_for  # noqa: E402
from mount import is_mounted, processes_with  # noqa: E402

import accounts as generated  # noqa: E402
from disk import Disk  # noqa: E402

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Line:
    """A way to the server: its round trip and whether it is encrypted."""
    round_trip_ms: int
    tls: bool

    def __str__(self):
        return f"{self.round_trip_ms} ms {'TLS' if self.tls else 'plain'}"


LOCAL = None  # the line of works that need no server


@dataclass
class Cost:
    """What a command took. `failed` says why it did not end well, or is empty."""
    seconds: float
    cpu_seconds: float
    rss_mib: float
    failed: str = ""


class Proxy:
    """A delay-proxy in front of a port of the server."""

    def __init__(self, programs, port, round_trip_ms=0, cap=0):
        command = [programs / "delay-proxy", f"--delay-us={round_trip_ms * 500}", f"--cap={cap}", f"127.0.0.1:{port}"]
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def counters(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.terminate()
        self.process.communicate()


class Stage:
    """Server, accounts, proxies; and a directory for everything that a work writes."""

    def __init__(self, directory, programs, program, sizes, limit_seconds):
        self.directory, self.programs, self.program = Path(directory), Path(programs), Path(program)
        self.limit_seconds = limit_seconds
        self.directory.mkdir(parents=True, exist_ok=True)
        self.disk = Disk(self.directory)
        self.work = self.disk.path / f"work-{os.getpid()}"
        self.work.mkdir()
        for path in (self.directory, self.disk.path, self.work):
            path.chmod(0o755)
        self.sizes, self.accounts = sizes, {}
        self.server = None
        self.proxies = {}
        self.props = {}

    # Set up, take down.

    def open(self, lines, accounts):
        # COMPRESS is not offered: mbsync would use it, and a server on this machine would take ten times as long.
        server = self.server = DovecotServer(
            users=dict.fromkeys(accounts, PASSWORD), directory=self.work / "server",
            mechanisms="plain", extra="protocol imap {\n  mail_plugins =\n}\n")
        for name in accounts:
            home, self.accounts[name] = generated.ensure(self.directory / "accounts", name, self.sizes)
            self._own(home)
            server.mail_dir(name).rmdir()
            server.mail_dir(name).symlink_to(home / "Maildir")
        server.start()
        for line in lines:
            self.port(line)
        secret = self.work / "secret"
        secret.write_text(PASSWORD + "\n")
        secret.chmod(0o600)
        return self

    def _own(self, home):
        user = self.server.user
        if os.geteuid() == 0 and os.stat(home / "Maildir" / "cur").st_uid != user.pw_uid:
            subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", home], check=True)

    def close(self):
        for path in (self.work.iterdir() if self.work.exists() else ()):
            if is_mounted(path):
                self.unmount(path)
        for proxy in self.proxies.values():
            proxy.close()
        self.proxies.clear()
        if self.server is not None:
            self.server.close()
        shutil.rmtree(self.work, ignore_errors=True)
        self.disk.close()

    def proxy(self, line):
        """The proxy of a line; one for plain 0 ms too, so that octets can be counted."""
        if line not in self.proxies:
            port = self.server.imaps_port if line.tls else self.server.imap_port
            self.proxies[line] = Proxy(self.programs, port, line.round_trip_ms)
        return self.proxies[line]

    def port(self, line, counted=False):
        """Where clients connect. Without a delay nothing stands between them and the server, unless it counts."""
        if line.round_trip_ms == 0 and not counted:
            return self.server.imaps_port if line.tls else self.server.imap_port
        return self.proxy(line).port

    # Files.

    def path(self, name):
        return self.work / name

    def drop(self, *names):
        """Removes what a work wrote, and waits until the disk is at rest: the next one shall not pay for it."""
        for name in names:
            subprocess.run(["rm", "-rf", str(self.work / name)], check=True)
        os.sync()

    def check(self, name, account):
        """Why a copy is not what the server has, or nothing."""
        import hashlib
        digests, octets = [], 0
        for root, _, files in os.walk(self.work / name):
            for file in files:
                data = Path(root, file).read_bytes()
                octets += len(data)
                digests.append(hashlib.sha256(data).digest())
        wanted = self.accounts[account]
        if generated.digest_of(digests) == wanted["digest"]:
            return ""
        return f"{len(digests)} files, {octets} octets; {wanted['messages']} and {wanted['octets']} are right"

    def prop(self, name):
        """The path of what several works need."""
        from works import PROPS
        if name not in self.props:
            self.props[name] = PROPS[name](self)
            os.sync()
        return self.props[name]

    @staticmethod
    def random(line):
        return random.Random(str(line))

    # Commands.

    def run(self, command, limit=None, log=None):
        """Runs it under `measure` and says what it cost. A line of text is for the shell."""
        if isinstance(command, str):
            command = ["bash", "-c", "set -o pipefail; " + command]
        report = self.work / "report"
        report.unlink(missing_ok=True)
        log = log or self.work / "log"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [str(self.programs / "measure"), str(report), str(int(limit or self.limit_seconds)),
                 *map(str, command)], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env=self.environment())
            try:
                process.wait()
            except BaseException:
                process.terminate()  # it ends what it started, too
                process.wait()
                raise
        seconds, user, system, rss, status, late = report.read_text().split()
        failed = "" if status == "0" else f"exit status {status}: " + log.read_text(errors="replace").strip()[-300:]
        if late == "1":
            failed = f"over {limit or self.limit_seconds} s"
        return Cost(float(seconds), float(user) + float(system), int(rss) / 1024, failed)

    def environment(self):
        kept = {name: os.environ[name] for name in ("PATH", "USER", "LOGNAME") if name in os.environ}
        return {**kept, "LC_ALL": "C.UTF-8", "HOME": str(self.work), "XDG_CACHE_HOME": str(self.work / ".cache")}

    # Clients of the server.

    def limit_command(self, line, account, *options):
        tls = ["--tls", f"--cafile={self.server.certificates.ca}"] if line.tls else []
        return [self.programs / "raw-limit", *tls, *options, f"127.0.0.1:{self.port(line)}", account, PASSWORD]

    def mount_command(self, line, account, cache="cache", mountpoint="mnt", counted=False):
        """A line for the shell that returns when the mount is there."""
        self.path(mountpoint).mkdir(exist_ok=True)
        options = [f"cache={self.path(cache)}", f"password_command=cat {self.path('secret')}", "timeout=60",
                   f"log={self.path('mailmount.log')}",
                   f"cafile={self.server.certificates.ca}" if line.tls else "tls=none"]
        scheme = "imaps" if line.tls else "imap"
        return (f"{self.program} -o '{','.join(options)}' "
                f"{scheme}://{account}@127.0.0.1:{self.port(line, counted)} {self.path(mountpoint)}")

    def daemon(self, mountpoint="mnt"):
        """CPU seconds and peak RSS so far of the program behind a mount."""
        cpu = rss = 0.0
        for pid in processes_with(self.path(mountpoint)):
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                cpu += (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
                status = Path(f"/proc/{pid}/status").read_text()
                rss = max(rss, int(status.split("VmHWM:")[1].split()[0]) / 1024)
        return cpu, rss

    def unmount(self, mountpoint="mnt"):
        """Unmounts and waits for the end of the program."""
        path = self.path(mountpoint)
        pids = processes_with(path)
        try:
            wait_for(lambda: not is_mounted(path) or subprocess.run(
                ["fusermount3", "-u", str(path)], capture_output=True, check=False).returncode == 0, 10, "unmounting")
        except TimeoutError:
            subprocess.run(["fusermount3", "-uz", str(path)], capture_output=True, check=False)
        try:
            wait_for(lambda: not any(_runs(pid) for pid in pids), 20, "the program's end")
        except TimeoutError:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            raise

    @contextlib.contextmanager
    def memory_fs(self, source, mountpoint="mnt-memory"):
        path = self.path(mountpoint)
        path.mkdir(exist_ok=True)
        process = subprocess.Popen([str(self.programs / "memory-fs"), str(self.path(source)), str(path)])
        try:
            wait_for(lambda: is_mounted(path) or process.poll() is not None, 60, "memory-fs")
            yield path
        finally:
            self.unmount(mountpoint)
            process.wait(10)


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
