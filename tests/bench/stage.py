"""A BEAM that drives, and beside it the nodes that are measured, all alive at once, to take turns.

One of them is a BEAM: the anchor.  The others are `subject.py`: each build, on asyncio and on uvloop.  None
spins while it waits (``+sbwt none``), or it would take the time of those that share its core.  ``same core``
pins all of them to one; ``free`` leaves it to the kernel, and gives each BEAM as many schedulers as there are
cores.  All measured nodes are hidden: so nobody but the driver connects to them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pyerlnode.term import decode
from tests.bench.setup import say
from tests.support.beam import Beam
from tests.support.beams import host_release
from tests.support.epmd import Epmd, tied_to_us
from tests.support.erlang_modules import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from tests.bench.plan import Plan
    from tests.bench.setup import Build

LOOPS = ("asyncio", "uvloop")
SAME_CORE, FREE = "same core", "free"
DRIVER = Path(__file__).with_name("driver.erl")
PATIENCE = 120.0
"""Seconds for one turn of one node."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Peer:
    """A node that is measured: ``build`` is None for the BEAM."""

    node: str
    pid: int
    build: str | None = None
    loop: str = ""

    def cpu_seconds(self) -> float:
        """The CPU time that it has used, all threads, to the nanosecond (clock_getcpuclockid(3) on Linux)."""
        return time.clock_gettime(~self.pid << 3 | 2)


def resident(pid: int) -> int:
    """Octets of memory that a process occupies."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


class Subject:
    """A process that runs `subject.py`."""

    def __init__(self, build: Build, settings: dict[str, Any], wrapper: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            tied_to_us([*wrapper, *build.command("subject.py", json.dumps(settings))]),
            env=build.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.peer = Peer(settings["name"], self._process.pid, build.name, settings["loop"])

    def wait_ready(self) -> None:
        """Returns when it can be measured."""
        if self._process.stdout is None or self._process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"{self.peer} did not start")

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Stage:
    """All of them, from entering the block to leaving it."""

    def __init__(self, plan: Plan, cores: str, loops: Sequence[str] = LOOPS) -> None:
        self.plan = plan
        self.cores = cores
        self.peers: list[Peer] = []
        self._loops = loops
        self.wrapper = ["taskset", "-c", str(max(os.sched_getaffinity(0)))] if cores == SAME_CORE else []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        self._epmd = self._stack.enter_context(Epmd())
        self._driver = self._beam("driver")
        anchor = self._beam("anchor", "-hidden")
        anchor.ask("bench:serve()")
        self.peers.append(Peer(anchor.name, anchor.pid))
        for build in self.plan.builds:
            for loop in self._loops:
                self.add(build, loop)

    def _beam(self, name: str, *flags: str) -> Beam:
        release = host_release()
        if release is None:
            raise LookupError("no Erlang on this machine: there is nothing to compare to")
        schedulers = 1 if self.wrapper else len(os.sched_getaffinity(0))
        beam = Beam(
            release,
            name=f"{name}@127.0.0.1",
            epmd_port=self._epmd.port,
            flags=["+S", f"{schedulers}:{schedulers}", *flags],
            wrapper=self.wrapper,
        )
        self._stack.callback(beam.close)
        beam.boot()
        asyncio.run(load(beam, DRIVER.read_text(encoding="utf-8")))
        return beam

    @property
    def access(self) -> dict[str, Any]:
        """What another node needs to connect to those here."""
        return {"cookie": "cookie", "epmd": self._epmd.port}

    def add(self, build: Build, loop: str, **settings: Any) -> Peer:
        """One more node of ours."""
        settings |= {"loop": loop, "hidden": True, **self.access}
        settings["name"] = f"{build.name}_{len(self.peers)}@127.0.0.1"
        subject = Subject(build, settings, self.wrapper)
        self._stack.callback(subject.close)
        subject.wait_ready()
        self.peers.append(subject.peer)
        return subject.peer

    def ask(self, peer: Peer, function: str, *arguments: int) -> Any:
        """What the driver finds when it does this with a node."""
        given = ", ".join([f"'{peer.node}'", *map(str, arguments)])
        return decode(self._driver.ask_bytes(f"bench:{function}({given})", timeout=PATIENCE))

    def turns(self, measure: Callable[[Peer], T], peers: Sequence[Peer] = ()) -> dict[Peer, list[T]]:
        """What the repetitions of all (or of some) of them give, taken in turns."""
        found: dict[Peer, list[T]] = {peer: [] for peer in peers or self.peers}
        for peer in found:
            measure(peer)  # the first turn is for connecting and for warming up
        for _ in range(self.plan.repetitions):
            for peer, values in found.items():
                values.append(measure(peer))
        return found


def on_stages(plan: Plan, measure: Callable[[Stage], list[T]]) -> list[T]:
    """What `measure` gives on one core and on all."""
    found = []
    for cores in (SAME_CORE, FREE):
        say(f"  {cores} ...")
        with Stage(plan, cores) as stage:
            found += measure(stage)
    return found
