"""The same Elixir, asked of a Python node and of a BEAM that has the same functions: the same answers.

tests/support/elixir_asks.exs has the expressions.  What they print is compared, but for pids, references and
the numbers of lines.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import Atom, Exit, GenServer, Node
from tests.interop.nodes import fresh_name
from tests.support.beam import EvalError
from tests.support.erlang_modules import load

if TYPE_CHECKING:
    from pyerlnode import Pid, Process
    from pyerlnode.term import Term
    from tests.support.beam import Beam
    from tests.support.beam_fixtures import Starter
    from tests.support.beams import Release

ASKS = Path(__file__).parents[1] / "support" / "elixir_asks.exs"

MODULES = (
    """
-module(py).
-export([add/2, slow/1, leave/1, body/1]).
add(A, B) -> A + B.
slow(T) -> timer:sleep(round(T * 1000)), <<"slept">>.
leave(X) -> exit(X).
body(Boss) -> Boss ! {up, self()}, loop(Boss).
loop(Boss) -> receive M -> Boss ! {got, M}, loop(Boss) end.
""",
    """
-module(echo).
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).
init(_) -> {ok, 0}.
handle_call(exit, _, _) -> exit(bye);
handle_call(slow, _, S) -> timer:sleep(300), {reply, <<"slow done">>, S};
handle_call(X, _, S) -> {reply, X, S}.
handle_cast(_, S) -> {noreply, S}.
handle_info(_, S) -> {noreply, S}.
""",
)

LESS = [
    (r"#PID<[^>]*>|<\d+\.\d+\.\d+>", "PID"),
    (r"#Reference<[^>]*>|#Ref<[^>]*>", "REF"),
    (r"#Function<[^>]*>|#Fun<[^>]*>", "FUN"),
    (r"\{line,\s*\d+\}", "LINE"),
]


def add(a: Any, b: Any) -> Any:
    return a + b


async def slow(seconds: float) -> bytes:
    await asyncio.sleep(seconds)
    return b"slept"


def leave(reason: Term) -> None:
    raise Exit(reason)


async def body(me: Process, boss: Pid) -> None:
    await me.send(boss, (Atom("up"), me.pid))
    async for message in me:
        await me.send(boss, (Atom("got"), message))


class Echo(GenServer):
    async def handle_call(self, request: Term, caller: Any) -> Term:
        if request == "exit":
            raise Exit(Atom("bye"))
        if request == "slow":
            await asyncio.sleep(0.3)
            return b"slow done"
        return request

    async def handle_cast(self, request: Term) -> None:
        return None

    async def handle_info(self, message: Term) -> None:
        return None


def questions() -> list[str]:
    lines = ASKS.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


async def answer(beam: Beam, name: str, question: str) -> str:
    """What the expression gives for the node of this name, or how it fails."""
    try:
        text = await beam.elixir(f'n = :"{name}"\n{question}')
    except EvalError as error:
        text = str(error)
    for pattern, word in LESS:
        text = re.sub(pattern, word, text)
    return text.replace(name, "THERE")


@pytest.mark.beam(elixir=True)
async def test_python_answers_as_a_beam(release: Release, beams: Starter, epmd_port: int) -> None:
    user, twin = [await beams(release, flags=["-hidden"]) for _ in range(2)]
    for module in MODULES:
        await load(twin, module)
    await twin.eval("gen_server:start({local, echo}, echo, [], [])")
    async with Node(fresh_name(), cookie="cookie", epmd=epmd_port, hidden=True) as node:
        for function in (add, slow, leave):
            node.export("py", target=function, function=function.__name__)
        node.export("py", "body", body, process=True)
        await node.start_server(Echo, name="echo")
        different = {
            question: answers
            for question in questions()
            if len(set(answers := [await answer(user, name, question) for name in (node.name, twin.name)]))
            > 1
        }
    assert different == {}


def test_there_is_much_to_ask() -> None:
    assert len(questions()) == len(set(questions())) > 70
