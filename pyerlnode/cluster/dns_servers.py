"""Which name servers to ask, and what for: ``/etc/resolv.conf`` (resolv.conf(5)), or servers that are given.

The file is looked at before each look-up and read again when it changed: in containers it is often written
after the program has started, and again when the container joins another network.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dns.asyncresolver
import dns.exception
import dns.name

from pyerlnode.errors import DiscoveryFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

RESOLV_CONF = Path("/etc/resolv.conf")
MOST = 3
"""Servers of the file that are used, as in the system's own resolver."""
TRIES = 2
"""How often each server is asked within one look-up."""


class Servers:
    """The servers of the file, or those `given`; `timeout` seconds are for all tries of a look-up."""

    def __init__(self, given: Sequence[str] | None, port: int, timeout: float, file: Path) -> None:
        self._given = None if given is None else list(given)
        self._port = port
        self._timeout = timeout
        self._file = file
        self._stamp: object = None
        self._resolver: dns.asyncresolver.Resolver | None = None

    def resolver(self) -> dns.asyncresolver.Resolver:
        """What asks the servers that there are now.  Raises :class:`DiscoveryFailed` when there are none."""
        stamp = self._stamp_now()
        if self._resolver is None or stamp != self._stamp:
            self._resolver = self._configured()
            self._stamp = stamp
        return self._resolver

    def _stamp_now(self) -> object:
        """What is another when the file is another."""
        if self._given is not None:
            return None
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _configured(self) -> dns.asyncresolver.Resolver:
        try:
            resolver = dns.asyncresolver.Resolver(str(self._file), configure=self._given is None)
            resolver.nameservers = list(resolver.nameservers)[:MOST] if self._given is None else self._given
        except (dns.exception.DNSException, OSError, ValueError) as error:
            source = self._file if self._given is None else "nameservers"
            raise DiscoveryFailed(f"no look-up is possible: {source} cannot be used ({error})") from error
        resolver.port = self._port
        resolver.timeout = self._timeout / (TRIES * max(len(resolver.nameservers), 1))
        return resolver


def full_names(resolver: dns.asyncresolver.Resolver, name: str, search: bool) -> list[dns.name.Name]:
    """What `name` may mean, in the order to try; with `search` by the system's ``search`` and ``ndots``.

    Raises ``dns.exception.DNSException`` and ``UnicodeError`` for what is no name.
    """
    relative = dns.name.from_text(name, None)
    absolute = relative.derelativize(dns.name.root)
    if not search or relative.is_absolute():
        return [absolute]
    domains = resolver.search or [resolver.domain]
    searched = [relative.concatenate(domain) for domain in domains if domain != dns.name.root]
    ndots = 1 if resolver.ndots is None else resolver.ndots
    return [absolute, *searched] if len(relative) > ndots else [*searched, absolute]
