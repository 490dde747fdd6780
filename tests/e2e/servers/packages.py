#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the programs of the servers come from: Debian packages that are unpacked, not installed, and npm's.

Debian's mail servers exclude one another, so each has a root of its own: the packages that it needs and that this
machine does not have, unpacked side by side. enter-root lays them over the machine's own /usr. What is fetched is
kept in $MAILMOUNT_TEST_CACHE (/var/cache/mailmount-tests for root, ~/.cache/mailmount-tests for others), so that it
is fetched once.

Run as a program it fetches everything that is not there yet; scripts/install-deps does that.
"""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOTS = {
    "cyrus": ["cyrus-imapd", "cyrus-pop3d", "sasl2-bin", "libsasl2-modules",
              "libsasl2-modules-gssapi-mit"],
    "courier": ["courier-imap", "courier-pop", "courier-authlib-userdb"],
    "mailutils": ["mailutils-imap4d", "mailutils-pop3d"],
}
# They come with the servers, to deliver mail or to help their maintainer scripts; nothing of them is run.
NOT_NEEDED = re.compile(r"exim4|gawk|libsigsegv|libclamav|.*-dev$")
FETCH_SECONDS = 600


class CannotInstall(Exception):
    """A server's programs cannot be had; the text says which and what was tried."""


def cache():
    default = "/var/cache/mailmount-tests" if os.geteuid() == 0 else "~/.cache/mailmount-tests"
    return Path(os.environ.get("MAILMOUNT_TEST_CACHE", default)).expanduser()


def _run(command, directory=None):
    try:
        return subprocess.run(command, cwd=directory, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=FETCH_SECONDS, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
    except subprocess.CalledProcessError as error:
        raise CannotInstall(f"{' '.join(command)}: {error.stdout[-1000:]}{error.stderr[-2000:]}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotInstall(f"{' '.join(command)}: {error}") from None


@contextlib.contextmanager
def _made_once(name, recipe):
    """Yields the directory to fill, or None when it was filled by the same recipe before. Whoever comes meanwhile
    waits; a directory that was not filled to the end is never seen."""
    digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]
    ready = cache() / f"{name}-{digest}"
    if ready.exists():
        yield ready, None
        return
    cache().mkdir(parents=True, exist_ok=True)
    with open(cache() / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if ready.exists():
            yield ready, None
            return
        partial = cache() / f"{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        yield ready, partial
        for old in cache().glob(f"{name}-*"):
            shutil.rmtree(old, ignore_errors=True)
        partial.rename(ready)


def debian_root(name):
    """The directory with the unpacked packages of a server, fetched when it is not there yet."""
    release = Path("/etc/debian_version").read_text(encoding="utf-8").split(".")[0].strip()
    with _made_once(name, (release, ROOTS[name], NOT_NEEDED.pattern)) as (ready, partial):
        if partial is not None:
            try:
                _fetch_debs(ROOTS[name], partial)
            except CannotInstall:  # what apt knows may be older than what the archive still has
                if os.geteuid() != 0:
                    raise
                _run(["apt-get", "-q", "update"])
                _fetch_debs(ROOTS[name], partial)
            for deb in partial.glob("*.deb"):
                _run(["dpkg", "-x", str(deb), str(partial)])
                deb.unlink()
            _merge_usr(partial)
    return ready


def _fetch_debs(packages, directory):
    plan = _run(["apt-get", "-s", "-o", "Debug::NoLocking=true", "--no-install-recommends", "install", *packages])
    wanted = [f"{name}={version}" for name, version in re.findall(r"^Inst (\S+)(?: \[\S+\])? \((\S+)", plan, re.M)
              if not NOT_NEEDED.match(name)]
    if wanted:
        _run(["apt-get", "-q", "-o", "Acquire::Retries=3", "-o", "APT::Sandbox::User=", "download", *wanted],
             directory)


def _merge_usr(root):
    """Puts /lib and the like where the machine has them."""
    for name in ("bin", "sbin", "lib", "lib64"):
        if (root / name).is_dir() and not (root / name).is_symlink():
            shutil.copytree(root / name, root / "usr" / name, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(root / name)
    for name in ("usr", "etc"):
        (root / name).mkdir(exist_ok=True)


def node_modules():
    """The directory with the npm servers in node_modules, as the lock file has them.

    npm only brings the packages: `npm ci` of Debian's npm 9.2 fails on overrides that name another package."""
    lock = (HERE / "npm" / "package-lock.json").read_text(encoding="utf-8")
    with _made_once("npm", lock) as (ready, partial):
        if partial is not None:
            _fetch_npm({path: entry for path, entry in json.loads(lock)["packages"].items() if path}, partial)
    return ready


def _fetch_npm(entries, directory):
    specs = {path: f"{entry.get('name', path.rpartition('node_modules/')[2])}@{entry['version']}"
             for path, entry in entries.items()}
    packed = json.loads(_run(["npm", "pack", "--json", "--ignore-scripts", *sorted(set(specs.values()))], directory))
    archives = {package["id"]: directory / package["filename"].replace("@", "").replace("/", "-")
                for package in packed}
    for path, spec in specs.items():
        _check_integrity(archives[spec], entries[path]["integrity"])
        (directory / path).mkdir(parents=True, exist_ok=True)
        _run(["tar", "-xzf", str(archives[spec]), "--strip-components=1", "--no-same-owner"], directory / path)
    for archive in archives.values():
        archive.unlink()


def _check_integrity(archive, integrity):
    algorithm, _, digest = integrity.partition("-")
    if base64.b64encode(hashlib.new(algorithm, archive.read_bytes()).digest()).decode() != digest:
        raise CannotInstall(f"{archive.name} is not what package-lock.json says")


def main():
    try:
        for name in ROOTS:
            debian_root(name)
        node_modules()
    except CannotInstall as error:
        print(f"install-deps: a mail server for the tests cannot be fetched: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
