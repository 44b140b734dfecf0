from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cluster.events import Found, LookupFailed
from pyerlnode.cluster.strategy import Discovery, Polling, Strategy
from pyerlnode.errors import ConfigError, DiscoveryFailed
from tests.support.world import FakeHome, Surroundings

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence


@dataclass(frozen=True, kw_only=True)
class Listed(Polling):
    nodes: Any = ()

    async def discover(self, cluster: Convergence) -> Discovery:
        if self.nodes is None:
            raise DiscoveryFailed("the list is lost")
        return Discovery.of(self.nodes)


@dataclass(frozen=True, kw_only=True)
class Once(Listed):
    @property
    def interval(self) -> float:
        return float("inf")


def test_options_are_checked_when_they_are_given() -> None:
    with pytest.raises(ConfigError, match="did you mean 'polling_interval'"):
        Listed(poll_interval=1000)  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="5 seconds are 5000"):
        Listed(polling_interval=5)
    with pytest.raises(ConfigError, match="connect_timeout"):
        Listed(connect_timeout="soon")
    with pytest.raises(ConfigError, match="by name"):
        Listed(["a@h"])  # type: ignore[misc]


def test_times_are_kept_as_milliseconds_and_told_in_seconds() -> None:
    assert Listed().polling_interval == 5000
    assert Listed(polling_interval=2500).interval == 2.5


def test_it_is_a_value() -> None:
    strategy = Listed(nodes=("a@h",), polling_interval=2000)
    assert strategy == Listed(nodes=("a@h",), polling_interval=2000)
    assert copy.deepcopy(strategy) == strategy == pickle.loads(pickle.dumps(strategy))


def test_it_cannot_be_made_without_a_way_to_find_nodes() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Strategy()  # type: ignore[abstract]


def test_any_name_suits_it_unless_it_says_otherwise() -> None:
    Listed().check_home("py@short")


async def test_it_looks_connects_and_looks_again() -> None:
    around = Surroundings(FakeHome(up={"a@10.0.0.1"}))
    async with around.running(Listed(nodes=("a@10.0.0.1",), polling_interval=1000)):
        assert around.home.connected == {"a@10.0.0.1"}
        around.home.leave("a@10.0.0.1")
        await around.pass_time(1.1)
        assert around.home.connected == {"a@10.0.0.1"}


async def test_without_an_interval_one_success_is_enough() -> None:
    around = Surroundings(FakeHome(up={"a@10.0.0.1"}))
    async with around.running(Once(nodes=("a@10.0.0.1",))):
        pass
    assert around.home.dials == ["a@10.0.0.1"]


async def test_a_look_up_that_fails_is_made_again_ever_later() -> None:
    around = Surroundings()
    async with around.running(Once(nodes=None)):
        await around.pass_time(300)
    failures = [event for event in around.events if isinstance(event, LookupFailed)]
    assert 6 <= len(failures) <= 14
    assert not [event for event in around.events if isinstance(event, Found)]
