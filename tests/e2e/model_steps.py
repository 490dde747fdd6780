# SPDX-License-Identifier: GPL-3.0-or-later
"""A real mount of a real mailbox that changes, held against the model at every step.

A step is a method of `World` and some numbers. Which folder or message is meant is found from the number and what
there is at that moment, so that a sequence is still one when steps were taken out of it. A step that finds nothing to
be done on does nothing.
"""

import contextlib
import errno
import inspect
import json
import os
import re
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from cache_audit import audit
from corpus import EPOCH_START, Message, connect, modified_utf7
from dovecot import PASSWORD, DovecotServer, wait_for
from fault_proxy import FaultProxy
from model import AWAY, GONE, Model, with_parents
from model_view import View, files_of_copy, judge_copy, local_path
from mount import SLOW, Mount, Place, is_mounted, sh

PATHS = ["Archive", "Archive/2019", "Archive/2019/Q1", "Lists", "Lists/many", "Sent", "100% sure", "Entwürfe/älter"]
FLAGS = [r"\Seen", r"\Flagged", r"\Answered", r"\Draft", "$Forwarded"]
WAYS = {  # of learning what changed: what of the server's capabilities the mount does not see
    "notify": (),
    "idle": ("NOTIFY",),
    "condstore": ("NOTIFY", "QRESYNC"),
    "neither": ("NOTIFY", "IDLE", "QRESYNC", "CONDSTORE"),
}
REFRESH_SECONDS = 1
TIMEOUT_SECONDS = 5
SETTLE_SECONDS = 30
HANDLES_MAX = 4
LARGE_OCTETS = 400_000


class Wrong(AssertionError):
    """The mount showed what the model does not allow."""


@dataclass
class Handle:
    descriptor: int
    entry: object


def weighted(weight):
    """Marks a method as a step, and says how often it is drawn."""
    def mark(method):
        method.weight = weight
        return method
    return mark


def steps():
    """{name: (number of its arguments, weight)}"""
    return {name: (len(inspect.signature(method).parameters) - 1, method.weight)
            for name, method in vars(World).items() if hasattr(method, "weight")}


class World:
    """Server, proxy and mount of one sequence. A context; `do()` makes a step."""

    def __init__(self, way="notify", names="subject", settle_seconds=SETTLE_SECONDS):
        self.settle_seconds = settle_seconds * SLOW
        self.model = Model(names)
        self.hidden = WAYS[way]
        self.serial = 0
        self.handles, self.copying = [], None
        self.is_offline = self.is_disturbed = False
        self.kept = set()  # entries that were read whole since the process began, with nothing in its way
        self.counts = Counter()
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.server = stack.enter_context(DovecotServer(users={"user": PASSWORD}, tls=False))
            self.proxy = stack.enter_context(FaultProxy(self.server.imap_port))
            self.proxy.hide.update(self.hidden)
            self.place = Place()
            stack.callback(self.place.remove)
            self.session = connect(self.server)
            self.model.add_folder("INBOX")
            for path in ("Lists/many", "Sent"):
                self._good(self.session.create(self._wire(path)))
                self.model.add_folder(path)
            self._list_folders()
            for path, count in (("INBOX", 5), ("Lists/many", 12), ("Sent", 2)):
                self._append(path, count)
            self.copy = self.place.directory / "copy"
            self.copy.mkdir()
            self.view = View(self.model, self.place.mountpoint)
            stack.callback(self._end)
            self._mount()
            self.settle()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def do(self, step):
        name, *arguments = step
        getattr(self, name)(*arguments)

    # Another session changes the mailbox.

    @weighted(8)
    def deliver(self, folder):
        self._append(self._folder(folder), 1)

    @weighted(2)
    def deliver_many(self, folder, count):
        self._append(self._folder(folder), count % 12 + 2)

    @weighted(8)
    def expunge(self, folder, message, count):
        path = self._folder(folder)
        entries = self._entries(path)
        first = message % len(entries) if entries else 0
        self._expunge(path, entries[first:first + 1 + count % 3])

    @weighted(1)
    def expunge_all(self, folder):
        path = self._folder(folder)
        self._expunge(path, self._entries(path))

    @weighted(5)
    def flag(self, folder, message, flags):
        if entry := self._entry(folder, message):
            chosen = [flag for bit, flag in enumerate(FLAGS) if flags >> bit & 1]
            self._select(entry.path)
            self._good(self.session.uid("STORE", str(entry.uid), "FLAGS", f"({' '.join(chosen)})"))
            entry.flags = frozenset(chosen)

    @weighted(6)
    def move(self, folder, message, target):
        path = self._folder(target)
        entry = self._entry(folder, message)
        if entry and entry.path != path and entry.date not in self.model.folders[path]:
            self._select(entry.path)
            self._good(self.session.uid("MOVE", str(entry.uid), self._wire(path)))
            self.model.remove(entry)
            self.model.add(path, entry.message, self._uids(path)[entry.date], entry.flags)

    @weighted(2)
    def create_folder(self, path):
        path = PATHS[path % len(PATHS)]
        if path not in self.model.folders:
            self._good(self.session.create(self._wire(path)))
            self.model.add_folder(path)
            self._list_folders()

    @weighted(2)
    def delete_folder(self, folder):
        path = self._folder(folder)
        if path != "INBOX":
            self._unselect()
            self._good(self.session.delete(self._wire(path)))
            self.model.remove_folder(path)
            self._list_folders()

    @weighted(2)
    def rename_folder(self, folder, target):
        old, new = self._folder(folder), PATHS[target % len(PATHS)]
        below = lambda path, other: path == other or path.startswith(other + "/")
        if old != "INBOX" and not below(new, old) and not any(below(path, new) for path in self.model.now_directories):
            self._unselect()
            self._good(self.session.rename(self._wire(old), self._wire(new)))
            self.model.rename_folder(old, new)
            self._list_folders()

    # The server and the network.

    @weighted(1)
    def renumber(self, reverse):
        """Another UIDVALIDITY for every folder."""
        for path in self.model.folders:  # what is in "new" moves to where renumber() looks
            self._select(path)
        self._stop_server()
        self.server.renumber("user", bool(reverse & 1))
        self._start_server()
        for path in list(self.model.folders):
            self.model.renumber(path, self._uids(path))

    @weighted(1)
    def restart_server(self):
        self._stop_server()
        self._start_server()

    @weighted(2)
    def cut(self, octet, reset):
        self.is_disturbed = True
        self.proxy.at(octet * 20, "reset" if reset & 1 else "cut")

    @weighted(2)
    def cut_now(self):
        self.is_disturbed = True
        self.proxy.break_all("cut")

    @weighted(1)
    def stall(self, octet):
        """Shorter than the timeout: no reason for an error."""
        self.proxy.at(octet * 20, "stall", seconds=TIMEOUT_SECONDS / 5)

    @weighted(1)
    def silence(self, octet):
        self.is_disturbed = True
        self.proxy.at(octet * 20, "silence")

    @weighted(2)
    def go_offline(self):
        self.is_offline = self.is_disturbed = True
        self.proxy.refuse()

    @weighted(4)
    def go_online(self):
        if self.is_offline:
            self.is_offline = False
            self.proxy.accept_again()

    # Somebody reads.

    @weighted(14)
    def read(self, folder, message, how):
        """The whole of a message, or a part, by its name or by its number."""
        entry = self._seen(folder, message)
        if entry is None:
            return
        name = entry.name if how & 3 else re.search(r"\d+\.eml$", entry.name)[0]
        size = entry.message.size
        offset, length = ((0, None), (0, 1000), (size // 2, 3000), (0, None))[how >> 2 & 3]
        with self._may_fail(entry) as failed:
            descriptor = os.open(self.view.directory(entry.path) / name, os.O_RDONLY)
            try:
                if how & 16:
                    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                self._judge(self.view.judge_read(entry, descriptor, offset, length))
            finally:
                os.close(descriptor)
        if not failed and length is None and not self.is_disturbed:
            self.kept.add(entry)

    @weighted(6)
    def open_handle(self, folder, message):
        entry = self._seen(folder, message)
        if entry is not None and len(self.handles) < HANDLES_MAX:
            with self._may_fail(entry):
                descriptor = os.open(self.view.directory(entry.path) / entry.name, os.O_RDONLY)
                self.handles.append(Handle(descriptor, entry))

    @weighted(8)
    def read_handle(self, which, offset, length):
        if self.handles:
            handle = self.handles[which % len(self.handles)]
            offset %= handle.entry.message.size
            with self._may_fail(handle.entry):
                self._judge(self.view.judge_read(handle.entry, handle.descriptor, offset, length * 16))

    @weighted(2)
    def close_handle(self, which):
        if self.handles:
            os.close(self.handles.pop(which % len(self.handles)).descriptor)

    @weighted(6)
    def list_folder(self, folder):
        self._judge_listing(self._folder(folder))

    @weighted(2)
    def list_all(self):
        """ls -lR."""
        result = sh(["ls", "-lRNiA", "--time-style=+%s", "."], check=False, cwd=self.mounted.path)
        self._require(result.returncode == 0 or self._is_shaken, f"ls: {result.returncode}: {result.err}")
        if result.returncode == 0:
            for text in result.out.split("\n\n"):
                top, _, *lines = text.splitlines()
                path = self._path_of(top.removesuffix(":").removeprefix(".").removeprefix("/"))
                self._judge(self.view.judge_ls(lines, path))

    @weighted(3)
    def start_copy(self):
        """rsync, with what comes next happening meanwhile. It stands in the mount: the path is another's after a kill."""
        if self.copying is None:
            self.copied_before = files_of_copy(self.copy)
            self.copying = subprocess.Popen(
                ["rsync", "-a", "--delete", "./", f"{self.copy}/"], cwd=self.mounted.path, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    @weighted(3)
    def finish_copy(self):
        if self.copying is None:
            return
        copying, self.copying = self.copying, None
        _, errors = copying.communicate(timeout=(60 + 4 * TIMEOUT_SECONDS) * SLOW)
        self._judge_copy(copying.returncode, errors.decode("utf-8", "replace"))

    @weighted(4)
    def rest(self, tenths):
        time.sleep(tenths % 10 / 10)

    @weighted(4)
    def settle(self):
        """The server can be reached, time goes by, and then everything is as it is there."""
        self.finish_copy()
        self.go_online()
        self.proxy.forget_faults()
        deadline = time.monotonic() + self.settle_seconds
        while problems := self._look_everywhere():
            self._require(time.monotonic() < deadline, "it stays so: " + "\n".join(problems))
            time.sleep(0.1)
        self.model.settle()
        self.is_disturbed = False
        self._judge(self._look_everywhere() + self.view.judge_inodes())

    # The mount.

    @weighted(2)
    def remount(self):
        self.finish_copy()
        self._close_handles()
        self.mounted.unmount()
        self._judge_end()
        self._mount()

    @weighted(2)
    def kill(self):
        """kill -9, and a new mount over the same cache."""
        self.mounted.process.kill()
        self.mounted.process.wait(20 * SLOW)
        result = self.mounted.fusermount("-uz")
        self._require(result.returncode == 0, result.stderr)
        wait_for(lambda: not is_mounted(self.mounted.path), 10 * SLOW, "the end of the mount")
        if self.copying is not None:
            self.was_killed = True
            self.finish_copy()
        self._close_handles()
        self._judge_end()
        self._mount()

    # What they are made of.

    def _mount(self):
        self.kept.clear()
        self.was_killed = False
        options = {"tls": "none", "refresh": REFRESH_SECONDS, "timeout": int(TIMEOUT_SECONDS * SLOW),
                   "names": self.model.names}
        self.mounted = Mount(f"imap://user@127.0.0.1:{self.proxy.port}", self.place, options, PASSWORD)
        self.mounted.start()

    def _end(self):
        if self.copying is not None:
            self.copying.kill()
            self.copying.communicate()
        self._close_handles()
        self.mounted.close()

    def _judge_end(self):
        """What the process left behind."""
        self._require(not self.mounted.suspicious(), self.mounted.suspicious())
        found = audit(self.place.cache, [message.served for message in self.model.messages.values()])
        self._judge(found.problems)

    def _close_handles(self):
        for handle in self.handles:
            with contextlib.suppress(OSError):
                os.close(handle.descriptor)
        self.handles.clear()

    def _append(self, path, count):
        fresh = [self._new_message() for _ in range(count)]
        for message in fresh:
            date = f'"{time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(message.internaldate))}"'
            self._good(self.session.append(self._wire(path), None, date, message.served))
        uids = self._uids(path)
        for message in fresh:
            self.model.add(path, message, uids[message.internaldate])

    def _new_message(self):
        self.serial += 1
        lines = LARGE_OCTETS // 20 if self.serial % 17 == 0 else self.serial * 7 % 90
        subject = f"message {self.serial}"
        text = (f"Subject: {subject}\r\nMessage-ID: <{self.serial}@example.org>\r\n\r\n"
                + "".join(f"{self.serial:7} line {line:6}\r\n" for line in range(lines)))
        date = EPOCH_START + self.serial * 7919 % 9000 * 86400 + self.serial
        return Message(0, text.encode(), date, subject=subject)

    def _expunge(self, path, entries):
        if entries:
            uids = ",".join(str(entry.uid) for entry in entries)
            self._select(path)
            self._good(self.session.uid("STORE", uids, "+FLAGS", r"(\Deleted)"))
            self._good(self.session.expunge())
            for entry in entries:
                self.model.remove(entry)

    def _folder(self, number):
        paths = sorted(self.model.folders)
        return paths[number % len(paths)]

    def _entries(self, path):
        return [self.model.folders[path][date] for date in sorted(self.model.folders[path])]

    def _entry(self, folder, message):
        entries = self._entries(self._folder(folder))
        return entries[message % len(entries)] if entries else None

    def _seen(self, folder, message):
        """An entry whose name is known; it may have left since."""
        paths = sorted({entry.path for entry in self.model.entries.possible})
        entries = sorted((entry for entry in self.model.possible(paths[folder % len(paths)]) if entry.name),
                         key=lambda entry: entry.date) if paths else []
        return entries[message % len(entries)] if entries else None

    # The server, seen by another session.

    @staticmethod
    def _wire(path):
        return f'"{modified_utf7(path)}"'

    @staticmethod
    def _good(answer):
        assert answer[0] == "OK", answer
        return answer[1]

    def _select(self, path):
        self._good(self.session.select(self._wire(path)))

    def _unselect(self):
        if self.session.state == "SELECTED":
            self._good(self.session.unselect())

    def _uids(self, path):
        """{date: UID} as the server tells it."""
        self._select(path)
        found = {}
        for line in filter(None, self._good(self.session.uid("FETCH", "1:*", "(UID INTERNALDATE)"))):
            date = re.search(rb'INTERNALDATE "([^"]+)"', line)[1].decode().strip()
            date = datetime.strptime(date, "%d-%b-%Y %H:%M:%S %z")
            found[int(date.timestamp())] = int(re.search(rb"UID (\d+)", line)[1])
        return found

    def _list_folders(self):
        names = [re.search(rb'"/" "?([^"]*)"?$', line)[1].decode() for line in self._good(self.session.list())]
        decoded = {modified_utf7(path): path for path in self._all_paths()}
        self.model.set_directories(decoded[name] for name in names)

    def _all_paths(self):
        return {path for used in {*PATHS, *self.model.used} for path in with_parents(used)}

    def _path_of(self, local):
        """The folder that a directory of the mount is; what can be none stays as it is."""
        return {str(local_path(path)): path for path in self._all_paths()}.get(local, local)

    def _stop_server(self):
        self.is_disturbed = True
        self.server.stop()

    def _start_server(self):
        self.server.start()
        with contextlib.suppress(Exception):
            self.session.shutdown()
        self.session = connect(self.server)

    # Judgement.

    def _require(self, condition, what):
        if not condition:
            raise Wrong(what)

    def _judge(self, problems):
        self._require(not problems, "\n".join(problems))

    @property
    def _is_shaken(self):
        """Whether there is anything that may be the reason of an error."""
        return self.is_disturbed or not self.model.is_settled

    @contextlib.contextmanager
    def _may_fail(self, entry):
        """An error here is one that there is a reason for. Gives a list that holds it."""
        allowed = set()
        if entry not in self.model.entries.steady:
            allowed |= GONE
        if self.is_disturbed and not (self.is_offline and entry in self.kept):
            allowed |= AWAY
        failed = []
        try:
            yield failed
        except OSError as error:
            self._require(error.errno in allowed, f"{entry}: {error!r}, with no reason")
            self.counts[f"{errno.errorcode[error.errno]} at a read"] += 1
            failed.append(error)
        else:
            self.counts["reads"] += 1

    def _judge_listing(self, path):
        problems, error = self.view.judge_listing(path, self.is_disturbed)
        self.counts[f"{errno.errorcode[error.errno]} at a listing" if error else "listings"] += 1
        self._judge(problems)

    def _look_everywhere(self):
        """What is not yet as it is on the server; what may at no time be so raises."""
        for path in sorted({"", *self.model.now_directories}):
            self._judge_listing(path)
        return self.view.differences() + self._what_is_away()

    def _what_is_away(self):
        """What was not read may be refused for five seconds after the server was missed, whatever is listed."""
        state = json.loads((self.view.top / ".mailmount" / "status").read_text())["state"]
        return [] if state in ("online", "idle") else [f"the mount is {state}"]

    def _judge_copy(self, status, errors):
        complete = {0, 24} if not self.model.is_settled else {0}
        self._require(status in complete or self._is_shaken or self.was_killed, f"rsync: {status}: {errors}")
        self.counts["copies" if status in complete else "copies with errors"] += 1
        self._judge(judge_copy(self.model, self.copy, self.copied_before, status in complete))
