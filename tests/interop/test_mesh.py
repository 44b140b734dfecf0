"""A mesh of BEAMs and Python nodes among them: `global` takes us in, waits for us never, loses nobody."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from pyerlnode import Node
from tests.interop.nodes import fresh_name, python_node, until
from tests.support.scale import quick_and_full

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.interop.conftest import Starter
    from tests.support.beam import Beam
    from tests.support.beams import Release

three_releases = pytest.mark.beam(needs=(25, 27, 29))

LOSSES = """
register(losses, spawn(fun() ->
    net_kernel:monitor_nodes(true),
    (fun Loop(Lost) ->
        receive
            {nodedown, Node} -> Loop([Node | Lost]);
            {tell, Who} -> Who ! {lost, Lost}, Loop(Lost);
            _ -> Loop(Lost)
        end
    end)([])
end))
"""
ASK_LOSSES = "losses ! {tell, self()}, receive {lost, Nodes} -> lists:sort(Nodes) end"


@pytest.fixture
async def mesh(beams: Starter) -> AsyncIterator[list[Beam]]:
    """Three connected BEAMs of three releases that count the nodes that they lose."""
    one, two, three = [await beams(otp, name=fresh_name(f"m{otp}_"), elixir=False) for otp in (25, 27, 29)]
    await two.eval(f"pong = net_adm:ping('{one.name}')")
    await three.eval(f"pong = net_adm:ping('{one.name}')")
    members = [one, two, three]
    await until(lambda: connected_to(members, []))
    await sync(members)
    for beam in members:
        await beam.eval(LOSSES)
    yield members


async def connected_to(members: Sequence[Beam], others: Sequence[str]) -> bool:
    """Whether every BEAM sees all the others, and exactly `others` beside them."""
    for beam in members:
        expected = sorted([*(other.name for other in members if other is not beam), *others])
        listed = ",".join(f"'{name}'" for name in expected)
        if await beam.eval("lists:sort(nodes())") != f"[{listed}]":
            return False
    return True


async def sync(members: Sequence[Beam]) -> None:
    """`global:sync()` on each: it returns, or this fails."""
    answers = await asyncio.gather(*(beam.eval("global:sync()", timeout=20) for beam in members))
    assert answers == ["ok"] * len(members)


async def losses(members: Sequence[Beam]) -> set[str]:
    """Members of the mesh that another member has lost."""
    lost = [await beam.eval(ASK_LOSSES) for beam in members]
    return {beam.name for beam in members for names in lost if f"'{beam.name}'" in names}


async def test_two_of_one_release(release: Release, beams: Starter) -> None:
    """`global` of that release takes us in and lets us go; 23 speaks version 5 of its protocol."""
    one, two = [await beams(release, name=fresh_name(name), elixir=False) for name in ("one", "two")]
    assert await two.eval(f"net_adm:ping('{one.name}')") == "pong"
    async with python_node() as node, python_node() as other:
        await node.connect(one.name)
        await other.connect(two.name)
        await until(lambda: connected_to([one, two], [node.name, other.name]))
        await sync([one, two])
        assert await one.eval("global:register_name(here, self())") == "yes"
    await until(lambda: connected_to([one, two], []))
    await sync([one, two])


async def test_a_clash_that_we_settle(release: Release, beams: Starter) -> None:
    """Two BEAMs have the same global name and meet through us, whose name is smaller: one process stays."""
    one, two = [await beams(release, name=fresh_name(name), elixir=False) for name in ("one", "two")]
    for beam in (one, two):
        await beam.eval("yes = global:register_name(it, spawn(fun() -> receive stop -> ok end end))")
    async with python_node(fresh_name("aa")) as node:
        await node.connect(one.name)
        await until(lambda: connected_to([one], [node.name]))
        await sync([one])
        await node.connect(two.name)
        await until(lambda: connected_to([one, two], [node.name]))
        await sync([one, two])

        async def agreed() -> bool:
            owners = {await beam.eval("node(global:whereis_name(it))") for beam in (one, two)}
            return len(owners) == 1

        await until(agreed)
        [(_, pid)] = node._global.global_names()
        owner = one if pid.node == one.name else two
        assert await owner.eval("is_process_alive(global:whereis_name(it))") == "true"


@three_releases
class TestOneOfTheMesh:
    async def test_connecting_to_one_is_connecting_to_all(self, mesh: list[Beam]) -> None:
        names = sorted(beam.name for beam in mesh)
        async with python_node() as node:
            await node.connect(mesh[0].name)

            async def everywhere() -> bool:
                return sorted(node.list()) == names and await connected_to(mesh, [node.name])

            await until(everywhere)
            await sync(mesh)
        await until(lambda: connected_to(mesh, []))
        await sync(mesh)
        assert not await losses(mesh)

    async def test_a_beam_connects_to_us(self, mesh: list[Beam]) -> None:
        async with python_node() as node:
            assert await mesh[1].eval(f"net_adm:ping('{node.name}')") == "pong"
            await until(lambda: connected_to(mesh, [node.name]))
            await sync(mesh)
        await until(lambda: connected_to(mesh, []))
        assert not await losses(mesh)

    async def test_names_and_locks_never_wait_for_us(self, mesh: list[Beam]) -> None:
        async with python_node() as node:
            await node.connect(mesh[2].name)
            await sync(mesh)
            worker = "spawn(fun() -> receive stop -> ok end end)"
            assert await mesh[0].eval(f"global:register_name(worker, {worker})") == "yes"
            assert await mesh[1].eval("is_pid(global:whereis_name(worker))") == "true"
            assert await mesh[2].eval("global:trans({resource, self()}, fun() -> done end)") == "done"
            await mesh[1].eval("global:whereis_name(worker) ! stop")
            await until(lambda: _is(mesh[2], "global:whereis_name(worker)", "undefined"))
            assert await mesh[2].eval("global:unregister_name(worker)") in {"ok", "undefined"}

    async def test_names_survive_through_us(self, mesh: list[Beam], beams: Starter) -> None:
        """A newcomer that meets only us learns the names and nodes of the whole mesh."""
        await mesh[0].eval("yes = global:register_name(kept, spawn(fun() -> receive stop -> ok end end))")
        async with python_node() as node:
            await node.connect(mesh[0].name)
            await until(lambda: connected_to(mesh, [node.name]))
            newcomer = await beams(27, name=fresh_name("new"), elixir=False)
            assert await newcomer.eval(f"net_adm:ping('{node.name}')") == "pong"
            everyone = [*mesh, newcomer]
            await until(lambda: connected_to(everyone, [node.name]))
            await sync(everyone)
            assert await newcomer.eval("is_pid(global:whereis_name(kept))") == "true"

    async def test_python_nodes_are_a_mesh_too(self, mesh: list[Beam]) -> None:
        async with python_node() as one, python_node() as two, python_node() as three:
            await two.connect(one.name)
            await three.connect(two.name)
            await one.connect(mesh[0].name)
            others = [node.name for node in (one, two, three)]
            await until(lambda: connected_to(mesh, others))

            async def all_see_all() -> bool:
                return all(len(node.list()) == 5 for node in (one, two, three))

            await until(all_see_all)
            await sync(mesh)
        await until(lambda: connected_to(mesh, []))
        assert not await losses(mesh)


async def _is(beam: Beam, expression: str, value: str) -> bool:
    return await beam.eval(expression) == value


SERVICE = """
import asyncio, sys
from pyerlnode import Node

async def main():
    async with Node(sys.argv[1], cookie="cookie") as node:
        await node.connect(sys.argv[2])
        print("up", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


class Visitor:
    """A Python node in a process of its own."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.process = process

    @classmethod
    async def start(cls, name: str, peer: str) -> Visitor:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVICE, name, peer, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"up\n"
        return cls(name, process)

    async def end(self, with_signal: signal.Signals) -> None:
        self.process.send_signal(with_signal)
        await self.process.wait()


@three_releases
class TestComingAndGoing:
    async def test_a_kill_of_ours_leaves_the_others_connected(self, mesh: list[Beam]) -> None:
        visitor = await Visitor.start(fresh_name("victim"), mesh[0].name)
        await until(lambda: connected_to(mesh, [visitor.name]))

        await visitor.end(signal.SIGKILL)

        await until(lambda: connected_to(mesh, []))
        await sync(mesh)
        assert not await losses(mesh)

    @pytest.mark.parametrize("seconds", quick_and_full(8, 600))
    async def test_coming_and_going_costs_no_connection(self, mesh: list[Beam], seconds: int) -> None:
        """Python nodes start, stop and are killed at random, two at once; the BEAMs lose only them."""
        random.seed(20261122)
        end = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as group:
            guests = [group.create_task(self._visit(mesh, end, f"guest{n}_")) for n in (1, 2)]

        assert all(guest.result() >= 1 for guest in guests)
        await until(lambda: connected_to(mesh, []), within=20)
        await sync(mesh)
        assert not await losses(mesh)

    async def _visit(self, mesh: list[Beam], end: float, base: str) -> int:
        name = fresh_name(base)
        visits = 0
        while asyncio.get_running_loop().time() < end:
            visits += 1
            if random.random() < 0.5:
                visitor = await Visitor.start(name, random.choice(mesh).name)
                try:
                    await asyncio.sleep(random.uniform(0, 0.5))
                finally:
                    await visitor.end(random.choice([signal.SIGKILL, signal.SIGTERM]))
            else:
                async with Node(name, cookie="cookie") as node:
                    await node.connect(random.choice(mesh).name)
                    await asyncio.sleep(random.uniform(0, 0.5))
        return visits
