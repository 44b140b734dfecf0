"""A resolver for strategies under test that knows what it is told, and fails as it is told.

dns = FakeDns({("web", "A"): ["10.0.0.1"], ("web", "AAAA"): FAILS})
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster.dns import NoSuchName, Service
from pyerlnode.errors import DiscoveryFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

FAILS = "servfail"
"""In place of data: the look-up fails."""
MISSING = "nxdomain"
"""In place of data: there is no such name, which is also so for what it was not told."""


class FakeDns:
    """Answers from `data`, which may be changed; `asked` holds what it was asked, and whether with search."""

    def __init__(self, data: Mapping[tuple[str, str], Any] | None = None) -> None:
        self.data = dict(data or {})
        self.asked: list[tuple[str, str, bool]] = []

    async def addresses(self, name: str, kind: str = "A", search: bool = False) -> list[str]:
        return list(await self._answer(name, kind, search))

    async def names_of(self, address: str) -> list[str]:
        return list(await self._answer(address, "PTR"))

    async def services(self, name: str) -> list[Service]:
        return [Service(target, 4000, 0, 0) for target in await self._answer(name, "SRV")]

    async def _answer(self, name: str, kind: str, search: bool = False) -> Any:
        self.asked.append((name, kind, search))
        await asyncio.sleep(0)
        known = {known for known, _ in self.data}
        answer = self.data.get((name, kind), [] if name in known else MISSING)
        if answer == MISSING:
            raise NoSuchName(f"lookup against {name} failed: :nxdomain")
        if answer == FAILS:
            raise DiscoveryFailed(f"lookup against {name} failed: :servfail ({kind})")
        if isinstance(answer, Exception):
            raise answer
        return answer
