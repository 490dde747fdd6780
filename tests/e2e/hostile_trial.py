# SPDX-License-Identifier: GPL-3.0-or-later
"""A mount behind a hostile server, the tools that read it, and what must hold whatever the server does."""

import contextlib
import os
import re
import subprocess
import time
from pathlib import Path

from dovecot import wait_for
from hostile import MISBEHAVIOURS, HostileServer
from hostile.registry import ACCOUNT, MESSAGE
from hostile.server import VICTIMS
from mount import SLOW, Failed, Mount, Place

TIMEOUT = 4  # the mount's; SLOW stretches only what is beyond it
CALL_SECONDS = TIMEOUT + 5
READ_SECONDS = 10
TOOL_SECONDS = 240
WAITS_FOR_OTHERS = re.compile(r"^(select|pselect6|poll|ppoll|epoll_wait|epoll_pwait)\(|^[a-z0-9]+\(\d+<(pipe|socket|UNIX)")
TOOLS = ("ls", "cat", "rsync")


def message_files(top):
    for root, directories, names in os.walk(top):
        is_deep = root.count("/") > 100  # on the way to where no path reaches
        directories[:] = [] if is_deep else [name for name in directories if not name.startswith(".")]
        yield from (Path(root, name) for name in names if name.endswith(".eml"))


class Trial:
    def __init__(self, server, options=None):
        self.server, self.place, self.mount = server, Place(), None
        self.options = {"tls": "none", "timeout": TIMEOUT, "refresh": 1, **(options or {})}
        self.problems = []
        self.n_tools = 0

    def blame(self, *words):
        self.problems.append(" ".join(map(str, words)))

    # The mount.

    def start(self):
        """FALSE when the mount says that it cannot be."""
        assert self.mount is None
        source = f"imap://user@localhost:{self.server.imap_port}"
        mounted = Mount(source, self.place, self.options, "secret", deadline=2 * TIMEOUT + 20)
        began = time.monotonic()
        try:
            self.mount = mounted.start()
        except Failed as failure:
            if failure.status <= 0 or not failure.output.strip():
                self.blame("the start ended with", failure.status, failure.output)
            mounted.close()
            return False
        finally:
            self.check_seconds("the start", time.monotonic() - began - TIMEOUT)
        return True

    def stop(self):
        mounted, self.mount = self.mount, None
        if mounted is None:
            return
        try:
            mounted.close()
        except AssertionError as error:
            self.blame(error)

    def close(self):
        self.stop()
        # Deeper than Python goes.
        subprocess.run(["rm", "-rf", self.place.directory], timeout=60, check=False)

    def check_seconds(self, what, seconds):
        if seconds > CALL_SECONDS + 2 * (SLOW - 1):
            self.blame(f"{what} took {seconds:.1f} s")

    @contextlib.contextmanager
    def timed(self, what):
        began = time.monotonic()
        try:
            yield
        finally:
            self.check_seconds(what, time.monotonic() - began)

    def check_alive(self):
        with self.timed("statvfs"):
            os.statvfs(self.mount.path)
        if not self.mount.alive():
            self.blame("the mount is dead")
            return
        with self.timed("the status"):
            (self.mount.path / ".mailmount" / "status").read_text()

    def peak_octets(self):
        status = Path(f"/proc/{self.mount.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    # What is read, and by whom.

    def _trace(self, command):
        """Runs a tool and looks at how long each of its calls took."""
        self.n_tools += 1
        logs = self.place.directory / f"trace-{self.n_tools}"
        logs.mkdir()
        strace = ["strace", "-ff", "-q", "-T", "-y", "-e", "trace=%file,%desc", "-e", "signal=none", "-o", logs / "log"]
        if not all(armed.misbehaviour.traceable for armed in self.all_armed):
            strace = []
        with open(logs.with_suffix(".out"), "wb") as out:
            try:
                subprocess.run([*strace, *command], stdout=out, stderr=subprocess.DEVNULL, cwd="/",
                               stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C.UTF-8"},
                               timeout=TOOL_SECONDS * SLOW, check=False)
            except subprocess.TimeoutExpired:
                self.blame(command[0], "does not end")
        for log in logs.iterdir():
            for line in log.read_text(errors="replace").splitlines():
                took = re.search(r"<(\d+\.\d+)>$", line)
                if took and not WAITS_FOR_OTHERS.search(line):
                    self.check_seconds(line[:160], float(took[1]))
        return logs.with_suffix(".out")

    def files(self, top=""):
        """Every message there is, as far as directories can be listed."""
        return list(message_files(self.mount.path / top))

    def ls(self, top):
        self._trace(["ls", "-lR", self.mount.path / top])
        return {}

    def cat(self, top):
        """{path below the mount: its octets}, where cat said that all is well."""
        files = self.files(top)
        copies = self.place.directory / f"copies-{self.n_tools}"
        copies.mkdir()
        loop = 'n=0; for f; do cat -- "$f" > "$0/$n"; echo $?; n=$((n+1)); done'
        out = self._trace(["sh", "-c", loop, copies, *files])
        results = out.read_text().split()
        if len(results) != len(files):
            self.blame("cat of", len(files), "files ended", len(results), "times")
        return {path.relative_to(self.mount.path): (copies / str(n)).read_bytes()
                for n, (path, result) in enumerate(zip(files, results)) if result == "0"}

    def rsync(self, top):
        """The same for rsync, which leaves no file where it could not read one."""
        target = self.place.directory / f"rsync-{self.n_tools}"
        target.mkdir()
        self._trace(["rsync", "-a", f"{self.mount.path}/./{top}", f"{target}/"])
        return {path.relative_to(target): path.read_bytes() for path in message_files(target)}

    def run_tool(self, tool, top=""):
        got = getattr(self, tool)(top)
        self.check_octets(tool, got)
        return got

    # What is right.

    def armed_at(self, mailbox):
        return [armed.misbehaviour for armed in self.all_armed if armed.mailbox == mailbox]

    def expected(self, path):
        """The message that must be in this file; None: there may be anything."""
        uid = int(re.search(r"(\d+)\.eml$", path.name)[1])
        mailbox = self.server.mailboxes.get(path.parent.as_posix())
        found = [m for m in mailbox.messages if m.uid == uid] if mailbox else []
        return found[0].body if found else None

    def check_octets(self, who, got):
        """What was read with success is right."""
        for path, octets in got.items():
            misbehaviours = self.armed_at(path.parent.as_posix())
            mailbox = self.server.mailboxes.get(path.parent.as_posix())
            if octets == self.expected(path):
                continue
            if any(m.renames for m in misbehaviours) and octets in [m.body for m in mailbox.messages]:
                continue
            if any(m.undetectable for m in misbehaviours) and len(octets) == len(self.expected(path)):
                continue
            self.blame(f"{who}: wrong octets passed for right: {path} {octets[:60]!r}… ({len(octets)})")

    def good_messages(self, mailbox):
        """The UIDs of those in it that nothing may harm."""
        misbehaviours = self.armed_at(mailbox)
        uids = {m.uid for m in self.server.mailboxes[mailbox].messages}
        for misbehaviour in misbehaviours:
            uids -= {VICTIMS[misbehaviour.victim]} if misbehaviour.hits == MESSAGE else uids
        return uids

    def check_neighbours(self, tool, got):
        if any(armed.misbehaviour.hits == ACCOUNT and armed.times_left != 0 for armed in self.all_armed):
            return
        have = {(path.parent.as_posix(), int(re.search(r"(\d+)\.eml$", path.name)[1])) for path in got}
        for mailbox in self.server.mailboxes:
            missing = {uid for uid in self.good_messages(mailbox) if (mailbox, uid) not in have}
            if missing:
                self.blame(f"{tool}: of '{mailbox}' the messages {sorted(missing)}, which nothing harms, were not read")

    # The course of a trial.

    def arm(self, *armed):
        self.all_armed = list(armed)

    def find(self, mailbox, uid):
        """The file of this UID, which its name need not have."""
        directory = self.mount.path / mailbox
        names = [name for name in os.listdir(directory) if name.endswith(".eml")]
        for name in sorted(names, key=lambda name: not name.endswith(f"_{uid}.eml")):
            if int(os.getxattr(directory / name, "user.mailmount.uid")) == uid:
                return directory / name
        return None

    def read_in_time(self, mailbox, uid, deadline):
        """(whether the first attempt gave the message, whether one did in time)"""
        body = next(m.body for m in self.server.mailboxes[mailbox].messages if m.uid == uid)
        is_first = True
        while True:
            with contextlib.suppress(OSError), self.timed(f"reading {mailbox} {uid}"):
                path = self.find(mailbox, uid)
                if path and path.read_bytes() == body:
                    return is_first, time.monotonic() <= deadline
            is_first = False
            if time.monotonic() > deadline:
                return False, False
            time.sleep(0.3)

    def check_recovery(self, mailboxes):
        """Once the server behaves everything is right, without a remount."""
        wanted = {(mailbox, message.uid) for mailbox in mailboxes for message in self.server.mailboxes[mailbox].messages
                  if not any(m.lasting for m in self.armed_at(mailbox))}
        wanted -= {(mailbox, VICTIMS[m.victim]) for mailbox in mailboxes for m in self.armed_at(mailbox) if m.undetectable}

        def missing():
            have = set()
            with contextlib.suppress(OSError), self.timed("listing the root"):
                os.listdir(self.mount.path)
            for mailbox in {mailbox for mailbox, _ in wanted}:
                uids = {message.body: message.uid for message in self.server.mailboxes[mailbox].messages}
                with contextlib.suppress(OSError), self.timed(f"listing {mailbox}"):
                    for name in os.listdir(self.mount.path / mailbox):
                        with contextlib.suppress(OSError), self.timed(f"reading {mailbox}/{name}"):
                            have.add((mailbox, uids.get((self.mount.path / mailbox / name).read_bytes())))
            return wanted - have

        try:
            wait_for(lambda: not missing(), 60 * SLOW, "recovery")
        except TimeoutError:
            self.blame("still not right after the server behaves:", sorted(missing()))


def count_reads(trial, mailboxes):
    """(attempts, successes at once, successes in time)"""
    results = []
    for mailbox in mailboxes:
        deadline = time.monotonic() + READ_SECONDS * (1 + (SLOW - 1) / 4)
        lies = {VICTIMS[m.victim] for m in trial.armed_at(mailbox) if m.undetectable}
        for uid in sorted({m.uid for m in trial.server.mailboxes[mailbox].messages} - lies):
            results.append((mailbox, uid, trial.read_in_time(mailbox, uid, deadline)))
    late = [f"{mailbox} {uid}" for mailbox, uid, (_, in_time) in results if not in_time]
    return len(results), sum(at_once for _, _, (at_once, _) in results), late


def run_group(names, cache, tools):
    """Misbehaviours that keep to a mailbox share a mount: each always in one mailbox, and the first time in another.
    (problems, counts of reads where it happened once)"""
    with HostileServer() as server, contextlib.closing(Trial(server)) as trial:
        for name in names:
            server.arm(name)
            server.arm(name, times=1)
        armed, server.armed = server.armed, []
        trial.arm(*armed)
        if cache == "warm":
            warm_up(server, trial)
        server.armed = list(armed)
        if not trial.start():
            trial.blame("it does not mount")
            return trial.problems, (0, 0, [])
        counts = count_reads(trial, sorted(one.mailbox for one in armed if one.times_left is not None))
        use(trial, tools)
        check_fired(trial, cache)
        server.disarm()
        trial.check_recovery(sorted(server.mailboxes))
        return trial.problems, counts


def warm_up(server, trial):
    """The first two messages of each mailbox are known and in the cache."""
    server.hold_back()
    if not trial.start():
        raise AssertionError(f"it does not mount when all is well: {trial.problems}")
    for path in trial.files():
        path.read_bytes()
    trial.stop()
    server.reveal()


def use(trial, tools):
    for tool in tools:
        got = trial.run_tool(tool)
        if tool != "ls":
            trial.check_neighbours(tool, got)
    trial.check_alive()


def check_fired(trial, cache):
    """With a warm cache not everything has an occasion."""
    for armed in trial.all_armed:
        if not armed.fired and (cache == "cold" or armed.misbehaviour.hits == ACCOUNT):
            trial.blame(f"{armed.misbehaviour.name} did not fire")


def run_account(name, cache, tools, times, certificates):
    """One that harms all there is. Where it keeps the mount from starting, it comes when the mount is there."""
    misbehaviour = MISBEHAVIOURS[name]
    with HostileServer(certificates.server) as server, contextlib.closing(Trial(server)) as trial:
        if misbehaviour.tls != "none":
            trial.options |= {"tls": misbehaviour.tls, "cafile": certificates.ca}
        server.offers_tls = misbehaviour.tls == "starttls"
        server.is_implicit_tls = misbehaviour.tls == "implicit"
        if cache == "warm":
            trial.arm()
            warm_up(server, trial)
        armed = server.arm(name, times)
        trial.arm(armed)
        if not trial.start():
            if not misbehaviour.unmountable:
                trial.blame("it does not mount")
            server.disarm()
            if not trial.start():
                trial.blame("it does not mount when all is well")
                return trial.problems, (0, 0, [])
            armed.times_left = times
            server.armed = [armed]
            server.drop_connections()
        counts = (0, 0, []) if times is None else count_reads(trial, ["Later", "Good", "INBOX"])
        use(trial, tools)
        if misbehaviour.moment == "IDLE":
            with contextlib.suppress(TimeoutError):
                wait_for(lambda: armed.fired, 20 * SLOW, "IDLE")
            use(trial, tools[:1])
        if misbehaviour.moment == "LOGOUT":
            trial.stop()
        check_fired(trial, cache)
        server.disarm()
        if trial.mount is not None:
            trial.check_recovery(["INBOX", "Good", "Later"])
        return trial.problems, counts


def run_flood(name, cache, tools):
    """Without end, for as long as it is taken; (problems, the peak of what the mount took)."""
    with HostileServer() as server, contextlib.closing(Trial(server)) as trial:
        trial.options["connections"] = 4
        trial.arm()
        if cache == "warm":
            warm_up(server, trial)
        armed = server.arm(name)
        trial.arm(armed)
        if not trial.start():
            trial.blame("it does not mount")
            return trial.problems, 0
        use(trial, tools)
        # One that comes with an answer for which nobody has an occasion harms nobody.
        if armed.misbehaviour.moment != "UID SEARCH":
            check_fired(trial, cache)
        peak = trial.peak_octets()
        server.disarm()
        trial.check_recovery(["INBOX", "Good", "Later"])
        return trial.problems, peak
