"""Both nodes dial at the same moment: one connection remains, and no message is lost."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from tests.support.contender import Contender, contender, open_files, until
from tests.support.epmd import free_port
from tests.support.scale import quick_and_full

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LEFT, RIGHT = "left@127.0.0.1", "right@127.0.0.1"
MESSAGES = 3
LATEST = 12
"""Turns of the event loop by which one of the two starts later, at most: a dial takes about ten."""


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Contender, Contender]]:
    ports = {LEFT: free_port(), RIGHT: free_port()}
    async with (
        contender(LEFT, port=ports[LEFT], peer_ports=ports) as left,
        contender(RIGHT, port=ports[RIGHT], peer_ports=ports) as right,
    ):
        yield left, right


async def run(racer: Contender, other: str, race: int, late: int, trigger: str) -> None:
    """Start `late` turns later, connect or not, and send at once."""
    for _ in range(late):
        await asyncio.sleep(0)
    if trigger == "connect":
        assert await racer.node.connect(other) is True
    for number in range(MESSAGES):
        await racer.node.send(("inbox", other), (race, number))


async def both_run(left: Contender, right: Contender, race: int, lates: tuple[int, int]) -> None:
    triggers = ("connect", "send")
    async with asyncio.TaskGroup() as group:
        group.create_task(run(left, RIGHT, race, lates[0], triggers[race % 2]))
        group.create_task(run(right, LEFT, race, lates[1], triggers[race // 2 % 2]))


def check(left: Contender, right: Contender, race: int) -> None:
    """One connection, the same on both sides, and all messages once and in order."""
    expected = [(race, number) for number in range(MESSAGES)]
    for racer, peer in ((left, RIGHT), (right, LEFT)):
        assert racer.received == expected
        assert list(racer.sessions) == [peer]
        assert racer.sessions[peer].is_open
        assert racer.events == [f"NodeUp {peer}"]
        assert racer.listener.pending == 0
    assert left.address(RIGHT) == right.address(LEFT)[::-1]


async def part(left: Contender, right: Contender, race: int) -> None:
    leaver, peer = (left, RIGHT) if race % 3 else (right, LEFT)
    assert await leaver.node.disconnect(peer)
    await until(lambda: len(left.events) == len(right.events) == 2)
    for racer, peer in ((left, RIGHT), (right, LEFT)):
        assert racer.events == [f"NodeUp {peer}", f"NodeDown {peer}"]
        racer.events.clear()
        racer.received.clear()


def offsets(race: int) -> tuple[int, int]:
    """Who starts how many turns later: each side in turn."""
    late = race // 4 % (2 * LATEST + 1) - LATEST
    return max(0, late), max(0, -late)


@pytest.mark.parametrize("races", quick_and_full(100, 1_000))
async def test_two_nodes(pair: tuple[Contender, Contender], races: int) -> None:
    left, right = pair
    baseline = open_files()
    for race in range(races):
        await both_run(left, right, race, offsets(race))
        await until(lambda: len(left.received) >= MESSAGES and len(right.received) >= MESSAGES)
        await until(lambda: left.is_settled and right.is_settled and open_files() == baseline + 2)
        check(left, right, race)
        await part(left, right, race)
        await until(lambda: open_files() == baseline)
    assert right.verdicts["nok"], "never did both dial at once"
    assert left.verdicts["ok_simultaneous"]


@pytest.mark.parametrize("meshes", quick_and_full(2, 40))
async def test_a_whole_mesh(meshes: int) -> None:
    """Every node dials every other one at once: each pair has one connection."""
    names = [f"n{number}@127.0.0.1" for number in range(8)]
    ports = {name: free_port() for name in names}
    await mesh(names, ports, 0)
    baseline = open_files()
    for number in range(1, meshes):
        await mesh(names, ports, number)
        await until(lambda: open_files() == baseline)


async def mesh(names: list[str], ports: dict[str, int], number: int) -> None:
    others = len(names) - 1
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(contender(name, port=ports[name], peer_ports=ports))
            for name in names
        ]
        listening = open_files()
        async with asyncio.TaskGroup() as group:
            pairs = [(node, peer) for node in nodes for peer in names if peer != node.name]
            for index, (node, peer) in enumerate(pairs):
                group.create_task(run(node, peer, number, (number + index) % 5, "connect"))
        await until(lambda: all(len(node.received) >= MESSAGES * others for node in nodes))
        await until(lambda: all(node.is_settled for node in nodes))
        await until(lambda: open_files() == listening + len(names) * others)
        for node in nodes:
            assert len(node.received) == MESSAGES * others
            assert sorted(node.events) == [f"NodeUp {name}" for name in names if name != node.name]
