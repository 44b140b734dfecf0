"""Priority messages to BEAMs of each release: to those who know them, and to those who do not.

What processes of OTP 28 and 29 do with them is compared in tests/support/situations_signals.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode import Atom, Node
from tests.interop.nodes import fresh_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyerlnode import Process
    from tests.support.beam import Beam

HOLDER = """
spawn(fun() ->
    process_flag(trap_exit, true),
    Alias = try alias([priority]) catch error:_ -> alias([]) end,
    {me, Node} ! {Alias, self()},
    receive over -> ok end,
    Told = fun Told() -> receive {'EXIT', _, Why} -> [{exit, Why} | Told()];
        X when is_binary(X) -> [byte_size(X) | Told()]; X -> [X | Told()] after 0 -> [] end end,
    {me, Node} ! Told()
end)
"""


@pytest.fixture
async def me(shared_beam: Beam, epmd_port: int) -> AsyncIterator[Process]:
    async with (
        Node(fresh_name(), cookie="cookie", epmd=epmd_port, text="utf8") as node,
        node.process("me") as me,
    ):
        await node.connect(shared_beam.name)
        await shared_beam.eval(f"Node = '{node.name}', {HOLDER}")
        yield me


@pytest.mark.beam(since=24)
async def test_each_takes_them_as_it_can(me: Process, shared_beam: Beam) -> None:
    alias, pid = await me.receive(10)
    await me.send(pid, 1)
    await me.send(alias, 2, priority=True)
    await me.send(alias, b"x" * 300_000, priority=True)  # the BEAM of OTP 28 would not survive its fragments
    await me.exit(alias, 3, priority=True)
    await me.send(pid, Atom("over"))
    otp = shared_beam.release.otp
    expected = {28: [2, ("exit", 3), 1, 300_000], 29: [2, 300_000, ("exit", 3), 1]}
    assert await me.receive(10) == expected.get(otp, [1, 2, 300_000])
    assert await me.node.rpc(shared_beam.name, "erlang", "node", []) == shared_beam.name
