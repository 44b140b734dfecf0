"""What strategies that ask DNS have in common: options, look-ups side by side, and what follows from them.

A look-up ends in one of three ways: it finds something; it finds nothing (no such name, no such record); or
it fails, and nothing is known.  Only where all look-ups of a round found something is the round complete.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster import options
from pyerlnode.cluster.addresses import address_kind
from pyerlnode.cluster.dns import Dns, NoSuchName, Resolver
from pyerlnode.cluster.names import NO_NAME
from pyerlnode.cluster.strategy import Discovery, Polling
from pyerlnode.errors import ConfigError, DiscoveryFailed
from pyerlnode.wire.names import split_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from pyerlnode.cluster.converge import Convergence

AT_ONCE = 32
"""Look-ups side by side."""
MOST_TOLD = 3
"""What is wrong with a look-up, in one log line."""


@dataclass(frozen=True, kw_only=True)
class DnsPolling(Polling):
    """Base of strategies that ask DNS again and again.

    `lookup_timeout`: milliseconds that one look-up may take.  `resolver`: who is asked instead of the servers
    in ``/etc/resolv.conf``; a :class:`~pyerlnode.cluster.dns.Dns`, or anything with its methods.
    """

    lookup_timeout: Any = 2000
    resolver: Any = None

    def __post_init__(self) -> None:
        self.keep("lookup_timeout", options.milliseconds)
        self.keep("resolver", _resolver)
        super().__post_init__()

    @cached_property
    def dns(self) -> Resolver:
        """Who is asked."""
        resolver: Resolver = self.resolver or Dns(timeout=self.lookup_timeout / 1000)
        return resolver


def _resolver(key: str, value: Any) -> Any:
    if value is not None and not callable(getattr(value, "addresses", None)):
        raise ConfigError(key, value, "it is a pyerlnode.cluster.dns.Dns, or an object with its methods")
    return value


# what look-ups find --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one look-up, or of several."""

    found: frozenset[str] = frozenset()
    """Addresses or names."""
    failed: frozenset[str] = frozenset()
    """Why something is not known."""
    missing: frozenset[str] = frozenset()
    """What there is not."""

    @classmethod
    def all_of(cls, findings: Iterable[Finding]) -> Finding:
        """Those of several look-ups, each of which should find something."""
        each = list(findings)
        return cls(
            frozenset().union(*(one.found for one in each)),
            frozenset().union(*(one.failed for one in each)),
            frozenset().union(*(one.missing for one in each)),
        )

    @classmethod
    def any_of(cls, findings: Iterable[Finding]) -> Finding:
        """Those of several look-ups that are ways to the same: it is missing where all of them say so."""
        whole = cls.all_of(findings)
        return cls(whole.found, whole.failed) if whole.found or whole.failed else whole

    def named(self, nodes: Iterable[str]) -> Finding:
        """The same with the names of nodes in place of what was found."""
        return Finding(frozenset(nodes), self.failed, self.missing)

    def conclude(self, cluster: Convergence, begun: float) -> Discovery:
        """What follows for the `cluster`, whose clock showed `begun` before the look-ups.

        Raises :class:`DiscoveryFailed` when nothing is known and never was.  Nobody found is said, once, and
        changes nothing: it is what DNS says before the first node is there, or when a server was just
        restarted.
        """
        trouble = _listed(sorted(self.failed | self.missing))
        if not self.found and self.failed and not cluster.wanted:
            raise DiscoveryFailed(trouble)
        if not self.found:
            cluster.report.lookup_failed(trouble, cluster.world.clock.time() - begun)
        elif trouble:
            cluster.report.trouble(trouble)
        return Discovery(self.found, complete=not trouble)


def _listed(troubles: list[str]) -> str:
    more = [f"and {len(troubles) - MOST_TOLD} more"] if len(troubles) > MOST_TOLD else []
    return "; ".join(troubles[:MOST_TOLD] + more)


async def attempt(look_up: Callable[[], Awaitable[Iterable[str]]], nobody: str) -> Finding:
    """What one look-up finds; `nobody` tells what it means when that is nothing."""
    try:
        found = frozenset(await look_up())
    except NoSuchName as error:
        return Finding(missing=frozenset({f"{error}"}))
    except DiscoveryFailed as error:
        return Finding(failed=frozenset({f"{error}"}))
    except OSError as error:  # of a resolver that is not ours
        return Finding(failed=frozenset({f"lookup failed: {str(error) or type(error).__name__}"}))
    return Finding(found) if found else Finding(missing=frozenset({nobody}))


async def side_by_side(work: Iterable[Callable[[], Awaitable[Finding]]]) -> list[Finding]:
    """Runs all, not too many at once; what they find, in their order."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(task: Callable[[], Awaitable[Finding]]) -> Finding:
        async with gate:
            return await task()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(task)) for task in work]
    return [task.result() for task in tasks]


async def find_addresses(
    dns: Resolver,
    name: str,
    kinds: Iterable[str] = ("A", "AAAA"),
    *,
    own: str = NO_NAME,
    search: bool = False,
) -> Finding:
    """The addresses of the host `name`, of all `kinds`.

    Where the node `own` is named by an address, and some of that kind are found, there are no others: on a
    network with IPv4 and IPv6 each node has two addresses, but one name.
    """
    kinds = list(kinds)
    nobody = f"lookup against {name} found nobody: it has no {' or '.join(kinds)} records"
    findings = await side_by_side(
        partial(attempt, partial(dns.addresses, name, kind, search), nobody) for kind in kinds
    )
    own_kind = address_kind(split_name(own)[1])
    for kind, finding in zip(kinds, findings, strict=True):
        if kind == own_kind and finding.found:
            return finding
    return Finding.any_of(findings)
