# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers hold: who includes what, who links what, who calls whom."""

import re
import subprocess

import pytest

import mount as mounting
from mount import ROOT, sh

# What each layer may use, itself included.
BELOW = {"base": {"base"}}
BELOW["codec"] = BELOW["base"] | {"codec"}
BELOW["transport"] = BELOW["base"] | {"transport"}
BELOW["store"] = BELOW["base"] | {"store"}
BELOW["remote"] = BELOW["codec"] | BELOW["transport"] | {"remote"}
BELOW["mail"] = BELOW["remote"] | BELOW["store"] | {"mail"}
BELOW["vfs"] = BELOW["mail"] | {"vfs"}
BELOW["fuse"] = BELOW["vfs"] | {"fuse"}
BELOW["app"] = BELOW["fuse"] | {"app"}

FOREIGN = {  # a header of somebody else's → the only layers that may include it
    r"fuse[^/]*\.h|fuse3?/.*": {"fuse"},
    r"curl/.*": {"transport"},
    r"sqlite3.*\.h": {"store"},
    r"gsasl.*\.h": {"codec"},
    r"gmime/.*": {"codec"},
    r"zlib\.h": {"codec"},
    r"libsecret/.*": {"app"},
    r"sys/socket\.h|netdb\.h|netinet/.*|arpa/.*": {"transport", "app"},
}


def sources(pattern="*.[ch]"):
    found = sorted((ROOT / "src").rglob(pattern)) + sorted((ROOT / "include").rglob(pattern))
    assert found
    return found


def includes(path):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(encoding="utf-8"), re.M)


def layer_of(path):
    relative = path.relative_to(ROOT)
    return relative.parts[1] if relative.parts[0] == "src" else None


@pytest.mark.parametrize("header", FOREIGN)
def test_a_library_is_known_to_one_layer(header):
    wrong = [f"{path.relative_to(ROOT)} includes {name}" for path in sources() for name in includes(path)
             if re.fullmatch(header, name) and layer_of(path) not in FOREIGN[header]]
    assert not wrong


@pytest.mark.parametrize("header, layer", [("fuse_lowlevel.h", "fuse"), ("curl/curl.h", "transport"),
                                           ("sqlite3.h", "store")])
def test_the_layer_does_use_its_library(header, layer):
    """So that the test above cannot pass for want of anything to find."""
    assert any(name.endswith(header) for path in sources() if layer_of(path) == layer for name in includes(path))


def test_no_private_header_of_another_layer():
    wrong = []
    for path in sources():
        for name in includes(path):
            if ".." in name.split("/"):
                wrong.append(f"{path.relative_to(ROOT)} includes {name}")
            if "/" not in name and not (path.parent / name).exists() and list((ROOT / "src").rglob(name)):
                wrong.append(f"{path.relative_to(ROOT)} includes {name}")
    assert not wrong


def build_directory():
    directory = mounting.BINARY.parent
    if not (directory / "build.ninja").exists():
        pytest.fail(f"{directory} is not a build directory")
    return directory


def unit_programs():
    """{program: [layers it links]} from the link lines of the build."""
    text = (build_directory() / "build.ninja").read_text().replace("$\n", "")
    found = {}
    for name, inputs in re.findall(r"^build tests/unit/(test-[\w-]+): c_LINKER(?:_RSP)? (.*)$", text, re.M):
        found[name] = set(re.findall(r"src/(\w+)/libmm-\w+\.a", inputs))
    assert found
    return found


def test_each_unit_program_links_its_layer_and_those_below():
    declared = dict(re.findall(r"'(test-[\w-]+)': ([a-z]+)(?:_only)?_dep", (ROOT / "tests/unit/meson.build").read_text()))
    programs = unit_programs()
    assert set(declared) == set(programs)
    wrong = {name: sorted(layers - BELOW[declared[name]]) for name, layers in programs.items()
             if layers - BELOW[declared[name]]}
    assert not wrong
    assert all(declared[name] in layers for name, layers in programs.items())


def test_each_unit_test_source_is_built():
    programs = {path.stem for path in (ROOT / "tests/unit").glob("test-*.c")}
    assert programs == set(unit_programs())


def symbols(library, *arguments):
    output = subprocess.run(["nm", *arguments, str(library)], capture_output=True, text=True, check=False,
                            timeout=60).stdout
    return set(re.findall(r"\b(mm_\w+)$", output, re.M))


def test_no_layer_calls_upward_or_sideways():
    build = build_directory()
    libraries = {layer: build / "src" / layer / f"libmm-{layer}.a" for layer in BELOW}
    libraries = {layer: library for layer, library in libraries.items() if library.exists()}
    assert {"base", "codec", "transport", "store", "remote", "mail", "vfs", "fuse"} <= set(libraries)
    # A thin archive names its members; nm reads both kinds.
    owner = {symbol: layer for layer, library in libraries.items()
             for symbol in symbols(library, "--defined-only", "--extern-only")}
    wrong = [f"{layer} calls {symbol} of {owner[symbol]}" for layer, library in libraries.items()
             for symbol in symbols(library, "--undefined-only")
             if symbol in owner and owner[symbol] not in BELOW[layer]]
    assert not wrong
    for layer in ("codec", "remote", "mail", "vfs", "fuse"):
        assert layer in owner.values()


def test_which_protocol_runs_is_known_below_the_seam_alone():
    """What stands above the remote layer may tell people of POP3, in app, and never decide by it."""
    wrong = [str(path.relative_to(ROOT)) for path in sources() if layer_of(path) in ("mail", "vfs", "fuse")
             and re.search("pop3", path.read_text(encoding="utf-8"), re.I)]
    assert not wrong
    assert any(layer_of(path) == "remote" and "pop3" in path.name for path in sources())


def test_every_public_header_compiles_alone():
    flags = sh(["pkg-config", "--cflags", "glib-2.0", "gio-2.0"]).out.split()
    for header in sorted((ROOT / "include/mailmount").glob("*.h")):
        result = sh(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", "c",
                     "-I", ROOT / "include", *flags, header], check=False)
        # "pragma once in main file" is the one thing that compiling a header itself brings with it.
        errors = [line for line in result.err.splitlines() if "error:" in line and "pragma once" not in line]
        assert not errors, f"{header.name}: {errors}"


def test_every_source_file_has_its_licence():
    files = sources() + list((ROOT / "tests").rglob("*.[ch]")) + list((ROOT / "tests").rglob("*.py"))
    assert not [str(path) for path in files
                if "SPDX-License-Identifier: GPL-3.0-or-later" not in path.read_text(encoding="utf-8")[:200]]


def test_errno_is_decided_in_one_file():
    """One table from error to errno, in the fuse layer, exhaustive: a switch without default."""
    tables = [path for path in sources("*.c") if layer_of(path) == "fuse"
              and len(re.findall(r"case MM_ERROR_\w+", path.read_text())) >= 8]
    assert len(tables) == 1, tables
    assert "default:" not in tables[0].read_text()
