"""Epmd: dials a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cluster.epmd import Epmd
from pyerlnode.errors import ConfigError
from tests.support.world import OWN, Surroundings, lines, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

HOSTS = ["node1@10.0.0.1", "node2@10.0.0.2"]


async def test_it_dials_all_once_and_says_what_came_of_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = Surroundings()
    world.home.up = {HOSTS[0]}
    async with world.running(Epmd(hosts=[*HOSTS, OWN])):
        await world.pass_time(60)
    assert sorted(world.home.dials) == HOSTS
    assert sorted(lines(caplog.records)) == [
        '[pyerlnode:example] connected to :"node1@10.0.0.1"',
        '[pyerlnode:example] unable to connect to :"node2@10.0.0.2"',
    ]


async def test_with_a_timeout_it_heals_and_says_each_change_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = Surroundings()
    async with world.running(Epmd(hosts=HOSTS[:1], timeout=2000)):
        await world.pass_time(10)
        world.home.up = {HOSTS[0]}
        await world.pass_time(3)
        world.home.leave(HOSTS[0])
        await world.pass_time(3)
    assert lines(caplog.records) == [
        '[pyerlnode:example] unable to connect to :"node1@10.0.0.1"',
        '[pyerlnode:example] connected to :"node1@10.0.0.1"',
        '[pyerlnode:example] connected to :"node1@10.0.0.1"',
    ]


async def test_a_node_that_is_not_alive_says_so_for_each(caplog: pytest.LogCaptureFixture) -> None:
    world = Surroundings()
    world.home.is_alive = False
    async with world.running(Epmd(hosts=["node1@localhost"])):
        await settle()
    assert lines(caplog.records) == [
        "[pyerlnode:example] unable to connect to :node1@localhost: not part of network"
    ]


@pytest.mark.parametrize("hosts", [[], ()])
async def test_an_empty_list_is_silence(caplog: pytest.LogCaptureFixture, hosts: Sequence[str]) -> None:
    caplog.set_level("DEBUG")
    world = Surroundings()
    async with world.running(Epmd(hosts=hosts)):
        await settle()
    assert lines(caplog.records, 0) == []
    assert world.events == []
    assert Epmd() == Epmd(hosts=hosts)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"hosts": "node1@h"}, "hosts='node1@h': it is a list of node names"),
        ({"hosts": ["node1"]}, "needs exactly one @"),
        ({"host": HOSTS}, "did you mean 'hosts'"),
        ({"hosts": HOSTS, "timeout": 2}, "5 seconds are 5000"),
    ],
)
def test_wrong_options_are_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Epmd(**given)
    assert complaint in str(caught.value)


def test_names_of_the_other_kind_are_refused_for_a_node() -> None:
    with pytest.raises(ConfigError, match="never connect"):
        Epmd(hosts=["node1@h"]).check_home("py@10.0.0.9")
    with pytest.raises(ConfigError, match="never connect"):
        Epmd(hosts=["node1@h.net", "py@h"]).check_home("py@h")
    Epmd(hosts=["py@h"]).check_home("py@h")
    Epmd(hosts=HOSTS).check_home(OWN)
