# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of servers × what must hold: which cells there are, and how it is printed.

test_matrix.py has a test for every cell and records how it ended; tests/run_tests.py prints the table of all.
"""

SERVERS = ("Dovecot", "Cyrus", "Courier", "Mailutils", "hoodiecrow", "wildduck")
PROTOCOLS = ("IMAP", "POP3")
COLUMNS = ("sign-in", "mount", "copy identical", "second copy moves nothing", "new mail seen", "expunged mail gone",
           "odd folder names", "64 KiB partial reads rejoin", "expunged while it is read")
HOLDS, FAILS = "holds", "FAILS"
NO_POP3 = "the server has no POP3"
ONE_FOLDER = "POP3 has one folder, and its name is INBOX"
REASONS = (NO_POP3, ONE_FOLDER)  # "n/a" and its place among them, in letters, is what the table says
WITHOUT_POP3 = ("hoodiecrow", "wildduck")


def rows():
    return [(server, protocol) for server in SERVERS for protocol in PROTOCOLS]


def why_absent(server, protocol, column):
    """Why there is nothing to test; None where there is."""
    if protocol == "IMAP":
        return None
    if server in WITHOUT_POP3:
        return NO_POP3
    return ONE_FOLDER if column == "odd folder names" else None


def cells():
    return [(*row, column) for row in rows() for column in COLUMNS if why_absent(*row, column) is None]


def _letter(reason):
    return "abcdefgh"[REASONS.index(reason)]


def _word(outcomes, cell):
    reason = why_absent(*cell)
    if reason is not None:
        return f"n/a {_letter(reason)}"
    return HOLDS if outcomes.get(cell) else FAILS


def format_table(outcomes):
    """The lines of the table; outcomes is {(server, protocol, column): whether it held}. A cell that was not tried
    fails."""
    width = max(len(" ".join(row)) for row in rows())
    lines = [f"  {number} {column}" for number, column in enumerate(COLUMNS, 1)]
    lines.append(" " * width + "".join(f"{number:>7}" for number in range(1, len(COLUMNS) + 1)))
    for row in rows():
        words = [_word(outcomes, (*row, column)) for column in COLUMNS]
        lines.append(f"{' '.join(row):{width}}" + "".join(f"{word:>7}" for word in words))
    return lines + [f"  n/a {_letter(reason)}: {reason}" for reason in REASONS]


def all_hold(outcomes):
    return all(outcomes.get(cell) for cell in cells())
