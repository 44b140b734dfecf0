"""The options that commands share, and the node that a command speaks through."""

from __future__ import annotations

import argparse
import ipaddress
import secrets
from typing import Any, TypeAlias

from pyerlnode.config import complete_name, cookie_setting, long_host, short_host
from pyerlnode.errors import ConfigError
from pyerlnode.node import Node
from pyerlnode.wire.names import is_long_host

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
"""What ``add_subparsers`` gives: argparse has no public name for it."""

TIMEOUT = 7.0


def add_loop(parser: argparse.ArgumentParser) -> None:
    """Add what every command has."""
    parser.add_argument(
        "--loop",
        choices=("auto", "uvloop", "asyncio"),
        default="auto",
        help="event loop to run on (default: uvloop where it is installed)",
    )


def add_json(parser: argparse.ArgumentParser, text: str = "print the answer as JSON") -> None:
    """Add ``--json`` to a command that answers."""
    parser.add_argument("--json", action="store_true", help=text)


def add_identity(parser: argparse.ArgumentParser, name_help: str) -> None:
    """Add who the node is: its name, its cookie, whether it is hidden."""
    names = parser.add_mutually_exclusive_group()
    names.add_argument("--name", metavar="NAME", help=name_help)
    names.add_argument("--sname", metavar="NAME", help="the same; refuses a host with a dot, as erl does")
    parser.add_argument(
        "--cookie",
        help="the cluster's cookie (default: $PYERLNODE_COOKIE, the file at $PYERLNODE_COOKIE_FILE, "
        "$RELEASE_COOKIE, $ERLANG_COOKIE, the configuration's, then ~/.erlang.cookie; "
        "given here, other users of this machine can see it)",
    )
    parser.add_argument("--hidden", action="store_true", default=None, help="connect as a hidden node")
    parser.add_argument(
        "--config", metavar="FILE", help="TOML file with settings (default: $PYERLNODE_CONFIG)"
    )


def add_guest(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that asks one node something and leaves."""
    add_identity(parser, "name of the asking node (default: a hidden one with a random name)")
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=TIMEOUT,
        metavar="SECONDS",
        help=f"how long to wait for the connection, and then for the answer (default: {TIMEOUT:g})",
    )
    add_json(parser)
    add_loop(parser)


def seconds(text: str) -> float:
    """Parse a waiting time."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def add_peer(parser: argparse.ArgumentParser, text: str, *, optional: bool = False) -> None:
    """Add the node that the command is about."""
    parser.add_argument(
        "peer",
        metavar="PEER",
        nargs="?" if optional else None,
        help=f"{text}, as node1@host; node1 is one of this host",
    )


# ---------------------------------------------------------------------------------- nodes


def peer_of(arguments: argparse.Namespace) -> str:
    """Give the full name of the node that the command is about."""
    return complete_name(arguments.peer, "peer")


def given_name(arguments: argparse.Namespace) -> str | None:
    """Give the node name that was asked for, completed; ``None`` when there was none."""
    if arguments.sname is not None:
        name = complete_name(arguments.sname, "sname")
        if is_long_host(host_of(name)):
            raise ConfigError("sname", arguments.sname, "a short name has a host without dots: use --name")
        return name
    return None if arguments.name is None else complete_name(arguments.name)


def guest(arguments: argparse.Namespace, peer: str, **options: Any) -> Node:
    """Make the node that asks ``peer``: as named, or hidden, unregistered and of a random name.

    ``options`` are further ones of :class:`Node`.
    """
    name = given_name(arguments)
    cookie = cookie_setting(arguments.cookie, arguments.config)
    if name is not None:
        return Node(name, cookie=cookie, hidden=bool(arguments.hidden), **options)
    return Node(guest_name(peer), cookie=cookie, hidden=True, listen=False, **options)


def guest_name(peer: str) -> str:
    """Make up a name that ``peer`` will talk to: its host is short, long or loopback as the peer's is."""
    host = host_of(peer)
    if not is_loopback(host):
        host = long_host() if is_long_host(host) else short_host()
    return f"pyerlnode_{secrets.token_hex(3)}@{host}"


def host_of(name: str) -> str:
    """Give the part of a node name after the ``@``."""
    return name.partition("@")[2]


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` means this machine whoever reads it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
