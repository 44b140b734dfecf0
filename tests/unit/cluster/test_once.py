"""Strategies that look once: their `timeout`, and names that can never connect."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cluster.once import Once, check_kind
from pyerlnode.cluster.strategy import Discovery
from pyerlnode.errors import ConfigError, DiscoveryFailed
from tests.support.world import Surroundings

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence


@dataclass(frozen=True, kw_only=True)
class Fixed(Once):
    """Finds one node, and counts how often it was asked."""

    asked: Any
    failures: int = 0

    async def discover(self, cluster: Convergence) -> Discovery:
        self.asked.append(cluster.world.clock.time())
        if len(self.asked) <= self.failures:
            raise DiscoveryFailed("not yet")
        return Discovery.of(["a@10.0.0.1"])


async def test_without_a_timeout_it_looks_once_and_is_done() -> None:
    world, asked = Surroundings(), list[float]()
    async with world.running(Fixed(asked=asked)):
        await world.pass_time(120)
    assert asked == [0]
    assert world.home.dials == ["a@10.0.0.1"]


async def test_with_a_timeout_it_looks_again_and_again() -> None:
    world, asked = Surroundings(), list[float]()
    world.home.up = {"a@10.0.0.1"}
    async with world.running(Fixed(asked=asked, timeout=2000)):
        await world.pass_time(1)
        world.home.leave("a@10.0.0.1")
        await world.pass_time(5.5)
    assert len(asked) == 4
    assert world.home.connected == {"a@10.0.0.1"}


async def test_a_look_that_fails_is_made_again_without_a_timeout_too() -> None:
    world, asked = Surroundings(), list[float]()
    async with world.running(Fixed(asked=asked, failures=2)):
        await world.pass_time(120)
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(None, math.inf), ("infinity", math.inf), (math.inf, math.inf), (2000, 2), (timedelta(seconds=3), 3)],
)
def test_the_timeout_is_in_milliseconds(given: object, seconds: float) -> None:
    assert Fixed(asked=[], timeout=given).interval == seconds


@pytest.mark.parametrize("given", [2, "2000", True, math.nan])
def test_what_is_no_timeout_is_refused(given: object) -> None:
    with pytest.raises(ConfigError, match=r"timeout=.*milliseconds"):
        Fixed(asked=[], timeout=given)


def test_the_interval_of_polling_strategies_is_no_option() -> None:
    given: dict[str, Any] = {"polling_interval": 2000}
    with pytest.raises(ConfigError, match="Fixed has no such option"):
        Fixed(asked=[], **given)
    assert "polling" not in repr(Fixed(asked=[]))


def test_it_pickles() -> None:
    strategy = Fixed(asked=[], timeout=2000)
    assert pickle.loads(pickle.dumps(strategy)) == strategy


@pytest.mark.parametrize(
    ("hosts", "own", "cure"),
    [
        (["a@h"], "py@10.0.0.9", "name this node name@host without a dot, or give long names here"),
        (["a@h.net", "b@10.0.0.1"], "py@h", "name this node py@h.domain or by IP, or give short names here"),
        (["a@h"], "py@::1", "without a dot"),
    ],
)
def test_short_and_long_names_never_meet(hosts: list[str], own: str, cure: str) -> None:
    with pytest.raises(ConfigError, match=f"hosts='{hosts[0]}'") as caught:
        check_kind("hosts", hosts, own)
    assert cure in caught.value.hint


@pytest.mark.parametrize(
    ("hosts", "own"),
    [
        (["a@h"], "py@localhost"),
        (["a@h", "b@h.net"], "py@localhost"),
        (["a@h", "b@h.net"], "py@10.0.0.9"),
        ([], "py@localhost"),
        (["a@h.net"], "nonode@nohost"),
    ],
)
def test_one_that_may_be_reached_is_enough(hosts: list[str], own: str) -> None:
    check_kind("hosts", hosts, own)
