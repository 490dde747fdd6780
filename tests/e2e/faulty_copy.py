# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of kills and cuts share: a copy of the small account through a proxy, and its truth."""

import random
import subprocess
import time

from mount import FULL, SLOW, sh
from tree import compare

TRIES_EACH = 10 if FULL else 1  # random points in each of ten tests
COMPLETE_SECONDS = 60  # within which the mount must have found its server again


def rsync(mounted, target):
    return sh(["rsync", "-a", f"{mounted.path}/", f"{target}/"], check=False)


def start_rsync(mounted, target):
    return subprocess.Popen(["rsync", "-a", f"{mounted.path}/", f"{target}/"], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def complete(mounted, target, corpus):
    """Runs rsync until it succeeds; the number of runs. Fails when the copy is not the source in the end."""
    deadline, runs = time.monotonic() + COMPLETE_SECONDS * SLOW, 1
    while (result := rsync(mounted, target)).returncode != 0:
        assert time.monotonic() < deadline, f"no complete copy in {runs} runs: {result.err}"
        runs += 1
        time.sleep(0.5)
    differences = compare(target, corpus)
    assert not differences, str(differences)
    return runs


def truth_of(corpus):
    """The contents that a cache of this corpus may hold."""
    return [message.served for folder in corpus.folders.values() for message in folder.messages]


def octets_of_copy(mount, proxy, target, **kwargs):
    """How many octets a whole copy takes in each direction, the connecting included."""
    before = dict(proxy.passed)
    mounted = mount(proxy, user="small", **kwargs)
    assert rsync(mounted, target).returncode == 0
    mounted.unmount()
    return {direction: proxy.passed[direction] - before[direction] for direction in before}


def tries(seed):
    """(number, random) for each try of the test with this seed; what it does is to be found again by these."""
    for number in range(TRIES_EACH):
        print(f"seed {seed}, try {number}")
        yield number, random.Random(seed * 1000 + number)
