"""``pyerlnode epmd [start | names | stop [NAME]]``: the embedded port mapper, alone.

It does what Erlang's ``epmd`` does and takes the same settings: ``$ERL_EPMD_PORT``, ``$ERL_EPMD_ADDRESS``,
``$ERL_EPMD_RELAXED_COMMAND_CHECK``, or the options here.
"""

from __future__ import annotations

import argparse
import errno
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from pyerlnode.cli.names import excuse, print_names
from pyerlnode.cli.options import add_json, add_loop
from pyerlnode.config import EpmdSettings, epmd_settings, parse_port
from pyerlnode.errors import ConfigError, EpmdError
from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.net.epmd_daemon import serve
from pyerlnode.net.epmd_detached import start_detached
from pyerlnode.net.epmd_server import EpmdServer, bind

if TYPE_CHECKING:
    from pyerlnode.cli.options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "epmd",
        help="run, ask or end the embedded port mapper",
        description="start (the default) runs a port mapper, names prints the nodes it lists, stop ends it, "
        "and stop NAME makes it forget a name.",
    )
    parser.add_argument("action", choices=("start", "names", "stop"), nargs="?", default="start")
    parser.add_argument("target", metavar="NAME", nargs="?", help="with stop: the name to forget")
    parser.add_argument("--port", type=port, help="its TCP port (default: $ERL_EPMD_PORT, then 4369)")
    parser.add_argument(
        "--address",
        help="with start: addresses to listen on beside loopback, separated by commas "
        "(default: $ERL_EPMD_ADDRESS, then all)",
    )
    parser.add_argument(
        "--relaxed-command-check",
        action="store_true",
        help="with start: let local users stop it or its names",
    )
    parser.add_argument(
        "-d", "--daemon", action="store_true", help="with start: detach, as `epmd -daemon` does"
    )
    add_json(parser, "with names: print them as JSON")
    add_loop(parser)
    parser.set_defaults(run=run)


def port(text: str) -> int:
    """Parse ``--port``."""
    try:
        return parse_port("port", text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


async def run(arguments: argparse.Namespace) -> int:
    """Do what the action says."""
    settings = settings_of(arguments)
    if arguments.target is not None and arguments.action != "stop":
        raise ConfigError("NAME", arguments.target, "only `epmd stop` takes a name")
    match arguments.action:
        case "names":
            return await print_names(None, settings.port, as_json=arguments.json)
        case "stop":
            return await stop(settings.port, arguments.target)
        case _:
            return await (start_daemon if arguments.daemon else start)(settings)


def settings_of(arguments: argparse.Namespace) -> EpmdSettings:
    """Give the environment's settings, with the options over them."""
    settings = epmd_settings()
    if arguments.port is not None:
        settings = replace(settings, port=arguments.port)
    if arguments.address is not None:
        settings = replace(settings, addresses=tuple(re.findall(r"[^\s,]+", arguments.address)))
    return replace(settings, relaxed=settings.relaxed or arguments.relaxed_command_check)


async def start(settings: EpmdSettings) -> int:
    """Run in the foreground until SIGINT, SIGTERM or a client's KILL."""
    try:
        sockets = bind(settings.port, settings.addresses)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        print(f"epmd: port {settings.port} is in use, by another epmd it seems", file=sys.stderr)
        return 1
    print(f"epmd: up and running on port {settings.port}", file=sys.stderr)
    await serve(EpmdServer(settings.port, relaxed=settings.relaxed, sockets=sockets))
    return 0


async def start_daemon(settings: EpmdSettings) -> int:
    """Start a detached one, unless there is one already, which is fine."""
    started = await start_detached(settings.port, settings.addresses, relaxed=settings.relaxed)
    if started is None:
        print(f"epmd: running already on port {settings.port}", file=sys.stderr)
    else:
        print(f"epmd: up and running on port {settings.port}, process {started}", file=sys.stderr)
    return 0


async def stop(at_port: int, name: str | None) -> int:
    """End the port mapper, or make it forget one name; the words are the original's."""
    client = EpmdClient(port=at_port)
    try:
        done = await (client.kill() if name is None else client.stop(name))
    except EpmdError as error:
        print(excuse(None, error), file=sys.stderr)
        return 1
    if name is None:
        print("Killed" if done else "Killing not allowed - living nodes in database.")
    else:
        print("STOPPED" if done else "NOEXIST")
    return 0 if done else 1
