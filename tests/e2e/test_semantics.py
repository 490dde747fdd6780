# SPDX-License-Identifier: GPL-3.0-or-later
"""SEMANTICS.md: every sentence names a test, every named test exists, and ran, and passed.

Whether it ran can be known only where everything ran: scripts/test says so by MAILMOUNT_CHECK_SEMANTICS=1 and
gives the tests that passed, and those that did not, in MAILMOUNT_PASSED_TESTS.
"""

import os
import re
from pathlib import Path

import pytest

from mount import ROOT

TEST_NAME = re.compile(r"`((?:test_\w+\.py::\w+)|(?:/[\w./-]+))`")


def promises():
    """[(number, sentence, [tests])] of SEMANTICS.md."""
    text = (ROOT / "SEMANTICS.md").read_text(encoding="utf-8")
    found = []
    for number, body in re.findall(r"^(\d+)\. (.+?)(?=^\d+\. |^#|\Z)", text, re.M | re.S):
        found.append((int(number), " ".join(body.split()), TEST_NAME.findall(body)))
    return found


def existing():
    names = set()
    for path in (ROOT / "tests/e2e").glob("test_*.py"):
        names |= {f"{path.name}::{name}" for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)}
    for path in (ROOT / "tests/unit").glob("test-*.c"):
        text = path.read_text()
        names |= set(re.findall(r'"(/[a-z0-9][\w./-]*)"', text))
    return names


def passed():
    """The tests that passed in every form in which they ran."""
    good, bad = set(), set()
    for line in Path(os.environ["MAILMOUNT_PASSED_TESTS"]).read_text(encoding="utf-8").splitlines():
        name = line.removeprefix("not passed: ")
        (bad if name != line else good).add(name.split("[")[0] if "::" in name else name)
    return good - bad


def test_every_sentence_is_numbered_and_names_a_test():
    found = promises()
    assert len(found) >= 30
    assert [number for number, _, _ in found] == list(range(1, len(found) + 1))
    assert not [f"{number}. {sentence}" for number, sentence, tests in found if not tests]


def test_every_named_test_exists():
    names = existing()
    assert not [f"{number}: {test}" for number, _, tests in promises() for test in tests if test not in names]


def test_every_named_test_ran_and_passed():
    if os.environ.get("MAILMOUNT_CHECK_SEMANTICS") != "1":
        pytest.skip("only a run of everything can tell")
    good = passed()
    assert not [f"{number}: {test}" for number, _, tests in promises() for test in tests if test not in good]
