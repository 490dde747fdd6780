#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds and runs the fuzz targets: see scripts/fuzz, and HACKING.md."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CORPORA = HERE / "corpora"
BUILD, COVERAGE_BUILD = ROOT / "build-fuzz", ROOT / "build-coverage"
MAX_LENGTH = 65536
SANITIZERS = ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=1"]
ENVIRONMENT = {"UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
               "ASAN_OPTIONS": "detect_stack_use_after_return=0:allocator_may_return_null=1",
               "LSAN_OPTIONS": f"suppressions={ROOT}/tests/e2e/lsan.supp:print_suppressions=0"}


def targets():
    return sorted(path.stem.removeprefix("fuzz-") for path in HERE.glob("fuzz-*.c") if path.stem != "fuzz-replay")


def build(directory, options, programs):
    if not (directory / "build.ninja").exists():
        subprocess.run(["meson", "setup", directory, ROOT, *options], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "CC": os.environ.get("CC", "clang")})
    subprocess.run(["ninja", "-C", directory, *programs], check=True, stdout=subprocess.DEVNULL)


def program(target):
    return BUILD / "tests" / "fuzz" / f"fuzz-{target}"


def build_fuzzers(wanted):
    build(BUILD, ["-Dfuzzing=true", *SANITIZERS], [f"tests/fuzz/fuzz-{target}" for target in wanted])


def fuzz(target, seconds, options):
    """Runs a target; how many inputs it tried, or None when one crashed."""
    found, crashes = BUILD / "found" / target, BUILD / "crashes"
    for directory in (found, crashes):
        directory.mkdir(parents=True, exist_ok=True)
    dictionary = HERE / f"{target}.dict"
    command = [program(target), found, CORPORA / target, f"-max_total_time={seconds}", f"-max_len={MAX_LENGTH}",
               f"-artifact_prefix={crashes}/{target}-", "-print_final_stats=1", "-timeout=20", "-rss_limit_mb=2048",
               "-entropic=0",  # what it keeps count of costs more than the target
               *([f"-dict={dictionary}"] if dictionary.exists() else []), *options]
    log = BUILD / f"{target}.log"
    with open(log, "wb") as file:
        status = subprocess.run(list(map(str, command)), stdout=file, stderr=file, timeout=seconds + 300, check=False,
                                env={**os.environ, **ENVIRONMENT}).returncode
    text = log.read_text(errors="replace")
    executed = sum(map(int, re.findall(r"stat::number_of_executed_units: *(\d+)", text)))
    if status != 0:
        print(text[-6000:], file=sys.stderr)
        print(f"fuzz {target}: failed after {executed} inputs; see {crashes}, {log}", flush=True)
        return None
    print(f"fuzz {target}: {executed} inputs in {seconds} s, nothing found", flush=True)
    return executed


def coverage(with_found=True):
    """Lines of src/codec that the corpora of all targets (and what was found since) reach, in percent."""
    replays = [f"tests/fuzz/replay-{target}" for target in targets()]
    build(COVERAGE_BUILD, ["-Dc_args=-fprofile-instr-generate -fcoverage-mapping",
                           "-Dc_link_args=-fprofile-instr-generate"], replays)
    profiles = []
    for target in targets():
        profile = COVERAGE_BUILD / f"{target}.profraw"
        found = BUILD / "found" / target
        arguments = [CORPORA / target, *([found] if with_found and found.exists() and any(found.iterdir()) else [])]
        subprocess.run([COVERAGE_BUILD / "tests" / "fuzz" / f"replay-{target}", *arguments], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={**os.environ, "LLVM_PROFILE_FILE": str(profile)})
        profiles.append(profile)
    merged = COVERAGE_BUILD / "merged.profdata"
    version = re.search(r"version (\d+)", subprocess.run(["clang", "--version"], check=True, capture_output=True,
                                                         text=True).stdout)[1]
    tool = lambda name: shutil.which(f"{name}-{version}") or name
    subprocess.run([tool("llvm-profdata"), "merge", "-sparse", *profiles, "-o", merged], check=True)
    programs = [COVERAGE_BUILD / replay for replay in replays]
    objects = [word for path in programs[1:] for word in ("-object", path)]
    exported = subprocess.run([tool("llvm-cov"), "export", "-summary-only", f"-instr-profile={merged}", programs[0],
                               *objects], check=True, capture_output=True, text=True).stdout
    files = {Path(file["filename"]).name: file["summary"]["lines"] for file in json.loads(exported)["data"][0]["files"]
             if "/src/codec/" in os.path.abspath(COVERAGE_BUILD / file["filename"]) and file["filename"].endswith(".c")}
    for name, lines in sorted(files.items(), key=lambda item: item[1]["percent"]):
        print(f"{lines['percent']:6.1f} %  {lines['covered']:5} of {lines['count']:5}  {name}")
    covered, count = (sum(lines[what] for lines in files.values()) for what in ("covered", "count"))
    print(f"{100 * covered / count:6.1f} %  {covered:5} of {count:5}  src/codec")
    return 100 * covered / count


def minimize(target):
    """Takes those of the inputs found that reach something new into the corpus."""
    build_fuzzers([target])
    before = set((CORPORA / target).iterdir())
    subprocess.run([program(target), "-merge=1", f"-max_len={MAX_LENGTH}", CORPORA / target, BUILD / "found" / target],
                   check=True, stderr=subprocess.DEVNULL, env={**os.environ, **ENVIRONMENT})
    print(f"{len(set((CORPORA / target).iterdir()) - before)} inputs taken into {CORPORA / target}")


def main():
    parser = argparse.ArgumentParser(prog="scripts/fuzz")
    parser.add_argument("target", nargs="?", help="one of --list, or all")
    parser.add_argument("seconds", nargs="?", type=int, default=30)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("--minimize", action="store_true")
    arguments, options = parser.parse_known_args()
    if arguments.list:
        print("\n".join(targets()))
        return 0
    if arguments.coverage:
        coverage()
        return 0
    if arguments.target not in ("all", *targets()):
        parser.error(f"a target is expected: {', '.join(targets())}, or all")
    wanted = targets() if arguments.target == "all" else [arguments.target]
    if arguments.minimize:
        for target in wanted:
            minimize(target)
        return 0
    build_fuzzers(wanted)
    return 1 if None in [fuzz(target, arguments.seconds, options) for target in wanted] else 0


if __name__ == "__main__":
    sys.exit(main())
