"""What a run is to do: how often, with which copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.setup import Build


@dataclass(frozen=True, slots=True)
class Plan:
    """Given to every measurement."""

    builds: Sequence[Build]
    quick: bool = False

    @property
    def repetitions(self) -> int:
        """How many turns everybody gets."""
        return 3 if self.quick else 7

    def scaled(self, count: int) -> int:
        """How much to do in one turn."""
        return max(1, count // 5) if self.quick else count
