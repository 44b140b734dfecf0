"""What a RemoteError says, compared with what Elixir's own shell says of the same failure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pyerlnode import Atom, Node, RemoteError
from tests.interop.nodes import fresh_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.beam import Beam

SAME = [
    'raise "boom\\nand more"',
    "throw {:a, 1}",
    "exit {:shutdown, 3}",
    "exit :normal",
    "exit :boom",
    '1 / String.to_integer("0")',
    "%{a: 1}.b",
    "case 1 do 2 -> 3 end",
    "{:ok, _} = :error",
    "String.upcase(1)",
    "Enum.map([1], fn x -> x + :a end)",
    "with 1 <- 2 do 3 else 5 -> 4 end",
    "raise ArgumentError",
    "String.no_such(1)",
    ":erlang.error({:my, 1})",
    "cond do nil -> 1 end",
    "1 and true",
    '{:ok, p} = Agent.start(fn -> 1 end); Agent.get(p, fn _ -> raise "in agent" end)',
    "Process.exit(spawn(fn -> :ok end), :kill); raise KeyError, key: :a, term: %{}",
]
"""Elixir whose failure reads the same here as there (but for the versions of applications)."""


@pytest.fixture
async def node(epmd_port: int) -> AsyncIterator[Node]:
    async with Node(fresh_name(), cookie="cookie", epmd=epmd_port) as node:
        yield node


def comparable(text: str) -> str:
    """A failure without what only that node can know, applications and names of funs, and without layout.

    Elixir 1.19 gives a value a paragraph of its own.
    """
    text = re.sub(r"^( *)\([a-z_]+ [0-9][^)]*\) ", r"\1", text.rstrip(), flags=re.MULTILINE)
    text = re.sub(r"#Function<[^>]*>", "#Function", text)
    text = re.sub(r"#PID<[^>]*>", "#PID", text)
    return " ".join(text.split())


@pytest.mark.beam(elixir=True)
@pytest.mark.parametrize("code", SAME)
async def test_it_reads_as_in_the_shell(node: Node, shared_beam: Beam, code: str) -> None:
    with pytest.raises(RemoteError) as caught:
        await node.rpc(shared_beam.name, "Elixir.Code", "eval_string", [code])
    error = caught.value
    args = [Atom(error.kind), error.reason, error.stack]
    told = (await node.rpc(shared_beam.name, "Elixir.Exception", "format", args)).decode()
    where, _, text = str(error).partition(" failed: ")
    assert where == f"Elixir.Code:eval_string/1 at {shared_beam.name}"
    assert comparable(text) == comparable(told)


async def test_from_erlang_alone(node: Node, shared_beam: Beam) -> None:
    with pytest.raises(RemoteError) as caught:
        await node.rpc(shared_beam.name, "lists", "reverse", [Atom("x")])
    lines = str(caught.value).split("\n")
    assert lines[0] == (
        f"lists:reverse/1 at {shared_beam.name} failed: "
        "** (FunctionClauseError) no function clause matching in :lists.reverse/1"
    )
    assert re.fullmatch(r"    (lists\.erl:\d+: )?:lists\.reverse\(:x\)", lines[1])


async def test_ended_by_a_signal(node: Node, shared_beam: Beam) -> None:
    with pytest.raises(RemoteError, match=r"apply/3 at \S+ was ended: \*\* \(EXIT\) killed$"):
        await node.rpc(shared_beam.name, "erlang", "apply", await suicide(node, shared_beam))


async def suicide(node: Node, beam: Beam) -> list[object]:
    """Arguments with which ``erlang:apply/3`` never returns."""
    kill = "fun() -> exit(self(), kill), receive never -> ok end end"
    await beam.eval(f"persistent_term:put(kill, {kill})")
    fun = await node.rpc(beam.name, "persistent_term", "get", [Atom("kill")])
    return [Atom("erlang"), Atom("apply"), [fun, []]]
