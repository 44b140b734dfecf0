"""What the measurements give: rows of one table, each with what it is compared to and its goals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench.stats import Value

BUILDS = ("compiled", "pure")


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound that a value is to keep: ``at_most(0.9)``, ``at_least(3)``."""

    bound: float
    upper: bool

    def met(self, value: float) -> bool:
        """Whether `value`, as the table shows it, keeps it."""
        value = float(short(value))
        return value <= self.bound if self.upper else value >= self.bound

    def margin(self, value: float) -> float:
        """How many times better than the goal: 1 is just met, below 1 is missed."""
        return self.bound / value if self.upper else value / self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.upper else '≥'} {self.bound:g}"


def at_most(bound: float) -> Goal:
    """Lower is better."""
    return Goal(bound, upper=True)


def at_least(bound: float) -> Goal:
    """Higher is better."""
    return Goal(bound, upper=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    `unit` is empty for ratios; `anchor` says what 1 is, with what that took.  `values` and `goals`
    are by build; a build that cannot be measured (or was not asked for) has no value.
    """

    part: str
    what: str
    values: Mapping[str, Value]
    goals: Mapping[str, Goal] = field(default_factory=dict)
    anchor: str = ""
    unit: str = ""

    def verdict(self, build: str) -> bool | None:
        """Whether the goal is met; None where there is no goal or no value."""
        if build not in self.goals or build not in self.values:
            return None
        return self.goals[build].met(self.values[build].middle)


def both(goal: Goal) -> dict[str, Goal]:
    """The same goal for every build."""
    return dict.fromkeys(BUILDS, goal)


def goals(compiled: Goal, pure: Goal) -> dict[str, Goal]:
    """A goal for each build."""
    return {"compiled": compiled, "pure": pure}


def short(number: float) -> str:
    """A number with three digits that count, and none that do not."""
    if number >= 100:
        return f"{number:.0f}"
    return f"{number:.2f}" if number < 10 else f"{number:.1f}"


def time_text(seconds: float) -> str:
    """A duration in the unit that suits it."""
    for unit, factor in (("ns", 1e9), ("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 1000:
            return f"{short(seconds * factor)} {unit}"
    return f"{short(seconds)} s"


def rate_text(per_second: float, unit: str) -> str:
    """A rate in thousands, millions or billions."""
    for name, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if per_second >= factor:
            return f"{short(per_second / factor)} {name}{unit}/s"
    return f"{short(per_second)} {unit}/s"
