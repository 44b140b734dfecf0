"""Bad input on the listening port, from somebody without the cookie."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

from pyerlnode.wire.framing import frame2
from tests.support import mutation
from tests.support.contender import Contender, contender
from tests.support.ports import free_port
from tests.support.raw_peer import RawPeer
from tests.support.scale import fuzz_inputs
from tests.support.sentry import sentry
from tests.unit.wire.captures import sections

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from random import Random

ME, INNOCENT = "me@127.0.0.1", "innocent@127.0.0.1"
BATCH = 500
AT_ONCE = 8


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Contender, Contender]]:
    ports = {ME: free_port(), INNOCENT: free_port()}
    async with (
        contender(ME, port=ports[ME], peer_ports=ports) as me,
        contender(INNOCENT, port=ports[INNOCENT], peer_ports=ports) as innocent,
    ):
        yield me, innocent


def conversations() -> list[bytes]:
    """What real diallers say, each behind its length; also under names that are in use."""
    said = []
    for section in sections("dial", "accept"):
        mark = ">" if section.kind == "dial" else "<"
        frames = [frame for who, frame in section.handshake() if who == mark]
        said.append(b"".join(map(frame2, frames)))
        said.append(frame2(frames[0]))
        for name in (ME, INNOCENT):
            known = frames[0][:13] + len(name).to_bytes(2, "big") + name.encode()
            if frames[0][:1] == b"N":
                said.append(b"".join(map(frame2, [known, *frames[1:]])))
    return said


def inputs(rng: Random) -> Iterator[bytes]:
    said = conversations()
    while True:
        yield mutation.bad(rng, rng.choice(said), said)


async def insult(port: int, data: bytes, rng: Random) -> None:
    """Send it in one piece or several, then finish, or just go away."""
    async with await RawPeer.open(port) as raw:
        cut = rng.randrange(len(data) + 1) if rng.randrange(4) == 0 else 0
        if cut:
            raw.write(data[:cut])
            await asyncio.sleep(0)
        raw.write(data[cut:])
        await raw.drain()
        if rng.randrange(10) == 0:
            raw.abort()
            return
        raw.finish()
        await raw.end()


@pytest.mark.parametrize("count", fuzz_inputs())
async def test_random_bytes_truncations_and_mutations(pair: tuple[Contender, Contender], count: int) -> None:
    me, innocent = pair
    rng = mutation.source("listening port")
    stream = inputs(rng)
    async with sentry(me, innocent) as watch:
        for done in range(0, count, BATCH):
            for _ in itertools.repeat(None, BATCH // AT_ONCE):
                async with asyncio.TaskGroup() as group:
                    for data in itertools.islice(stream, AT_ONCE):
                        group.create_task(insult(me.node.port or 0, data, rng))
            await watch.check()
            if done == count // 2 // BATCH * BATCH:
                watch.remember_memory()
        watch.check_memory()
        told = watch.ear.starting("connection attempt from")
        assert told == -(-count // BATCH) * (BATCH // AT_ONCE) * AT_ONCE, watch.ear.counts
