#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays sequences of steps against a real mount (model_steps.py), and makes those that fail short.

  model_play.py SEED...              plays the sequences of these seeds
  model_play.py --from SEED --minutes N   one seed after another for so long
  model_play.py --shrink SEED        takes out steps for as long as it still fails, and prints what is left
  model_play.py --file SEQUENCE.json plays a kept one; with --shrink makes it shorter

The program is $MAILMOUNT, or build/mailmount. What is left of a sequence that failed belongs into model_sequences/,
under a name that says what was wrong: test_model.py plays all of them.
"""

import argparse
import itertools
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True

from model_steps import WAYS, World, steps  # noqa: E402

LENGTH = 60
ARGUMENT_MAX = 999
TRIES = 2  # of a sequence that may fail only now and then
SETTLE_SECONDS = 8  # are enough to see that something stays as it is, when sequences are made shorter


@dataclass
class Sequence:
    way: str
    names: str
    steps: list = field(default_factory=list)  # [[name, number…]]

    @classmethod
    def of_seed(cls, seed):
        """Always the same. Four in a row have all ways of learning what changed."""
        chance = random.Random(seed)
        way, names = list(WAYS)[seed % len(WAYS)], chance.choice(["subject", "subject", "uid"])
        known = steps()
        drawn = chance.choices(list(known), [weight for _, weight in known.values()], k=LENGTH)
        return cls(way, names, [[name, *(chance.randint(0, ARGUMENT_MAX) for _ in range(known[name][0]))]
                                for name in drawn])

    @classmethod
    def of_file(cls, path):
        known = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(known["way"], known["names"], known["steps"])

    def without(self, start, end):
        return Sequence(self.way, self.names, self.steps[:start] + self.steps[end:])

    def as_json(self, why=""):
        lines = ",\n".join(f"    {json.dumps(step)}" for step in self.steps)
        return f'{{\n  "why": {json.dumps(why)},\n  "way": "{self.way}",\n  "names": "{self.names}",\n' \
               f'  "steps": [\n{lines}\n  ]\n}}\n'


class Failed(AssertionError):
    """A sequence and what came of it."""


def play(sequence, **kwargs):
    """Plays it, and in the end a complete copy; what was seen, counted. Raises Failed."""
    done = []
    world = None
    try:
        with World(sequence.way, sequence.names, **kwargs) as world:
            for step in [*sequence.steps, ["settle"], ["start_copy"], ["finish_copy"], ["remount"], ["settle"]]:
                done.append(f"{json.dumps(step)}")
                world.do(step)
            done.append("the end")
    except Exception as error:
        said = world.mounted.output()[-4000:] if world is not None and hasattr(world, "mounted") else ""
        raise Failed(f"way {sequence.way}, names={sequence.names}\n" + "\n".join(done)
                     + f"\n{type(error).__name__}: {error}\n--- the mount said:\n{said}") from error
    return world.counts


def fails(sequence):
    """What goes wrong, or None when it did not go wrong in TRIES tries."""
    for _ in range(TRIES):
        try:
            play(sequence, settle_seconds=SETTLE_SECONDS)
        except Failed as failure:
            return failure
    return None


def shrink(sequence, say=print):
    """The sequence with as many steps taken out as can be while it still fails."""
    size = max(1, len(sequence.steps) // 2)
    while size:
        start = 0
        while start < len(sequence.steps):
            shorter = sequence.without(start, start + size)
            if fails(shorter):
                sequence = shorter
                say(f"{len(sequence.steps)} steps still fail")
            else:
                start += size
        size //= 2
    return sequence


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", nargs="*", type=int)
    parser.add_argument("--from", dest="first", type=int, help="the first seed of --minutes")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--shrink", action="store_true")
    arguments = parser.parse_args()
    if arguments.shrink:
        sequence = Sequence.of_file(arguments.file) if arguments.file else Sequence.of_seed(arguments.seeds[0])
        print(shrink(sequence, say=lambda text: print(text, file=sys.stderr, flush=True)).as_json(), end="")
        return 0
    seeds = itertools.count(arguments.first) if arguments.first is not None else arguments.seeds
    todo = [(arguments.file, Sequence.of_file(arguments.file))] if arguments.file else \
        ((seed, Sequence.of_seed(seed)) for seed in seeds)
    deadline = time.monotonic() + arguments.minutes * 60 if arguments.minutes else None
    failed, counts = [], Counter()
    for name, sequence in todo:
        if deadline is not None and time.monotonic() > deadline:
            break
        began = time.monotonic()
        try:
            counts += play(sequence)
            print(f"{name}: good, {time.monotonic() - began:.0f} s", flush=True)
        except Failed as failure:
            failed.append(name)
            print(f"{name}: FAILED\n{failure}", flush=True)
    print(", ".join(f"{what} {number}" for what, number in sorted(counts.items())))
    print(f"failed: {failed}" if failed else "all good")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
