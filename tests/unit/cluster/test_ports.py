from __future__ import annotations

import time

from pyerlnode.cluster.ports import Home, WallClock, World
from pyerlnode.node import Node


async def test_the_wall_clock_moves_by_itself() -> None:
    clock = WallClock()
    before = clock.time()
    await clock.sleep(0.01)
    assert before < clock.time() <= time.monotonic()


async def test_a_world_has_chance_and_a_clock_unless_told_otherwise() -> None:
    home: Home = Node("py@127.0.0.1", cookie="cookie")  # mypy: a Node is a Home

    async def names(host: str) -> list[str]:
        return [host]

    world = World(home, names, lambda listener: None)
    assert 0 <= world.random() < 1
    assert isinstance(world.clock, WallClock)
    assert not world.environ
    assert await world.epmd_names("h") == ["h"]
