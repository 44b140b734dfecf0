"""``pyerlnode rpc PEER MOD FUN [ARGS]``: calls a function there, as ``:erpc.call`` does.

What the function prints comes out here first, then its result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.cli.json_terms import from_json
from pyerlnode.cli.many import add_peers
from pyerlnode.cli.options import add_guest
from pyerlnode.cli.remote import Remote, ask_remotes, atom_name, module_name
from pyerlnode.errors import TextError
from pyerlnode.term.text import parse_elixir

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable

    from pyerlnode.cli.options import Commands
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
    module, function = module_name(arguments.module), atom_name(arguments.function)

    def call(remote: Remote) -> Awaitable[Term]:
        return remote.call(module, function, *args)

    return await ask_remotes(arguments, call, Remote.inspected)
