#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mount under load for a long time: memory, descriptors and threads must stay as they are.

A throwaway server; a second session that delivers and expunges as much as it delivers, changes flags and makes and
deletes folders; programs that read all the time, each in its own way; connections that break. After a warm-up (a
fifth of the time, at most five minutes), every few minutes and at the end the load rests until the mount is quiet, and
what the process has then is compared with what it had after the warm-up.

Called by scripts/soak, and by test_soak.py.
"""

import argparse
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True

from corpus import Corpus, connect  # noqa: E402
from dovecot import PASSWORD, DovecotServer, wait_for  # noqa: E402
from fault_proxy import FaultProxy  # noqa: E402
from mount import Mount, Place  # noqa: E402

FOLDERS = [("INBOX",), ("Archive", "2019"), ("Lists", "many"), ("Lists", "few"), ("Sent",)]
DELIVERED_AT_ONCE = 4
CHURN_SECONDS = 0.25  # between two rounds of delivery and expunge
# Of these rounds, in so many a folder is made and deleted. Each leaves a KiB or two in the mount until it is unmounted.
FOLDER_SHARE = 0.02
READ_SECONDS = 0.5  # between two rounds of a reader, on average
CUT_SECONDS = 3.0  # between two breaks, on average
SAMPLE_SECONDS = 2.0
REST_SECONDS = 12.0  # a mount that nobody reads has given back memory after ten
RESTING_SAMPLES = 24
QUIET_SECONDS = 60.0  # in which idle threads and connections that are tried have ended
BETWEEN_RESTS_SECONDS = 300.0
GROWTH_KIB_MAX = 1024
# What is read is fetched again and again, and the folders are asked for their numbers beside what the server tells.
OPTIONS = {"tls": "none", "timeout": 10, "cache_size": "1M", "refresh": 5}
# Each thread keeps some of what it frees for itself, up to 200 KiB, and the more the longer it lives: without that,
# what is measured is what the program holds.
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
NEEDED = ("delivered", "expunged", "cuts", "rsync", "grep", "ls -lR", "tar", "cat", "head")


@dataclass
class Sample:
    seconds: float  # since the load began
    rss_kib: int
    private_kib: int  # Private_Dirty: what is the process's own, without pages of files
    descriptors: int
    threads: int


def sample(pid, started):
    """What the process has now."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    kib = lambda name: int(re.search(rf"^{name}: +(\d+) kB", rollup, re.M)[1])
    # Those from 1000 on are valgrind's.
    descriptors = sum(int(descriptor) < 1000 for descriptor in os.listdir(f"/proc/{pid}/fd"))
    return Sample(time.monotonic() - started, kib("Rss"), kib("Private_Dirty"), descriptors,
                  len(os.listdir(f"/proc/{pid}/task")))


class Load:
    """Threads that each do something over and over, and can all be told to rest."""

    def __init__(self):
        self.may_run, self.ended = threading.Event(), threading.Event()
        self.busy, self.lock = 0, threading.Lock()
        self.counts, self.errors, self.threads = {}, [], []

    def add(self, work, *arguments):
        thread = threading.Thread(target=self._repeat, args=(work, *arguments), daemon=True)
        self.threads.append(thread)
        thread.start()

    def count(self, what, number=1):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + number

    def rest(self, seconds=120):
        self.may_run.clear()
        wait_for(lambda: self.busy == 0, seconds, "the end of what is running")

    def end(self):
        self.ended.set()
        self.may_run.set()
        for thread in self.threads:
            thread.join(120)

    def _repeat(self, work, *arguments):
        while not self.ended.is_set():
            self.may_run.wait()
            with self.lock:
                self.busy += 1
            try:
                if self.may_run.is_set() and not self.ended.is_set():
                    work(*arguments)
            except Exception as error:  # told at the end: a load that stopped proves nothing
                self.errors.append(f"{work.__name__}: {error!r}")
                self.ended.wait(1)
            finally:
                with self.lock:
                    self.busy -= 1


class Churn:
    """The second session: as many messages leave a folder as come."""

    def __init__(self, server, load, seed):
        self.random, self.load, self.server, self.serial = random.Random(seed), load, server, 0
        self.session = connect(server)

    def round(self):
        folder = "/".join(self.random.choice(FOLDERS))
        for _ in range(DELIVERED_AT_ONCE):
            self.deliver(folder)
        self.session.select(f'"{folder}"')
        uids = self.session.uid("SEARCH", "ALL")[1][0].split()
        flagged = self.random.choice(uids).decode()
        self.session.uid("STORE", flagged, self.random.choice("+-") + "FLAGS", r"(\Flagged keyword)")
        gone = ",".join(uid.decode() for uid in uids[:DELIVERED_AT_ONCE])
        self.session.uid("STORE", gone, "+FLAGS", r"(\Deleted)")
        self.session.expunge()
        self.load.count("expunged", DELIVERED_AT_ONCE)
        if self.random.random() < FOLDER_SHARE:
            self.folder_comes_and_goes()
        self.load.ended.wait(CHURN_SECONDS)

    def deliver(self, folder):
        self.serial += 1
        length = int(self.random.lognormvariate(8, 1.5))
        text = f"Subject: delivered {self.serial} {'and some words more ' * self.random.randint(0, 4)}\r\n" \
               f"Message-ID: <soak{self.serial}@example.org>\r\n\r\n" + "0123456789abcde\r\n" * (length // 17 + 1)
        status, answer = self.session.append(f'"{folder}"', None, None, text.encode())
        assert status == "OK", answer
        self.load.count("delivered")

    def folder_comes_and_goes(self):
        name = f"Passing{self.serial}"
        self.session.create(name)
        self.deliver(name)
        self.load.ended.wait(self.random.uniform(0, 3))
        self.session.delete(name)
        self.load.count("folders made and deleted")


class Readers:
    """Programs that read the mount, each in its own way. What they cannot read is no error of theirs: messages
    vanish and connections break under them."""

    def __init__(self, path, directory, load, seed):
        self.path, self.directory, self.load = path, Path(directory), load
        self.random = random.Random(seed)

    def run(self, name, command):
        subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=300, check=False)
        self.load.count(name)
        self.pause()

    def pause(self):
        self.load.ended.wait(self.random.expovariate(1 / READ_SECONDS))

    def rsync(self):
        self.run("rsync", ["rsync", "-a", "--delete", f"{self.path}/", f"{self.directory}/copy/"])

    def grep(self):
        self.run("grep", ["grep", "-r", "marker", self.path])

    def ls(self):
        self.run("ls -lR", ["ls", "-lR", self.path])

    def tar(self):
        self.run("tar", ["tar", "--xattrs", "-cf", "/dev/null", f"--directory={self.path}", "INBOX"])

    def some_messages(self):
        folder = self.path.joinpath(*self.random.choice(FOLDERS))
        with contextlib.suppress(OSError):
            names = os.listdir(folder)
            for name in self.random.sample(names, min(5, len(names))):
                with contextlib.suppress(OSError):
                    self.read(folder / name)
        self.pause()

    def read(self, file):
        with open(file, "rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # what the kernel has of it
            if self.random.random() < 0.5:
                opened.read()
                self.load.count("cat")
            else:
                opened.read(4096)
                self.load.count("head")
        os.listxattr(file)


class Breaker:
    """Something happens to the connections again and again."""

    def __init__(self, proxy, load, seed):
        self.proxy, self.load, self.random = proxy, load, random.Random(seed)

    def round(self):
        self.load.ended.wait(self.random.expovariate(1 / CUT_SECONDS))
        action = self.random.choice(["cut", "reset", "cut", "reset", "stall", "silence"])
        if self.random.random() < 0.5:
            broken = self.proxy.break_all(action, seconds=2)
        else:
            fault = self.proxy.at(self.random.randrange(20_000), action, seconds=2)
            self.load.ended.wait(1)
            self.proxy.forget_faults()
            broken = fault.fired
        self.load.count("cuts" if action in ("cut", "reset") else "silences" if action == "silence" else "stalls", broken)


class Soak:
    """run() puts a mount under load for so many minutes. Afterwards `quiet` holds what the process had each time it
    was at rest, `load` the counts of what was done."""

    def __init__(self, minutes, seed=1, say=print):
        self.seconds, self.seed, self.say = minutes * 60, seed, say
        self.warm_up = min(300.0, self.seconds / 5)
        self.busy, self.quiet = [], []

    def run(self):
        corpus = Corpus(seed=3, large_octets=2_000_000)
        for path in FOLDERS:
            corpus.ordinary(path, 60)
        corpus.add(("INBOX",), corpus.large(0), "large", subject="large")
        with contextlib.ExitStack() as stack:
            server = DovecotServer(users={"user": PASSWORD})
            corpus.write(server.mail_dir("user"))
            stack.enter_context(server)
            proxy = stack.enter_context(FaultProxy(server.imap_port))
            place = Place()
            stack.callback(place.remove)
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="mailmount-soak-"))
            mounted = Mount(f"imap://user@127.0.0.1:{proxy.port}", place, OPTIONS, PASSWORD,
                            environment=ENVIRONMENT)
            stack.callback(mounted.close)
            mounted.start()
            self._run(server, proxy, mounted, directory)
        return self

    def problems(self):
        """What is not as it was after the warm-up, and what of the load did not work; as text."""
        first, last = self.quiet[0], self.quiet[-1]
        found = [f"{name} were {getattr(first, name)} and are {getattr(last, name)}"
                 for name in ("descriptors", "threads") if getattr(first, name) != getattr(last, name)]
        grown = last.private_kib - first.private_kib
        if grown >= GROWTH_KIB_MAX:
            found.append(f"{grown} KiB more memory than after the warm-up")
        found += [f"nothing was done of: {what}" for what in NEEDED if not self.load.counts.get(what)]
        return found + self.load.errors[:20]

    def table(self):
        """Each rest, and the span of what was seen under load before it."""
        lines = ["  seconds |  at rest: private  RSS KiB  descriptors  threads |  under load: private KiB  descriptors  threads"]
        since = 0.0
        for rest in self.quiet:
            seen = [value for value in self.busy if since <= value.seconds <= rest.seconds]
            span = lambda name: f"{min(getattr(v, name) for v in seen)}–{max(getattr(v, name) for v in seen)}"
            lines.append(f"  {rest.seconds:7.0f} | {rest.private_kib:17} {rest.rss_kib:8} {rest.descriptors:12} "
                         f"{rest.threads:8} | {span('private_kib'):>24} {span('descriptors'):>12} {span('threads'):>8}")
            since = rest.seconds
        return "\n".join(lines)

    def _run(self, server, proxy, mounted, directory):
        self.load = load = Load()
        readers = [Readers(mounted.path, directory, load, self.seed + number) for number in range(3)]
        load.add(Churn(server, load, self.seed).round)
        for work in (readers[0].rsync, readers[0].grep, readers[0].ls, readers[0].tar):
            load.add(work)
        for reader in readers[1:]:
            load.add(reader.some_messages)
        load.add(Breaker(proxy, load, self.seed).round)
        self.started = time.monotonic()
        try:
            for until in self._checkpoints():
                load.may_run.set()
                self._watch(mounted, until)
                load.rest()
                self._look_at_rest(proxy, mounted)
        finally:
            load.end()
        load.count("MiB from the server", proxy.octets_to_client >> 20)
        load.count("connections", proxy.connections)

    def _checkpoints(self):
        """When the load rests: after the warm-up, every five minutes, at the end."""
        times, at = [self.warm_up], self.warm_up + BETWEEN_RESTS_SECONDS
        while at < self.seconds - BETWEEN_RESTS_SECONDS / 2:
            times.append(at)
            at += BETWEEN_RESTS_SECONDS
        return [*times, self.seconds]

    def _watch(self, mounted, until):
        while time.monotonic() - self.started < until:
            assert mounted.alive(), f"the mount has ended: {mounted.output()[-2000:]}"
            self.busy.append(sample(mounted.pid, self.started))
            time.sleep(SAMPLE_SECONDS)

    def _is_more_than_at_first(self, samples):
        return self.quiet and any(min(getattr(value, name) for value in samples) > getattr(self.quiet[0], name)
                                  for name in ("descriptors", "threads"))

    def _look_at_rest(self, proxy, mounted):
        """Without a server nothing can be under way, and no connection is left. Now and then one is tried, so that the
        least of several samples is what there is at rest."""
        proxy.forget_faults()
        proxy.refuse()
        time.sleep(REST_SECONDS)
        samples = []
        deadline = time.monotonic() + QUIET_SECONDS
        while len(samples) < RESTING_SAMPLES or (self._is_more_than_at_first(samples) and time.monotonic() < deadline):
            samples.append(sample(mounted.pid, self.started))
            time.sleep(0.5)
        proxy.accept_again()
        rest = Sample(samples[-1].seconds, *(min(getattr(value, name) for value in samples)
                                             for name in ("rss_kib", "private_kib", "descriptors", "threads")))
        self.quiet.append(rest)
        self.say(f"{rest.seconds:6.0f} s: {rest.private_kib} KiB private, {rest.rss_kib} KiB RSS, "
                 f"{rest.descriptors} descriptors, {rest.threads} threads at rest")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=1, help="of everything that happens at random")
    arguments = parser.parse_args()
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    soak = Soak(arguments.minutes, arguments.seed, say=lambda text: print(text, flush=True)).run()
    print(", ".join(f"{what} {number}" for what, number in sorted(soak.load.counts.items())))
    print(soak.table())
    problems = soak.problems()
    print("\n".join(problems) if problems else "flat")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
