# SPDX-License-Identifier: GPL-3.0-or-later
"""What protects the mail, the password and the machine: see SECURITY.md."""

import base64
import os
import re
import stat
from pathlib import Path

import pytest
from dovecot import PASSWORD
from mount import ordinary_user, sh

ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can look into what is hidden from the user")


def tags_of(program, what):
    return sh(["readelf", "-W", what, program]).out


def is_sanitized(program):
    return "__asan" in tags_of(program, "--symbols") or "__tsan" in tags_of(program, "--symbols")


def test_the_program_is_hardened(program):
    """Position independent, its tables read-only before it starts, its stack not executable and guarded."""
    assert "DYN" in tags_of(program, "--file-header")
    dynamic = tags_of(program, "--dynamic")
    assert "BIND_NOW" in dynamic or re.search(r"FLAGS_1.*NOW", dynamic)
    segments = tags_of(program, "--segments")
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK.* RW ", segments)
    symbols = tags_of(program, "--dyn-syms")
    assert "__stack_chk_fail" in symbols
    if not is_sanitized(program):  # sanitizers look at the same calls themselves
        assert "_chk@" in symbols.replace("__stack_chk_fail", ""), "nothing is built with _FORTIFY_SOURCE"


def guarded_ranges(pid, flags):
    """(first, last) of the mappings that have all these flags of /proc/PID/smaps."""
    start = end = None
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if found := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            start, end = (int(number, 16) for number in found.groups())
        elif line.startswith("VmFlags:") and flags <= set(line.split()[1:]):
            yield start, end


def places_in_memory(pid, needles):
    """Where any of the needles stands in the writable memory of the process."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            start, end, flags = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            start, end = int(start, 16), int(end, 16)
            if "rw" not in flags or end - start > 1 << 30:
                continue
            try:
                memory.seek(start)
                octets = memory.read(end - start)
            except (OSError, ValueError):
                continue
            for needle in needles:
                for found in re.finditer(re.escape(needle), octets):
                    yield start + found.start(), needle


@ONLY_ROOT
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "CRAM-MD5", "LOGIN"])
def test_the_password_lies_in_locked_memory_alone(server, mount, program, mechanism):
    """After signing in nothing of it is left elsewhere, as it is or encoded. What is left out of core files (dd) is
    locked (lo), too, but with sanitizers, which make nothing of mlock()."""
    mounted = mount(server, user="small", options={"auth": mechanism})
    os.listdir(mounted.path / "INBOX")
    plain = b"\0small\0" + PASSWORD.encode()
    needles = [PASSWORD.encode(), base64.b64encode(plain), base64.b64encode(PASSWORD.encode())]
    locked = list(guarded_ranges(mounted.pid, {"dd"} if is_sanitized(program) else {"dd", "lo"}))
    found = list(places_in_memory(mounted.pid, needles))
    assert found, "the mount keeps the password to sign in again; not found, so this test sees nothing"
    assert not [(hex(place), needle) for place, needle in found
                if not any(start <= place < end for start, end in locked)]


@ONLY_ROOT
def test_no_other_process_of_the_user_looks_into_a_mount(server, mount, user_place):
    mounted = mount(server, user="small", place=user_place)
    user = ordinary_user()
    seen = sh(["cat", f"/proc/{mounted.pid}/environ"], user=user, check=False)
    assert seen.returncode != 0 and "denied" in seen.err
    assert os.stat(f"/proc/{mounted.pid}/environ").st_uid == 0
    seen = sh(["dd", f"if=/proc/{mounted.pid}/mem", "of=/dev/null", "count=1"], user=user, check=False)
    assert seen.returncode != 0 and "denied" in seen.err.lower()


def test_no_secret_is_on_the_command_line_or_in_the_environment(server, mount):
    mounted = mount(server, user="small")
    for name in ("cmdline", "environ"):
        assert PASSWORD.encode() not in Path(f"/proc/{mounted.pid}/{name}").read_bytes()


def test_what_is_written_is_for_its_owner_alone(server, mount, tmp_path):
    log = tmp_path / "log"
    mounted = mount(server, user="small", options={"log": log})
    for folder in mounted.path.iterdir():
        for message in folder.glob("*.eml"):
            message.read_bytes()
    cache = Path(mounted.options["cache"])
    mounted.unmount()
    written = [log, cache, *cache.rglob("*")]
    assert len(written) > 5
    assert not [path for path in written if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def test_a_command_is_not_given_to_a_shell(server, mount, tmp_path):
    """What would be a second command, a variable and a file to write is words of one command."""
    trap = tmp_path / "trap"
    script = tmp_path / "words"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{tmp_path}/seen\nprintf "%s" "{PASSWORD}"\n')
    script.chmod(0o755)
    mount(server, user="small", password=None,
          options={"password_command": f"{script} $HOME `touch {trap}` > {trap} | cat"})
    assert not trap.exists()
    assert (tmp_path / "seen").read_text().splitlines() == ["$HOME", "`touch", f"{trap}`", ">", str(trap), "|", "cat"]


def test_no_descriptor_is_handed_to_a_command(server, mount, tmp_path):
    script = tmp_path / "list"
    script.write_text(f"""#!/usr/bin/python3
import os
links = {{number: os.readlink(f"/proc/self/fd/{{number}}") for number in os.listdir("/proc/self/fd") if int(number) > 2
         and os.path.lexists(f"/proc/self/fd/{{number}}")}}
open("{tmp_path}/seen", "w").write(repr(links))
print("{PASSWORD}")
""")
    script.chmod(0o755)
    mount(server, user="small", password=None, options={"password_command": str(script)})
    assert (tmp_path / "seen").read_text() == "{}"
