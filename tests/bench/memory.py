"""What it takes to be there: time to import, memory of an idle node, and of each thing that it keeps."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

from tests.bench.rows import Row, at_most, both
from tests.bench.stage import LOOPS, Subject, resident
from tests.bench.stats import Value
from tests.support.epmd import tied_to_us

if TYPE_CHECKING:
    from tests.bench.plan import Plan
    from tests.bench.setup import Build

PART = "start and memory"
IMPORT = both(at_most(40))
"""Milliseconds over ``import asyncio``."""
NODE = both(at_most(0.9))
"""Of the resident memory of a bare ``erl``."""
CONNECTION = both(at_most(8))
"""KiB, without buffers."""

PUBLIC = "from pyerlnode import *"
EVERYTHING = """
import importlib, pkgutil, pyerlnode
for found in pkgutil.walk_packages(pyerlnode.__path__, "pyerlnode."):
    if not found.name.startswith(("pyerlnode.__main__", "pyerlnode.cli", "pyerlnode.testing")):
        importlib.import_module(found.name)
"""
TIMED = """
from time import perf_counter
begin = perf_counter()
import asyncio
middle = perf_counter()
{}
print(middle - begin, perf_counter() - middle)
"""
SETTLING = 1.0
"""Seconds until the memory of something that was started is what it stays at."""


def measure(plan: Plan) -> list[Row]:
    """Every row of this part."""
    return [
        *_imports(plan, "import of all public names", PUBLIC, judged=True),
        *_imports(plan, "import of every module but the command line's", EVERYTHING, judged=False),
        *_nodes(plan),
        *_kept(plan),
    ]


def _imports(plan: Plan, what: str, code: str, *, judged: bool) -> list[Row]:
    floor: list[float] = []
    over: dict[str, list[float]] = {build.name: [] for build in plan.builds}
    for turn in range(2 * plan.repetitions + 1):
        for build in plan.builds:
            done = subprocess.run(
                [str(build.python), "-P", "-c", TIMED.format(code)],
                env=build.environment,
                stdout=subprocess.PIPE,
                check=True,
            )
            asyncio_took, rest_took = map(float, done.stdout.split())
            if turn:  # the first one compiles to byte code
                floor.append(asyncio_took)
                over[build.name].append(rest_took * 1000)
    return [
        Row(
            part=PART,
            what=what,
            anchor=f"over import asyncio ({Value.of(floor).middle * 1000:.0f} ms)",
            unit="ms",
            values={name: Value.of(times) for name, times in over.items()},
            goals=IMPORT if judged else {},
        )
    ]


def _nodes(plan: Plan) -> list[Row]:
    beam: list[float] = []
    nodes: dict[tuple[str, str], list[float]] = {
        (build.name, loop): [] for build in plan.builds for loop in LOOPS
    }
    for _ in range(plan.repetitions if plan.quick else 5):
        beam.append(_bare_erl())
        for build in plan.builds:
            for loop in LOOPS:
                nodes[build.name, loop].append(_idle_node(build, loop))
    return [
        Row(
            part=PART,
            what=f"resident memory of an idle node, {loop}",
            anchor=f"bare erl, {Value.of(beam).middle / 2**20:.0f} MiB",
            values={build.name: Value.ratio(nodes[build.name, loop], beam) for build in plan.builds},
            goals=NODE,
        )
        for loop in LOOPS
    ]


def _bare_erl() -> int:
    erl = shutil.which("erl")
    if erl is None:
        raise LookupError("no `erl` on this machine")
    process = subprocess.Popen(
        tied_to_us([erl, "-noinput"]), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        time.sleep(SETTLING)
        return resident(process.pid)
    finally:
        process.kill()
        process.wait()


def _idle_node(build: Build, loop: str) -> int:
    settings = {"name": "idle@127.0.0.1", "loop": loop, "cookie": "cookie", "epmd": False}
    subject = Subject(build, settings)
    try:
        subject.wait_ready()
        time.sleep(SETTLING)
        return resident(subject.peer.pid)
    finally:
        subject.close()


def _kept(plan: Plan) -> list[Row]:
    count = plan.scaled(10_000)
    found = {build.name: _weighed(build, count, plan.scaled(500)) for build in plan.builds}

    def row(what: str, kind: str) -> Row:
        return Row(
            part=PART,
            what=what,
            anchor="KiB",
            unit="KiB",
            values={build: Value.of([figures[kind] / 1024]) for build, figures in found.items()},
            goals=CONNECTION if kind == "connection" else {},
        )

    return [
        row("an idle connection, without receive buffer", "connection"),
        row("its receive buffer, on average", "buffer"),
        row("a waiting process", "process"),
        row("a monitor of a local process", "monitor"),
        row("a small message in a mailbox", "message"),
    ]


def _weighed(build: Build, count: int, connections: int) -> dict[str, float]:
    settings = {"count": count, "connections": connections, "guests": build.command("guests.py")}
    done = subprocess.run(
        build.command("memory_worker.py", json.dumps(settings)),
        env=build.environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures
