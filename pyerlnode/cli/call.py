"""``pyerlnode call PEER NAME TERM``: one gen_server call, as ``GenServer.call({NAME, PEER}, TERM)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.cli.json_terms import from_json, to_json
from pyerlnode.cli.options import add_guest, add_peer, guest, peer_of
from pyerlnode.term.text import parse_elixir, to_elixir

if TYPE_CHECKING:
    import argparse

    from pyerlnode.cli.options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("call", help="call a GenServer on a node and print its answer")
    add_peer(parser, "node to call")
    parser.add_argument("server", metavar="NAME", help="registered name of the process there, as model")
    parser.add_argument(
        "term", metavar="TERM", help="the request in Elixir syntax, as '{:predict, [1, 2]}'; JSON with --json"
    )
    add_guest(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Read the request before connecting, so that a typing error costs nothing."""
    peer = peer_of(arguments)
    request = (from_json if arguments.json else parse_elixir)(arguments.term)
    async with guest(arguments, peer) as node:
        await node.connect(peer, timeout=arguments.timeout)
        answer = await node.call(
            (arguments.server.removeprefix(":"), peer), request, timeout=arguments.timeout
        )
    print((to_json if arguments.json else to_elixir)(answer))
    return 0
