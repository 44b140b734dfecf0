"""``pyerlnode start``: a node that joins, logs who comes and goes, and stays until it is told to leave.

What is not said on the command line comes from the environment, and then from a TOML file
(:mod:`pyerlnode.config`).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from typing import TYPE_CHECKING

from pyerlnode.cli.options import add_identity, add_loop, given_name
from pyerlnode.config import LOG_LEVELS, NodeSettings, Wish, complete_name, node_settings
from pyerlnode.errors import ConfigError, ConnectFailed
from pyerlnode.node import Node

if TYPE_CHECKING:
    from pyerlnode.cli.options import Commands

log = logging.getLogger("pyerlnode.cli")

ABOUT = """
Runs a node until Ctrl-C or SIGTERM, which make it leave its cluster in order, with status 0.

What is not given here comes from the environment, then from the TOML file.  --name: $PYERLNODE_NAME or
$RELEASE_NODE; --hidden, --strategy, --topology, --prune, --log-level: the same words as $PYERLNODE_...; each
option of the strategy too: $PYERLNODE_HOSTS, $PYERLNODE_POLLING_INTERVAL and so on.  A node with a topology
and without a name is part of no network: it says so, and stays.
"""


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "start", help="run a node until Ctrl-C or SIGTERM, and log what happens", description=ABOUT
    )
    add_identity(parser, "name of the node, as py@host; py is one of this host")
    parser.add_argument(
        "--connect", metavar="PEER", action="append", default=[], help="node to connect to; may be repeated"
    )
    add_topology(parser)
    parser.add_argument(
        "--log-level", choices=LOG_LEVELS, help="what to log to standard error, from this level on (info)"
    )
    add_loop(parser)
    parser.set_defaults(run=run)


def add_topology(parser: argparse.ArgumentParser) -> None:
    """Add how other nodes are found."""
    group = parser.add_argument_group("finding other nodes")
    group.add_argument(
        "--strategy",
        help="epmd, dns_poll, gossip, kubernetes, ... or my.module:MyStrategy; libcluster's names too",
    )
    group.add_argument("--hosts", metavar="NODES", help="for epmd: the nodes, as a@h,b@h")
    group.add_argument(
        "--option",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        type=option,
        help="an option of the strategy, as timeout=2000 (milliseconds) or query=web; may be repeated",
    )
    group.add_argument(
        "--topology", metavar="NAME", help="what the log calls it, and which of the file's is meant (cluster)"
    )
    group.add_argument(
        "--prune", action="store_true", default=None, help="disconnect from nodes that are found no more"
    )


def option(text: str) -> tuple[str, str]:
    """Parse ``key=value``."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise argparse.ArgumentTypeError("it is KEY=VALUE, as timeout=2000")
    return key.strip().replace("-", "_"), value


def settings_of(arguments: argparse.Namespace) -> NodeSettings:
    """Read all settings.  Raises :class:`ConfigError`."""
    options = dict(arguments.option)
    if arguments.hosts is not None:
        options["hosts"] = arguments.hosts
    settings = node_settings(
        arguments.config,
        name=given_name(arguments),
        cookie=arguments.cookie,
        hidden=arguments.hidden,
        log_level=arguments.log_level,
        wish=Wish(arguments.topology, arguments.strategy, options, arguments.prune),
    )
    if settings.name is None and not settings.topologies:
        raise ConfigError(
            "name", None, "a node that stays needs one: --name py@host, --sname py or $PYERLNODE_NAME"
        )
    return settings


async def run(arguments: argparse.Namespace) -> int:
    """Run the node; SIGTERM and SIGINT make it say good-bye and end with status 0."""
    settings = settings_of(arguments)
    peers = [complete_name(peer, "connect") for peer in arguments.connect]
    log_to_stderr(settings.log_level)
    for warning in settings.warnings:
        log.warning("%s", warning)
    leave = leave_on_signals()
    async with Node(**settings.options) as node:
        announce(node)
        dials = [asyncio.create_task(connect(node, peer)) for peer in peers]
        await leave.wait()
        log.info("node %s leaves", node.name)
        for dial in dials:
            dial.cancel()
        await asyncio.gather(*dials, return_exceptions=True)
    return 0


def announce(node: Node) -> None:
    """Say that the node is up, or that it is up for itself."""
    if node.is_alive:
        log.info("node %s up on port %s", node.name, node.port)
    else:
        log.warning("this node has no name, so it is not part of network: give it one, as --name py@host")


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


def log_to_stderr(level: str = "info") -> None:
    """Send the library's log to standard error from `level` on, each line marked as ours."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Marked())
    logger = logging.getLogger("pyerlnode")
    logger.addHandler(handler)
    logger.setLevel(level.upper())


class Marked(logging.Formatter):
    """Begins each line with ``[pyerlnode]``, save those that name their topology already."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record as one line, with the traceback where it has one."""
        text = super().format(record)
        return text if text.startswith("[pyerlnode") else f"[pyerlnode] {text}"
