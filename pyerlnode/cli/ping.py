"""``pyerlnode ping PEER``: is that node there, and does it let us in?  Prints as ``Node.ping/1`` answers."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from pyerlnode.cli.options import add_guest, add_peer, guest, peer_of
from pyerlnode.errors import ConnectFailed

if TYPE_CHECKING:
    import argparse

    from pyerlnode.cli.options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("ping", help="print pong when a node answers, else pang and why")
    add_peer(parser, "node to ping")
    add_guest(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Ping; the reason for a pang goes to standard error."""
    peer = peer_of(arguments)
    answers = False
    async with guest(arguments, peer) as node:
        try:
            await node.connect(peer, timeout=arguments.timeout)
            answers = await node.ping(peer, timeout=arguments.timeout)
        except ConnectFailed as error:
            print(f"pyerlnode: {error}", file=sys.stderr)
    print(json.dumps({"node": peer, "pong": answers}) if arguments.json else "pong" if answers else "pang")
    return 0 if answers else 1
