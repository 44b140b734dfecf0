"""``pyerlnode ping PEER``: is that node there, and does it let us in?  Prints as ``Node.ping/1`` answers.

Without PEER it is the node that the environment, or the configuration, names: a container's check of its own
health, which goes through epmd as any other node would.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from pyerlnode.cli.options import add_guest, add_peer, guest, peer_of
from pyerlnode.config import node_name
from pyerlnode.errors import ConfigError, ConnectFailed

if TYPE_CHECKING:
    import argparse

    from pyerlnode.cli.options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "ping",
        help="print pong when a node answers, else pang and why",
        description="Prints pong (status 0) when the node answers, else pang (status 1) and why.",
    )
    add_peer(
        parser,
        "node to ping (default: the one that $PYERLNODE_NAME, $RELEASE_NODE or FILE names)",
        optional=True,
    )
    add_guest(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Ping; the reason for a pang goes to standard error."""
    peer = own_name(arguments) if arguments.peer is None else peer_of(arguments)
    answers = False
    async with guest(arguments, peer) as node:
        try:
            await node.connect(peer, timeout=arguments.timeout)
            answers = await node.ping(peer, timeout=arguments.timeout)
        except ConnectFailed as error:
            print(f"pyerlnode: {error}", file=sys.stderr)
    print(json.dumps({"node": peer, "pong": answers}) if arguments.json else "pong" if answers else "pang")
    return 0 if answers else 1


def own_name(arguments: argparse.Namespace) -> str:
    """Give the name of the node whose environment, or configuration, this is."""
    name = node_name(arguments.config)
    if name is None:
        raise ConfigError("peer", None, "which node? `pyerlnode ping node1@host`, or set $PYERLNODE_NAME")
    return name
