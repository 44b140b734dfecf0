"""``pyerlnode nodes PEER``: whom is that node connected to?  One name a line, as its ``Node.list/0`` says."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from pyerlnode.cli.options import add_guest, add_peer, guest, peer_of
from pyerlnode.errors import RemoteError

if TYPE_CHECKING:
    import argparse

    from pyerlnode.cli.options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("nodes", help="print whom a node is connected to")
    add_peer(parser, "node to ask")
    add_guest(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Ask the peer itself, by ``:erpc``; a hidden guest is not in the answer."""
    peer = peer_of(arguments)
    async with guest(arguments, peer) as node:
        await node.connect(peer, timeout=arguments.timeout)
        try:
            answer = await node.rpc(peer, "erlang", "nodes", [], timeout=arguments.timeout)
        except RemoteError as error:
            if error.reason != "undef":
                raise
            print(f"pyerlnode: {peer} runs no BEAM, and does not export erlang:nodes/0", file=sys.stderr)
            return 1
    names = sorted(str(name) for name in answer)
    if arguments.json:
        print(json.dumps(names))
    else:
        print("".join(f"{name}\n" for name in names), end="")
    return 0
