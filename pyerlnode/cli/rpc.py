"""``pyerlnode rpc PEER MOD FUN [ARGS]``: calls a function there, as ``:erpc.call`` does.

What the function prints comes out here first, then its result.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from pyerlnode.cli.json_terms import from_json
from pyerlnode.cli.many import Told, add_peers, ask_all
from pyerlnode.cli.options import add_guest
from pyerlnode.cli.remote import Remote, module_name
from pyerlnode.errors import RemoteError, TextError
from pyerlnode.otp.io import to_stdout
from pyerlnode.term.text import parse_elixir

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from pyerlnode.cli.options import Commands
    from pyerlnode.node import Node
    from pyerlnode.term import Term


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("rpc", help="call a function on a node and print what it returns")
    add_peers(parser, "node to call")
    parser.add_argument("module", metavar="MOD", help="module, as String or :lists")
    parser.add_argument("function", metavar="FUN", help="function, as upcase")
    parser.add_argument(
        "args",
        metavar="ARGS",
        nargs="?",
        default="[]",
        help="list of arguments in Elixir syntax, as '[\"hello\"]'; JSON with --json (default: none)",
    )
    add_guest(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Read the arguments before connecting, so that a typing error costs nothing."""
    args = (from_json if arguments.json else parse_elixir)(arguments.args)
    if not isinstance(args, list):
        raise TextError("the arguments are a list, as '[1, 2]'")
    module, function = module_name(arguments.module), arguments.function.removeprefix(":")

    async def ask(node: Node, peer: str) -> Term:
        remote = Remote(node, peer, arguments.timeout)
        try:
            return await remote.call(module, function, *args)
        except RemoteError as error:
            raise Told(await remote.explained(error)) from error

    return await ask_all(arguments, ask, partial(shown, arguments.timeout), **devices(arguments))


async def shown(timeout: float, node: Node, peer: str, value: Term) -> str:
    """The value as a shell of that node shows it."""
    return await Remote(node, peer, timeout).inspected(value)


def devices(arguments: argparse.Namespace) -> dict[str, Callable[..., object]]:
    """Where remote code prints and reads: here; with ``--json``, standard output is for the answer alone."""
    return {"output": to_stderr if arguments.json else to_stdout, "input": sys.stdin.readline}


def to_stderr(text: str) -> None:
    """Write to standard error, at once."""
    sys.stderr.write(text)
    sys.stderr.flush()
