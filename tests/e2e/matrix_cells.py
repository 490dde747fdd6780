# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of servers × what must hold: which cells there are, and how it is printed.

test_matrix.py has a test for every cell and records how it ended; tests/run_tests.py prints the table of all.
"""

SERVERS = ("Dovecot", "Cyrus", "Courier", "Mailutils", "hoodiecrow", "wildduck")
# What a server holds is asked by IMAP, which must tell the same. Courier has another order by POP3, and Mailutils adds
# a field to each header; the two in JavaScript have no POP3.
BY_POP3_TOO = ("Dovecot", "Cyrus")
PROTOCOLS = ("IMAP", "POP3")
COLUMNS = ("sign-in", "mount", "copy identical", "second copy moves nothing", "new mail seen", "expunged mail gone",
           "odd folder names", "64 KiB partial reads rejoin", "expunged while it is read")
HOLDS, FAILS, ABSENT = "holds", "FAILS", "n/a"


def rows():
    return [(server, protocol) for server in SERVERS for protocol in PROTOCOLS
            if protocol == "IMAP" or server in BY_POP3_TOO]


def is_absent(server, protocol, column):
    """Whether there is nothing to test: POP3 itself does not have it."""
    if protocol == "IMAP":
        return False
    return column == "odd folder names"


def cells():
    return [(*row, column) for row in rows() for column in COLUMNS if not is_absent(*row, column)]


def format_table(outcomes):
    """The lines of the table; outcomes is {(server, protocol, column): whether it held}. A cell that was not tried
    fails."""
    width = max(len(" ".join(row)) for row in rows())
    lines = [f"  {number} {column}" for number, column in enumerate(COLUMNS, 1)]
    lines.append(" " * width + "".join(f"{number:>7}" for number in range(1, len(COLUMNS) + 1)))
    for row in rows():
        words = [ABSENT if is_absent(*row, column) else HOLDS if outcomes.get((*row, column)) else FAILS
                 for column in COLUMNS]
        lines.append(f"{' '.join(row):{width}}" + "".join(f"{word:>7}" for word in words))
    return lines


def all_hold(outcomes):
    return all(outcomes.get(cell) for cell in cells())
