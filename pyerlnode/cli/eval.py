"""``pyerlnode eval PEER CODE``: evaluates Elixir, or Erlang with ``--erl``, on a node.

What the code prints comes out here first, then its value.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pyerlnode.cli import rpc
from pyerlnode.cli.many import Told, add_peers, ask_all
from pyerlnode.cli.options import add_guest
from pyerlnode.cli.remote import Remote
from pyerlnode.errors import RemoteError

if TYPE_CHECKING:
    import argparse

    from pyerlnode.cli.options import Commands
    from pyerlnode.node import Node
    from pyerlnode.term import Term


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("eval", help="evaluate Elixir or Erlang on a node and print the value")
    add_peers(parser, "node that evaluates it")
    parser.add_argument("code", metavar="CODE", help="Elixir, as 'Enum.sum(1..4)'")
    parser.add_argument("--erl", action="store_true", help="the code is Erlang, as 'lists:sum([1, 2]).'")
    add_guest(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Have it evaluated; an exception there is told as a shell tells it, with status 1."""

    async def ask(node: Node, peer: str) -> Term:
        remote = Remote(node, peer, arguments.timeout)
        try:
            return await (remote.erlang if arguments.erl else remote.elixir)(arguments.code)
        except RemoteError as error:
            raise Told(await _why(remote, error)) from error

    show = partial(_printed if arguments.erl else rpc.shown, arguments.timeout)
    return await ask_all(arguments, ask, show, **rpc.devices(arguments))


async def _printed(timeout: float, node: Node, peer: str, value: Term) -> str:
    return await Remote(node, peer, timeout).printed(value)


async def _why(remote: Remote, error: RemoteError) -> str:
    match error.stack:
        case [(module, _, _, _), *_] if error.reason == "undef" and module == "Elixir.Code":
            return (
                f"{remote.peer} has no Elixir: evaluate Erlang with --erl, or call what it exports with rpc"
            )
        case [(module, _, _, _), *_] if error.reason == "undef" and module == "erl_scan":
            return f"{remote.peer} is no Erlang node: call what it exports with rpc"
    return await remote.explained(error)
