"""A BEAM is connected to us while others send nonsense: it notices nothing, and keeps being served."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.fuzz.test_authenticated import CREATION, ME, Attacker, Target
from tests.fuzz.test_listening_port import inputs, insult
from tests.support import mutation
from tests.support.beam import Beam
from tests.support.contender import contender
from tests.support.scale import quick_and_full
from tests.support.sentry import sentry

if TYPE_CHECKING:
    from tests.support.beams import Release

BEAM = "beam@127.0.0.1"
BATCH = 100
WATCH = f"""
Self = self(),
spawn(fun() ->
    register(watch, self()), net_kernel:monitor_nodes(true),
    monitor_node('{ME}', true), Self ! ready, receive {{get, From}} -> From ! lived; Item -> exit(Item) end
end),
receive ready -> ok end
"""


@pytest.mark.parametrize("count", quick_and_full(500, 5_000))
async def test_a_beam_stays_connected(release: Release, epmd_port: int, count: int) -> None:
    rng = mutation.source(f"beam {release.otp}")
    stream = inputs(rng)
    async with (
        Beam(release, name=BEAM, epmd_port=epmd_port) as beam,
        contender(ME, epmd=epmd_port, output=lambda text: None) as me,
    ):
        me.router.registry.creation = CREATION
        for actor in me.router.registry:
            actor._pid = None
        targets = [Target(me) for _ in range(12)]
        async with sentry(me) as watch:
            assert await beam.eval(f"net_adm:ping('{ME}')") == "pong"
            await beam.eval(WATCH)
            attacker = Attacker(me, watch, rng)
            for _ in range(0, count, BATCH):
                for data in itertools.islice(stream, BATCH):
                    await insult(me.node.port or 0, data, rng)
                await attacker.run(BATCH)
                assert await beam.eval(f"net_adm:ping('{ME}')") == "pong"
                assert await me.node.ping(BEAM)
                assert not watch.ear.crashes, watch.ear.crashes[0]
            assert f"NodeDown {BEAM}" not in me.events
            assert (
                await beam.eval("watch ! {get, self()}, receive lived -> yes after 5000 -> no end") == "yes"
            )
            assert await beam.eval("nodes()") == f"['{ME}']"
        for target in targets:
            target.end_now()
