# SPDX-License-Identifier: GPL-3.0-or-later
"""A mount that is under load for a while has what it had before; scripts/soak does this for as long as one likes."""

import pytest

from mount import FULL
from soak import Soak

MINUTES = 10 if FULL else 2


@pytest.mark.seconds(MINUTES * 60 + 300)
def test_memory_descriptors_and_threads_stay_as_they_are(tell_count):
    soak = Soak(MINUTES).run()
    print(soak.table())
    for what, number in sorted(soak.load.counts.items()):
        tell_count(f"{what} in the soak", number)
    problems = soak.problems()
    assert not problems, "\n".join(problems)
