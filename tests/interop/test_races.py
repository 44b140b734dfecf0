"""Both nodes dial at the same moment: one connection remains, and no message is lost."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from tests.support import mutation
from tests.support.beam import Beam
from tests.support.contender import Contender, contender, open_sockets, until
from tests.support.ports import free_port
from tests.support.python_node import PythonNode
from tests.support.scale import quick_and_full

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from random import Random

    from tests.support.beams import Release

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
    baseline = open_sockets()
    for race in range(races):
        await both_run(left, right, race, offsets(race))
        await until(lambda: len(left.received) >= MESSAGES and len(right.received) >= MESSAGES)
        await until(lambda: left.is_settled and right.is_settled and open_sockets() == baseline + 2)
        check(left, right, race)
        await part(left, right, race)
        await until(lambda: open_sockets() == baseline)
    assert right.verdicts["nok"], "never did both dial at once"
    assert left.verdicts["ok_simultaneous"]


@pytest.mark.parametrize("meshes", quick_and_full(2, 40))
async def test_a_whole_mesh(meshes: int) -> None:
    """Every node dials every other one at once: each pair has one connection."""
    names = [f"n{number}@127.0.0.1" for number in range(8)]
    ports = {name: free_port() for name in names}
    baseline = open_sockets()
    for number in range(meshes):
        await mesh(names, ports, number)
        await until(lambda: open_sockets() == baseline)


async def mesh(names: list[str], ports: dict[str, int], number: int) -> None:
    others = len(names) - 1
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(contender(name, port=ports[name], peer_ports=ports))
            for name in names
        ]
        listening = open_sockets()
        async with asyncio.TaskGroup() as group:
            pairs = [(node, peer) for node in nodes for peer in names if peer != node.name]
            for index, (node, peer) in enumerate(pairs):
                group.create_task(run(node, peer, number, (number + index) % 5, "connect"))
        await until(lambda: all(len(node.received) >= MESSAGES * others for node in nodes))
        await until(lambda: all(node.is_settled for node in nodes))
        await until(lambda: open_sockets() == listening + len(names) * others)
        for node in nodes:
            assert len(node.received) == MESSAGES * others
            assert sorted(node.events) == [f"NodeUp {name}" for name in names if name != node.name]


async def meddle(racer: Contender, peer: str, rng: Random, sent: list[int]) -> None:
    """Connect, send and disconnect as it comes."""
    for _ in range(12):
        for _ in range(rng.randrange(LATEST)):
            await asyncio.sleep(0)
        match rng.randrange(4):
            case 0:
                assert await racer.node.connect(peer)
            case 1:
                await racer.node.disconnect(peer)
            case _:
                sent.append(len(sent))
                await racer.node.send(("inbox", peer), sent[-1])


def agree(left: Contender, right: Contender) -> bool:
    """Whether both hold the same connection, or none: the news of a loss is not on its way."""
    if left.sessions and right.sessions:
        return left.address(RIGHT) == right.address(LEFT)[::-1]
    return not left.sessions and not right.sessions


@pytest.mark.parametrize("rounds", quick_and_full(50, 1_000))
async def test_connects_and_disconnects_as_they_come(pair: tuple[Contender, Contender], rounds: int) -> None:
    """Whatever both do at once, in the end they agree, and what arrived came once and in order."""
    left, right = pair
    baseline = open_sockets()
    rng = mutation.source("meddle")
    for _ in range(rounds):
        sent: tuple[list[int], list[int]] = [], []
        async with asyncio.TaskGroup() as group:
            group.create_task(meddle(left, RIGHT, rng, sent[0]))
            group.create_task(meddle(right, LEFT, rng, sent[1]))
        await until(lambda: left.is_settled and right.is_settled and agree(left, right))
        await left.node.send(("inbox", RIGHT), "last")
        await right.node.send(("inbox", LEFT), "last")
        await until(lambda: b"last" in left.received and b"last" in right.received)
        await until(lambda: open_sockets() == baseline + 2)
        assert left.address(RIGHT) == right.address(LEFT)[::-1]
        for racer, peer, there in ((left, RIGHT, right), (right, LEFT, left)):
            arrived = there.received[:-1]
            assert arrived == sorted(set(arrived))
            ups = [f"NodeUp {peer}", f"NodeDown {peer}"] * len(racer.events)
            assert racer.events == ups[: len(racer.events)]
            assert racer.events[-1] == f"NodeUp {peer}"
        await left.node.disconnect(RIGHT)
        await until(lambda: all(racer.events[-1].startswith("NodeDown") for racer in pair))
        await until(lambda: open_sockets() == baseline)
        for racer in pair:
            racer.events.clear()
            racer.received.clear()


# ------------------------------------------------------------------------------------ two processes

RACE = """[
    [await asyncio.sleep(0) for _ in range(late)],
    trigger == "connect" and await node.connect(peer),
    [await node.send(("inbox", peer), (race, number)) for number in range(3)],
] and True"""
"""What :func:`run` does, in another process."""
STATE = """[
    received[:], events[:], node.list(),
    [[list(s._stream.sockname), list(s._stream.peername)] for s in node._peers.sessions.values()],
]"""
SETTLED = "await until(lambda: not (node._peers._attempts or node._peers._incoming))"


@pytest.mark.parametrize("races", quick_and_full(50, 300))
async def test_two_processes(races: int) -> None:
    ports = {LEFT: free_port(), RIGHT: free_port()}
    async with (
        contender(LEFT, port=ports[LEFT], peer_ports=ports) as left,
        PythonNode(RIGHT, port=ports[RIGHT], peer_ports=ports) as right,
    ):
        for race in range(10 * races):  # on a busy machine they seldom meet
            if race >= races and left.verdicts["ok_simultaneous"]:
                break
            await race_processes(left, right, race)
        assert left.verdicts["ok_simultaneous"], "never did both dial at once"


async def race_processes(left: Contender, right: PythonNode, race: int) -> None:
    ours, theirs = offsets(race)
    triggers = ("connect", "send")
    trigger = triggers[race // 2 % 2]
    async with asyncio.TaskGroup() as group:
        group.create_task(right.eval(RACE, peer=LEFT, race=race, late=theirs, trigger=trigger))
        group.create_task(run(left, RIGHT, race, 8 * ours, triggers[race % 2]))
    await until(lambda: len(left.received) >= MESSAGES and left.is_settled)
    await right.eval(f"await until(lambda: len(received) >= {MESSAGES})")
    await right.eval(SETTLED)
    expected = [(race, number) for number in range(MESSAGES)]
    assert (left.received, left.events, left.node.list()) == (expected, [f"NodeUp {RIGHT}"], [RIGHT])
    received, events, nodes, [[sockname, peername]] = await right.eval(STATE)
    assert (received, events, nodes) == ([list(item) for item in expected], [f"NodeUp {LEFT}"], [LEFT])
    assert left.address(RIGHT) == (tuple(peername), tuple(sockname))
    if race % 3:
        await left.node.disconnect(RIGHT)
    else:
        await right.eval("await node.disconnect(peer)", peer=LEFT)
    await until(lambda: len(left.events) == 2)
    await right.eval("await until(lambda: len(events) == 2)")
    assert left.events == [f"NodeUp {RIGHT}", f"NodeDown {RIGHT}"]
    left.events.clear()
    left.received.clear()
    await right.eval("(events.clear(), received.clear())")


# ------------------------------------------------------------------------------------ a real BEAM

PY = "py@127.0.0.1"
START_INBOX = """
Keep = fun Keep(Items) ->
    receive
        {get, From} -> From ! {items, lists:reverse(Items)}, Keep(Items);
        forget -> Keep([]);
        Item -> Keep([Item | Items])
    end
end,
Self = self(),
spawn(fun() -> register(inbox, self()), net_kernel:monitor_nodes(true), Self ! ready, Keep([]) end),
receive ready -> ok end
"""
KEPT = "inbox ! {get, self()}, receive {items, Items} -> Items end"
CONNECT = f"true = net_kernel:connect_node('{PY}'), [{{inbox, '{PY}'}} ! {{RACE, N}} || N <- [0, 1, 2]], ok"
SEND = f"[{{inbox, '{PY}'}} ! {{RACE, N}} || N <- [0, 1, 2]], ok"
ENDS = f"""
[Port] = [Port || {{'{PY}', Port}} <- erlang:system_info(dist_ctrl)],
{{ok, {{_, Mine}}}} = inet:sockname(Port), {{ok, {{_, Theirs}}}} = inet:peername(Port), {{Mine, Theirs}}
"""


@pytest.mark.parametrize("races", quick_and_full(20, 100))
@pytest.mark.parametrize("name", ["aa", "zz"])
async def test_a_beam(release: Release, name: str, races: int, epmd_port: int) -> None:
    """Its name is smaller than ours, or greater: each side has to give way in one of the two."""
    peer = f"{name}@127.0.0.1"
    async with (
        Beam(release, name=peer, epmd_port=epmd_port) as beam,
        contender(PY, epmd=epmd_port) as py,
    ):
        await beam.eval(START_INBOX)
        baseline = open_sockets()
        for race in range(races):
            await race_beam(py, beam, race)
            await until(lambda: open_sockets() <= baseline)  # of epmd's one may just have been closing


async def test_a_beam_that_dials_before_it_hears_us(release: Release, epmd_port: int) -> None:
    """Not by chance: its dial is queued before our name is, so it must decide."""
    for name in ("aa@127.0.0.1", "zz@127.0.0.1"):
        async with (
            Beam(release, name=name, epmd_port=epmd_port) as beam,
            contender(PY, epmd=epmd_port) as py,
        ):
            await beam.eval(START_INBOX)
            await beam.eval(QUEUE_DIAL)
            racing = asyncio.create_task(run(py, name, 0, 0, "connect"))
            await until(lambda: any(attempt.begun for attempt in py.peers._attempts.values()))
            await beam.eval("sys:resume(net_kernel)")
            await racing
            await check_beam(py, beam, 0)


QUEUE_DIAL = f"""
sys:suspend(net_kernel),
spawn(fun() -> {CONNECT.replace("RACE", "0")} end),
(fun Wait() -> {{_, N}} = process_info(whereis(net_kernel), message_queue_len), N > 0 orelse Wait() end)()
"""


async def race_beam(py: Contender, beam: Beam, race: int) -> None:
    late = 2 * (race // 4 % 21 - 10)
    triggers = ("connect", "send")
    code = (CONNECT, SEND)[race // 2 % 2].replace("RACE", str(race))
    async with asyncio.TaskGroup() as group:
        group.create_task(run(py, beam.name, race, max(0, late), triggers[race % 2]))
        for _ in range(-late):
            await asyncio.sleep(0)
        group.create_task(beam.eval(code))
    await check_beam(py, beam, race)
    if race % 3:
        await py.node.disconnect(beam.name)
    else:
        await beam.eval(f"erlang:disconnect_node('{PY}')")
    await until(lambda: len(py.events) == 2)
    assert py.events == [f"NodeUp {beam.name}", f"NodeDown {beam.name}"]
    while "nodedown" not in await beam.eval(KEPT):
        pass
    await beam.eval("inbox ! forget")
    py.events.clear()
    py.received.clear()


async def check_beam(py: Contender, beam: Beam, race: int) -> None:
    await until(lambda: len(py.received) >= MESSAGES and py.is_settled)
    kept = [f"{{nodeup,'{PY}'}}", *(f"{{{race},{number}}}" for number in range(MESSAGES))]
    while (items := await beam.eval(KEPT)).count(",") < 2 * len(kept) - 1:
        pass
    assert items == f"[{','.join(kept)}]"
    assert py.received == [(race, number) for number in range(MESSAGES)]
    assert py.events == [f"NodeUp {beam.name}"]
    assert py.listener.pending == 0
    (_, mine), (_, theirs) = py.address(beam.name)
    assert await beam.eval(ENDS) == f"{{{theirs},{mine}}}"
