"""``pyerlnode eval PEER CODE``: evaluates Elixir, or Erlang with ``--erl``, on a node.

What the code prints comes out here first, then its value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.cli.many import add_peers
from pyerlnode.cli.options import add_guest
from pyerlnode.cli.remote import Remote, ask_remotes
from pyerlnode.errors import PyerlnodeError, RemoteError

if TYPE_CHECKING:
    import argparse

    from pyerlnode.cli.options import Commands
    from pyerlnode.term import Term


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("eval", help="evaluate Elixir or Erlang on a node and print the value")
    add_peers(parser, "node that evaluates it")
    parser.add_argument("code", metavar="CODE", help="Elixir, as 'Enum.sum(1..4)'")
    parser.add_argument("--erl", action="store_true", help="the code is Erlang, as 'lists:sum([1, 2]).'")
    add_guest(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Have it evaluated; an exception there is told as a shell tells it, with status 1."""

    async def evaluate(remote: Remote) -> Term:
        try:
            return await (remote.erlang if arguments.erl else remote.elixir)(arguments.code)
        except RemoteError as error:
            if lack := what_is_lacking(error):
                raise PyerlnodeError(f"{remote.peer} {lack}") from error
            raise

    return await ask_remotes(arguments, evaluate, Remote.printed if arguments.erl else Remote.inspected)


def what_is_lacking(error: RemoteError) -> str | None:
    """Say what a node has not got that evaluating takes, and what to do; None for any other failure."""
    match error.stack:
        case [(module, _, _, _), *_] if error.reason == "undef" and module == "Elixir.Code":
            return "has no Elixir: evaluate Erlang with --erl, or call what it exports with rpc"
        case [(module, _, _, _), *_] if error.reason == "undef" and module == "erl_scan":
            return "is no Erlang node: call what it exports with rpc"
    return None
