"""The Python console of the demo: evaluates with ``await``, greets, dials its list once."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import Atom, Node, RemoteExit
from pyerlnode.cli.demo import python_console
from pyerlnode.cli.demo.python_console import Greeter, evaluate, serve

if TYPE_CHECKING:
    from collections.abc import Iterator


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


@pytest.fixture(autouse=True)
def _log_again_as_before() -> Iterator[None]:
    logger = logging.getLogger("pyerlnode.cluster")
    before = logger.level, logger.handlers
    yield
    logger.level, logger.handlers = before


async def test_it_serves_until_its_input_ends(
    epmd_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def typed() -> asyncio.StreamReader:
        reader = asyncio.StreamReader()
        reader.feed_data(b"node.name.upper()\nnode.list()\nAtom('ok')\n")
        reader.feed_eof()
        return reader

    monkeypatch.setattr(python_console, "standard_input", typed)
    await serve("py@localhost", "cookie", ["py@localhost", "a@localhost"])
    assert capsys.readouterr().out.splitlines() == [
        "[pyerlnode:example] unable to connect to :a@localhost",
        "= ready",
        "= 'PY@LOCALHOST'",
        "= []",
        "= Atom('ok')",
    ]


async def test_a_list_of_nobody_else_is_looked_at_at_once(
    epmd_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def nothing() -> asyncio.StreamReader:
        reader = asyncio.StreamReader()
        reader.feed_eof()
        return reader

    monkeypatch.setattr(python_console, "standard_input", nothing)
    await serve("py@localhost", "cookie", ["py@localhost"])
    assert capsys.readouterr().out == "= ready\n"
