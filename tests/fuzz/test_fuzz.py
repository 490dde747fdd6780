# SPDX-License-Identifier: GPL-3.0-or-later
"""Every target for half a minute (five with MAILMOUNT_FULL), and how much of the codec layer the corpora reach."""

import os

import fuzz
import pytest

SECONDS = 300 if os.environ.get("MAILMOUNT_FULL") else 30
CODEC_LINES_MIN = 95.0


@pytest.fixture(scope="session", autouse=True)
def programs():
    fuzz.build_fuzzers(fuzz.targets())


@pytest.mark.parametrize("target", fuzz.targets())
def test_nothing_is_found(target, record_property):
    executed = fuzz.fuzz(target, SECONDS, [])
    assert executed, "the input that crashed is in build-fuzz/crashes"
    assert executed > len(list((fuzz.CORPORA / target).iterdir())), "no input beside the corpus was tried"
    record_property(f"count inputs of {target}", executed)


def test_the_corpora_reach_the_codec_layer(record_property):
    reached = fuzz.coverage(with_found=False)
    record_property("highest tenths of a percent of the codec's lines that the corpora reach", round(reached * 10))
    assert reached >= CODEC_LINES_MIN
