"""Calls and plain messages from a BEAM and back, one at a time and from a hundred callers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.compare import beside_beam
from tests.bench.rows import at_least, at_most, goals, rate_text, time_text
from tests.bench.stage import SAME_CORE, Peer, Stage, on_stages
from tests.bench.stats import percentile

if TYPE_CHECKING:
    from tests.bench.plan import Plan
    from tests.bench.rows import Row

PART = "calls from a BEAM"
MEDIAN = {
    "asyncio": goals(at_most(1.35), at_most(1.8)),
    "uvloop": goals(at_most(1.25), at_most(1.8)),
}
"""On the same core, where nothing but the path itself counts."""
WORST = dict.fromkeys(MEDIAN, goals(at_most(2), at_most(2.5)))
MANY = dict.fromkeys(MEDIAN, goals(at_least(0.9), at_least(0.4)))
CALLERS = 100


def measure(plan: Plan) -> list[Row]:
    """Every row of this part."""
    return on_stages(plan, _measure)


def _measure(stage: Stage) -> list[Row]:
    judged = stage.cores == SAME_CORE
    rows = _latency(stage, "gen_server:call", "calls", judged=judged)
    rows += _many(stage)
    rows += _latency(stage, "send and reply", "raws", judged=False)
    return rows + _latency(stage, "call of a plain def", "worker_calls", judged=False)


def _latency(stage: Stage, what: str, function: str, *, judged: bool) -> list[Row]:
    count = stage.plan.scaled(3000)
    found = stage.turns(lambda peer: [time / 1e9 for time in stage.ask(peer, function, count)])
    rows = []
    for percent, within in ((50, MEDIAN), (99, WORST)):
        figures = {peer: [percentile(turn, percent) for turn in turns] for peer, turns in found.items()}
        rows += beside_beam(stage, PART, f"{what} p{percent}", figures, time_text, within if judged else None)
    return rows


def _many(stage: Stage) -> list[Row]:
    each = stage.plan.scaled(100)

    def seconds_per_call(peer: Peer) -> float:
        return float(stage.ask(peer, "callers", CALLERS, each)) / 1e9 / (CALLERS * each)

    return beside_beam(
        stage,
        PART,
        f"{CALLERS} callers, rate",
        stage.turns(seconds_per_call),
        lambda seconds: rate_text(1 / seconds, "calls"),
        MANY,
        inverse=True,
    )
