"""The ``pyerlnode`` command: one module per sub-command, this one puts them together.

Exit status: 0 success, 1 "no" (pang, no such name, a remote error), 2 wrong usage or settings, 130 for
Ctrl-C.  Answers go to standard output; what went wrong goes to standard error as one line.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
from typing import TYPE_CHECKING

import pyerlnode
from pyerlnode.cli import call, demo, epmd, eval, names, nodes, ping, rpc, start  # noqa: A004  a command's name
from pyerlnode.cli.terminal import keep_standard_files
from pyerlnode.errors import ConfigError, PyerlnodeError, TextError
from pyerlnode.loops import loop_factory

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (start, ping, names, nodes, call, rpc, eval, epmd, demo)

OK = 0
NO = 1
USAGE = 2
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (the process's own by default) and give the exit status."""
    keep_standard_files()
    parser = build_parser()
    arguments = parser.parse_args(argv)
    try:
        status = run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # our reader went away, as in `pyerlnode names | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except ConfigError as error:
        return complain(str(error), USAGE)
    except TextError as error:
        return complain(f"this is no term: {error}", USAGE)
    except (PyerlnodeError, OSError) as error:
        return complain(str(error) or type(error).__name__, NO)
    return status


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen command's coroutine on the chosen event loop."""
    with asyncio.Runner(loop_factory=loop_factory(arguments.loop)) as runner:
        status: int = runner.run(arguments.run(arguments))
    return status


def complain(text: str, status: int) -> int:
    """Say what went wrong in one line, and give ``status``."""
    print(f"pyerlnode: {' '.join(text.split())}", file=sys.stderr)
    return status


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="pyerlnode", description="A Python process as a node of Erlang and Elixir clusters."
    )
    parser.add_argument("--version", action="version", version=version())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    return parser


def version() -> str:
    """Give the version, and whether the codec runs ``compiled`` or ``pure``."""
    codec = importlib.import_module("pyerlnode.term.decode")
    kind = "pure" if (codec.__file__ or "").endswith(".py") else "compiled"
    return f"pyerlnode {pyerlnode.__version__} ({kind})"
