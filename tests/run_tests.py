#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds everything, runs every suite and adds up what they say. Called by scripts/test.

usage: scripts/test [--quick | --full] [--only SUITE]... [--file NAME]... [--list]

  unit        unit tests, gcc
  unit-asan   unit tests, clang with AddressSanitizer and UndefinedBehaviorSanitizer
  e2e         end-to-end tests against the sanitizer build
  unit-tsan   unit tests, clang with ThreadSanitizer
  e2e-tsan    end-to-end tests against the ThreadSanitizer build (all with --full; asked for alone, a core of them)
  e2e-plain   end-to-end tests against the plain build (with --quick the core of them; all with --full)
  matrix      what must hold with every server: a table, server × protocol × what, against the sanitizer build
  soak        a mount under load for two minutes (ten with --full), beside the others: what it has stays as it is
  fuzz        every fuzz target for half a minute (five with --full), and what of the codec the corpora reach
  leaks       valgrind over a mount, ls -lR, a full copy and the unmount
  semantics   every test that SEMANTICS.md names did run and pass (only when everything else ran)
  debian13    the unit tests, and end-to-end tests over one Dovecot, on Debian 13 (only with --full, or asked for)

With --full the end-to-end suites run three times, to find what fails now and then, and the first time tests that
try something at random points try ten times as many.
The last line sums all suites: N passed, N failed, N skipped. The exit status is 0 when nothing failed and nothing
was skipped that could have run. Logs are in build/test-logs/.
"""

import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import matrix_cells  # noqa: E402

PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's pytest, whatever comes first in PATH
PLAIN, ASAN, TSAN = ROOT / "build", ROOT / "build-asan", ROOT / "build-tsan"
LOGS = PLAIN / "test-logs"
SUITES = ["unit", "unit-asan", "unit-tsan", "e2e", "e2e-tsan", "e2e-plain", "matrix", "soak", "fuzz", "leaks",
          "semantics", "debian13"]
# The long ones first, so that the workers end at about the same time.
E2E_ORDER = ["test_hostile", "test_kills", "test_cuts", "test_failures", "test_mount", "test_backup", "test_capabilities"]
# What runs against the sanitizer build alone, for time, but with --full or by name; of some the plain build needs a part.
SANITIZED_ALONE = {"test_certificates": None, "test_hostile": "flood", "test_objects": None, "test_pop3": None,
                   "test_proxies": None, "test_quirks": None, "test_servers": None, "test_signin": None,
                   "test_signin_cyrus": None, "test_tunnel": None}
FULL_SUITES = {"debian13", "e2e-tsan"}
# What ThreadSanitizer sees in every run: the tests of these files where threads meet (pytest -k).
TSAN_CORE = {
    "test_backup": "rsync_copies or cat_in_any_order",
    "test_cache": "two_mounts_share or what_left_the_cache or goes_on_where_it_broke or purging_under",
    "test_cuts": "again_and_again",
    "test_offline": "comes_back or when_it_is_back",
    "test_read_ahead": "sixteen_readers or stops_leaves_little",
    "test_tree": "every_folder or after_remount",
    "test_watch": "are_seen or goes_on",
}
# Forks without exec, which ThreadSanitizer cannot follow; it has no threads.
TSAN_NOT = {"test-credentials"}
# It has a thread of its own, so that these cannot leave their namespace; and its symbolizer, which outlives the
# program's parent, keeps that one's output open.
TSAN_NOT_CASES = ("/network/link-that-comes-up-is-noticed", "/transport/link-local-address-is-reached-in-its-zone")
TSAN_NOT_E2E = "not meson_install"
SKIP_ALLOWED = "only root can"
JOB_SECONDS = 1500
DEBIAN_SECONDS = 3600
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Results:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures, self.skips, self.passed_names = [], [], []
        self.counts = {}  # {(suite, what): number}, as the tests told them
        self.matrix = {}  # {(server, protocol, column): whether it held}
        self.lock = threading.Lock()

    def fail(self, name):
        with self.lock:
            self.failed += 1
            self.failures.append(name)

    def add_junit(self, suite, path):
        """Adds a report up; returns how many passed, failed, were skipped."""
        counts = [0, 0, 0]
        for case in read_report(path).iter("testcase"):
            self._add_told(suite, case)
            name = f"{suite}: {case.get('classname', '').replace('tests.e2e.', '')} {case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                counts[1] += 1
                self.failures.append(name)
            elif case.find("skipped") is not None:
                if suite == "unit-tsan" and (case.get("name") or "").rstrip(": ").endswith(TSAN_NOT_CASES):
                    continue
                counts[2] += 1
                reason = case.find("skipped").get("message") or ""
                self.skips.append((name, reason))
            else:
                counts[0] += 1
                self.passed_names.append(case.get("name"))
        with self.lock:
            self.passed += counts[0]
            self.failed += counts[1]
            self.skipped += counts[2]
        return counts

    def _add_told(self, suite, case):
        """What a test counted (the fixture tell_count in tests/e2e/conftest.py)."""
        for told in case.iter("property"):
            how, _, what = told.get("name", "").partition(" ")
            if how == "cell":
                cell = tuple(told.get("value").split("|"))
                problems = [element for element in case if element.tag in ("failure", "error", "skipped")]
                with self.lock:  # a test whose end fails has two reports
                    self.matrix[cell] = self.matrix.get(cell, True) and not problems
            if how in ("count", "highest"):
                with self.lock:
                    before, number = self.counts.get((suite, what), 0), int(told.get("value"))
                    self.counts[suite, what] = before + number if how == "count" else max(before, number)


def read_report(path):
    """A JUnit report. Meson puts in what tests print as it is, and some print what XML cannot hold."""
    text = Path(path).read_bytes().decode("utf-8", "replace")
    return ElementTree.fromstring(NOT_XML.sub("?", text).encode())


def say(text):
    print(text, flush=True)


def run_logged(command, log, environment=None, timeout=JOB_SECONDS):
    with open(log, "ab") as file:
        file.write(("$ " + " ".join(map(str, command)) + "\n").encode())
        file.flush()
        try:
            return subprocess.run([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file,
                                  stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})},
                                  timeout=timeout, check=False).returncode
        except subprocess.TimeoutExpired:
            file.write(f"\nnot finished after {timeout} s\n".encode())
            return -1


def tail(log, lines=60):
    return "\n".join(Path(log).read_text(errors="replace").splitlines()[-lines:])


def build(directory, compiler, options, results):
    """Configures and compiles; whether that worked."""
    log = LOGS / f"{directory.name}.log"
    log.unlink(missing_ok=True)
    started = time.monotonic()
    if (directory / "build.ninja").exists():
        setup = ["meson", "configure", directory, *options]
    else:
        setup = ["meson", "setup", directory, *options]
    environment = {"CC": compiler}
    for command in (setup, ["ninja", "-C", directory]):
        if run_logged(command, log, environment) != 0:
            say(f"building {directory.name} failed ({log}):\n{tail(log)}")
            results.fail(f"build: {directory.name} with {compiler}")
            return False
    say(f"built {directory.name} with {compiler} in {time.monotonic() - started:.0f} s")
    return True


def tsan_units():
    """The names of the unit tests that ThreadSanitizer can follow."""
    listed = subprocess.run(["meson", "test", "-C", str(TSAN), "--list", "--suite", "unit"], capture_output=True,
                            text=True, check=True).stdout
    return sorted(set(re.findall(r"/ (\S+)$", listed, re.M)) - TSAN_NOT)


def unit(suite, directory, results, names=()):
    log, started = LOGS / f"{suite}.log", time.monotonic()
    log.unlink(missing_ok=True)
    report = directory / "meson-logs" / "testlog.junit.xml"
    report.unlink(missing_ok=True)
    environment = {"ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
                   "LSAN_OPTIONS": f"suppressions={ROOT}/tests/e2e/lsan.supp:print_suppressions=0",
                   "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
                   "TSAN_OPTIONS": f"suppressions={ROOT}/tests/tsan/tsan.supp:history_size=7"}
    if directory == TSAN:
        environment["G_SLICE"] = "always-malloc"  # as tests/e2e/mount.py has it
    status = run_logged(["meson", "test", "-C", directory, "--no-rebuild", "--print-errorlogs", *names], log,
                        environment)
    if not report.exists():
        results.fail(f"{suite}: no report")
        say(tail(log))
        return
    counts = results.add_junit(suite, report)
    if status != 0 and counts[1] == 0:
        broken = re.findall(r"^ *\d+/\d+ (\S+) +(?:ERROR|FAIL|TIMEOUT)", log.read_text(errors="replace"), re.M)
        for name in dict.fromkeys(broken) or [f"meson test ended with {status}"]:
            results.fail(f"{suite}: {name}")
    if status != 0:
        say(tail(log))
    say(f"{suite}: {counts[0]} passed, {counts[1]} failed, {counts[2]} skipped in {time.monotonic() - started:.0f} s")
    names = report_names(report)
    with open(LOGS / "passed-tests", "a", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in names)


def report_names(report):
    """The GTest paths that passed: TAP gives "1 /imap/parser/…" or "/imap/parser/…"."""
    for case in read_report(report).iter("testcase"):
        if case.find("failure") is None and case.find("error") is None and case.find("skipped") is None:
            for word in (case.get("name") or "").split():
                if word.startswith("/"):
                    yield word


def pytest_job(suite, name, files, arguments, environment, results):
    log, report = LOGS / f"{suite}-{name}.log", LOGS / f"{suite}-{name}.xml"
    for path in (log, report):
        path.unlink(missing_ok=True)
    started = time.monotonic()
    command = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-ra", "--tb=short", "--durations=8",
               f"--junitxml={report}", "-o", "junit_family=xunit1", *arguments, *files]
    status = run_logged(command, log, {"PYTHONDONTWRITEBYTECODE": "1", "MAILMOUNT_PASSED_TESTS": str(
        LOGS / "passed-tests"), "LC_ALL": "C.UTF-8", **environment})
    if status == 5:  # nothing collected: no test of this file has the wanted mark
        return
    if not report.exists():
        results.fail(f"{suite}: {name} ended with {status} and without a report")
        say(f"{suite} {name}:\n{tail(log)}")
        return
    counts = results.add_junit(suite, report)
    if status != 0 and counts[1] == 0:
        results.fail(f"{suite}: {name} ended with {status}")
    if status != 0:
        say(f"{suite} {name}:\n{tail(log, 40)}")
    say(f"{suite} {name}: {counts[0]} passed, {counts[1]} failed, {counts[2]} skipped "
        f"in {time.monotonic() - started:.0f} s")


def end_to_end_files(names=None):
    """Those of the end-to-end suites, or the ones of these names, the long ones first."""
    directory = ROOT / "tests" / "e2e"
    paths = [directory / f"test_{name}.py" for name in names] if names else directory.glob("test_*.py")
    return sorted((path for path in paths
                   if path.stem not in ("test_semantics", "test_leaks", "test_soak", "test_matrix")),
                  key=lambda path: (E2E_ORDER.index(path.stem) if path.stem in E2E_ORDER else 99, path.stem))


def end_to_end_jobs(wanted, names, quick, full):
    directory, files, jobs = ROOT / "tests" / "e2e", end_to_end_files(names), []
    if "fuzz" in wanted:
        jobs.append(("fuzz", "targets", [ROOT / "tests" / "fuzz" / "test_fuzz.py"], [],
                     {"MAILMOUNT_FULL": "1"} if full else {}))
    if "leaks" in wanted:
        jobs.append(("leaks", "valgrind", [directory / "test_leaks.py"], [], {"MAILMOUNT": str(PLAIN / "mailmount")}))
    if "matrix" in wanted:
        for server in matrix_cells.SERVERS:
            jobs.append(("matrix", server, [directory / "test_matrix.py"], ["-k", server],
                         {"MAILMOUNT": str(ASAN / "mailmount"), "MAILMOUNT_SLOWNESS": "3"}))
    for turn in range(3 if full else 1):
        number = f"-{turn + 1}" if full else ""
        more = {"MAILMOUNT_FULL": "1"} if full and turn == 0 else {}
        for path in files:
            if "e2e" in wanted:
                jobs.append(("e2e", path.stem[5:] + number, [path], [],
                             {"MAILMOUNT": str(ASAN / "mailmount"), "MAILMOUNT_SLOWNESS": "3", **more}))
        for path in files:
            if "e2e-tsan" in wanted and turn == 0 and (full or path.stem in TSAN_CORE):
                jobs.append(("e2e-tsan", path.stem[5:], [path], ["-k", TSAN_NOT_E2E if full else TSAN_CORE[path.stem]],
                             {"MAILMOUNT": str(TSAN / "mailmount"), "MAILMOUNT_SLOWNESS": "4"}))
        for path in files:
            part = "" if full or names else SANITIZED_ALONE.get(path.stem, "")
            if "e2e-plain" in wanted and part is not None:
                jobs.append(("e2e-plain", path.stem[5:] + number, [path],
                             ["-m", "core"] if quick else ["-k", part] if part else [],
                             {"MAILMOUNT": str(PLAIN / "mailmount"), "MAILMOUNT_SLOWNESS": "2", **more}))
    return jobs


def soak_jobs(wanted, full):
    environment = {"MAILMOUNT": str(PLAIN / "mailmount"), "MAILMOUNT_SLOWNESS": "3",
                   **({"MAILMOUNT_FULL": "1"} if full else {})}
    return [("soak", "soak", [ROOT / "tests" / "e2e" / "test_soak.py"], [], environment)] if "soak" in wanted else []


def other_debian(suite, release, results):
    """scripts/on-debian runs what it runs without a command, and its sum is added here."""
    if os.geteuid() != 0:
        results.skipped += 1
        results.skips.append((suite, f"{SKIP_ALLOWED} enter another system"))
        return
    log, started = LOGS / f"{suite}.log", time.monotonic()
    status = run_logged([ROOT / "scripts" / "on-debian", release], log, timeout=DEBIAN_SECONDS)
    text = log.read_text(errors="replace")
    closing = re.findall(r"^(\d+) passed, \d+ failed, \d+ skipped$", text, re.M)
    if closing:
        results.passed += int(closing[-1])
    # As finish() has them; pytest's own look a little different.
    failures, skips = (re.findall(line, text, re.M) for line in (r"^FAILED  (.*)$", r"^SKIPPED (?!\[)(.*)$"))
    if not closing or (status != 0 and not failures + skips):
        failures.append(f"{release} ended with {status}:\n{tail(log, 20)}")
    for name in failures:
        results.fail(f"{suite}: {name}")
    results.skipped += len(skips)
    results.skips += [(f"{suite}: {name}", "there") for name in skips]
    say(f"{suite}: {closing[-1] if closing else 0} passed, {len(failures)} failed, {len(skips)} skipped "
        f"in {time.monotonic() - started:.0f} s")


def run_jobs(jobs, results, workers=3):
    waiting = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)

    def work():
        while True:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                pytest_job(*job, results)
            except Exception as error:  # a job that breaks is a failure, not the end of the others
                results.fail(f"{job[0]} {job[1]}: {error!r}")

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def finish(results, started):
    if results.matrix:
        say("\n".join(matrix_cells.format_table(results.matrix)))
    for name in results.failures:
        say(f"FAILED  {name}")
    not_allowed = 0
    for name, reason in results.skips:
        allowed = SKIP_ALLOWED in reason and os.geteuid() != 0
        not_allowed += not allowed
        say(f"SKIPPED {name}: {reason}{'' if allowed else ' (should have run)'}")
    for suite in SUITES:
        told = [f"{what} {number}" for (of, what), number in sorted(results.counts.items()) if of == suite]
        if told:
            say(f"{suite}: counted {', '.join(told)}")
    say(f"logs: {LOGS}; {time.monotonic() - started:.0f} s")
    say(f"{results.passed} passed, {results.failed} failed, {results.skipped} skipped")
    return 1 if results.failed or not_allowed or not results.passed else 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("usage: "), add_help=True,
                                     description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only the core of the tests against the plain build")
    parser.add_argument("--full", action="store_true", help="the end-to-end suites three times, and longer")
    parser.add_argument("--only", action="append", choices=SUITES, help="one suite; may be repeated")
    parser.add_argument("--file", action="append", metavar="NAME",
                        help="of the end-to-end suites only tests/e2e/test_NAME.py; may be repeated")
    parser.add_argument("--list", action="store_true", help="print the names of the suites")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(SUITES))
        return 0
    wanted = set(arguments.only or SUITES)
    if not arguments.only and not arguments.full:
        wanted -= FULL_SUITES
    started = time.monotonic()
    LOGS.parent.mkdir(exist_ok=True)
    shutil.rmtree(LOGS, ignore_errors=True)
    results = Results()

    plain_options = ["-Dwerror=true"]
    asan_options = ["-Dwerror=true", "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=1"]
    LOGS.mkdir(parents=True)
    plain = build(PLAIN, "gcc", plain_options, results)
    asan = True
    if wanted & {"unit-asan", "e2e", "matrix"}:
        asan = build(ASAN, "clang", asan_options, results)
    tsan = True
    if wanted & {"unit-tsan", "e2e-tsan"}:
        tsan = build(TSAN, "clang", ["-Dwerror=true", "-Db_sanitize=thread", "-Db_lundef=false"], results)
    if not (plain and asan and tsan):
        return finish(results, started)
    if "unit" in wanted:
        unit("unit", PLAIN, results)
    if "unit-asan" in wanted:
        unit("unit-asan", ASAN, results)
    if "unit-tsan" in wanted:
        unit("unit-tsan", TSAN, results, tsan_units())
    # It sleeps more than it works, so it needs no worker of its own.
    soak = threading.Thread(target=run_jobs, args=(soak_jobs(wanted, arguments.full), results, 1))
    soak.start()
    run_jobs(end_to_end_jobs(wanted, arguments.file, arguments.quick, arguments.full), results)
    soak.join()
    if "matrix" in wanted and not matrix_cells.all_hold(results.matrix):
        results.fail("matrix: a cell does not hold")
    if "debian13" in wanted:
        other_debian("debian13", "trixie", results)
    if "semantics" in wanted:
        everything = {"unit", "e2e", "matrix", "soak"} <= wanted
        pytest_job("semantics", "promises", [ROOT / "tests" / "e2e" / "test_semantics.py"], [],
                   {"MAILMOUNT": str(PLAIN / "mailmount"), "MAILMOUNT_CHECK_SEMANTICS": "1" if everything else "0"},
                   results)
    return finish(results, started)


if __name__ == "__main__":
    sys.exit(main())
