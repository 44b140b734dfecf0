from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from pyerlnode.cluster import options
from pyerlnode.errors import ConfigError


@dataclass
class Sample:
    query: str
    polling_interval: int = 5000
    hosts: list[str] = field(default_factory=list)


@dataclass
class Bare:
    pass


def refusal(call: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        call(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "right"), [("poll_interval", "polling_interval"), ("host", "hosts"), ("Query", "query")]
)
def test_a_mistyped_option_names_the_nearest_right_one(wrong: str, right: str) -> None:
    text = refusal(options.check_given, Sample, (), {"query": "web", wrong: 1})
    assert f"Sample has no such option: did you mean '{right}'?" in text


def test_one_that_is_like_none_lists_all() -> None:
    text = refusal(options.check_given, Sample, (), {"query": "web", "zzzz": 1})
    assert "it has hosts, polling_interval, query" in text
    assert "it has none" in refusal(options.check_given, Bare, (), {"zzzz": 1})


def test_a_missing_option_is_named() -> None:
    assert "query=None: Sample needs it: Sample(query=...)" in refusal(options.check_given, Sample, (), {})


def test_options_are_given_by_name() -> None:
    text = refusal(options.check_given, Sample, ("hunter2",), {})
    assert "Sample(query=...)" in text
    assert "hunter2" not in text
    assert "Bare(option=...)" in refusal(options.check_given, Bare, ("web",), {})


@pytest.mark.parametrize(
    ("given", "expected"), [(5000, 5000.0), (timedelta(seconds=2), 2000.0), (100, 100.0)]
)
def test_times_are_milliseconds(given: Any, expected: float) -> None:
    assert options.milliseconds("timeout", given) == expected


@pytest.mark.parametrize("given", [None, "infinity", math.inf])
def test_some_times_may_be_endless(given: Any) -> None:
    assert options.milliseconds("timeout", given, endless=True) == math.inf
    assert "a number of milliseconds" in refusal(options.milliseconds, "timeout", given)


@pytest.mark.parametrize("given", [5, 0, -1, 99.9])
def test_a_time_that_was_meant_in_seconds_is_refused(given: float) -> None:
    assert "5 seconds are 5000" in refusal(options.milliseconds, "polling_interval", given)


@pytest.mark.parametrize("given", ["5000", True, math.nan, [1]])
def test_what_is_no_time_is_refused(given: Any) -> None:
    assert "or 'infinity'" in refusal(options.milliseconds, "timeout", given, endless=True)


def test_words() -> None:
    assert options.text("query", "web") == "web"
    assert options.flag("broadcast_only", True) is True
    assert options.choice("mode", "ip", ["ip", "dns"]) == "ip"
    assert options.basename("node_basename", "node") == "node"
    assert "not empty" in refusal(options.text, "query", " ")
    assert "not empty" in refusal(options.text, "query", 1)
    assert "true or false" in refusal(options.flag, "broadcast_only", "yes")
    assert "one of ip, dns" in refusal(options.choice, "mode", "IP", ["ip", "dns"])
    assert "before the @ only: 'node'" in refusal(options.basename, "node_basename", "node@host")


def test_node_names() -> None:
    assert options.node_names("hosts", ["a@h", "b@h", "a@h"]) == ("a@h", "b@h")
    assert "a list of node names" in refusal(options.node_names, "hosts", "a@h")
    assert "a list of node names" in refusal(options.node_names, "hosts", 5)
    assert "a node name is a string" in refusal(options.node_names, "hosts", [5])
    assert "hosts='nohost'" in refusal(options.node_names, "hosts", ["nohost"])
