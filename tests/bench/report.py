# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures as Markdown: medians, what they cost, and how they stand to the targets."""

import os
import platform
import re
import shutil
import statistics
import subprocess
from pathlib import Path


def machine(stage, options):
    """What the figures were measured on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    account = stage.accounts["mail"]
    return {
        "processors": f"{os.cpu_count()} × {model[1].strip() if model else platform.machine()}",
        "kernel": platform.release(),
        "disk": stage.disk.kind,
        "server": f"Dovecot {stage.server.version()}, Maildir",
        "clients": ", ".join(filter(None, (_version(*words) for words in (
            ("rsync", "--version"), ("tar", "--version"), ("mbsync", "--version"), ("offlineimap", "--version"))))),
        "runs": options.runs,
        "mail": f"{account['messages']:,} messages in {account['folders']} folders, {account['octets'] / 1e6:,.0f} MB",
        "messages": account["messages"],
        "many": options.sizes["many"],
        "large": options.sizes["large"],
    }


def _version(program, argument):
    if shutil.which(program) is None:
        return None
    result = subprocess.run([program, argument], capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+", result.stdout + result.stderr)
    return f"{program} {found[0] if found else '?'}"


class Figures:
    """Medians by work and line. A line is (round trip, TLS), or (None, None) for works without a server."""

    def __init__(self, rows):
        self.rows = {}
        for row in rows:
            self.rows.setdefault((row["work"], row["round_trip_ms"], row["tls"]), []).append(row)
        self.works = list(dict.fromkeys(row["work"] for row in rows))
        self.lines = sorted({(row["round_trip_ms"], row["tls"]) for row in rows if row["tls"] is not None})

    def get(self, work, line=(None, None), fact="seconds"):
        """The median, or None where it was not measured or failed."""
        rows = self.rows.get((work, *line), [])
        values = [row[fact] for row in rows if not row["failed"] and fact in row]
        return statistics.median(values) if values and len(values) * 2 > len(rows) else None

    def failure(self, work, line):
        return next((row["failed"] for row in self.rows.get((work, *line), []) if row["failed"]), "")

    def spread(self, work, line):
        values = [row["seconds"] for row in self.rows.get((work, *line), []) if not row["failed"]]
        return (min(values), max(values)) if values else None

    def floor(self, line):
        """What no copy into files through FUSE can beat."""
        network, kernel = self.get("limit-files", line), self.get("memory rsync")
        return max(network, kernel) if network is not None and kernel is not None else None


def line_name(line):
    return f"{line[0]} ms {'TLS' if line[1] else 'plain'}"


def seconds(value):
    if value is None:
        return ""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def times(figures):
    rows, failures = [], []
    for work in [*figures.works, "floor"]:
        cells = []
        for line in figures.lines:
            value = figures.floor(line) if work == "floor" else figures.get(work, line)
            failure = figures.failure(work, line)
            if value is None and failure:
                failures.append(f"- {work}, {line_name(line)}: {failure.splitlines()[-1]}")
            cells.append(seconds(value) if value is not None else "failed" if failure else "")
        if any(cells):
            rows.append([work, *cells])
    text = table(["seconds", *map(line_name, figures.lines)], rows)
    return text + ("\n\nFailed:\n\n" + "\n".join(failures) if failures else "")


def local_times(figures):
    rows = [[work, seconds(figures.get(work)), _number(figures.get(work, fact="cpu_seconds"), "{:.2f}")]
            for work in figures.works if figures.get(work) is not None]
    return table(["without a network", "seconds", "CPU s"], rows) if rows else ""


def _number(value, form="{:.0f}"):
    return "" if value is None else form.format(value)


def costs(figures, line):
    rows = []
    for work in figures.works:
        get = lambda fact: figures.get(work, line, fact)
        if get("seconds") is None:
            continue
        up, down = get("up"), get("down")
        rows.append([work, _number(get("cpu_seconds"), "{:.2f}"), _number(get("rss_mib"), "{:.0f}"),
                     _number(get("daemon_cpu"), "{:.2f}"), _number(get("daemon_rss"), "{:.0f}"),
                     _number(down and down / 1e6, "{:,.2f}"), _number(up and up / 1e6, "{:,.3f}"),
                     _number(get("connections")), _number(get("lines")), _number(get("bodies"))])
    return table([line_name(line), "client CPU s", "client RSS MiB", "mailmount CPU s", "mailmount RSS MiB",
                  "MB received", "MB sent", "connections", "commands", "bodies or parts asked for"], rows)


def targets(figures, facts):
    """(what, line, figure, measured, holds) for each target that was measured."""
    get, out = figures.get, []

    def ratio(what, line, value, base, limit, form="{:.2f} ×"):
        if value is not None and base:
            out.append((what, line_name(line) if line else "", f"≤ {form.format(limit)}", form.format(value / base),
                        value / base <= limit))

    def count(what, line, value, limit, form="{:,.0f}"):
        if value is not None:
            out.append((what, line_name(line), f"≤ {form.format(limit)}", form.format(value), value <= limit))

    for line in figures.lines:
        first, tuned, floor = get("rsync", line), get("mbsync tuned", line), figures.floor(line)
        far = line[0] >= 50
        if far or (line[0] == 0 and not line[1]):
            ratio("first rsync ÷ floor", line, first, floor, 1.5)
        if far:
            ratio("first rsync ÷ mbsync tuned", line, first, tuned, 0.5)
        elif line[0] == 0 and line[1]:
            ratio("first rsync ÷ mbsync tuned", line, first, tuned, 1.0)
        if far:
            for work in ("tar", "cp", "grep"):
                ratio(f"{work} ÷ floor", line, get(work, line), floor, 1.6)
            ratio("shuffled ÷ limit", line, get("shuffled", line), get("limit", line), 4)
        ratio("rsync again ÷ local rsync again", line, get("rsync again", line), get("local rsync again"), 1.5)
        count("rsync again: bodies fetched", line, get("rsync again", line, "bodies"), 0)
        count("rsync again: FETCHes", line, get("rsync again", line, "fetches"), 0)
        again, status, local = get("rsync remount", line), get("list-status", line), get("local rsync again")
        if far:
            if status is not None and local is not None:
                ratio("rsync remount ÷ (list-status + local rsync again)", line, again, status + local, 1.5)
            ratio("rsync remount ÷ mbsync tuned again", line, again, get("mbsync tuned again", line), 0.5)
        count("rsync remount: bodies fetched", line, get("rsync remount", line, "bodies"), 0)
        ratio("cold ls -l ÷ raw FETCH", line, get("ls", line), get("limit-ls", line), 1.3)
        if line[0] == 0:
            ratio("ls -l again ÷ ext4", line, get("ls again", line), get("local ls"), 1.0)
            ratio("ls -l after a remount ÷ ext4", line, get("ls remount", line), get("local ls"), 3.0)
        down, up = get("head", line, "down"), get("head", line, "up")
        if down is not None:
            count("head: octets on the wire, each", line, (down + up) / facts["large"], 20 * 1024)
        for work in ("ls -lR", "find", "du"):
            count(f"{work}: bodies fetched", line, get(work, line, "bodies"), 0)
        ratio("grep warm ÷ tree in memory", line, get("grep warm", line), get("memory grep warm"), 1.2)
        count("RSS of the first copy, MiB", line, get("rsync", line, "daemon_rss"), 64)
        if facts["many"] >= 1_000_000:
            count("RSS with a million messages listed, MiB", line, get("ls", line, "daemon_rss"), 200)
        ratio("sparse UIDs ÷ dense ones", line, get("sparse", line), get("dense", line), 1.25)
        cpu, base = get("rsync", line, "daemon_cpu"), get("limit", line, "cpu_seconds")
        # What FUSE itself costs the daemon is to be taken off by a profile: shown, not judged.
        if cpu is not None and base:
            out.append(("CPU of the first copy ÷ CPU of the limit's client", line_name(line), "see profile",
                        f"{cpu / base:.2f} ×", None))
    return out


def markdown(results):
    figures, facts = Figures(results["rows"]), results["machine"]
    judged = targets(figures, facts)
    held = {True: "yes", False: "**no**", None: ""}
    parts = [
        "# Measured",
        "Made by `scripts/bench`; what each work is, `README.md` beside this file says. Seconds are medians of "
        f"{facts['runs']} interleaved run(s) on this machine: compare columns of one table, not tables of two machines.",
        f"- {facts['mail']}; {facts['many']:,} messages in one folder for `ls`; {facts['large']:,} of 1 MB for `head`\n"
        f"- {facts['server']}\n- {facts['processors']}, Linux {facts['kernel']}\n- copies on {facts['disk']}\n"
        f"- {facts['clients']}",
        "![first copy](results.svg)", "## Times", times(figures), local_times(figures)]
    if judged:
        parts += ["## Targets", table(["work", "line", "target", "measured", "holds"],
                                      [[what, line, target, measured, held[holds]]
                                       for what, line, target, measured, holds in judged])]
    shown = [line for line in figures.lines if line[0] in (0, 50)] or figures.lines[:2]
    parts += ["## Costs", "Octets, connections and commands are counted by the delay proxy, so not at 0 ms, and "
              "commands not inside TLS.", *(costs(figures, line) for line in shown)]
    return "\n\n".join(part for part in parts if part) + "\n"
