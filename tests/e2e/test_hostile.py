# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing a server does breaks the mount: every misbehaviour of the hostile server, always and only the first time.

With sanitizers each is tried once, with a cold or a warm cache, and all tools one after the other; half of what harms a
whole account always, and half, with the plain build, once. The plain build also has the floods, whose memory is
measured; and everything with both caches when MAILMOUNT_FULL=1."""

import concurrent.futures

import pytest

import mount as mounting
from dovecot import Certificates
from hostile import MISBEHAVIOURS
from hostile.registry import ACCOUNT
from hostile_trial import TOOLS, run_account, run_flood, run_group

GROUP = 12  # misbehaviours that share a mount
WORKERS = 6

IS_SANITIZED = mounting.BINARY.exists() and b"__asan_init" in mounting.BINARY.read_bytes()
CACHES = ("cold", "warm")
PEAK_MB = 256

IN_MAILBOXES = sorted(name for name, m in MISBEHAVIOURS.items() if m.hits != ACCOUNT and m.theme != "floods")
OF_ACCOUNTS = sorted(name for name, m in MISBEHAVIOURS.items() if m.hits == ACCOUNT and m.theme != "floods")
FLOODS = sorted(name for name, m in MISBEHAVIOURS.items() if m.theme == "floods")
N_GROUPS = -(-len(IN_MAILBOXES) // GROUP)
GROUPS = [IN_MAILBOXES[n::N_GROUPS] for n in range(N_GROUPS)]  # those of a theme in different ones


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def run_all(tell_count):
    """Runs jobs side by side and asserts that none found a problem, and that what happened once is soon over."""
    def run(what, function, jobs):
        problems, attempts, at_once, late = [], 0, 0, []
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            futures = [(job, pool.submit(function, *job)) for job in jobs]
            for job, future in futures:
                found, counts = future.result()
                problems += [f"{job[0]} {job[1]}: {problem}" for problem in found]
                attempts, at_once, late = attempts + counts[0], at_once + counts[1], late + counts[2]
        tell_count(f"trials {what}", len(jobs))
        tell_count(f"reads {what} while something happened once", attempts)
        tell_count(f"of these right at once {what}", at_once)
        tell_count(f"of these right in time {what}", attempts - len(late))
        assert not problems, "\n".join(problems)
        assert len(late) * 100 <= attempts, late
    return run


def in_turns(everything):
    """Of each item one variant."""
    return [(item, CACHES[n % 2], TOOLS[n % 3:] + TOOLS[:n % 3]) for n, item in enumerate(everything)]


def choose(everything, sanitized, plain):
    """Jobs for a test; the slices say what is tried of it with which build."""
    if mounting.FULL and not IS_SANITIZED:
        return [(item, cache, TOOLS) for cache in CACHES for item in everything]
    return in_turns(everything[sanitized if IS_SANITIZED else plain])


ALL, NEARLY_NONE = slice(None), slice(3, None, 12)


@pytest.mark.seconds(900)
def test_misbehaviours_that_keep_to_a_mailbox(run_all):
    run_all("in mailboxes", run_group, choose(GROUPS, ALL, NEARLY_NONE))


@pytest.mark.seconds(900)
def test_misbehaviours_of_all_there_is(run_all, certificates):
    jobs = choose(OF_ACCOUNTS, slice(0, None, 2), NEARLY_NONE)
    run_all("of accounts", run_account, [(*job, None, certificates) for job in jobs])


@pytest.mark.seconds(900)
def test_misbehaviours_of_all_there_is_once(run_all, certificates):
    jobs = choose(OF_ACCOUNTS, NEARLY_NONE, slice(1, None, 2))
    run_all("of accounts, once,", run_account, [(*job, 1, certificates) for job in jobs])


@pytest.mark.seconds(600)
def test_floods_take_little_memory(tell_count):
    """And end, and harm nobody else."""
    jobs = choose(FLOODS, NEARLY_NONE, ALL)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda job: run_flood(*job), jobs))
    peaks = {job[0]: peak >> 20 for job, (_, peak) in zip(jobs, results)}
    tell_count("floods", len(jobs))
    tell_count("MB under a flood", max(peaks.values()), highest=True)
    problems = [f"{job[0]} {job[1]}: {problem}" for job, (found, _) in zip(jobs, results) for problem in found]
    assert not problems, "\n".join(problems)
    assert IS_SANITIZED or max(peaks.values()) <= PEAK_MB, peaks
