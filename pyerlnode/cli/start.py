"""``pyerlnode start``: a node that joins, logs who comes and goes, and stays until it is told to leave."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from typing import TYPE_CHECKING

from pyerlnode.cli.options import add_identity, add_loop, given_name
from pyerlnode.config import complete_name
from pyerlnode.errors import ConfigError, ConnectFailed
from pyerlnode.node import Node

if TYPE_CHECKING:
    import argparse

    from pyerlnode.cli.options import Commands

log = logging.getLogger("pyerlnode.cli")


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("start", help="run a node until Ctrl-C or SIGTERM, and log what happens")
    add_identity(parser, "name of the node, as py@host; py is one of this host")
    parser.add_argument(
        "--connect", metavar="PEER", action="append", default=[], help="node to connect to; may be repeated"
    )
    add_loop(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Run the node; SIGTERM and SIGINT make it say good-bye and end with status 0."""
    name = given_name(arguments)
    if name is None:
        raise ConfigError("name", None, "a node that stays needs one: --name py@host, or --sname py")
    peers = [complete_name(peer, "connect") for peer in arguments.connect]
    log_to_stderr()
    leave = leave_on_signals()
    async with Node(name, cookie=arguments.cookie, hidden=arguments.hidden) as node:
        log.info("node %s up on port %s", node.name, node.port)
        dials = [asyncio.create_task(connect(node, peer)) for peer in peers]
        await leave.wait()
        log.info("node %s leaves", node.name)
        for dial in dials:
            dial.cancel()
        await asyncio.gather(*dials, return_exceptions=True)
    return 0


def leave_on_signals() -> asyncio.Event:
    """Give an event that the first SIGTERM or SIGINT sets."""
    leave = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, leave.set)
    return leave


async def connect(node: Node, peer: str) -> None:
    """Connect once; a peer that is not there is logged, and may still connect to us."""
    try:
        await node.connect(peer)
    except ConnectFailed as error:
        log.warning("%s", error)


def log_to_stderr() -> None:
    """Send the library's log to standard error, each line marked as ours."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Marked())
    logger = logging.getLogger("pyerlnode")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


class Marked(logging.Formatter):
    """Begins each line with ``[pyerlnode]``, save those that name their topology already."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record as one line, with the traceback where it has one."""
        text = super().format(record)
        return text if text.startswith("[pyerlnode") else f"[pyerlnode] {text}"
