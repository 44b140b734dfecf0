"""20 Python nodes and 3 Elixir ones: how soon all know all, whatever happens to nodes, hosts and the network.

The promises are for a machine that has nothing else to do; a busy one gets time in proportion to its load.
What was measured is logged (``-o log_cli=true -o log_cli_level=INFO``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.members import INTERVAL, STRATEGIES, Cluster

if TYPE_CHECKING:
    from tests.support.hosts import Network

FORMING = 10.0
"""Seconds after the last start until all know all."""
DYING = 120.0
"""Seconds of killing and restarting."""
HEALING = 2 * INTERVAL
"""Seconds after the last restart, or the end of a split, until all know all again."""

pytestmark = [pytest.mark.parametrize("strategy", STRATEGIES), pytest.mark.timeout(600)]


async def test_all_know_all(network: Network, strategy: str) -> None:
    async with Cluster(network, strategy, pythons=5, elixirs=2) as cluster:
        await cluster.start()
        await cluster.whole(FORMING)


@pytest.mark.slow
async def test_a_third_of_it_dies_again_and_again(network: Network, strategy: str) -> None:
    async with Cluster(network, strategy, pythons=20, elixirs=3) as cluster:
        await cluster.start()
        await cluster.whole(FORMING)
        await cluster.kill_and_restart(DYING)
        await cluster.whole(HEALING)
        await cluster.stays_whole()


@pytest.mark.slow
async def test_hosts_lose_power_and_come_back(network: Network, strategy: str) -> None:
    async with Cluster(network, strategy, pythons=9, elixirs=3) as cluster:
        await cluster.start()
        await cluster.whole(FORMING)
        for _ in range(3):  # each node that comes back dials some that still take it for connected
            await cluster.lose_power()
            await cluster.whole(HEALING)
        await cluster.stays_whole()


@pytest.mark.slow
async def test_it_is_split_until_the_halves_have_given_each_other_up(network: Network, strategy: str) -> None:
    async with Cluster(network, strategy, pythons=9, elixirs=3, ticktime=4) as cluster:
        await cluster.start()
        await cluster.whole(FORMING)
        await cluster.split()
        cluster.heal()
        await cluster.whole(HEALING)
        await cluster.stays_whole()
