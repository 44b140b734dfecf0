"""The table: as plain text for a terminal, and in Markdown for docs/performance.md."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from tests.bench.rows import BUILDS, Row, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.stats import Value

HEAD = ("what", "1 is", *(title for build in BUILDS for title in (build, "goal", "")))
VERDICTS = {True: "met", False: "missed", None: ""}


def cells(row: Row) -> list[str]:
    """The texts of one line."""
    texts = [row.what, row.anchor]
    for build in BUILDS:
        goal = row.goals.get(build)
        texts += [_shown(row.values.get(build), row.unit), str(goal or ""), VERDICTS[row.verdict(build)]]
    return texts


def _shown(value: Value | None, unit: str) -> str:
    if value is None:
        return "-"
    spread = f" ({short(value.low)}-{short(value.high)})" if value.high > value.low else ""
    return f"{short(value.middle)}{' ' * bool(unit)}{unit}{spread}"


def plain(rows: Sequence[Row]) -> str:
    """The table in columns."""
    parts = [(part, [cells(row) for row in some]) for part, some in groupby(rows, lambda row: row.part)]
    lines = [list(HEAD), *(line for _, some in parts for line in some)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]

    def aligned(line: Sequence[str]) -> str:
        return "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()

    text = [aligned(HEAD)]
    for part, some in parts:
        text += ["", f"-- {part}", *map(aligned, some)]
    return "\n".join([*text, "", summary(rows)])


def markdown(rows: Sequence[Row]) -> str:
    """The table as GitHub draws it; missed goals stand out."""

    def line(texts: Sequence[str]) -> str:
        return "| " + " | ".join("**missed**" if text == "missed" else text for text in texts) + " |"

    text = [line(HEAD), "|---" * len(HEAD) + "|"]
    for part, some in groupby(rows, lambda row: row.part):
        text += [line([f"**{part}**", *[""] * (len(HEAD) - 1)]), *(line(cells(row)) for row in some)]
    return "\n".join([*text, "", summary(rows)])


def summary(rows: Sequence[Row]) -> str:
    """How many goals there are, and how many are met."""
    texts = []
    for build in BUILDS:
        verdicts = [verdict for row in rows if (verdict := row.verdict(build)) is not None]
        texts.append(f"{build}: {sum(verdicts)} of {len(verdicts)} goals met")
    return "; ".join(texts) + "."
