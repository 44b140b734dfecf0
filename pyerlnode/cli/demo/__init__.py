"""``pyerlnode demo``: the blog post's cluster on this machine, seen to work, in seconds.

Three nodes in three processes, started one after another over a port mapper of our own, then real Elixir
nodes beside a Python one where ``elixir`` is on the PATH.  What is shown is what was typed into the nodes and
what they answered, and each answer is compared with the expected one: exit status 0 means that all held.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pyerlnode.cli.demo.acts import play
from pyerlnode.cli.options import add_loop

if TYPE_CHECKING:
    import argparse

    from pyerlnode.cli.options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("demo", help="form a cluster of three nodes on this machine, then end it")
    parser.add_argument("--no-elixir", action="store_true", help="leave the act with real Elixir nodes out")
    add_loop(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Play all acts; raises :class:`DemoFailed` at the first surprise, after ending every process."""
    begun = time.monotonic()
    await play(elixir=not arguments.no_elixir)
    print(f"\nAll as expected, in {time.monotonic() - begun:.1f} seconds. All that was started has ended.")
    return 0
