# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Draw the operations of a report that differ from native, as SVG, light and dark.

Above, a heat map: a row per operation, a column per environment, in each cell how many
times native's executed instructions; rows that are the same in all are one.  Below, a panel
per batch: instructions per entry by size; environments with the same curve are one line.

This file writes SVG itself: tests/unit/report.t must know place and width of each label,
to show that no two overlap.
"""
import math
from collections import namedtuple
from html import escape

WIDTH, MARGIN, GAP = 1200, 24, 32
ROW, SMALL, FONT = 18, 11, 12
# Average width of a letter in units of its size, for wide fonts such as DejaVu Sans.
LETTER = 0.62

Text = namedtuple("Text", "x y text size anchor kind")
Theme = namedtuple("Theme", "paper ink faint line more less lines")
LIGHT = Theme("#ffffff", "#1c2024", "#656d76", "#d0d7de", (201, 75, 12), (9, 105, 218),
              ("#0072b2", "#c2410c", "#00805f", "#a3337a", "#6f5b00", "#5b3fc4", "#57606a"))
DARK = Theme("#0d1117", "#e6edf3", "#9198a1", "#30363d", (240, 136, 62), (88, 166, 255),
             ("#56b4e9", "#ffa657", "#3fb950", "#f778ba", "#e3c341", "#bc8cff", "#adbac7"))


def short(value):
    """A figure for a cell."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= max(unit, 1e4):
            return f"{value / unit:,.0f}{name}" if value >= 10 * unit else f"{value / unit:.1f}{name}"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


class Cell(namedtuple("Cell", "text weight")):
    """The cell's text, and its colour: below 0 fewer instructions, above 0 more."""


MISSING = Cell("-", None)


def cell(native, value):
    """An environment's figure against native's; None: no visible difference."""
    if value is None:
        return MISSING
    if native is None:
        return Cell(short(value), None)
    if not native:
        return Cell(f"+{short(value)}", math.log10(value + 1)) if value else None
    ratio = value / native
    if abs(ratio - 1) < 0.005:
        return None
    text = f"×{ratio:.2f}" if ratio < 10 else f"×{short(round(ratio))}"
    return Cell(text, math.log10(max(ratio, 0.01)))


def heat_rows(rows, names):
    """[([operations], native's figure, [cell per name])] of what differs; equal rows are merged."""
    merged = {}
    for name, cells in rows:
        native = cells.get("native")
        made = tuple(cell(native, cells.get(n)) for n in names)
        if set(made) - {None, MISSING}:
            merged.setdefault((native, made), []).append(name)
    return [(ops, native, list(made)) for (native, made), ops in merged.items()]


def curves(series, names):
    """{batch: [([environments], [(size, per entry)])]}, environments in order."""
    out = {}
    for batch, by_env in series.items():
        merged = {}
        for name in names:
            if by_env.get(name):
                merged.setdefault(tuple(sorted(by_env[name])), []).append(name)
        if len(merged) > 1:
            out[batch] = [(envs, list(points)) for points, envs in merged.items()]
    return out


def wrapped(words, room):
    """Names with commas, in lines of at most that many letters."""
    lines = [""]
    for i, word in enumerate(words):
        word += "," if i < len(words) - 1 else ""
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


class Picture:
    """Shapes and texts.  Texts are also kept, for a test that measures them."""

    def __init__(self, theme):
        self.theme, self.shapes, self.texts, self.height = theme, [], [], 0

    def text(self, x, y, text, size=FONT, anchor="start", kind="ink"):
        self.texts.append(Text(x, y, text, size, anchor, kind))

    def rect(self, x, y, width, height, fill, opacity):
        self.shapes.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
                           f'fill="{fill}" fill-opacity="{opacity:.2f}"/>')

    def line(self, points, stroke, width=1.0):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.shapes.append(f'<polyline points="{path}" fill="none" stroke="{stroke}" '
                           f'stroke-width="{width:g}"/>')

    def svg(self):
        theme = self.theme
        colour = {"ink": theme.ink, "faint": theme.faint}
        out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{self.height}" '
               f'viewBox="0 0 {WIDTH} {self.height}" font-family="DejaVu Sans, Verdana, sans-serif">',
               f'<rect width="{WIDTH}" height="{self.height}" fill="{theme.paper}"/>', *self.shapes]
        for t in self.texts:
            out.append(f'<text x="{t.x:g}" y="{t.y:g}" font-size="{t.size}" text-anchor="{t.anchor}" '
                       f'fill="{colour.get(t.kind, t.kind)}">{escape(t.text)}</text>')
        return "\n".join([*out, "</svg>", ""])


def box(text):
    """(left, top, right, bottom) of a text, an upper bound."""
    width = len(text.text) * text.size * LETTER
    left = text.x - {"start": 0, "middle": width / 2, "end": width}[text.anchor]
    return left, text.y - text.size * 0.8, left + width, text.y + text.size * 0.2


# Heat map

COLUMN = (WIDTH - 2 * MARGIN - GAP) / 2
LABEL, NATIVE = 166, 52


def draw_cell(picture, made, x, y, width):
    if made is None:
        picture.text(x + width / 2, y + 13, "·", SMALL, "middle", "faint")
        return
    theme = picture.theme
    if made.weight is not None:
        red, green, blue = theme.more if made.weight > 0 else theme.less
        strength = 0.14 + 0.5 * min(abs(made.weight) / 3, 1)
        picture.rect(x + 1, y + 1, width - 2, ROW - 2, f"rgb({red},{green},{blue})", strength)
    picture.text(x + width / 2, y + 13, made.text, SMALL, "middle", "ink")


def draw_block(picture, rows, names, x, y):
    """One column of the heat map; returns where it ends."""
    width = (COLUMN - LABEL - NATIVE) / len(names)
    picture.text(x + LABEL + NATIVE - 8, y + 12, "native", SMALL, "end", "faint")
    for i, name in enumerate(names):
        picture.text(x + LABEL + NATIVE + width * (i + 0.5), y + 12, name, SMALL, "middle")
    y += ROW
    for lines, native, cells in rows:
        picture.line([(x, y), (x + COLUMN, y)], picture.theme.line, 0.5)
        for i, line in enumerate(lines):
            picture.text(x, y + 13 + i * (ROW - 4), line, SMALL)
        picture.text(x + LABEL + NATIVE - 8, y + 13, "-" if native is None else short(native), SMALL,
                     "end", "faint")
        for i, made in enumerate(cells):
            draw_cell(picture, made, x + LABEL + NATIVE + i * width, y, width)
        y += row_height(lines)
    return y


def row_height(lines):
    return ROW + (len(lines) - 1) * (ROW - 4)


def halves(rows):
    """Two columns of about the same height."""
    total, half = sum(row_height(r[0]) for r in rows), 0
    for i, row in enumerate(rows):
        if half * 2 >= total:
            return rows[:i], rows[i:]
        half += row_height(row[0])
    return rows, []


# Curves

PANELS, PANEL_HEIGHT, SIDE, ENDS = 2, 250, 52, 150


def spread(wanted, heights):
    """Places near the wanted ones, in the same order, that do not overlap."""
    places, free = [0.0] * len(wanted), -math.inf
    for i in sorted(range(len(wanted)), key=lambda i: wanted[i]):
        places[i] = max(wanted[i], free)
        free = places[i] + heights[i]
    return places


def axis_steps(low, high):
    """Powers of ten; their halves too, if there are few."""
    steps = [10.0 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    return [s for s in steps if low <= s <= high]


def draw_panel(picture, batch, lines, colours, x, y):
    theme, width = picture.theme, COLUMN
    left, right, top, bottom = x + SIDE, x + width - ENDS, y + 30, y + PANEL_HEIGHT - 30
    values = [v for _, points in lines for _, v in points if v]
    sizes = sorted({s for _, points in lines for s, _ in points})
    low, high = min(values) / 1.3, max(values) * 1.3
    if len(axis_steps(low, high)) < 2:
        low, high = 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high))

    def across(size):
        span = math.log2(sizes[-1] / sizes[0]) or 1
        return left + (right - left) * math.log2(size / sizes[0]) / span

    def down(value):
        return bottom - (bottom - top) * math.log10(max(value, low) / low) / math.log10(high / low)

    picture.text(x, y + 14, batch, FONT)
    for step in axis_steps(low, high):
        picture.line([(left, down(step)), (right, down(step))], theme.line, 0.7)
        picture.text(left - 8, down(step) + 4, f"{step:,.0f}", SMALL, "end", "faint")
    for size in sizes[::2]:
        picture.text(across(size), bottom + 16, str(size), SMALL, "middle", "faint")
    labels = [wrapped(envs, 18) for envs, _ in lines]
    ends = spread([down(points[-1][1]) for _, points in lines], [len(t) * (SMALL + 3) for t in labels])
    for (envs, points), label, at in zip(lines, labels, ends):
        colour = colours[envs[0]]
        picture.line([(across(s), down(v)) for s, v in points], colour, 2)
        picture.line([(across(points[-1][0]), down(points[-1][1])), (right + 10, at)], colour, 1)
        for i, part in enumerate(label):
            picture.text(right + 14, at + 4 + i * (SMALL + 3), part, SMALL, "start", colour)


def draw(rows, series, names, dark):
    """The whole picture: @rows [(operation, {env: instructions})], @series {batch: {env:
    [(size, per entry)]}}, @names of the environments, native among them."""
    picture = Picture(DARK if dark else LIGHT)
    others = [n for n in names if n != "native"]
    heat = [(wrapped(ops, int(LABEL / SMALL / LETTER)), native, cells)
            for ops, native, cells in heat_rows(rows, others)]
    y = MARGIN + 16
    picture.text(MARGIN, y, "Executed instructions per operation, against native", 18)
    y += 22
    picture.text(MARGIN, y, "×2: twice native's; +9: native has none; a figure alone: native cannot do it; "
                            "·: as native; -: not measured. Operations that cost the same everywhere are left out.",
                 SMALL, "start", "faint")
    y += 16
    ends = [y]
    if heat and others:
        for i, part in enumerate(halves(heat)):
            if part:
                ends.append(draw_block(picture, part, others, MARGIN + i * (COLUMN + GAP), y))
    y = max(ends) + 44
    panels = list(curves(series, names).items())
    colours = dict(zip(names, picture.theme.lines * len(names)))
    if panels:
        picture.text(MARGIN, y, "Batches: executed instructions per entry, by entries in a batch", 18)
        y += 16
        for i, (batch, lines) in enumerate(panels):
            draw_panel(picture, batch, lines, colours, MARGIN + i % PANELS * (COLUMN + GAP),
                       y + i // PANELS * PANEL_HEIGHT)
        y += math.ceil(len(panels) / PANELS) * PANEL_HEIGHT
    picture.height = math.ceil(y + MARGIN)
    return picture
