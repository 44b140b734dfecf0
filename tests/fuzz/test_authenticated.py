"""Bad input inside a connection whose peer has proven the cookie.

The node takes the place, name and creation of the one that the captures were made with, and the raw peer
that of the BEAM, so that signals find their targets and relations come about.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pytest

from pyerlnode.runtime.actor import Reactor
from pyerlnode.wire.control import Exit, Link, PayloadExit
from pyerlnode.wire.flags import VISIBLE, Flags
from pyerlnode.wire.framing import frame4
from tests.support import mutation
from tests.support.contender import Contender, contender, until
from tests.support.ports import free_port
from tests.support.raw_peer import RawPeer
from tests.support.scale import fuzz_inputs
from tests.support.sentry import Sentry, sentry
from tests.unit.wire.captures import sections

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from random import Random

    from pyerlnode.term import Pid, Term

ME, INNOCENT = "py@127.0.0.1", "innocent@127.0.0.1"
CREATION = 77
"""That of the captures."""
NOBODY = 30_000
BATCH = 500
LONGEST = 4_096
"""Longer captured frames would only make it slow."""


class Target(Reactor):
    """A process that captured signals are addressed to; it lives through everything."""

    def __init__(self, it: Contender) -> None:
        super().__init__(it.router, lambda message: None)
        self.trap_exit = True

    def end(self, reason: Term) -> None:
        """Clears its relations instead: ``kill`` comes often."""
        for other in list(self.links):
            self.emit_unlink(other)

    def end_now(self) -> None:
        """Ends it."""
        super().end(None)


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Contender, Contender]]:
    ports = {ME: free_port(), INNOCENT: free_port()}
    async with (
        contender(ME, port=ports[ME], peer_ports=ports, output=lambda text: None) as me,
        contender(INNOCENT, port=ports[INNOCENT], peer_ports=ports) as innocent,
    ):
        me.router.registry.creation = CREATION
        for actor in me.router.registry:
            actor._pid = None
        targets = [Target(me) for _ in range(12)]
        assert any(target.pid.id == 9 for target in targets) or me.router.registry._last_pid >= 9
        targets[0].trap_exit = True
        me.node.register("target", targets[0].pid)
        yield me, innocent
        for target in targets:
            target.end_now()


@dataclass
class Script:
    """What one BEAM said on one connection."""

    name: str
    flags: Flags
    frames: list[bytes]


@cache
def scripts() -> list[Script]:
    found = []
    for section in sections("frames"):
        frames = section.frames("<")
        after = next(i for i, frame in enumerate(frames) if frame[:1] == b"a" and len(frame) == 17)
        said = [frame for frame in frames[after + 1 :] if 0 < len(frame) <= LONGEST]
        found.append(Script(section.facts["peer"], section.flags & VISIBLE, said))
    return found


class Attacker:
    """Goes through captured conversations; now and then one of the frames is bad."""

    def __init__(self, me: Contender, watch: Sentry, rng: Random) -> None:
        self._me = me
        self._watch = watch
        self._rng = rng
        self._all = [frame for script in scripts() for frame in script.frames]
        self._probes = itertools.count(1)
        self.inputs = 0
        self.closed = 0

    async def run(self, inputs: int) -> None:
        """Send that many bad inputs, over as many connections as it takes."""
        end = self.inputs + inputs
        while self.inputs < end:
            script = self._rng.choice(scripts())
            port = self._me.node.port or 0
            async with await RawPeer.dial(port, script.name, ME, flags=script.flags) as raw:
                if not await self._converse(raw, script, end):
                    self.closed += 1
            await until(lambda name=script.name: name not in self._me.sessions)  # type: ignore[misc]

    async def _converse(self, raw: RawPeer, script: Script, end: int) -> bool:
        """False when the node has closed the connection."""
        for good in self._frames(script):
            raw.write(frame4(good))
        while self.inputs < end:
            self.inputs += 1
            if self._rng.randrange(20) == 0:
                return await self._break_off(raw)
            raw.write(frame4(self._bad_frame(script)))
            if not await self._answers(raw):
                return False
        return True

    def _frames(self, script: Script) -> Iterator[bytes]:
        """The start of the conversation: it fills the atom cache and builds relations."""
        return iter(script.frames[: self._rng.choice((0, 2, 10, len(script.frames)))])

    def _bad_frame(self, script: Script) -> bytes:
        frames = script.frames if self._rng.randrange(4) else self._all
        return mutation.bad(self._rng, self._rng.choice(frames), self._all)

    async def _break_off(self, raw: RawPeer) -> bool:
        """Bad lengths: what follows is not in step any more, so nothing can be asked."""
        raw.write(mutation.bad(self._rng, frame4(self._rng.choice(self._all)), self._all))
        raw.finish()
        await raw.end()
        return True

    async def _answers(self, raw: RawPeer) -> bool:
        """Whether the node still handles what we say."""
        nobody = self._me.router.registry.pid(NOBODY)
        probe = raw.pid(next(self._probes) % 32_000, 7)
        raw.send(Link(probe, nobody))
        try:
            while True:
                if _is_answer(await raw.message(), probe, nobody):
                    return True
        except EOFError:
            return False


def _is_answer(message: tuple[object, object], probe: Pid, nobody: Pid) -> bool:
    control = message[0]
    return isinstance(control, Exit | PayloadExit) and (control.sender, control.target) == (nobody, probe)


@pytest.mark.parametrize("count", fuzz_inputs())
async def test_captured_conversations_with_bad_frames(pair: tuple[Contender, Contender], count: int) -> None:
    me, innocent = pair
    async with sentry(me, innocent) as watch:
        attacker = Attacker(me, watch, mutation.source("authenticated"))
        for done in range(0, count, BATCH):
            await attacker.run(BATCH)
            await watch.check()
            if done == count // 2 // BATCH * BATCH:
                watch.remember_memory()
        watch.check_memory()
        assert attacker.closed
        assert watch.ear.counts["connection to %s closed: %s"] >= attacker.closed
