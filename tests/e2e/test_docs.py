# SPDX-License-Identifier: GPL-3.0-or-later
"""The options are the same everywhere they are written down."""

import re
import subprocess

import pytest

import mount as mounting
from mount import ROOT, sh

# Words of mount(8) and fusermount3 that are accepted and need no line of their own everywhere.
FOREIGN = {"dev", "nodev", "suid", "nosuid", "exec", "noexec", "auto", "noauto", "user", "nouser", "nofail",
           "_netdev", "defaults", "atime", "noatime", "async", "sync", "fsname", "subtype"}


def help_text():
    return subprocess.run([str(mounting.BINARY), "--help"], capture_output=True, text=True, check=True,
                          timeout=30).stdout


def options_of_help():
    """From lines such as "    -o cache=DIR        where …" or "    cache=DIR        where …"."""
    found = set()
    for line in help_text().splitlines():
        matched = re.match(r"\s+(?:-o\s+)?(\[no\])?([a-z][a-z_]+)(=[\w|,.:\[\]]+)?(\s{2,}|,|$)", line)
        if matched and not line.lstrip().startswith("mailmount"):
            found.add(matched[2])
            found |= set(re.findall(r",\s*([a-z_]+)=", line.split("  ")[2] if "  " in line.strip() else ""))
    return found - FOREIGN


def options_of_man():
    text = (ROOT / "man" / "mailmount.1").read_text(encoding="utf-8").replace("\\-", "-")
    section = re.search(r'^\.SH "?(?:MOUNT )?OPTIONS"?.*?(?=^\.SH )', text, re.M | re.S)[0]
    return {name for tag in re.findall(r"^\.TP.*\n(.+)$", section, re.M) for name in names_in_tag(tag)} - FOREIGN


def names_in_tag(tag):
    plain = re.sub(r"\\f.|\\&|^\.B[IR]? ", "", tag).replace('"', "")
    plain = re.sub(r"\b([a-z_]+)=\s*\S+", r"\1", plain)
    return [word for word in re.split(r"[\s,]+", plain) if re.fullmatch(r"[a-z][a-z_]+", word)]


def options_of_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|\s*((?:`[^`]+`[,/ ]*(?:or |and )?)+)\s*\|", text, re.M)
    return {re.match(r"(?:-o )?([a-z][a-z_]+)", name)[1] for row in rows for name in re.findall(r"`([^`]+)`", row)
            if re.fullmatch(r"(?:-o )?[a-z][a-z_]+(=.*)?", name)} - FOREIGN


def options_of_completion(shell):
    path, = [path for path in (ROOT / "completions").rglob("*")
             if path.is_file() and path.name in {"bash": ("mailmount", "mailmount.bash"), "zsh": ("_mailmount",),
                                                 "fish": ("mailmount.fish",)}[shell]]
    return path.read_text(encoding="utf-8")


def test_help_names_the_options():
    assert len(options_of_help()) >= 17


def test_the_man_page_and_help_have_the_same_options():
    assert options_of_man() == options_of_help()


def test_the_readme_and_help_have_the_same_options():
    assert options_of_readme() == options_of_help()


def test_completions_and_help_have_the_same_options():
    for shell in ("bash", "zsh", "fish"):
        text = options_of_completion(shell)
        missing = {name for name in options_of_help() if not re.search(rf"(?<![a-z_]){name}(?![a-z_])", text)}
        assert not missing, shell
        offered = set(re.findall(r"(?<![a-z_$-])([a-z][a-z_]+)=(?![\w\"'($])", text))
        assert offered <= options_of_help() | FOREIGN, (shell, offered - options_of_help())


def commands_of_help():
    return set(re.findall(r"^  mailmount ([a-z]+) ", help_text(), re.M))


def test_man_page_readme_and_completions_name_every_command():
    commands = commands_of_help()
    assert "status" in commands
    man = (ROOT / "man" / "mailmount.1").read_text(encoding="utf-8")
    assert set(re.findall(r"^\.SS mailmount ([a-z]+)$", man, re.M)) == commands
    assert set(re.findall(r'^\.SY "mailmount ([a-z]+)"$', man, re.M)) == commands
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {name for name in commands if f"`mailmount {name}" not in readme} == set()
    offered = {"bash": r"^_mailmount_commands='(.*)'$", "fish": r"^set -l commands (.*)$"}
    for shell, pattern in offered.items():
        assert set(re.search(pattern, options_of_completion(shell), re.M)[1].split()) == commands, shell
    table = re.search(r"^commands=\((.*?)^\)", options_of_completion("zsh"), re.M | re.S)[1]
    assert set(re.findall(r"^  '([a-z]+):", table, re.M)) == commands


@pytest.mark.parametrize("command", sorted(commands_of_help()))
def test_a_command_has_help_of_its_own_that_the_man_page_and_completions_agree_with(command):
    result = sh([mounting.BINARY, command, "--help"])
    assert result.out.startswith(f"usage: mailmount {command} ")
    options = set(re.findall(r"--([a-z][a-z-]*)", result.out))
    assert "help" in options
    man = (ROOT / "man" / "mailmount.1").read_text(encoding="utf-8").replace("\\-", "-")
    section = re.search(rf"^\.SS mailmount {command}$.*?(?=^\.S[SH] )", man, re.M | re.S)[0]
    assert options - set(re.findall(r"--([a-z][a-z-]*)", section)) <= {"help"}
    for shell in ("bash", "zsh"):
        text = options_of_completion(shell)
        assert {name for name in options if f"--{name}" not in text} == set(), shell


def test_the_readme_names_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "scripts/demo" in text and "scripts/test" in text


def test_local_links_of_the_texts_lead_somewhere():
    for name in ("README.md", "HACKING.md", "SEMANTICS.md", "NEWS.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text):
            assert (ROOT / target).exists(), f"{name}: {target}"
