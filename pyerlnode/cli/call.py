"""``pyerlnode call PEER NAME TERM``: one gen_server call, as ``GenServer.call({NAME, PEER}, TERM)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.cli.json_terms import from_json
from pyerlnode.cli.many import add_peers, ask_all
from pyerlnode.cli.options import add_guest
from pyerlnode.cli.remote import module_name
from pyerlnode.term.text import parse_elixir, to_elixir

if TYPE_CHECKING:
    import argparse

    from pyerlnode.cli.options import Commands
    from pyerlnode.node import Node
    from pyerlnode.term import Term


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("call", help="call a GenServer on a node and print its answer")
    add_peers(parser, "node to call")
    parser.add_argument(
        "server", metavar="NAME", help="registered name of the process there, as model or MyApp.Cache"
    )
    parser.add_argument(
        "term", metavar="TERM", help="the request in Elixir syntax, as '{:predict, [1, 2]}'; JSON with --json"
    )
    add_guest(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Read the request before connecting, so that a typing error costs nothing."""
    request = (from_json if arguments.json else parse_elixir)(arguments.term)
    server = module_name(arguments.server)

    async def ask(node: Node, peer: str) -> Term:
        return await node.call((server, peer), request, timeout=arguments.timeout)

    return await ask_all(arguments, ask, shown)


async def shown(node: Node, peer: str, value: Term) -> str:
    """The answer in Elixir syntax."""
    return to_elixir(value)
