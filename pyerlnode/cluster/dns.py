"""Look-ups in the domain name system for strategies: with :mod:`dns_servers`, all that uses dnspython.

RFC 1035 (A, PTR, names and their limits), RFC 3596 (AAAA), RFC 2782 (SRV), resolv.conf(5).  Only DNS is
asked, never ``/etc/hosts``, and nothing is kept: strategies poll because answers change before their time to
live is over (Docker says 600 seconds).  Aliases (CNAME) are followed; what UDP cuts short is asked by TCP.
"""

from __future__ import annotations

import asyncio
import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.name
import dns.resolver
import dns.reversename

from pyerlnode.cluster.addresses import dialable
from pyerlnode.cluster.dns_servers import RESOLV_CONF, Servers, full_names
from pyerlnode.errors import DiscoveryFailed
from pyerlnode.wire.names import is_valid_host

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TIMEOUT = 2.0
"""Seconds that one look-up may take, all servers and all domains of the search list together."""
MOST = 1024
"""Records that an answer may hold; one with more is refused, being no cluster's."""


class NoSuchName(DiscoveryFailed):
    """The name does not exist (NXDOMAIN): an answer, though not one to act upon."""


@dataclass(frozen=True, slots=True)
class Service:
    """Where a service runs: one SRV record."""

    target: str
    """Name of the host, without the final dot."""
    port: int
    priority: int
    weight: int


class Resolver(Protocol):
    """What a strategy takes as its ``resolver``: :class:`Dns`, or any object with these methods.

    Each raises :class:`DiscoveryFailed` when it does not know, :class:`NoSuchName` when there is no such
    name.  An existing name without such records has none: an empty list.
    """

    async def addresses(self, name: str, kind: str = "A", search: bool = False) -> list[str]:
        """Addresses of a host; `kind` is ``"A"`` or ``"AAAA"``, `search` uses the system's search list."""

    async def names_of(self, address: str) -> list[str]:
        """Names of an address, without the final dot."""

    async def services(self, name: str) -> list[Service]:
        """Where a service runs."""


class Dns:
    """Asks name servers: those of ``/etc/resolv.conf``, read again when it changes, or the ones given.

    `nameservers`: addresses; `port`: theirs; `timeout`: seconds for one look-up, in which each server is
    asked twice; `resolv_conf`: the file, where `nameservers` is None.
    """

    def __init__(
        self,
        *,
        nameservers: Sequence[str] | None = None,
        port: int = 53,
        timeout: float = TIMEOUT,
        resolv_conf: Path = RESOLV_CONF,
    ) -> None:
        self._servers = Servers(nameservers, port, timeout, resolv_conf)
        self._timeout = timeout

    async def addresses(self, name: str, kind: str = "A", search: bool = False) -> list[str]:
        """Addresses of the host `name` that a node may have, in order; `kind` is ``"A"`` or ``"AAAA"``.

        Raises :class:`NoSuchName` and :class:`DiscoveryFailed`.
        """
        given = [record.address for record in await self._look_up(name, kind, search)]
        usable = dialable(given)
        if given and not usable:
            raise DiscoveryFailed(f"{_failed(name)} it gives {given[0]}, which is no node's address")
        return usable

    async def names_of(self, address: str) -> list[str]:
        """Names of `address` (PTR), in order.  Raises :class:`NoSuchName` and :class:`DiscoveryFailed`."""
        reverse = dns.reversename.from_address(address).to_text()
        records = await self._look_up(reverse, "PTR", shown=address)
        return sorted({_host(address, record.target) for record in records})

    async def services(self, name: str) -> list[Service]:
        """Where the service `name` runs (SRV).  Raises :class:`NoSuchName` and :class:`DiscoveryFailed`."""
        records = await self._look_up(name, "SRV")
        found = [
            Service(_host(name, record.target), record.port, record.priority, record.weight)
            for record in records
            if record.target != dns.name.root  # RFC 2782: "decidedly not available"
        ]
        return sorted(found, key=lambda service: (service.priority, service.target, service.port))

    # asking ----------------------------------------------------------------------------

    async def _look_up(self, name: str, kind: str, search: bool = False, shown: str = "") -> list[Any]:
        """The records of the first name that has some: `name`, or with `search` also those of the list."""
        shown = shown or name
        resolver = self._servers.resolver()
        end = asyncio.get_running_loop().time() + self._timeout
        missing, failure = True, None
        for full_name in _names(resolver, name, search):
            try:
                records = await self._ask(resolver, full_name, kind, end, shown)
            except NoSuchName:
                continue
            except DiscoveryFailed as error:
                failure = failure or error
                continue
            if records:
                return records
            missing = False
        if failure is not None:
            raise failure
        if missing:
            raise NoSuchName(f"{_failed(shown)} :nxdomain")
        return []

    async def _ask(
        self, resolver: dns.asyncresolver.Resolver, name: dns.name.Name, kind: str, end: float, shown: str
    ) -> list[Any]:
        """The records of exactly that name."""
        servers = ", ".join(map(str, resolver.nameservers))
        left = end - asyncio.get_running_loop().time()
        try:
            answer = await resolver.resolve(name, kind, raise_on_no_answer=False, lifetime=max(left, 0.0))
        except dns.resolver.NXDOMAIN as error:
            raise NoSuchName(f"{_failed(shown)} :nxdomain") from error
        except (dns.exception.DNSException, OSError) as error:
            raise DiscoveryFailed(f"{_failed(shown)} :{reason(error)} ({kind} from {servers})") from error
        if answer.response.flags & dns.flags.TC:
            raise DiscoveryFailed(f"{_failed(shown)} :truncated ({kind} from {servers})")
        records = list(answer.rrset or ())
        if len(records) > MOST:
            raise DiscoveryFailed(
                f"{_failed(shown)} {len(records)} records, more than {MOST}, are no cluster"
            )
        return records


def _names(resolver: dns.asyncresolver.Resolver, name: str, search: bool) -> list[dns.name.Name]:
    try:
        return full_names(resolver, name, search)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise DiscoveryFailed(f"{_failed(name)} :einval (no name for DNS: {error})") from error


def _host(name: str, target: dns.name.Name) -> str:
    """What a record of `name` points to, without the final dot; backslashes stand for odd characters."""
    host = target.to_text(omit_final_dot=True)
    if "\\" in host or not is_valid_host(host):
        raise DiscoveryFailed(f"{_failed(name)} it gives {host[:100]!r}, which is no host's name")
    return host


# texts ---------------------------------------------------------------------------------


def _failed(name: str) -> str:
    return f"lookup against {name} failed:"


def reason(error: Exception) -> str:
    """One word for what went wrong, as Erlang has them: ``timeout``, ``servfail``, ``econnrefused``."""
    if not isinstance(error, dns.exception.DNSException):
        return _word(error)
    errors = (error.kwargs or {}).get("errors") or [(None, None, None, error, None)]
    words = {_word(each[3]) for each in errors}
    return min(words - {"timeout"}, default="timeout")


def _word(error: object) -> str:
    """A response code is text, all else an exception."""
    if isinstance(error, str):
        return error.lower()
    if isinstance(error, dns.exception.Timeout | TimeoutError):
        return "timeout"
    if isinstance(error, OSError):
        return errno.errorcode.get(error.errno or 0, "eio").lower()
    return type(error).__name__.lower()
