"""Questions to a node, answered by one that has functions of Elixir's and Erlang's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import Atom, Node, PyerlnodeError, RemoteError
from pyerlnode.cli.remote import Remote, atom_name, module_name
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

THERE = "there@127.0.0.1"


@pytest.mark.parametrize(
    ("given", "module"),
    [
        ("String", "Elixir.String"),
        ("Elixir.String", "Elixir.String"),
        ("My.App", "Elixir.My.App"),
        (":lists", "lists"),
        ("lists", "lists"),
        (':"py.stats"', "py.stats"),
        (":String", "String"),
    ],
)
def test_modules_are_named_as_in_elixir(given: str, module: str) -> None:
    assert module_name(given) == module


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("upcase", "upcase"),
        (":upcase", "upcase"),
        (':"a b"', "a b"),
        ("Upcase", "Upcase"),
        ('"', '"'),
        ("", ""),
    ],
)
def test_atoms_are_named_with_or_without_colon_and_quotes(given: str, name: str) -> None:
    assert atom_name(given) == name


@pytest.fixture
async def there() -> AsyncIterator[Node]:
    port = free_port()
    async with Node(THERE, cookie="cookie", epmd=False, port=port) as node:
        yield node


@pytest.fixture
async def remote(there: Node) -> AsyncIterator[Remote]:
    ports: Any = {THERE: there.port}
    async with Node("here@127.0.0.1", cookie="cookie", epmd=False, peer_ports=ports, listen=False) as node:
        yield Remote(node, THERE, 5.0)


async def test_a_value_is_shown_by_that_node(there: Node, remote: Remote) -> None:
    there.export("Elixir.Kernel", "inspect", lambda value, options: b"shown")
    there.export("io_lib", "format", lambda form, args: [b"print", "ed"])
    there.export("unicode", "characters_to_binary", b"".join)
    assert await remote.inspected(1) == "shown"
    assert await remote.printed(1) == "printed"


async def test_a_value_is_shown_here_where_that_node_cannot(remote: Remote) -> None:
    assert await remote.inspected({"a": Atom("b")}) == '%{"a" => :b}'
    assert await remote.printed((Atom("ok"), 1)) == "{ok,1}"


async def test_failures_are_explained_by_that_node(there: Node, remote: Remote) -> None:
    error = RemoteError("error", Atom("badarith"), [], "it failed")
    assert await remote.explained(error) == "it failed"
    there.export("erl_error", "format_exception", lambda kind, reason, stack: [b"as Erlang"])
    there.export("unicode", "characters_to_binary", b"".join)
    assert await remote.explained(error) == "as Erlang"
    there.export("Elixir.Exception", "format", lambda kind, reason, stack: b"as Elixir")
    assert await remote.explained(error) == "as Elixir"


async def test_failures_are_explained_here_where_that_node_cannot(remote: Remote) -> None:
    error = RemoteError("error", Atom("badarith"), [(Atom("m"), Atom("f"), 1, [])], "it failed\n    :m.f/1")
    assert await remote.explained(error) == "it failed\n    :m.f/1"


async def test_erlang_that_cannot_be_read(there: Node, remote: Remote) -> None:
    there.export("erl_scan", "string", lambda text: Atom("nonsense"))
    with pytest.raises(PyerlnodeError, match="this is no Erlang: it cannot be read"):
        await remote.erlang("1 +")
