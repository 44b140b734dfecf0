"""The little arithmetic of the measurements."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of `values` that at least `percent` of a hundred of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def geometric_mean(values: Iterable[float]) -> float:
    """What ratios have as their mean."""
    logarithms = [math.log(value) for value in values]
    return math.exp(sum(logarithms) / len(logarithms))


@dataclass(frozen=True, slots=True)
class Value:
    """What repetitions gave: the median, and the lowest and the highest of them."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """The value of some repetitions."""
        found = list(values)
        return cls(median(found), min(found), max(found))

    @classmethod
    def ratio(cls, ours: Iterable[float], theirs: Iterable[float]) -> Self:
        """The ratio of two measurements that took turns: each repetition of ours to theirs beside it."""
        return cls.of(one / other for one, other in zip(ours, theirs, strict=True))
