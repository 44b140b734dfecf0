"""A node that gossips, on a network where somebody sends anything: it stays calm, and finds its company."""

from __future__ import annotations

import gc
import os
import random
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from pyerlnode.cluster.gossip_heard import FROM_ONE
from pyerlnode.cluster.gossip_packets import MARK
from tests.support.gossip_street import Street, gossip, street
from tests.support.nodes import until
from tests.support.scale import fuzz_inputs
from tests.support.world import FakeHome, settle
from tests.vectors.gossip import load

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = int(os.environ.get("PYERLNODE_SEED", "45892"))
PEER = "node1@10.0.0.1"
PORTION = 50
"""Datagrams that the kernel keeps for us, or most of them."""
GROWTH = 300_000
"""Bytes that may stay behind."""


def hostile(dice: random.Random) -> bytes:
    """One datagram."""
    match dice.randrange(5):
        case 0:
            return dice.randbytes(dice.randrange(200))
        case 1:
            return MARK + dice.randbytes(dice.randrange(200))
        case 2:
            name = b"%d@%d" % (dice.randrange(1 << 64), dice.randrange(1 << 32))
            return MARK + b"\x83t\0\0\0\1w\4nodew%c%s" % (len(name), name)
        case 3:
            return dice.randbytes(dice.choice((1472, 2048, 2049, 9000)))
    data = bytearray(dice.choice(load()).data)
    for _ in range(dice.randrange(4)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data[: dice.randrange(len(data)) + 1] if dice.random() < 0.3 else data)


async def storm(there: Street, count: int, dice: random.Random) -> None:
    for _ in range(count // PORTION):
        for _ in range(PORTION):
            there.ear.send(hostile(dice))
        await settle()
        await there.listen()


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("secret", [None, "a shared secret"], ids=["plain", "sealed"])
@pytest.mark.parametrize("inputs", fuzz_inputs(3_000))
async def test_anything_may_be_sent(inputs: int, secret: str | None) -> None:
    async with street(gossip(secret=secret), FakeHome(up={PEER})) as there:
        dice = random.Random(SEED)
        await storm(there, inputs // 2, dice)
        before = held()
        await storm(there, inputs // 2, dice)
        assert held() - before < GROWTH
        assert len(there.home.dials) <= FROM_ONE
        there.clock.advance(60)  # until strangers have credit again
        await until(lambda: there.shout(PEER) or PEER in there.home.connected)


def held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()
