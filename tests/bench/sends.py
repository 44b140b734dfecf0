"""Streams of small messages, both ways: what a received one costs, and how many a node sends."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.bench.compare import beside_beam
from tests.bench.rows import at_least, at_most, goals, rate_text, time_text
from tests.bench.stage import LOOPS, Peer, Stage, on_stages

if TYPE_CHECKING:
    from tests.bench.plan import Plan
    from tests.bench.rows import Row

PART = "messages {msg, N}"
COST = dict.fromkeys(LOOPS, goals(at_most(1.5), at_most(2.5)))
FLOOD = dict.fromkeys(LOOPS, goals(at_least(3), at_least(1)))


def measure(plan: Plan) -> list[Row]:
    """Every row of this part."""
    return on_stages(plan, _measure)


def _measure(stage: Stage) -> list[Row]:
    rows = []
    for name, function, cost, rate in (("received", "sends", COST, None), ("sent", "flood", None, FLOOD)):
        found = stage.turns(partial(_one_turn, stage, function))
        times = {peer: [time for time, _ in turns] for peer, turns in found.items()}
        cpu = {peer: [spent for _, spent in turns] for peer, turns in found.items()}
        rows += beside_beam(stage, PART, f"{name}, CPU for each", cpu, time_text, cost)
        rows += beside_beam(stage, PART, f"{name}, rate", times, _rate, rate, inverse=True)
    return rows


def _one_turn(stage: Stage, function: str, peer: Peer) -> tuple[float, float]:
    """Seconds and CPU seconds of one message."""
    count = stage.plan.scaled(50_000)
    before = peer.cpu_seconds()
    nanoseconds = stage.ask(peer, function, count)
    return nanoseconds / 1e9 / count, (peer.cpu_seconds() - before) / count


def _rate(seconds: float) -> str:
    return rate_text(1 / seconds, "")
