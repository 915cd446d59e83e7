"""Charts as SVG: columns stacked by series, without script, the same text for the same numbers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 26, 28
_MOST_LABELS = 16


@dataclass(frozen=True, slots=True)
class Series:
    """One layer of the columns: its name, colour and numbers."""

    name: str
    color: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its title and, for those who can't see it, its words."""

    title: str
    svg: str


INK, GOOD, BAD, SOFT = "#1f2937", "#4d7c8a", "#b4533c", "#9aa5b1"


def columns(title: str, labels: Sequence[str], series: Sequence[Series]) -> Chart:
    """Return a chart of stacked columns, one for each label."""
    totals = [sum(one.values[index] for one in series) for index in range(len(labels))]
    top = _nice(max(totals, default=0))
    body = [*_grid(top), *_legend(series), *_stacks(series, len(labels), top), *_labels(labels)]
    told = "; ".join(f"{label}: {_number(total)}" for label, total in zip(labels, totals, strict=True))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="11" fill="{INK}"><title>{escape(title)}</title>'
        f"<desc>{escape(told)}</desc>{''.join(body)}</svg>"
    )
    return Chart(title, svg)


def _stacks(series: Sequence[Series], count: int, top: float) -> list[str]:
    step = (WIDTH - _LEFT - _RIGHT) / max(count, 1)
    wide = max(2.0, min(46.0, step * 0.7))
    scale = (HEIGHT - _TOP - _BOTTOM) / top
    drawn: list[str] = []
    for index in range(count):
        floor = float(HEIGHT - _BOTTOM)
        for one in series:
            tall = one.values[index] * scale
            if tall:
                x, y = _LEFT + step * index + (step - wide) / 2, floor - tall
                drawn.append(
                    f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{one.color}"/>'
                )
                floor -= tall
    return drawn


def _grid(top: float) -> list[str]:
    drawn: list[str] = []
    for part in (0, 0.5, 1):
        y = HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * part
        drawn.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e3e7ec"/>')
        drawn.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_number(top * part)}</text>')
    return drawn


def _labels(labels: Sequence[str]) -> list[str]:
    step = (WIDTH - _LEFT - _RIGHT) / max(len(labels), 1)
    every = max(1, -(-len(labels) // _MOST_LABELS))
    return [
        f'<text x="{_LEFT + step * (index + 0.5):.1f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(label)}</text>'
        for index, label in enumerate(labels)
        if index % every == 0
    ]


def _legend(series: Sequence[Series]) -> list[str]:
    drawn: list[str] = []
    x = _LEFT
    for one in series:
        drawn.append(f'<rect x="{x}" y="6" width="10" height="10" fill="{one.color}"/>')
        drawn.append(f'<text x="{x + 15}" y="15">{escape(one.name)}</text>')
        x += 30 + 7 * len(one.name)
    return drawn


def _nice(value: float) -> float:
    """Return the top of the scale: the next of 2, 5, 10, 20, 50 … that holds a value."""
    size = 1.0
    while True:
        for step in (2, 5, 10):
            if value <= step * size:
                return step * size
        size *= 10


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}"
