"""From a node's name to an address that can be dialled.

ERTS distribution protocol, "EPMD Protocol"; kernel's ``erl_epmd:port_please``.  The host part of the name is
resolved, the epmd there is asked for the name part; or, where the ports are fixed, nobody is asked.

Every failure is a ``ConnectFailed`` whose ``stage`` (``name``, ``dns``, ``epmd``, ``port``) tells how far
it got and whose text tells what to do about it.

IPv4 addresses are tried first when a host has both kinds: a BEAM listens on IPv4 unless told otherwise, while
its epmd answers on both.  Give ``family=socket.AF_INET6`` for a cluster on ``inet6_tcp``.

A peer whose port is fixed is dialled with handshake version 6.  BEAM assumes 5 there, for the sake of nodes
older than OTP 23; those cannot be our peers, and OTP 25.0 to 25.2 hang up on a version 5 greeting.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Protocol

from pyerlnode.errors import ConnectFailed, EpmdError, LocalProtocolError
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.net.dial import Address
from pyerlnode.net.numeric import packed
from pyerlnode.wire import epmd
from pyerlnode.wire.names import is_long_host, split_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyerlnode.net.epmd_client import EpmdClient

_SHOWN = 10
"""Names of other nodes that an error text lists."""
_TRIED = 4
"""Addresses of one host whose epmd is asked, so that a long list does not take for ever."""


class Resolver(Protocol):
    """Turns a host name into addresses."""

    async def __call__(self, host: str, family: int) -> Sequence[str]:
        """Addresses of ``host`` as text, best first.  ``OSError`` when it has none."""


async def resolve(host: str, family: int = socket.AF_UNSPEC) -> Sequence[str]:
    """Resolve as the system does (``getaddrinfo``), IPv4 first."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM)
    ordered = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    return list(dict.fromkeys(str(entry[4][0]) for entry in ordered))


class Locator:
    """Finds nodes.  One per node; holds no connection and no cache."""

    def __init__(
        self,
        client: EpmdClient | None,
        *,
        ports: Mapping[str, int] | None = None,
        same_port: int | None = None,
        long_names: bool | None = None,
        family: int = socket.AF_UNSPEC,
        resolver: Resolver = resolve,
        limits: Limits = DEFAULT,
    ) -> None:
        """Say how to find nodes.

        ``client`` asks port mappers; None for a cluster without epmd.  ``ports`` maps full node names to
        fixed ports, and ``same_port`` is the one that all other nodes listen on (as with ``-erl_epmd_port``):
        where one of the two knows, no epmd is asked.  ``long_names`` is whether this node's own name has a
        dot in its host; a peer of the other kind is refused here, since Erlang nodes refuse it too.  None
        does not check.
        """
        self._client = client
        self._ports = dict(ports or {})
        self._same_port = same_port
        self._long_names = long_names
        self._family = family
        self._resolver = resolver
        self._limits = limits

    async def locate(self, node: str) -> Address:
        """Where ``node`` can be dialled.  ``ConnectFailed`` says why it cannot."""
        name, host = self._split(node)
        hosts = await self._resolve(node, host)
        if (port := self._ports.get(node, self._same_port)) is not None:
            return Address(hosts[0], port, epmd.HIGHEST_VERSION)
        if self._client is None:
            raise ConnectFailed(
                node,
                "port",
                f"this node uses no epmd and knows no port for it: add it to ports={{{node!r}: ...}}",
            )
        return await self._ask(self._client, node, name, host, hosts)

    def _split(self, node: str) -> tuple[str, str]:
        try:
            name, host = split_name(node)
        except LocalProtocolError as error:
            raise ConnectFailed(node, "name", f"{error}") from error
        if self._long_names is not None and is_long_host(host) != self._long_names:
            raise ConnectFailed(node, "name", _mixed(host, self._long_names))
        return name, host

    async def _resolve(self, node: str, host: str) -> Sequence[str]:
        if packed(host) is not None:
            return [host]
        try:
            async with asyncio.timeout(self._limits.epmd_time):
                hosts = await self._resolver(host, self._family)
        except TimeoutError as error:
            raise ConnectFailed(
                node,
                "dns",
                f"host {host!r} was not resolved within {self._limits.epmd_time:g} s: is DNS reachable?",
            ) from error
        except (OSError, UnicodeError) as error:
            raise ConnectFailed(node, "dns", _unknown_host(host, error)) from error
        if not hosts:
            raise ConnectFailed(node, "dns", _unknown_host(host, None))
        return hosts

    async def _ask(
        self, client: EpmdClient, node: str, name: str, host: str, hosts: Sequence[str]
    ) -> Address:
        """Ask the epmd at each address in turn: the first that knows the name wins."""
        silent: EpmdError | None = None
        answered = ""
        for address in hosts[:_TRIED]:
            try:
                entry = await client.lookup(name, address)
            except EpmdError as error:
                silent = silent or error
                continue
            if entry is not None:
                return _dialable(node, address, entry)
            answered = answered or address
        if answered:
            raise ConnectFailed(node, "epmd", await self._unknown(client, name, host, answered))
        raise ConnectFailed(node, "epmd", _no_epmd(host, silent)) from silent

    async def _unknown(self, client: EpmdClient, name: str, host: str, address: str) -> str:
        start = f"the epmd on {host} knows no node {name!r}"
        try:
            there = sorted(other for other, _ in await client.names(address))
        except EpmdError:
            return f"{start}: is it started?"
        if not there:
            return f"{start}, nor any other: is it started?"
        more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
        return f"{start}: is it started? The nodes there are {', '.join(there[:_SHOWN])}{more}"


def _dialable(node: str, address: str, entry: epmd.NodeEntry) -> Address:
    if entry.version is None:
        raise ConnectFailed(
            node,
            "epmd",
            f"it speaks handshake versions {entry.lowest} to {entry.highest}, this node "
            f"{epmd.LOWEST_VERSION} to {epmd.HIGHEST_VERSION}",
        )
    return Address(address, entry.port, entry.version)


def _mixed(host: str, long_names: bool) -> str:
    if long_names:
        return (
            f"this node has a long name (a dot in its host), but {host!r} has none: Erlang does not "
            "mix the two. Dial the peer by its full host name or address, or start this node with a host "
            "without dots"
        )
    return (
        f"this node has a short name (no dot in its host), but {host!r} has one: Erlang does not "
        "mix the two. Start this node with a full host name or address, or the peer with a host without dots"
    )


def _unknown_host(host: str, error: Exception | None) -> str:
    why = f" ({getattr(error, 'strerror', None) or error})" if error is not None else ""
    return f"host {host!r} does not resolve{why}: check its spelling, DNS, or /etc/hosts"


def _no_epmd(host: str, error: EpmdError | None) -> str:
    return (
        f"{error}: is a node running on {host}, is $ERL_EPMD_PORT the same there, and may that port be "
        "reached from here?"
    )
