from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cluster.strategy import Strategy
from pyerlnode.cluster.topology import Topology
from pyerlnode.errors import ConfigError

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence


@dataclass(frozen=True, kw_only=True)
class Idle(Strategy):
    async def run(self, cluster: Convergence) -> None:
        """Finds nobody."""


def test_a_name_and_a_strategy_are_enough() -> None:
    topology = Topology("example", Idle())
    assert (topology.name, topology.strategy, topology.prune) == ("example", Idle(), False)


@pytest.mark.parametrize("name", ["", "  ", "a\nb"])
def test_its_name_is_for_the_log(name: str) -> None:
    with pytest.raises(ConfigError, match="a name that can be printed"):
        Topology(name, Idle())


@pytest.mark.parametrize(
    ("key", "value"), [("strategy", "epmd"), ("prune", "yes"), ("connect", 5), ("on_event", "print")]
)
def test_what_cannot_work_is_refused(key: str, value: Any) -> None:
    given: dict[str, Any] = {"strategy": Idle()} | {key: value}
    with pytest.raises(ConfigError, match=f"^{key}="):
        Topology("example", **given)
