"""What a message costs a node that has much else: connections, and processes that wait.

Nodes of all sizes are alive at once and take turns, on one core; what 1 is, is the smallest of them.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from tests.bench.rows import Row, at_most, both, time_text
from tests.bench.setup import say
from tests.bench.stage import SAME_CORE, Peer, Stage
from tests.bench.stats import Value
from tests.support.epmd import tied_to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.bench.plan import Plan
    from tests.bench.setup import Build

PART = "growth: CPU time of a received message"
FLAT = both(at_most(1.2))
"""That it does not grow; a fifth is for caches and noise."""
CONNECTIONS = (1, 10, 100, 1_000)
PROCESSES = (10, 10_000, 1_000_000)
SENT = 20_000
"""Messages in a turn."""
SPREAD = 20_000
"""Messages in a turn over many connections: some bundles on each, in a quick run as well."""
LOOP = "asyncio"
TICKTIME = 600.0
"""Seconds: nobody is to tick in between."""

Figures = dict[str, dict[int, list[float]]]
"""CPU seconds of a message in each repetition, by build and size."""


def measure(plan: Plan) -> list[Row]:
    """Every row of this part."""
    busy: Figures = {}
    spread: Figures = {}
    waiting: Figures = {}
    for build in plan.builds:
        say(f"  {build.name}: connections ...")
        busy[build.name], spread[build.name] = _connections(plan, build)
        say(f"  {build.name}: processes ...")
        waiting[build.name] = _processes(plan, build)
    return [
        *_rows("idle connections beside", busy),
        *_rows("connections, all of them busy", spread),
        *_rows("processes waiting", waiting),
    ]


def _rows(what: str, found: Figures) -> list[Row]:
    first = next(iter(found.values()))
    least, *more = first
    middle = Value.of(first[least]).middle
    return [
        Row(
            part=PART,
            what=f"{size:,} {what}",
            anchor=f"{least}, {time_text(middle)}",
            values={
                build: Value.ratio(figures[size], figures[least])
                for build, figures in found.items()
                if size in figures
            },
            goals=FLAT,
        )
        for size in more
    ]


class Crowd:
    """`crowd.py` beside a node."""

    def __init__(self, stage: Stage, build: Build, peer: Peer, count: int) -> None:
        settings = {"peer": peer.node, "count": count, "net_ticktime": TICKTIME, **stage.access}
        self._process = subprocess.Popen(
            tied_to_us([*stage.wrapper, *build.command("crowd.py", json.dumps(settings))]),
            env=build.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def expect(self, word: str) -> None:
        """It says so."""
        if self._process.stdout is None or self._process.stdout.readline().strip() != word:
            raise RuntimeError("the crowd has ended")

    def send(self, count: int) -> None:
        """So many messages, until they are taken."""
        if self._process.stdin is None:
            raise RuntimeError("the crowd has ended")
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        self.expect("done")

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def _connections(plan: Plan, build: Build) -> tuple[dict[int, list[float]], dict[int, list[float]]]:
    """With one busy connection, of the driver; and with all of them busy in turns."""
    with ExitStack() as stack:
        stage = stack.enter_context(Stage(plan, SAME_CORE, loops=()))
        peers = {size: stage.add(build, LOOP, net_ticktime=TICKTIME) for size in CONNECTIONS}
        crowds = {}
        for size in CONNECTIONS:
            crowds[peers[size]] = crowd = Crowd(stage, build, peers[size], size)
            stack.callback(crowd.close)
            crowd.expect("ready")
        busy = stage.turns(partial(_driven, stage, plan.scaled(SENT)), list(peers.values()))
        spread = stage.turns(partial(_crowded, crowds, SPREAD), list(crowds))
    return (
        {size: busy[peer] for size, peer in peers.items()},
        {size: spread[peer] for size, peer in peers.items()},
    )


def _processes(plan: Plan, build: Build) -> dict[int, list[float]]:
    count = plan.scaled(SENT)
    with Stage(plan, SAME_CORE, loops=()) as stage:
        peers = {size: stage.add(build, LOOP, waiting=size) for size in map(plan.scaled, PROCESSES)}
        found = stage.turns(partial(_driven, stage, count), list(peers.values()))
    return {size: found[peer] for size, peer in peers.items()}


def _driven(stage: Stage, count: int, peer: Peer) -> float:
    return _cost(peer, count, lambda: stage.ask(peer, "sends", count))


def _crowded(crowds: Mapping[Peer, Crowd], count: int, peer: Peer) -> float:
    return _cost(peer, count, lambda: crowds[peer].send(count))


def _cost(peer: Peer, count: int, work: Callable[[], object]) -> float:
    """CPU seconds that each message of `work` costs the node."""
    before = peer.cpu_seconds()
    work()
    return (peer.cpu_seconds() - before) / count
