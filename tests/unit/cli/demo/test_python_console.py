"""The Python console of the demo: evaluates with ``await``, greets, dials its list once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyerlnode import Atom, Node, RemoteExit
from pyerlnode.cli.demo import python_console
from pyerlnode.cli.demo.python_console import Greeter, dial, evaluate, serve


@pytest.mark.parametrize(
    ("expression", "value"),
    [("1 + 1", 2), ("name.upper()", "PY"), ("await later(3)", 3), ("[await later(4)]", [4])],
)
async def test_an_expression_may_await(expression: str, value: Any) -> None:
    async def later(number: int) -> int:
        return number

    assert await evaluate(expression, {"name": "py", "later": later}) == value


async def test_the_greeter_greets_and_nothing_else() -> None:
    async with Node("py@localhost", cookie="c", listen=False, epmd=False) as node:
        await node.start_server(Greeter, name="greeter")
        assert await node.call("greeter", (Atom("hello"), "you")) == b"hello you, this is py@localhost"
        with pytest.raises(RemoteExit):
            await node.call("greeter", Atom("hello"))


async def test_each_host_is_dialled_once_and_oneself_not(capsys: pytest.CaptureFixture[str]) -> None:
    async with Node("py@localhost", cookie="c", listen=False, epmd=False) as node:
        await dial(node, ["py@localhost", "a@localhost", "b@127.0.0.1"])
    assert capsys.readouterr().out == (
        "[pyerlnode:example] unable to connect to :a@localhost\n"
        '[pyerlnode:example] unable to connect to :"b@127.0.0.1"\n'
    )


async def test_it_serves_until_its_input_ends(
    epmd_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def typed() -> asyncio.StreamReader:
        reader = asyncio.StreamReader()
        reader.feed_data(b"node.name.upper()\nnode.list()\nAtom('ok')\n")
        reader.feed_eof()
        return reader

    monkeypatch.setattr(python_console, "standard_input", typed)
    await serve("py@localhost", "cookie", ["py@localhost"])
    assert capsys.readouterr().out == "= ready\n= 'PY@LOCALHOST'\n= []\n= Atom('ok')\n"
