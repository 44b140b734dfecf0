"""``pyerlnode names [HOST]``: the nodes that a port mapper lists, printed as ``epmd -names`` prints them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from pyerlnode.cli.options import add_json, add_loop
from pyerlnode.config import epmd_settings
from pyerlnode.errors import EpmdError
from pyerlnode.net.epmd_client import EpmdClient

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pyerlnode.cli.options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("names", help="print the nodes of a host, as epmd -names does")
    parser.add_argument("host", metavar="HOST", nargs="?", help="host to ask (default: this one)")
    add_json(parser)
    add_loop(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Ask the epmd of the host."""
    return await print_names(arguments.host, epmd_settings().port, as_json=arguments.json)


async def print_names(host: str | None, port: int, *, as_json: bool) -> int:
    """Print what the epmd of ``host`` lists and give the exit status."""
    try:
        names = await EpmdClient(port=port).names(host)
    except EpmdError as error:
        print(excuse(host, error), file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps({"port": port, "names": [{"name": name, "port": at} for name, at in names]}))
    else:
        print(as_epmd_prints(names, port), end="")
    return 0


def as_epmd_prints(names: Sequence[tuple[str, int]], port: int) -> str:
    """Write the list in the words of ``epmd -names``."""
    lines = [f"name {name} at port {at}\n" for name, at in names]
    return f"epmd: up and running on port {port} with data:\n{''.join(lines)}"


def excuse(host: str | None, error: EpmdError) -> str:
    """Say it as epmd does when nobody listens here, and in our own words otherwise."""
    if (
        host is None
        and isinstance(error.__cause__, OSError)
        and not isinstance(error.__cause__, TimeoutError)
    ):
        return "epmd: Cannot connect to local epmd"
    return f"pyerlnode: {error}"
