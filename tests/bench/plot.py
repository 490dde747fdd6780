# SPDX-License-Identifier: GPL-3.0-or-later
"""Bars of the first copy and of the unchanged run, as SVG: a panel each for clear text and TLS."""

from html import escape

from report import Figures, line_name, seconds

SERIES = {  # work → colour, from light (bounds) to strong (mailmount)
    "floor": "#b8bfc9", "rsync": "#1f6fb4", "tar": "#67a9dd", "mbsync tuned": "#e08a2e",
}
AGAIN = {"list-status": "#b8bfc9", "rsync remount": "#1f6fb4", "rsync again": "#67a9dd",
         "mbsync tuned again": "#e08a2e"}
LABELS = {"floor": "floor (the network's or FUSE's own limit)", "rsync": "mailmount + rsync", "tar": "mailmount + tar",
          "list-status": "one LIST-STATUS (limit)", "rsync remount": "mailmount + rsync, mounting included",
          "rsync again": "mailmount + rsync, same mount", "mbsync tuned again": "mbsync tuned"}
WIDTH, PANEL, LEFT, GAP, WIDEST_BAR = 900, 210, 56, 26, 30
STYLE = ("text{font:12px sans-serif;fill:#222}.t{font-weight:bold;font-size:14px}.v{font-size:9px}"
         ".l{stroke:#ddd}.a{stroke:#888}")


def _scale(largest):
    """A round number at or above the largest value."""
    step = 10 ** (len(str(int(largest))) - 1) if largest >= 1 else 0.1
    while step * 10 < largest:
        step *= 10
    return next((step * factor for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * factor >= largest), step * 10)


def _panel(figures, lines, series, title, top):
    values = {(work, line): figures.floor(line) if work == "floor" else figures.get(work, line)
              for work in series for line in lines}
    works = [work for work in series if any(values[work, line] is not None for line in lines)]
    known = [value for value in values.values() if value is not None]
    if not known:
        return [], top
    highest = _scale(max(known))
    bar = min(WIDEST_BAR, (WIDTH - 10 - LEFT - GAP * len(lines)) / (len(lines) * len(works)))
    base = top + 30 + PANEL
    out = [f'<text class="t" x="{LEFT}" y="{top + 14}">{escape(title)}</text>']
    for part in range(5):
        y = base - PANEL * part / 4
        out.append(f'<line class="l" x1="{LEFT}" x2="{WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}"/>'
                   f'<text class="v" x="{LEFT - 6}" y="{y + 3:.1f}" text-anchor="end">{highest * part / 4:g} s</text>')
    x = LEFT + GAP / 2
    for line in lines:
        begin = x
        for work in works:
            value = values[work, line]
            if value is not None:
                height = max(1, PANEL * value / highest)
                out.append(f'<rect x="{x:.1f}" y="{base - height:.1f}" width="{bar - 3:.1f}" height="{height:.1f}" '
                           f'fill="{series[work]}"><title>{escape(f"{work}, {line_name(line)}: {seconds(value)} s")}'
                           f'</title></rect><text class="v" x="{x + (bar - 3) / 2:.1f}" y="{base - height - 3:.1f}" '
                           f'text-anchor="middle">{value:.2g}</text>')
            x += bar
        out.append(f'<text x="{(begin + x) / 2:.1f}" y="{base + 16}" text-anchor="middle">'
                   f'{escape(line_name(line))}</text>')
        x += GAP
    out.append(f'<line class="a" x1="{LEFT}" x2="{WIDTH - 10}" y1="{base}" y2="{base}"/>')
    x, y = LEFT, base + 36
    for work in works:
        label = LABELS.get(work, work)
        width = 26 + 7.2 * len(label)
        if x + width > WIDTH:
            x, y = LEFT, y + 18
        out.append(f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{series[work]}"/>'
                   f'<text x="{x + 17}" y="{y}">{escape(label)}</text>')
        x += width
    return out, y + 24


def svg(results):
    figures, facts = Figures(results["rows"]), results["machine"]
    # All of one security side by side, so that growth with the round trip shows.
    lines = sorted(figures.lines, key=lambda line: (line[1], line[0]))
    first, y = _panel(figures, lines, SERIES, f"First copy of {facts['mail']}", 8)
    again, y = _panel(figures, lines, AGAIN, "Copying it again, nothing changed", y + 6)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}">'
            f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>\n'
            + "\n".join(first + again) + "\n</svg>\n")
