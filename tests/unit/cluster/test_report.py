from __future__ import annotations

import logging

import pytest

from pyerlnode.cluster.events import (
    Connected,
    ConnectionFailed,
    Disconnected,
    DisconnectionFailed,
    Found,
    LookupFailed,
    TopologyEvent,
)
from pyerlnode.cluster.report import Report, shown
from tests.support.world import lines


@pytest.fixture
def events() -> list[TopologyEvent]:
    return []


@pytest.fixture
def report(events: list[TopologyEvent], caplog: pytest.LogCaptureFixture) -> Report:
    caplog.set_level(logging.DEBUG, "pyerlnode.cluster")
    return Report("example", events.append)


def test_lines_read_as_libclusters(report: Report, caplog: pytest.LogCaptureFixture) -> None:
    report.connected("node1@h", 0.1)
    report.failed("node@10.0.0.1", "unreachable", 0.1)
    report.failed("b@h", "not_part_of_network", 0.1, cure="not part of network")
    report.disconnected("node1@h", 0.1)
    assert lines(caplog.records) == [
        "[pyerlnode:example] connected to :node1@h",
        '[pyerlnode:example] unable to connect to :"node@10.0.0.1"',
        "[pyerlnode:example] unable to connect to :b@h: not part of network",
        "[pyerlnode:example] disconnected from :node1@h",
    ]
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "WARNING", "INFO"]
    assert caplog.records[0].__dict__["topology"] == "example"


def test_a_failure_is_told_once_until_something_changes(
    report: Report, events: list[TopologyEvent], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        report.failed("a@h", "unreachable", 0.1, detail="cannot connect to a@h: no epmd")
    assert len(lines(caplog.records)) == 1
    assert (
        lines(caplog.records, logging.DEBUG).count("[pyerlnode:example] cannot connect to a@h: no epmd") == 3
    )
    assert events == [ConnectionFailed("example", "a@h", "cannot connect to a@h: no epmd", 0.1)] * 3
    report.failed("a@h", "unreachable", 0.1, cure="the cookies differ")
    report.present(["a@h"])
    report.failed("a@h", "unreachable", 0.1, cure="the cookies differ")
    report.forget(["a@h"])
    report.failed("a@h", "unreachable", 0.1, cure="the cookies differ")
    assert len(lines(caplog.records)) == 4


def test_each_attempt_is_an_event(report: Report, events: list[TopologyEvent]) -> None:
    report.connected("a@h", 0.25)
    report.disconnected("a@h", 0.5)
    report.not_disconnected("a@h", "already_disconnected", 0.5)
    report.lookup_failed("no answer", 2.0)
    report.found(frozenset({"a@h"}), complete=True, duration=0.1)
    assert events == [
        Connected("example", "a@h", 0.25),
        Disconnected("example", "a@h", 0.5),
        DisconnectionFailed("example", "a@h", "already_disconnected", 0.5),
        LookupFailed("example", "no answer", 2.0),
        Found("example", frozenset({"a@h"}), True, 0.1),
    ]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("already_disconnected", "it was disconnected already"),
        ("not_part_of_network", "not part of network"),
        ("boom", "boom"),
    ],
)
def test_why_a_node_was_not_disconnected(
    report: Report, caplog: pytest.LogCaptureFixture, reason: str, words: str
) -> None:
    report.not_disconnected("a@h", reason, 0.1)
    assert lines(caplog.records) == [f"[pyerlnode:example] unable to disconnect from :a@h: {words}"]


def test_trouble_with_looking_up_is_told_once_and_its_end_too(
    report: Report, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        report.lookup_failed("lookup against web failed: :nxdomain", 0.1)
    for _ in range(3):
        report.found(frozenset({"a@h"}), complete=True, duration=0.1)
    report.lookup_failed("lookup against web failed: :nxdomain", 0.1)
    assert lines(caplog.records) == [
        "[pyerlnode:example] lookup against web failed: :nxdomain",
        "[pyerlnode:example] the look-up works again: 1 found",
        "[pyerlnode:example] lookup against web failed: :nxdomain",
    ]


def test_what_is_found_is_there_for_debugging(report: Report, caplog: pytest.LogCaptureFixture) -> None:
    report.found(frozenset({"b@h", "a@h"}), complete=True, duration=0.1)
    report.found(frozenset(), complete=True, duration=0.1)
    assert lines(caplog.records, logging.DEBUG) == [
        "[pyerlnode:example] found :a@h, :b@h",
        "[pyerlnode:example] found nobody",
    ]


def test_names_are_shown_as_elixir_shows_them() -> None:
    assert shown("node1@localhost") == ":node1@localhost"
    assert shown("node1@jkmrto-XPS-15-9570") == ':"node1@jkmrto-XPS-15-9570"'
    assert len(shown("a" * 5000)) < 300
