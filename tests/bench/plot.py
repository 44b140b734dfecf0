"""The plot of docs/performance.md: how far each value is from its goal, as SVG by hand.

One line for each row that has a goal, on a logarithmic scale: at 1 a goal is just met, left of it missed.  It
stands on a ground of its own, light or dark as its reader likes it.
"""

from __future__ import annotations

import math
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from tests.bench.rows import BUILDS, Row, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LEFT, WIDTH, RIGHT = 330, 470, 30
TOP, LINE, BOTTOM = 70, 18, 60
STYLE = """
svg { font: 12px system-ui, sans-serif; }
.ground { fill: #ffffff; } text { fill: #24292f; } .part { font-weight: 600; }
.grid { stroke: #d0d7de; } .goal { stroke: #24292f; stroke-width: 1.5; }
.compiled { fill: #0550ae; stroke: #0550ae; } .pure { fill: #ffffff; stroke: #bc4c00; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  .ground { fill: #0d1117; } text { fill: #e6edf3; }
  .grid { stroke: #30363d; } .goal { stroke: #e6edf3; }
  .compiled { fill: #58a6ff; stroke: #58a6ff; } .pure { fill: #0d1117; stroke: #f0883e; }
}
"""


def svg(rows: Sequence[Row]) -> str:
    """The whole picture."""
    judged = [row for row in rows if any(row.verdict(build) is not None for build in BUILDS)]
    scale = Scale([margin for row in judged for _, margin in _margins(row)])
    parts = [(part, list(some)) for part, some in groupby(judged, lambda row: row.part)]
    height = TOP + LINE * (len(judged) + 2 * len(parts)) + BOTTOM
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}" '
            f'role="img" aria-label="Values in proportion to their goals">',
            f"<style>{STYLE}</style>",
            '<rect class="ground" width="100%" height="100%" rx="6"/>',
            *_legend(),
            *scale.drawn(height),
            *_lines(parts, scale),
            "</svg>\n",
        ]
    )


class Scale:
    """Where a margin is drawn: powers of two, as many as there is need for."""

    def __init__(self, margins: Sequence[float]) -> None:
        exponents = [math.log2(margin) for margin in margins] or [0.0]
        self.first = min(-2, math.floor(min(exponents)))
        self.last = max(2, math.ceil(max(exponents)))

    def x(self, margin: float) -> float:
        """Pixels from the left."""
        return LEFT + WIDTH * (math.log2(margin) - self.first) / (self.last - self.first)

    def drawn(self, height: int) -> Iterator[str]:
        """The grid, with its numbers, and what it means."""
        foot = height - BOTTOM + 6
        for exponent in range(self.first, self.last + 1):
            x = self.x(2.0**exponent)
            kind = "grid" if exponent else "goal"
            label = f"{2**exponent}" if exponent >= 0 else f"1/{2**-exponent}"
            yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{foot}"/>'
            yield f'<text x="{x:.1f}" y="{foot + 16}" text-anchor="middle">{label}</text>'
        meaning = "times better than the goal (1: just met; left of it: missed)"
        yield f'<text x="{LEFT + WIDTH / 2}" y="{foot + 38}" text-anchor="middle">{meaning}</text>'


def _legend() -> Iterator[str]:
    yield '<text class="part" x="16" y="28">Values in proportion to their goals</text>'
    for x, build in zip((LEFT, LEFT + 110), BUILDS, strict=True):
        yield _mark(build, x, 24) + f'<text x="{x + 10}" y="28">{build}</text>'


def _lines(parts: Sequence[tuple[str, Sequence[Row]]], scale: Scale) -> Iterator[str]:
    y = TOP
    for part, rows in parts:
        y += LINE
        yield f'<text class="part" x="16" y="{y}">{escape(part)}</text>'
        for row in rows:
            y += LINE
            yield f'<text x="{LEFT - 14}" y="{y}" text-anchor="end">{escape(_label(row))}</text>'
            for build, margin in _margins(row):
                told = f"{build}: {short(row.values[build].middle)} {row.unit}, goal {row.goals[build]}"
                yield _mark(build, scale.x(margin), y - 4, told)
        y += LINE


def _label(row: Row) -> str:
    return row.what if len(row.what) <= 52 else f"{row.what[:50]}…"


def _margins(row: Row) -> list[tuple[str, float]]:
    return [
        (build, row.goals[build].margin(row.values[build].middle))
        for build in BUILDS
        if row.verdict(build) is not None
    ]


def _mark(build: str, x: float, y: float, told: str = "") -> str:
    title = f"<title>{escape(told)}</title>" if told else ""
    if build == "compiled":
        return f'<circle class="{build}" cx="{x:.1f}" cy="{y}" r="4.5">{title}</circle>'
    return f'<rect class="{build}" x="{x - 4:.1f}" y="{y - 4}" width="8" height="8">{title}</rect>'
