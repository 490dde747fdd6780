#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures mailmount against its rivals and against what is possible. Called by scripts/bench.

Every run plays all works on all lines, so that what slows the machine down slows all of them down; figures are
medians over the runs. Prints a Markdown report; a whole run keeps it as tests/bench/RESULTS.md and results.svg, any
other one as RESULTS.md and results.svg in the build directory, beside bench.json with every single figure.
"""

import argparse
import fnmatch
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

import accounts
import plot
import report
from stage import LOCAL, Line, Stage
from works import SCENES

QUICK = {"messages": 1000, "many": 10_000, "large": 100, "sparse": 200, "subset": 50}


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,000 messages, one run, 0 and 50 ms")
    parser.add_argument("--only", action="append", metavar="NAME", help="works of this name (a shell glob); may be "
                        "given more than once, see --list")
    parser.add_argument("--skip", action="append", default=[], metavar="NAME", help="not these")
    parser.add_argument("--runs", type=int, metavar="N", help="of which the medians are shown (3)")
    parser.add_argument("--round-trips", metavar="MS,MS", help="0,20,50,100")
    parser.add_argument("--plain", action="store_true", help="no TLS")
    parser.add_argument("--tls", action="store_true", help="TLS only")
    parser.add_argument("--limit", type=int, default=180, metavar="SECONDS", help="a work that takes longer has failed (180)")
    parser.add_argument("--directory", default=f"/var/tmp/mailmount-bench-{os.getuid()}", metavar="DIR",
                        help="generated mail, kept, and copies, not kept (/var/tmp/mailmount-bench-UID)")
    parser.add_argument("--build", default=ROOT / "build-bench", type=Path, metavar="DIR", help="build directory")
    parser.add_argument("--no-build", action="store_true", help="measure what is there")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where the report goes")
    parser.add_argument("--redraw", action="store_true", help="make the report anew from the last run's figures")
    parser.add_argument("--list", action="store_true", help="print the names of the works")
    for name, value in accounts.SIZE.items():
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"({value})")
    options = parser.parse_args(arguments)
    options.runs = options.runs or (1 if options.quick else 3)
    options.sizes = {**accounts.SIZE, **(QUICK if options.quick else {}),
                     **{name: value for name in accounts.SIZE if (value := getattr(options, name))}}
    trips = options.round_trips or ("0,50" if options.quick else "0,20,50,100")
    security = [tls for tls in (False, True) if not (options.plain and tls) and not (options.tls and not tls)]
    options.lines = [Line(int(trip), tls) for trip in trips.split(",") for tls in security]
    options.whole = not (options.quick or options.only or options.skip or options.round_trips or options.plain
                         or options.tls) and options.sizes == accounts.SIZE and options.runs >= 3
    return options


def build(options):
    log = options.build.parent / f"{options.build.name}.log"
    if not (options.build / "build.ninja").exists():
        _quietly(["meson", "setup", "-Dbuildtype=release", options.build, ROOT], log)
    _quietly(["meson", "compile", "-C", options.build, "mailmount:executable", "bench-programs"], log)
    log.unlink(missing_ok=True)


def _quietly(command, log):
    with open(log, "ab") as output:
        if subprocess.run(list(map(str, command)), stdout=output, stderr=output, check=False).returncode != 0:
            sys.exit(f"bench: {command[1]} failed; see {log}")


def wanted_names(scene, options):
    matches = lambda name, globs: any(fnmatch.fnmatchcase(name, glob) for glob in globs)
    return [name for name in scene.names
            if matches(name, options.only or ["*"]) and not matches(name, options.skip)]


def play(stage, options, scenes):
    """All runs. Returns a row for each figure: run, work, line, and all that was measured."""
    rows = []
    for run in range(options.runs):
        for line in [LOCAL, *options.lines]:
            for scene in scenes:
                if not scene.lines(line) or (scene.once and run > 0):
                    continue
                for name, cost, facts in scene.play(stage, line):
                    rows.append({"run": run, "work": name, "round_trip_ms": line.round_trip_ms if line else None,
                                 "tls": line.tls if line else None, **vars(cost), **facts})
                    print(f"  {run + 1}/{options.runs}  {str(line or 'local'):>12}  {name:28} "
                          f"{cost.failed or f'{cost.seconds:8.3f} s'}", file=sys.stderr, flush=True)
    return rows


def warm_up(stage, names):
    """The server's own indexes and the machine's page cache, so that the first work is not the slow one."""
    line = Line(0, False)
    if "mail" in names:
        stage.run(stage.limit_command(line, "mail"))
        stage.run(stage.limit_command(line, "mail", "--items=subject"))
    if "many" in names:
        stage.run(stage.limit_command(line, "many", "--items=subject"), limit=300)
    for name in ("large", "sparse", "dense"):
        if name in names:
            stage.run(stage.limit_command(line, name, "--items=subject"))
            stage.run(stage.limit_command(line, name))


def measure(options):
    scenes = [scene for scene in SCENES if wanted_names(scene, options)
              and any(scene.lines(line) for line in [LOCAL, *options.lines])]
    if not scenes:
        sys.exit("bench: no work has such a name; see --list")
    # The tree of several works is a copy of `mail`.
    names = list(dict.fromkeys(["mail", *(name for scene in scenes for name in scene.accounts)]))
    stage = Stage(options.directory, options.build / "tests" / "bench", options.build / "mailmount", options.sizes,
                  options.limit)
    started = time.monotonic()
    try:
        stage.open(options.lines, names)
        warm_up(stage, names)
        rows = play(stage, options, scenes)
        facts = report.machine(stage, options)
    finally:
        stage.close()
    return {"machine": facts, "seconds": time.monotonic() - started, "rows": rows}


def main():
    options = parse(sys.argv[1:])
    if options.list:
        print("\n".join(name for scene in SCENES for name in scene.names))
        return 0
    # So that the clean-up takes place.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    kept = options.build / "bench.json"
    if not options.redraw:
        if not options.no_build:
            build(options)
        kept.write_text(json.dumps(measure(options), indent=1))
    results = json.loads(kept.read_text())
    output = options.output or (HERE if options.whole else options.build)
    text = report.markdown(results)
    (output / "RESULTS.md").write_text(text)
    (output / "results.svg").write_text(plot.svg(results))
    print(text)
    print(f"bench: written to {output}/RESULTS.md and results.svg", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
