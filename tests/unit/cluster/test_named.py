"""Strategies by name, and options from text."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pytest

from pyerlnode.cluster.epmd import Epmd
from pyerlnode.cluster.erlang_hosts import ErlangHosts
from pyerlnode.cluster.local_epmd import LocalEpmd
from pyerlnode.cluster.named import (
    STRATEGIES,
    from_texts,
    is_secret,
    options_of,
    strategy_named,
    values_of,
)
from pyerlnode.cluster.strategy import Strategy
from pyerlnode.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Mine(Strategy):
    """One of each kind."""

    query: Any = field(metadata={"list": True})
    basename: Any = None
    hosts: Any = ()
    kinds: Any = field(default_factory=lambda: ["a"])
    port: Any = 45892
    share: Any = 0.5
    broadcast: Any = False
    mode: Any = "ip"
    selector: Any = ""
    secret: Any = field(default=None, repr=False)
    derived: Any = field(init=False, default=1)

    async def run(self, cluster: Any) -> None: ...


class Outer:
    Inner = Mine


# ---------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "strategy"),
    [
        ("epmd", Epmd),
        ("Epmd", Epmd),
        (" EPMD ", Epmd),
        ("Cluster.Strategy.Epmd", Epmd),
        ("Elixir.Cluster.Strategy.Epmd", Epmd),
        ("local_epmd", LocalEpmd),
        ("local-epmd", LocalEpmd),
        ("LocalEpmd", LocalEpmd),
        ("Cluster.Strategy.ErlangHosts", ErlangHosts),
    ],
)
def test_each_strategy_has_several_names(name: str, strategy: type[Strategy]) -> None:
    assert strategy_named(name) is strategy


@pytest.mark.parametrize("module", STRATEGIES)
def test_every_strategy_of_the_table_is_there(module: str) -> None:
    found = strategy_named(module)
    assert found.__name__ == STRATEGIES[module]
    assert issubclass(found, Strategy)
    assert strategy_named(found.__name__) is found


@pytest.mark.parametrize(
    ("libcluster", "ours"),
    [
        ("Cluster.Strategy.Kubernetes.DNS", "KubernetesDNS"),
        ("Kubernetes.DNSSRV", "KubernetesDNSSRV"),
        ("DNSCluster", "DNSCluster"),
        ("Cluster.Strategy.DNSPoll", "DNSPoll"),
    ],
)
def test_libclusters_names_are_understood(libcluster: str, ours: str) -> None:
    assert strategy_named(libcluster).__name__ == ours


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("edmp", "did you mean 'epmd'?"),
        ("Cluster.Strategy.Gosip", "did you mean 'gossip'?"),
        ("zzzz", "it has dns_alias, dns_cluster"),
        (7, "the name of one"),
    ],
)
def test_an_unknown_one_names_the_nearest(name: Any, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        strategy_named(name)
    assert hint in str(caught.value)


def test_one_of_the_users_own() -> None:
    assert strategy_named(f"{__name__}:Mine") is Mine
    assert strategy_named(f"{__name__}:Outer.Inner") is Mine


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("nowhere_to_be_found:Mine", "No module named"),
        (f"{__name__}:Yours", "has no attribute 'Yours'"),
        (f"{__name__}:Outer", "no class derived from"),
        (f"{__name__}:STRATEGIES", "no class derived from"),
        (":Mine", "cannot be imported"),
    ],
)
def test_what_is_none_says_why(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        strategy_named(name)
    assert hint in str(caught.value)


# ---------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("query", "web", "web"),
        ("query", "a.test, b.test", ["a.test", "b.test"]),
        ("basename", " node ", "node"),
        ("basename", "nil", None),
        ("hosts", "a@h, b@h,", ["a@h", "b@h"]),
        ("hosts", "", []),
        ("kinds", "aaaa", ["aaaa"]),
        ("port", "45893", 45893),
        ("port", "2.5", 2.5),
        ("port", "infinity", math.inf),
        ("share", "1", 1),
        ("broadcast", "Yes", True),
        ("broadcast", "0", False),
        ("mode", "dns", "dns"),
        ("selector", "app=web,tier=back", "app=web,tier=back"),
        ("secret", " with, all 1 ", " with, all 1 "),
        ("secret", "nil", "nil"),
        ("connect_timeout", "2000", 2000),
    ],
)
def test_texts_become_what_the_option_takes(key: str, text: str, value: object) -> None:
    made = values_of(Mine, {key: text})[key]
    assert (made, type(made)) == (value, type(value))


def test_a_strategy_from_texts() -> None:
    made = from_texts(Epmd, {"hosts": "a@h,b@h", "timeout": "2000"})
    assert made == Epmd(hosts=["a@h", "b@h"], timeout=2000)


@pytest.mark.parametrize(
    ("texts", "hint"),
    [
        ({"timeout": "soon"}, "timeout='soon': it is a number"),
        ({"hosts": "a"}, "hosts='a'"),
        ({"host": "a@h"}, "did you mean 'hosts'"),
        ({"polling_interval": "5000"}, "Epmd has no such option"),
    ],
)
def test_wrong_texts_are_refused(texts: dict[str, str], hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_texts(Epmd, texts)
    assert hint in str(caught.value)


def test_a_truth_is_one_of_eight_words() -> None:
    with pytest.raises(ConfigError, match="broadcast='perhaps': it is true or false"):
        values_of(Mine, {"broadcast": "perhaps"})


def test_the_value_of_an_unknown_option_is_never_told() -> None:
    with pytest.raises(ConfigError, match="did you mean 'secret'") as caught:
        from_texts(Mine, {"secrt": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert caught.value.given == "***"


def test_options_are_what_can_be_given_and_secrets_are_known() -> None:
    options = options_of(Mine)
    assert "derived" not in options
    assert {key for key, option in options.items() if is_secret(option)} == {"secret"}
