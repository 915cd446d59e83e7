"""Charts for the Dagster UI: small SVG pictures in Markdown, readable on light and dark pages. Pure."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 260, 52, 46, 40
_FONT = 'font-family="sans-serif" font-size="12"'
_COLOURS = ("#2563eb", "#dc2626", "#0d9488", "#d97706")
_PAPER, _INK, _LINES = "#ffffff", "#1f2937", "#e5e7eb"
LABELS = 8

Series = Mapping[str, Sequence[float]]


def bars(title: str, labels: Sequence[str], series: Series) -> str:
    """Return a Markdown image of bars side by side: one group for each label, one colour for each series."""
    top = _top(series)
    slot = (WIDTH - LEFT - 10) / max(len(labels), 1)
    wide = slot * 0.8 / max(len(series), 1)
    shapes = [
        f'<rect x="{LEFT + index * slot + slot * 0.1 + number * wide:.1f}" y="{_y(value, top):.1f}" width="{wide:.1f}" '
        f'height="{_y(0, top) - _y(value, top):.1f}" fill="{_COLOURS[number % len(_COLOURS)]}"/>'
        for number, values in enumerate(series.values())
        for index, value in enumerate(values)
    ]
    middles = [LEFT + (index + 0.5) * slot for index in range(len(labels))]
    return _picture(title, labels, middles, series, top, shapes)


def lines(title: str, labels: Sequence[str], series: Series) -> str:
    """Return a Markdown image of lines over the labels, one colour for each series."""
    top = _top(series)
    step = (WIDTH - LEFT - 10) / max(len(labels) - 1, 1)
    places = [LEFT + index * step for index in range(len(labels))]
    shapes = [
        f'<polyline fill="none" stroke="{_COLOURS[number % len(_COLOURS)]}" stroke-width="2" points="'
        + " ".join(f"{x:.1f},{_y(value, top):.1f}" for x, value in zip(places, values, strict=True))
        + '"/>'
        for number, values in enumerate(series.values())
    ]
    return _picture(title, labels, places, series, top, shapes)


def _top(series: Series) -> float:
    return max([1.0, *(value for values in series.values() for value in values)])


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP)


def _picture(
    title: str, labels: Sequence[str], places: Sequence[float], series: Series, top: float, shapes: Sequence[str]
) -> str:
    grid = [
        f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{_y(value, top):.1f}" y2="{_y(value, top):.1f}" stroke="{_LINES}"/>'
        + _text(LEFT - 6, _y(value, top) + 4, f"{value:g}", "end")
        for value in (0, round(top / 2, 1), top)
    ]
    every = max(1, -(-len(labels) // LABELS))
    named = [
        _text(x, HEIGHT - BOTTOM + 18, label, "middle")
        for index, (x, label) in enumerate(zip(places, labels, strict=True))
        if index % every == 0
    ]
    key = [
        f'<rect x="{LEFT + number * 150}" y="{HEIGHT - 16}" width="10" height="10" fill="{_COLOURS[number % 4]}"/>'
        + _text(LEFT + number * 150 + 15, HEIGHT - 7, name, "start")
        for number, name in enumerate(series)
    ]
    inside = "".join([_text(LEFT, 20, title, "start", bold=True), *grid, *shapes, *named, *key])
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="100%" height="100%" fill="{_PAPER}"/>{inside}</svg>'
    )
    return f"![{title}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def _text(x: float, y: float, text: str, anchor: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" {_FONT}{weight} fill="{_INK}" text-anchor="{anchor}">{escape(text)}</text>'
