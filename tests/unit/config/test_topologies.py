"""Topologies out of tables, variables and words: which wins, and how an error calls an option."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pyerlnode.cluster.epmd import Epmd
from pyerlnode.cluster.local_epmd import LocalEpmd
from pyerlnode.cluster.strategy import Strategy
from pyerlnode.cluster.topology import Topology
from pyerlnode.config.file import ConfigFile
from pyerlnode.config.topologies import Wish, read_topologies
from pyerlnode.errors import ConfigError

EPMD = {"strategy": "epmd", "hosts": ["a@h"], "timeout": 5000}


@dataclass(frozen=True, kw_only=True)
class Guarded(Strategy):
    """Has a secret."""

    secret: Any = field(default=None, repr=False)

    async def run(self, cluster: Any) -> None: ...


def file(**topologies: dict[str, Any]) -> ConfigFile:
    return ConfigFile(Path("node.toml"), {}, topologies)


def read(found: ConfigFile, environ: dict[str, str], wish: Wish | None = None) -> list[Topology]:
    return list(read_topologies(found, environ, wish or Wish())[0])


def env(**settings: str) -> dict[str, str]:
    return {f"PYERLNODE_{name.upper()}": text for name, text in settings.items()}


# ---------------------------------------------------------------------------------- where they come from


def test_nothing_gives_none() -> None:
    assert read(file(), {}) == []
    assert read(file(), env(hosts="a@h", topology="example", strategy="")) == []


def test_tables_alone() -> None:
    found = read(file(one=EPMD, two={"strategy": "LocalEpmd", "prune": True}), {})
    assert found == [
        Topology("one", Epmd(hosts=["a@h"], timeout=5000)),
        Topology("two", LocalEpmd(), prune=True),
    ]


def test_variables_alone() -> None:
    environ = env(strategy="epmd", hosts="a@h,b@h", timeout="2000", prune="true")
    assert read(file(), environ) == [
        Topology("cluster", Epmd(hosts=["a@h", "b@h"], timeout=2000), prune=True)
    ]
    assert read(file(), env(strategy="epmd", topology=" example "))[0].name == "example"


def test_words_alone() -> None:
    wish = Wish("example", "epmd", {"hosts": "a@h"}, True)
    assert read(file(), {}, wish) == [Topology("example", Epmd(hosts=["a@h"]), prune=True)]


def test_words_win_over_variables_and_these_over_tables() -> None:
    environ = env(hosts="b@h", connect_timeout="2000")
    wish = Wish(options={"hosts": "c@h"})
    (found,) = read(file(example=EPMD), environ, wish)
    assert found == Topology("example", Epmd(hosts=["c@h"], timeout=5000, connect_timeout=2000))


@pytest.mark.parametrize(("table", "given", "word", "prune"), [
    (True, None, None, True),
    (True, "false", None, False),
    (False, "true", None, True),
    (False, "false", True, True),
])  # fmt: skip
def test_pruning_is_overruled_too(table: bool, given: str | None, word: bool | None, prune: bool) -> None:
    environ = {} if given is None else env(prune=given)
    (found,) = read(file(one={**EPMD, "prune": table}), environ, Wish(prune=word))
    assert found.prune is prune


# ---------------------------------------------------------------------------------- which of several


def test_without_a_name_or_a_strategy_the_only_table_is_meant() -> None:
    assert read(file(one=EPMD), env(timeout="2000"))[0].strategy == Epmd(hosts=["a@h"], timeout=2000)


def test_of_several_tables_the_named_one_is_meant() -> None:
    one, two = read(file(one=EPMD, two=EPMD), env(topology="two", timeout="2000"))
    assert (one.strategy, two.strategy) == (Epmd(**_options()), Epmd(**_options(timeout=2000)))


def _options(**changed: Any) -> dict[str, Any]:
    return {key: value for key, value in (EPMD | changed).items() if key != "strategy"}


def test_of_several_tables_none_is_meant_without_a_name() -> None:
    found, options = read_topologies(file(one=EPMD, two=EPMD), env(timeout="2000"), Wish())
    assert {topology.strategy.interval for topology in found if isinstance(topology.strategy, Epmd)} == {5.0}
    assert options == frozenset()


def test_a_strategy_without_a_name_is_a_topology_of_its_own() -> None:
    found = read(file(one=EPMD), env(strategy="local_epmd"))
    assert [topology.name for topology in found] == ["one", "cluster"]


def test_another_strategy_starts_the_topology_anew() -> None:
    (found,) = read(file(one=EPMD), env(topology="one", strategy="local_epmd"))
    assert found == Topology("one", LocalEpmd())
    (found,) = read(file(), env(strategy="local_epmd", timeout="2000"), Wish(strategy="epmd"))
    assert found == Topology("cluster", Epmd())


def test_options_in_variables_serve_the_strategy_of_the_command_line() -> None:
    for environ in (env(hosts="a@h"), env(hosts="a@h", strategy="Cluster.Strategy.Epmd")):
        assert read(file(), environ, Wish(strategy="epmd")) == [Topology("cluster", Epmd(hosts=["a@h"]))]


def test_what_variables_may_set_are_the_options_of_the_strategy() -> None:
    _, options = read_topologies(file(), env(strategy="epmd"), Wish())
    assert options == {"hosts", "timeout", "connect_timeout"}


# ---------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("found", "environ", "wish", "key", "hint"),
    [
        (file(a={**EPMD, "host": []}), {}, Wish(), "host", "did you mean 'hosts'"),
        (file(a={**EPMD, "timeout": 2}), {}, Wish(), "node.toml: topologies.a.timeout", "5 seconds are 5000"),
        (file(a={"strategy": "emd"}), {}, Wish(), "node.toml: topologies.a.strategy", "did you mean 'epmd'"),
        (file(), env(strategy="emd"), Wish(), "$PYERLNODE_STRATEGY", "did you mean 'epmd'"),
        (file(), env(strategy="epmd", timeout="x"), Wish(), "$PYERLNODE_TIMEOUT", "a number"),
        (file(), env(strategy="epmd", timeout="2"), Wish(), "$PYERLNODE_TIMEOUT", "5 seconds are 5000"),
        (file(), {}, Wish(strategy="emd"), "strategy", "did you mean 'epmd'"),
        (file(), {}, Wish(strategy="epmd", options={"hots": "a@h"}), "hots", "did you mean 'hosts'"),
        (file(), {}, Wish(strategy="epmd", options={"hosts": "a"}), "hosts", "exactly one @"),
        (file(one=EPMD), env(topology="on"), Wish(), "$PYERLNODE_TOPOLOGY", "did you mean 'one'"),
        (file(one=EPMD), {}, Wish(topology="on"), "topology", "did you mean 'one'"),
        (file(), {}, Wish(options={"hosts": "a@h"}), "strategy", "--strategy epmd"),
        (file(), {}, Wish(topology="example"), "strategy", "--strategy epmd"),
        (file(a=EPMD, b=EPMD), {}, Wish(prune=True), "strategy", "--topology a or b"),
    ],
)
def test_an_error_calls_an_option_as_its_source_does(
    found: ConfigFile, environ: dict[str, str], wish: Wish, key: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_topologies(found, environ, wish)
    assert caught.value.key.endswith(key)
    assert hint in caught.value.hint


def test_a_secret_in_a_table_needs_a_private_file() -> None:
    table = {"strategy": f"{__name__}:Guarded", "secret": "SECRET"}
    with pytest.raises(ConfigError, match=r"topologies\.a\.secret='.*others can read") as caught:
        read(file(a=table), {})
    assert "SECRET" not in str(caught.value)
    private = ConfigFile(Path("node.toml"), {}, {"a": table}, is_private=True)
    assert "SECRET" not in repr(read(private, {}))


def test_a_wish_does_not_show_its_options() -> None:
    assert "SECRET" not in repr(Wish(options={"secret": "SECRET"}))
