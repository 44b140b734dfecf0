"""How much of a long test to run, and how long to wait for what is promised.

    @pytest.mark.parametrize("races", quick_and_full(100, 1_000))

gives the quick number, and the full one marked ``slow``; under ``PYERLNODE_FULL=1`` only the full one.
``PYERLNODE_FUZZ=100000`` is the number of bad inputs, instead of both.  `stretched` adapts a promised time to
the load of the machine.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

FULL_TIME = 1_800
"""Seconds that a full run may take."""


def quick_and_full(quick: int, full: int, variable: str = "PYERLNODE_FULL") -> list[ParameterSet]:
    """Parameters for a test that takes a number of repetitions."""
    long = [pytest.mark.slow, pytest.mark.timeout(FULL_TIME)]
    chosen = int(os.environ.get(variable) or 0)
    if chosen:
        number = full if variable == "PYERLNODE_FULL" else chosen
        return [pytest.param(number, id="full", marks=long[1:])]
    return [pytest.param(quick, id="quick"), pytest.param(full, id="full", marks=long)]


def fuzz_inputs(quick: int = 3_000) -> list[ParameterSet]:
    """Parameters for a test that takes a number of bad inputs."""
    return quick_and_full(quick, 100_000, "PYERLNODE_FUZZ")


def stretched(seconds: float) -> float:
    """A time that is promised for a machine of our own, in proportion to how many share this one now."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
