"""Charts as SVG, one drawing for the page and the PDF. Pure functions.

On a page there is no width: places are in percent and words keep their size on a narrow screen. In a PDF the width is
given in pixels. Colours are those of Making Data Count and of the NHS; shapes tell the same.
"""

from collections.abc import Iterator
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from app.reporting.content import Chart

COLOURS = {"common": "#a6a6a6", "improvement": "#00b0f0", "concern": "#e46c0a", "neutral": "#490092"}
INK, QUIET, TRACK, BAR, HIGHEST = "#212b32", "#4c6272", "#e8edee", "#005eb8", "#007f3b"
TOP, BOTTOM, HEIGHT = 20, 204, 236
LEFT, RIGHT = 14.0, 98.0
"""Where the points begin and end, in percent."""
BAR_ROW = 48
_TICKS = 3


def draw(chart: Chart, width: int | None = None, font: str | None = None) -> str:
    """The chart as SVG, as wide as its place or `width` pixels."""
    height = HEIGHT if chart.kind == "xmr" else BAR_ROW * len(chart.labels) + 4
    parts = _xmr(chart, width) if chart.kind == "xmr" else _bars(chart, width)
    size = f'width="100%" height="{height}"' if width is None else f'width="{width}" height="{height}"'
    name = quoteattr(f"{chart.title}. {chart.words} The table below holds the numbers.")
    look = f' font-family={quoteattr(font)} font-size="14"' if font else ""
    root = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={name}{look} fill="{INK}">'
    return root + "".join(parts) + "</svg>"


def _x(percent: float, width: int | None) -> str:
    return f"{percent:.2f}%" if width is None else f"{percent * width / 100:.2f}"


def _text(x: str, y: float, words: str, anchor: str = "start", fill: str = QUIET) -> str:
    return f'<text x="{x}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{escape(words)}</text>'


def _line(x1: str, y1: float, x2: str, y2: float, stroke: str, more: str = "") -> str:
    return f'<line x1="{x1}" y1="{y1:.1f}" x2="{x2}" y2="{y2:.1f}" stroke="{stroke}"{more}/>'


def _xmr(chart: Chart, width: int | None) -> Iterator[str]:
    lower, upper = max(chart.lines["lower"], 0), chart.lines["upper"]
    highest = max(*chart.values, upper, 1)
    room = (RIGHT - LEFT) / max(len(chart.values) - 1, 1)
    left, right = _x(LEFT, width), _x(100, width)

    def y(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * value / highest

    yield _line(left, BOTTOM, right, BOTTOM, QUIET)
    for value, look in (
        (upper, ' stroke-dasharray="6 4"'),
        (lower, ' stroke-dasharray="6 4"'),
        (chart.lines["mean"], ""),
    ):
        yield _line(left, y(value), right, y(value), QUIET, look)
        yield _text(_x(LEFT - 1, width), y(value) + 5, f"{value:,.0f}", "end")
    places = [(_x(LEFT + number * room, width), y(value)) for number, value in enumerate(chart.values)]
    for (x1, y1), (x2, y2) in pairwise(places):
        yield _line(x1, y1, x2, y2, COLOURS["common"], ' stroke-width="2"')
    for (x, at), label, value, variation in zip(places, chart.labels, chart.values, chart.variations, strict=True):
        title = f"<title>{escape(label)}: {value:,.0f}</title>"
        yield _mark(x, at, COLOURS[variation], title, special=variation != "common")
    every = -(-len(places) // _TICKS) or 1
    for number in range(0, len(places), every):
        anchor = "start" if number == 0 else "end" if number == len(places) - 1 else "middle"
        yield _text(places[number][0], HEIGHT - 8, chart.labels[number], anchor)


def _mark(x: str, y: float, fill: str, title: str, *, special: bool) -> str:
    if not special:
        return f'<circle cx="{x}" cy="{y:.1f}" r="5" fill="{fill}">{title}</circle>'
    # A line of no length with square ends is a square whose middle may stand at a percentage.
    return (
        f'<line x1="{x}" y1="{y:.1f}" x2="{x}" y2="{y + 0.01:.2f}" stroke="{fill}" stroke-width="12" '
        f'stroke-linecap="square">{title}</line>'
    )


def _bars(chart: Chart, width: int | None) -> Iterator[str]:
    total = sum(chart.values)
    for number, (label, value) in enumerate(zip(chart.labels, chart.values, strict=True)):
        top, share = number * BAR_ROW, 100 * value / total if total else 0
        fill = HIGHEST if number == len(chart.labels) - 1 else BAR
        yield _text(_x(0, width), top + 17, label, fill=INK)
        yield _text(_x(100, width), top + 17, f"{value:,.0f} ({share:.1f}%)", "end", INK)
        yield f'<rect x="0" y="{top + 24}" width="{_x(100, width)}" height="16" fill="{TRACK}"/>'
        yield f'<rect x="0" y="{top + 24}" width="{_x(share, width)}" height="16" fill="{fill}"/>'
