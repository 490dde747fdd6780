# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the real program, and never leaves a mount or a process behind.

The program is $MAILMOUNT, or build/mailmount. $MAILMOUNT_WRAPPER is put before it (valgrind, for example).
"""

import contextlib
import functools
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from dovecot import as_user, unprivileged_user, wait_for

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("MAILMOUNT", ROOT / "build" / "mailmount")).absolute()
WRAPPER = shlex.split(os.environ.get("MAILMOUNT_WRAPPER", ""))
SLOW = float(os.environ.get("MAILMOUNT_SLOWNESS", "4" if WRAPPER else "1"))  # deadlines are multiplied by it
FULL = os.environ.get("MAILMOUNT_FULL") == "1"  # tests at random points try ten times as many

# No run may print one of these, whatever else it prints.
SUSPICIOUS = re.compile(
    r"ERROR: AddressSanitizer|ERROR: LeakSanitizer|ThreadSanitizer|Sanitizer:DEADLYSIGNAL|runtime error:"
    r"|CRITICAL \*\*|-CRITICAL|WARNING \*\*|assertion failed|Assertion |\bassertion '|Segmentation fault|stack smashing")


def mounts_on(path):
    """How many filesystems are mounted there, one over the other."""
    needle = str(path).replace("\\", "\\134").replace(" ", "\\040")
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        return sum(line.split()[4] == needle for line in mounts)


def is_mounted(path):
    return mounts_on(path) > 0


def mount_type(path):
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            if line.split()[4] == str(path):
                return line.split(" - ")[1].split()[0], line.split()[5]
    return None


def processes_with(argument):
    """The ids of the processes that have this word on their command line."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
                if str(argument).encode() in words:
                    found.append(int(entry))
    return found


def children_of(pid):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, IndexError):
                stat = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
                # What a sanitizer looks names up with is its own affair.
                if int(stat[1]) == pid and Path(f"/proc/{entry}/comm").read_text().strip() != "llvm-symbolizer":
                    found.append(int(entry))
    return found


class Failed(Exception):
    """The program ended instead of mounting: `status` and `output`."""

    def __init__(self, status, output):
        super().__init__(f"exit status {status}: {output}")
        self.status, self.output = status, output


class Place:
    """A directory of a test's own: mount point, cache, password file, logs; owned by the user who mounts."""

    def __init__(self, user=None):
        self.user = user
        self.directory = Path(tempfile.mkdtemp(prefix="mailmount-e2e-"))
        self.directory.chmod(0o755)
        self.mountpoint = self.directory / "mnt"
        self.cache = self.directory / "cache"
        self.home = self.directory / "home"
        self.logs = self.directory / "logs"
        for path in (self.mountpoint, self.home, self.logs):
            path.mkdir()
            self.own(path)
        self.own(self.directory)

    def own(self, path):
        if self.user is not None and os.geteuid() == 0:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class Mount:
    """One run of the program.

    source     the URL
    options    {"tls": "none", "subscribed": True}; True stands for an option without a value
    password   is given by password_command; None leaves that option out
    user       a pwd entry to run as; None for whoever runs the tests
    background leave out -f
    """

    def __init__(self, source, place, options=None, password=None, background=False, environment=None,
                 arguments=(), deadline=30, wrapper=None):
        self.place, self.background = place, background
        self.path = place.mountpoint
        self.deadline = deadline * SLOW
        options = dict(options or {})
        options.setdefault("cache", place.cache)
        if password is not None and "password_command" not in options:
            secret = place.directory / "secret"
            secret.write_text(password + "\n")
            secret.chmod(0o600)
            place.own(secret)
            options["password_command"] = f"cat {secret}"
        self.options = {name: value for name, value in options.items() if value is not None}
        command = [*(WRAPPER if wrapper is None else wrapper), str(BINARY)]
        if not background:
            command.append("-f")
        words = [name if value is True else f"{name}={value}".replace(",", "\\,")
                 for name, value in self.options.items()]
        if words:
            command += ["-o", ",".join(words)]
        command += [*arguments, source, str(self.path)]
        self.command = as_user(place.user, command) if place.user else command
        self.output_file = place.logs / f"output-{time.monotonic_ns()}"
        sanitizer = f"log_path={place.logs}/sanitizer:abort_on_error=0"
        self.environment = {
            **os.environ, "HOME": str(place.home), "XDG_CACHE_HOME": str(place.home / ".cache"),
            "ASAN_OPTIONS": f"{sanitizer}:detect_stack_use_after_return=1:strict_string_checks=1:detect_leaks=1",
            "UBSAN_OPTIONS": f"{sanitizer}:print_stacktrace=1", "LSAN_OPTIONS": f"suppressions={lsan_suppressions()}",
            "TSAN_OPTIONS": f"{sanitizer}:suppressions={tsan_suppressions()}:history_size=7",
            **({"G_SLICE": "always-malloc"} if watches_threads() else {}),
            "G_MESSAGES_DEBUG": "", **(environment or {})}
        for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_CONFIG_HOME", "CREDENTIALS_DIRECTORY"):
            if name not in (environment or {}):
                self.environment.pop(name, None)
        self.process = None
        self.pid = None
        self.mounts_before = 0
        self.forced = False
        self.refused = False  # it ended by itself: what is on the mount point is another's

    # Start.

    def start(self):
        """Mounts; returns when the mount is there. Raises Failed when the program ends instead."""
        self.launch()
        try:
            if self.background:
                self._await_parent()
            wait_for(self._there_or_ended, self.deadline, "the mount")
        except TimeoutError:
            self.kill()
            raise AssertionError(f"no mount within {self.deadline} s: {self.output()}") from None
        except Failed:
            self.refused = True
            raise
        self.pid = self._find_pid()
        return self

    def launch(self):
        """Starts the program without waiting for anything."""
        self.mounts_before = mounts_on(self.path)
        with open(self.output_file, "ab") as output:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            env=self.environment, start_new_session=True, cwd="/")
        return self

    def _await_parent(self):
        try:
            status = self.process.wait(self.deadline)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        if status != 0:
            raise Failed(status, self.output())

    def _there_or_ended(self):
        if mounts_on(self.path) > self.mounts_before:
            return True
        if not self.background and self.process.poll() is not None:
            raise Failed(self.process.returncode, self.output())
        return False

    def _find_pid(self):
        if not self.background:
            return self.process.pid
        found = wait_for(lambda: processes_with(self.path), 5, "the background process")
        assert len(found) == 1, f"processes of the mount: {found}"
        return found[0]

    # End.

    def alive(self):
        return self.pid is not None and Path(f"/proc/{self.pid}").exists() and not self._zombie()

    def _zombie(self):
        if self.process is not None and self.pid == self.process.pid:
            return self.process.poll() is not None
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            return True

    def fusermount(self, *arguments):
        command = ["fusermount3", *arguments, str(self.path)]
        if self.place.user:
            command = as_user(self.place.user, command)
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    def unmount(self):
        """fusermount3 -u, and the end of the process; the exit status where it can be known."""
        try:
            result = wait_for(self._try_unmount, 10 * SLOW, "fusermount3 -u")
            assert result
        except TimeoutError:
            self.forced = True
            self.kill()
            raise AssertionError(f"{self.path} cannot be unmounted: {self.fusermount('-u').stderr}") from None
        return self.wait_end()

    def _try_unmount(self):
        return not is_mounted(self.path) or self.fusermount("-u").returncode == 0

    def wait_end(self, seconds=20):
        try:
            wait_for(lambda: not self.alive(), seconds * SLOW, "the end of the process")
        except TimeoutError:
            self.forced = True
            where = self.stacks()
            self.kill()
            raise AssertionError(f"the process is still there: {where}\n{self.output()}") from None
        return self.process.returncode if not self.background else None

    def stacks(self):
        lines = []
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{self.pid}/task"):
                base = Path(f"/proc/{self.pid}/task/{thread}")
                lines.append(f"{(base / 'comm').read_text().strip()}: {(base / 'wchan').read_text()}")
        return "; ".join(lines)

    def signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        """By force, whatever state it is in."""
        if is_mounted(self.path):
            subprocess.run(["fusermount3", "-uz", str(self.path)], capture_output=True, timeout=30, check=False)
        for pid in {self.pid, self.process.pid if self.process and self.process.poll() is None else None,
                    *processes_with(self.path)} - {None}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        if is_mounted(self.path):
            subprocess.run(["umount", "-l", str(self.path)], capture_output=True, timeout=30, check=False)

    def close(self):
        """The end of a test: unmounts when still mounted, and fails on what a run must not leave or print."""
        problem = None
        if self.process is not None and not self.refused:
            try:
                if is_mounted(self.path) and self.alive():
                    self.unmount()
                elif self.alive():
                    problem = "the process outlived its mount"
            except AssertionError as error:
                problem = str(error)
            finally:
                self.kill()
        suspicious = self.suspicious()
        assert not suspicious, f"the run printed:\n{suspicious}"
        assert problem is None, problem

    # What it said.

    def output(self):
        """Everything printed or logged by this run."""
        files = [self.output_file]
        if "log" in self.options:
            files.append(Path(self.options["log"]))
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def suspicious(self):
        text = self.output()
        for file in self.place.logs.glob("sanitizer*"):
            text += file.read_text(errors="replace")
        found = SUSPICIOUS.search(text)
        return text[max(0, found.start() - 500):found.start() + 6000] if found else None

    # What is in it.

    def files(self):
        """Every message file, as a path relative to the mount."""
        return sorted(Path(root, name).relative_to(self.path)
                      for root, _, names in os.walk(self.path, onerror=_raise) for name in names)

    def local(self, folder):
        """The directory of a folder of the corpus."""
        return self.path.joinpath(*local_components(folder.path if hasattr(folder, "path") else folder))


def _raise(error):
    raise error


def local_components(path):
    """The folder's components as the contract writes them (names that are unmarked and not cut)."""
    return [encoded_component(component) for component in path]


def encoded_component(name):
    text = re.sub(r"%(?=[0-9A-Fa-f]{2})", "%25", name)
    text = "".join(f"%{ord(c):02X}" if ord(c) < 0x20 or c in "/\x7f" else c for c in text)
    if text in (".", ".."):
        text = "%2E" + text[1:]
    return text


def uid_of(name):
    return int(re.search(r"(?:^|_)(\d+)\.eml$", str(name))[1])


def lsan_suppressions():
    return Path(__file__).with_name("lsan.supp")


@functools.cache
def watches_threads():
    """Whether this is a build with ThreadSanitizer, which does not see how GLib's slices change hands."""
    return b"__tsan_init" in BINARY.read_bytes()


def tsan_suppressions():
    return ROOT / "tests" / "tsan" / "tsan.supp"


def ordinary_user():
    return unprivileged_user()


def sh(command, timeout=300, check=True, user=None, **kwargs):
    """A command with its output as text; `command` is a list, or a line for the shell."""
    if isinstance(command, str):
        command = ["sh", "-c", command]
    command = [str(word) for word in command]
    if user is not None:
        command = as_user(user, command)
    kwargs.setdefault("env", {**os.environ, "LC_ALL": "C.UTF-8"})
    result = subprocess.run(command, capture_output=True, timeout=timeout * SLOW, check=False, **kwargs)
    result.out = result.stdout.decode("utf-8", "surrogateescape")
    result.err = result.stderr.decode("utf-8", "surrogateescape")
    assert not check or result.returncode == 0, f"{command}: {result.returncode}\n{result.err[-3000:]}"
    return result
