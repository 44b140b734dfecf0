"""``pyerlnode nodes PEER``: whom is that node connected to?  One name a line, as its ``Node.list/0`` says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pyerlnode.cli.options import add_guest, add_peer, guest, peer_of
from pyerlnode.errors import RemoteError
from pyerlnode.term import Atom

if TYPE_CHECKING:
    import argparse

    from pyerlnode.cli.options import Commands
    from pyerlnode.node import Node
    from pyerlnode.term import Term


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("nodes", help="print whom a node is connected to")
    add_peer(parser, "node to ask")
    add_guest(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Ask the peer itself; a hidden guest is not in the answer."""
    peer = peer_of(arguments)
    async with guest(arguments, peer) as node:
        await node.connect(peer, timeout=arguments.timeout)
        answer = await _nodes_of(node, peer, arguments.timeout)
    names = sorted(str(name) for name in answer)
    if arguments.json:
        print(json.dumps(names))
    else:
        print("".join(f"{name}\n" for name in names), end="")
    return 0


async def _nodes_of(node: Node, peer: str, timeout: float) -> Term:
    """``erlang:nodes()`` at a BEAM; a Python node exports no functions, and tells what mesh it is in."""
    try:
        return await node.rpc(peer, "erlang", "nodes", [], timeout=timeout)
    except RemoteError as error:
        if error.reason != "undef":
            raise
        return await node.call(("global_name_server", peer), Atom("get_known"), timeout=timeout)
