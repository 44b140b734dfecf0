"""Asking several nodes at once: ``PEER`` may be ``node1@h,node2@h``, and each answers under its name."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from pyerlnode.cli.json_terms import to_json
from pyerlnode.cli.options import guest
from pyerlnode.config import complete_name
from pyerlnode.errors import ConfigError, PyerlnodeError, TextError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable

    from pyerlnode.node import Node
    from pyerlnode.term import Term

OK = 0
NO = 1


class Told(PyerlnodeError):
    """A failure whose text has several lines, to be printed as it is."""


def add_peers(parser: argparse.ArgumentParser, text: str) -> None:
    """Add the nodes that the command is about."""
    parser.add_argument(
        "peer",
        metavar="PEER",
        help=f"{text}, as node1@host; several with commas between; node1 is of this host",
    )


def peers_of(arguments: argparse.Namespace) -> list[str]:
    """Give the full names of the nodes that the command is about, each once."""
    names = [name for name in arguments.peer.split(",") if name]
    if not names:
        raise ConfigError("peer", arguments.peer, "it is the name of a node, as node1@host")
    return list(dict.fromkeys(complete_name(name, "peer") for name in names))


async def ask_all(
    arguments: argparse.Namespace,
    ask: Callable[[Node, str], Awaitable[Term]],
    show: Callable[[Node, str, Term], Awaitable[str]],
    **options: Any,
) -> int:
    """Ask all nodes side by side and print their answers in the order given; give the exit status.

    With ``--json`` the answer of one node is printed alone, those of several as one object.
    """
    peers = peers_of(arguments)
    async with guest(arguments, peers[0], **options) as node:

        async def answer(peer: str) -> str | Exception:
            try:
                await node.connect(peer, timeout=arguments.timeout)
                value = await ask(node, peer)
                return to_json(value) if arguments.json else await show(node, peer, value)
            except TextError:
                raise
            except (PyerlnodeError, OSError) as error:
                return error

        answers = dict(zip(peers, await asyncio.gather(*map(answer, peers)), strict=True))
    failed = {peer: error for peer, error in answers.items() if isinstance(error, Exception)}
    good = {peer: text for peer, text in answers.items() if isinstance(text, str)}
    _print(good, alone=len(peers) == 1, as_json=arguments.json)
    for peer, error in failed.items():
        _complain(peer, error, alone=len(peers) == 1)
    return NO if failed else OK


def _print(answers: dict[str, str], *, alone: bool, as_json: bool) -> None:
    if as_json and not alone:
        print("{" + ", ".join(f"{json.dumps(peer)}: {text}" for peer, text in answers.items()) + "}")
        return
    for peer, text in answers.items():
        print(text if alone else f"{peer}: {text}")


def _complain(peer: str, error: Exception, *, alone: bool) -> None:
    sys.stdout.flush()
    text = str(error) or type(error).__name__
    text = text.rstrip("\n") if isinstance(error, Told) else f"pyerlnode: {' '.join(text.split())}"
    print(text if alone else f"{peer}: {text}", file=sys.stderr)
