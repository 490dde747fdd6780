# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of mailboxes (CVE-2021-20247, CVE-2018-14355)."""

from .registry import for_each


def list_line(name, delimiter=b'"/"', attributes=b""):
    return b"* LIST (" + attributes + b") " + delimiter + b" " + name + b"\r\n"


def quoted(octets):
    return b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def with_names(*names, **more):
    def act(turn):
        turn.answer.lines.extend(list_line(name, **more) for name in names)
    return act


def with_lines(*lines):
    def act(turn):
        turn.answer.lines.extend(lines)
    return act


def literal(octets):
    return b"{%d}\r\n" % len(octets) + octets


def instead(*lines):
    def act(turn):
        turn.answer.lines = list(lines)
    return act


for_each({
    # What may be added without harm to the folders that there are.
    "climbing": with_names(b'"../../etc/passwd"', b'".."', b'"."', b'"a/../../../b"', b'"/etc/shadow"', b'"//x"',
                           b'"x//y"', b'"x/"', b'"../Bad"', b'"./Good"'),
    "control_octets": with_names(quoted(b"tab\there"), quoted(b"esc\x1b[2J"), quoted(b"del\x7f"), quoted(b"bell\x07"),
                                 literal(b"line\r\nend"), literal(b"* BYE injected\r\n"), literal(b"\r\n"),
                                 literal(b'x" (MESSAGES)\r\nM1 DELETE "INBOX')),
    "injection": with_names(literal(b'A"\r\nM999 LOGOUT\r\n'), quoted(b'a" "b'), quoted(b"{5}"), quoted(b"%"),
                            quoted(b"*"), quoted(b"a*b%c")),
    "long": with_names(quoted(b"x" * 300), quoted(b"y" * 5000), quoted(b"/".join([b"z" * 250] * 40)),
                       literal(b"w" * 100_000)),
    "bad_utf7": with_names(quoted(b"&"), quoted(b"&-&"), quoted(b"&AOQ"), quoted(b"&!!!-"), quoted(b"a&AOQ-&AOQ-"),
                           quoted(b"&2AA-"), quoted(b"&2ADYAA-"), quoted(b"&AAA-"), quoted(b"\xff\xfe"),
                           quoted(b"\xc3\xa4"), quoted(b"&AC8-"), quoted(b"&AC4ALg-")),
    "case_collisions": with_names(b'"bad"', b'"BAD"', b'"Inbox"', b'"inbox"', b'"gOOD"', b'"good/x"'),
    "normal_form_collisions": with_names(quoted(b"&AOQ-"), quoted(b"a&Awg-"), quoted(b"&AOQ-/x"), quoted(b"a&Awg-/x")),
    "duplicates": with_names(b'"Bad"', b'"Good"', b'"Good"', b'"Later"', b'"twice"', b'"twice"'),
    "message_like_names": with_names(b'"3.eml"', b'"2020-09-14_Bad-3_3.eml"', b'".mailmount"', b'".search"',
                                     b'"%2E%2E"', b'"%00"'),
    "empty_name": with_names(b'""', b"NIL", b'" "', b'"  x  "'),
    "odd_delimiters": with_lines(list_line(b'"a.b.c"', b'"."'), list_line(b'"d|e"', b'"|"'), list_line(b'"f g"', b'" "'),
                                 list_line(b'"h\\\\\\\\i"', b'"\\\\"'), list_line(b'"j"', b"NIL"),
                                 list_line(b'"k%l"', b'"%"'), list_line(b'"m-n"', b'"-"'), list_line(b'"3"', b'"3"')),
    "two_thousand_names": with_names(*[b'"n%d"' % n for n in range(2000)]),
    "contradicting_attributes": with_lines(list_line(b'"q"', attributes=b"\\Noselect \\HasChildren"),
                                           list_line(b'"q"'), list_line(b'"q/r"', attributes=b"\\NonExistent"),
                                           list_line(b'"Good"', attributes=b"\\Marked \\Unmarked \\X-Odd")),
    "unselectable_parent": with_lines(list_line(b'"Good"', attributes=b"\\Noselect")),
    "hundred_kilobytes_of_attributes": with_lines(list_line(b'"t"', attributes=b"\\X" * 50_000)),
    # What makes the list worthless.
    "of_nothing": instead(),
    "without_inbox": instead(list_line(b'"Bad"'), list_line(b'"Good"'), list_line(b'"Later"')),
    "delimiter_of_two_octets": with_lines(list_line(b'"a"', b'"//"')),
    "delimiter_empty": with_lines(list_line(b'"b"', b'""')),
    "delimiter_nul": with_lines(list_line(b'"c"', literal(b"\0"))),
    "nul_in_name": with_lines(list_line(literal(b"nul\0here"))),
    "without_name": with_lines(b'* LIST () "/"\r\n'),
    "without_attributes": with_lines(b'* LIST "/" "x"\r\n'),
    "with_rest": with_lines(b'* LIST () "/" "x" y z\r\n'),
    "unmatched_quote": with_lines(b'* LIST () "/" "x\r\n'),
}, "LIST")

for_each({
    "lsub_of_nothing": instead(),
    "lsub_of_others": instead(b'* LSUB () "/" "nobody"\r\n', b'* LSUB () "." "INBOX.x"\r\n'),
    "lsub_with_escapes": instead(b'* LSUB () "/" "\x1b[31m"\r\n'),
}, "LSUB")

for_each({"two_thousand_levels": with_names(quoted(b"/".join([b"d"] * 2000)))}, "LIST", traceable=False)
