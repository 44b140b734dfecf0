"""Large binaries: only there (the last one is answered), and there and back one at a time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.bench.compare import beside_beam
from tests.bench.rows import at_least, goals, rate_text
from tests.bench.stage import LOOPS, Peer, Stage, on_stages

if TYPE_CHECKING:
    from tests.bench.plan import Plan
    from tests.bench.rows import Row

PART = "large binaries"
RATE = dict.fromkeys(LOOPS, goals(at_least(1), at_least(0.7)))
SIZES = (("64 KiB", 65_536, 2_000), ("1 MiB", 1_048_576, 200))
"""Name, octets, and how many of them in a turn."""


def measure(plan: Plan) -> list[Row]:
    """Every row of this part."""
    return on_stages(plan, _measure)


def _measure(stage: Stage) -> list[Row]:
    rows = []
    for name, size, count in SIZES:
        for way, function in (("one way", "one_way"), ("there and back", "echoes")):
            turn = partial(_seconds_per_octet, stage, function, size, stage.plan.scaled(count))
            rows += beside_beam(stage, PART, f"{name} {way}", stage.turns(turn), _rate, RATE, inverse=True)
    return rows


def _seconds_per_octet(stage: Stage, function: str, size: int, count: int, peer: Peer) -> float:
    return float(stage.ask(peer, function, size, count)) / 1e9 / (size * count)


def _rate(seconds: float) -> str:
    return rate_text(1 / seconds, "B")
