# SPDX-License-Identifier: GPL-3.0-or-later
"""The works: what is done over and over by mailmount, by its rivals, by the limits.

A scene is a function that plays some works one after the other on one line and yields (name, Cost, facts) for each.
Every figure with a mount in it includes the mounting, unless its name says "again" or "warm".
"""

import os
import shutil
import time
from dataclasses import dataclass

from stage import LOCAL, PASSWORD, Cost, Line, is_mounted

SHUFFLED_READERS = 16
HEAD_OCTETS = 4096


@dataclass
class Scene:
    play: callable
    names: tuple
    lines: callable  # of a Line, or of LOCAL: whether it is played there
    accounts: tuple
    once: bool = False  # one run is enough, or all that there is time for


SCENES = []


def every_line(line):
    return line is not LOCAL


def plain_50(line):
    return line == Line(50, False)


def scene(*names, lines=every_line, accounts=("mail",), once=False):
    def add(function):
        SCENES.append(Scene(function, names, lines, accounts, once))
        return function
    return add


class Mounted:
    """One mount with a cache of its own; knows what the daemon has cost since the last time it was asked."""

    def __init__(self, stage, line, account="mail", counted=False):
        self.stage, self.line, self.account, self.counted = stage, line, account, counted
        self.path = stage.path("mnt")
        self.spent = 0.0
        stage.path("mailmount.log").unlink(missing_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if is_mounted(self.path):
            self.stage.unmount()
        self.stage.drop("cache", "copy", "list")

    @property
    def command(self):
        return self.stage.mount_command(self.line, self.account, counted=self.counted)

    def counters(self):
        watched = self.counted or self.line.round_trip_ms > 0
        return self.stage.proxy(self.line).counters() if watched else None

    def run(self, command, mount=False, limit=None):
        """Runs the command, after mounting where asked for; returns its Cost and what else there is to know."""
        before = self.counters()
        cost = self.stage.run(f"{self.command} && {command}" if mount else command, limit)
        after = self.counters()
        cpu, rss = self.stage.daemon()
        facts = {"daemon_cpu": cpu - self.spent, "daemon_rss": rss}
        self.spent = cpu
        if after is not None:
            facts.update({name: after[name] - before[name] for name in after})
        if self.line.tls:
            for name in ("lines", "fetches", "bodies", "headers"):
                facts.pop(name, None)
        return cost, facts

    def remount(self):
        self.stage.unmount()
        self.spent = 0.0
        os.sync()


# What nothing can beat.

@scene("limit")
def play_limit(stage, line):
    yield "limit", stage.run(stage.limit_command(line, "mail")), {}


@scene("limit-files")
def play_limit_files(stage, line):
    yield "limit-files", stage.run(stage.limit_command(line, "mail", f"--files={stage.path('copy')}")), {}
    stage.drop("copy")


@scene("list-status", "limit-listing")
def play_listing(stage, line):
    yield "list-status", stage.run(stage.limit_command(line, "mail", "--list-status")), {}
    yield "limit-listing", stage.run(stage.limit_command(line, "mail", "--items=listing")), {}


# mailmount.

@scene("rsync", "rsync again", "rsync remount")
def play_rsync(stage, line):
    with Mounted(stage, line) as mounted:
        command = f"rsync -a {mounted.path}/ {stage.path('copy')}/"
        cost, facts = mounted.run(command, mount=True)
        if not cost.failed:
            cost.failed = stage.check("copy", "mail")
        yield "rsync", cost, facts
        if cost.failed:
            return
        os.sync()
        yield "rsync again", *mounted.run(command)
        mounted.remount()
        yield "rsync remount", *mounted.run(command, mount=True)


@scene("tar")
def play_tar(stage, line):
    with Mounted(stage, line) as mounted:
        yield "tar", *mounted.run(f"tar -C {mounted.path} -c . | cat >/dev/null", mount=True)


@scene("cp")
def play_cp(stage, line):
    with Mounted(stage, line) as mounted:
        yield "cp", *mounted.run(f"cp -a {mounted.path} {stage.path('copy')}", mount=True)


GREP = "{ grep -r 'words that nobody wrote' %s || test $? = 1; }"


@scene("grep", "grep warm")
def play_grep(stage, line):
    with Mounted(stage, line) as mounted:
        command = GREP % mounted.path
        cost, facts = mounted.run(command, mount=True)
        yield "grep", cost, facts
        if not cost.failed:
            yield "grep warm", *mounted.run(command)


@scene("shuffled")
def play_shuffled(stage, line):
    tree = stage.prop("tree")
    with Mounted(stage, line) as mounted:
        count = stage.accounts["mail"]["messages"]
        each = -(-count // SHUFFLED_READERS)
        names = sorted(str(path.relative_to(tree)) for path in tree.rglob("*.eml"))
        stage.random(line).shuffle(names)
        stage.path("list").write_text("".join(f"{mounted.path}/{name}\0" for name in names))
        readers = f"xargs -0 -a {stage.path('list')} -n {each} -P {SHUFFLED_READERS} cat >/dev/null"
        yield "shuffled", *mounted.run(readers, mount=True)


@scene("ls", "ls again", "ls remount", "limit-ls", accounts=("many",), lines=lambda line: every_line(line) and
       line.round_trip_ms in (0, 50))
def play_ls(stage, line):
    yield "limit-ls", stage.run(stage.limit_command(line, "many", "--items=subject", "--folder=INBOX")), {}
    with Mounted(stage, line, "many") as mounted:
        command = f"ls -l {mounted.path}/INBOX >/dev/null"
        cost, facts = mounted.run(command, mount=True)
        yield "ls", cost, facts
        if cost.failed:
            return
        yield "ls again", *mounted.run(command)
        mounted.remount()
        yield "ls remount", *mounted.run(command, mount=True)


@scene("head", accounts=("large",), lines=plain_50)
def play_head(stage, line):
    with Mounted(stage, line, "large") as mounted:
        command = f"find {mounted.path} -name '*.eml' -exec head -q -c {HEAD_OCTETS} {{}} + >/dev/null"
        yield "head", *mounted.run(command, mount=True)


@scene("ls -lR", "find", "du", lines=plain_50)
def play_walk(stage, line):
    for name, command in (("ls -lR", "ls -lR {} >/dev/null"), ("find", "find {} -size +1c >/dev/null"),
                          ("du", "du -s {} >/dev/null")):
        with Mounted(stage, line) as mounted:
            yield name, *mounted.run(command.format(mounted.path), mount=True)


@scene("dense", "sparse", accounts=("dense", "sparse"), lines=plain_50)
def play_sparse(stage, line):
    for name in ("dense", "sparse"):
        with Mounted(stage, line, name) as mounted:
            command = f"rsync -a {mounted.path}/ {stage.path('copy')}/"
            yield name, *mounted.run(command, mount=True)


# The rivals.

def mbsync_store(stage):
    """Empty folders, made some time ago: mbsync sleeps for a second when it meets one that was just changed."""
    store, source = stage.path("mbsync"), stage.server.mail_dir("mail").resolve()
    shutil.rmtree(store, ignore_errors=True)
    for cur in source.glob("**/cur"):
        folder = store / (cur.parent.relative_to(source) if cur.parent != source else "INBOX")
        for name in ("cur", "new", "tmp"):
            (folder / name).mkdir(parents=True)
            (folder / name).chmod(0o700)
    age(store)
    return store


def age(store):
    past = time.time() - 60
    for path in store.glob("**/[cnt][uem][rwp]"):
        os.utime(path, (past, past))


def mbsync_configuration(stage, line, tuned):
    store = mbsync_store(stage)
    security = f"SSLType IMAPS\nCertificateFile {stage.server.certificates.ca}" if line.tls else "SSLType None"
    file = stage.path("mbsyncrc")
    options = "FSync no\nSync Pull New\nExpunge None" if tuned else "Sync Pull"
    file.write_text(f"""{options}

IMAPAccount bench
Host localhost
Port {stage.port(line)}
User mail
Pass "{PASSWORD}"
AuthMechs LOGIN
{security}

IMAPStore far
Account bench

MaildirStore near
Path {store}/
Inbox {store}/INBOX
SubFolders Verbatim

Channel bench
Far :far:
Near :near:
Patterns *
Create Near
SyncState *
""")
    return ["mbsync", "-q", "-c", str(file), "-a"]


def play_mbsync(stage, line, tuned):
    command = mbsync_configuration(stage, line, tuned)
    name = "mbsync tuned" if tuned else "mbsync default"
    cost = stage.run(command)
    found = sum(1 for _ in stage.path("mbsync").glob("**/[cn][ue][rw]/*"))
    if not cost.failed and found != stage.accounts["mail"]["messages"]:
        cost.failed = f"{found} messages"
    yield name, cost, {}
    if not cost.failed:
        age(stage.path("mbsync"))
        os.sync()
        yield f"{name} again", stage.run(command), {}
    stage.drop("mbsync")


@scene("mbsync tuned", "mbsync tuned again")
def play_mbsync_tuned(stage, line):
    yield from play_mbsync(stage, line, True)


# It waits for the disk after each message, so that one run says enough.
@scene("mbsync default", "mbsync default again", once=True, lines=lambda line: every_line(line) and
       line.round_trip_ms in (0, 50))
def play_mbsync_default(stage, line):
    yield from play_mbsync(stage, line, False)


@scene("offlineimap (extrapolated)", accounts=("subset",), once=True,
       lines=lambda line: line in (Line(0, False), Line(50, False)))
def play_offlineimap(stage, line):
    """A small part, and its time multiplied by the messages: too slow for all of it."""
    if shutil.which("offlineimap") is None:
        yield "offlineimap (extrapolated)", Cost(0, 0, 0, "not installed"), {}
        return
    store = stage.path("offlineimap")
    store.mkdir()
    file = stage.path("offlineimaprc")
    file.write_text(f"""
[general]
accounts = bench
metadata = {store}/state
[Account bench]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {store}/mail
[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {stage.port(line)}
remoteuser = subset
remotepass = {PASSWORD}
ssl = no
starttls = no
""")
    cost = stage.run(["offlineimap", "-o", "-u", "quiet", "-c", str(file)])
    found = sum(1 for _ in store.glob("mail/*/[cn][ue][rw]/*"))
    wanted = stage.accounts["subset"]["messages"]
    if not cost.failed and found != wanted:
        cost.failed = f"{found} messages of {wanted}"
    factor = stage.accounts["mail"]["messages"] / wanted
    yield "offlineimap (extrapolated)", Cost(cost.seconds * factor, cost.cpu_seconds * factor, cost.rss_mib,
                                             cost.failed), {"measured_seconds": cost.seconds, "messages": wanted}
    stage.drop("offlineimap")


# The same tree without a network: on the disk, and in memory behind FUSE.

def is_local(line):
    return line is LOCAL


@scene("local rsync", "local rsync again", "local tar", "local grep warm", lines=is_local)
def play_local(stage, _):
    tree = stage.prop("tree")
    command = f"rsync -a {tree}/ {stage.path('copy')}/"
    yield "local rsync", stage.run(command), {}
    os.sync()
    yield "local rsync again", stage.run(command), {}
    yield "local tar", stage.run(f"tar -C {tree} -c . | cat >/dev/null"), {}
    yield "local grep warm", stage.run(GREP % tree), {}
    stage.drop("copy")


@scene("memory rsync", "memory rsync again", "memory tar", "memory grep", "memory grep warm", lines=is_local)
def play_memory(stage, _):
    stage.prop("tree")
    with stage.memory_fs("tree") as path:
        command = f"rsync -a {path}/ {stage.path('copy')}/"
        yield "memory rsync", stage.run(command), {}
        os.sync()
        yield "memory rsync again", stage.run(command), {}
        stage.drop("copy")
    with stage.memory_fs("tree") as path:
        yield "memory tar", stage.run(f"tar -C {path} -c . | cat >/dev/null"), {}
    with stage.memory_fs("tree") as path:
        yield "memory grep", stage.run(GREP % path), {}
        yield "memory grep warm", stage.run(GREP % path), {}


@scene("local ls", lines=is_local, accounts=("many",))
def play_local_ls(stage, _):
    path = stage.prop("many-tree")
    stage.run(f"ls -l {path} >/dev/null")
    yield "local ls", stage.run(f"ls -l {path} >/dev/null"), {}


# What several works need, made when the first one does.

def make_tree(stage):
    """The mail account as files, with the names and dates that the mount gives them."""
    with Mounted(stage, Line(0, False)) as mounted:
        cost, _ = mounted.run(f"rsync -a {mounted.path}/ {stage.path('tree')}/", mount=True, limit=120)
        problem = cost.failed or stage.check("tree", "mail")
        if problem:
            raise RuntimeError(f"the first copy through the mount: {problem}")
    return stage.path("tree")


def make_many_tree(stage):
    """The large folder as empty files of the same names, sizes and dates."""
    target = stage.path("many-tree")
    target.mkdir()
    with Mounted(stage, Line(0, False), "many") as mounted:
        stage.run(f"{mounted.command} && ls {mounted.path}/INBOX")
        for entry in os.scandir(mounted.path / "INBOX"):
            status = entry.stat()
            with open(target / entry.name, "wb") as file:
                file.truncate(status.st_size)
            os.utime(target / entry.name, ns=(status.st_mtime_ns, status.st_mtime_ns))
    os.sync()
    return target


PROPS = {"tree": make_tree, "many-tree": make_many_tree}
