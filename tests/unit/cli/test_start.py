"""``pyerlnode start``: comes up, says so, stays, and leaves when it is told to."""

from __future__ import annotations

import argparse
import logging
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cli.start import Marked, option
from pyerlnode.errors import NodeDown
from pyerlnode.runtime.events import NodeUp

if TYPE_CHECKING:
    from pathlib import Path

    from pyerlnode.sync import Node


def starting(*words: str, cookie: bool = True) -> subprocess.Popen[str]:
    given = ["--cookie", "cookie"] if cookie else []
    command = [sys.executable, "-m", "pyerlnode", "start", *given, *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def line_with(process: subprocess.Popen[str], text: str) -> str:
    """The next line of its log that has `text` in it."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return line
    pytest.fail(f"it ended without a line that has {text!r}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_it_stays_until_a_signal_and_says_good_bye(peer: Node, number: int, loop: str) -> None:
    events = peer.monitor_nodes()
    with starting("--name", "py@127.0.0.1", "--connect", peer.name, "--loop", loop) as process:
        line = line_with(process, "up on port")
        assert line.startswith("[pyerlnode] node py@127.0.0.1 up on port ")
        assert next(events) == NodeUp("py@127.0.0.1")
        process.send_signal(number)
        line_with(process, "leaves")
        assert next(events).name == "py@127.0.0.1"
    assert process.returncode == 0
    assert peer.list() == []


def test_killed_it_is_seen_to_be_down(peer: Node) -> None:
    events = peer.monitor_nodes()
    with starting("--name", "py@127.0.0.1", "--hidden", "--connect", peer.name) as process:
        assert next(events) == NodeUp("py@127.0.0.1", visible=False)
        process.kill()
    event = next(events)
    assert isinstance(event, NodeDown)
    assert event.name == "py@127.0.0.1"


def test_a_peer_that_is_not_there_is_logged_and_no_end(peer: Node) -> None:
    with starting("--name", "py@127.0.0.1", "--connect", "nobody@127.0.0.1") as process:
        assert "knows no node 'nobody'" in line_with(process, "cannot connect to nobody@127.0.0.1")
        assert peer.ping("py@127.0.0.1")
        process.terminate()
    assert process.returncode == 0


def test_a_name_that_is_taken_ends_it_with_status_1(peer: Node) -> None:
    with starting("--name", peer.name) as process:
        assert "holds it" in line_with(process, "pyerlnode: ")
    assert process.returncode == 1


# ---------------------------------------------------------------------------------- topologies


def test_it_joins_by_a_strategy_and_says_so_in_libclusters_words(peer: Node) -> None:
    hosts = f"{peer.name},py@127.0.0.1,nobody@127.0.0.1"
    words = ("--topology", "example", "--strategy", "epmd", "--hosts", hosts)
    with starting("--name", "py@127.0.0.1", *words) as process:
        assert line_with(process, "py@127.0.0.1 up on port")
        lines = sorted(line_with(process, "[pyerlnode:example]") for _ in range(2))
        process.terminate()
        assert "[pyerlnode:example]" not in rest(process)
    assert lines == [
        '[pyerlnode:example] connected to :"peer@127.0.0.1"\n',
        '[pyerlnode:example] unable to connect to :"nobody@127.0.0.1"\n',
    ]
    assert process.returncode == 0


def rest(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.read()


def test_all_of_it_may_come_from_the_environment(peer: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "NAME": "py@127.0.0.1",
        "COOKIE": "cookie",
        "STRATEGY": "Cluster.Strategy.Epmd",
        "HOSTS": peer.name,
        "HIDDEN": "true",
        "HOST": "SECRET",
    }.items():
        monkeypatch.setenv(f"PYERLNODE_{name}", text)
    with starting(cookie=False) as process:
        assert "did you mean 'PYERLNODE_HOSTS'?" in line_with(process, "PYERLNODE_HOST ")
        line_with(process, '[pyerlnode:cluster] connected to :"peer@127.0.0.1"')
        assert peer.list("hidden") == ["py@127.0.0.1"]
        process.terminate()
        assert "SECRET" not in rest(process)
    assert process.returncode == 0


def test_and_from_a_file_at_the_level_that_it_says(peer: Node, tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text(
        f"""
        [node]
        name = "py@127.0.0.1"
        log_level = "warning"

        [topologies.one]
        strategy = "epmd"
        hosts = ["{peer.name}", "nobody@127.0.0.1"]
        timeout = 1000
        """
    )
    events = peer.monitor_nodes()
    with starting("--config", str(path)) as process:
        assert line_with(process, "pyerlnode") == (
            '[pyerlnode:one] unable to connect to :"nobody@127.0.0.1"\n'
        )
        assert next(events) == NodeUp("py@127.0.0.1")
        process.terminate()
        assert "pyerlnode" not in rest(process)
    assert process.returncode == 0


def test_without_a_name_it_is_part_of_no_network_and_stays(peer: Node) -> None:
    words = ("--strategy", "epmd", "--hosts", "node1@localhost,node2@localhost", "--topology", "example")
    with starting(*words, "--log-level", "warning") as process:
        assert "it is not part of network: give it one" in line_with(process, "this node has no name")
        lines = sorted(line_with(process, "[pyerlnode:example]") for _ in range(2))
        process.terminate()
        assert rest(process) == ""
    assert lines == [
        f"[pyerlnode:example] unable to connect to :node{n}@localhost: not part of network\n" for n in (1, 2)
    ]
    assert process.returncode == 0


def test_a_name_of_the_wrong_kind_is_told_before_the_first_dial(peer: Node) -> None:
    with starting("--name", "py@127.0.0.1", "--strategy", "epmd", "--hosts", "node1@localhost") as process:
        assert "so the two never connect: name this node name@host without a dot" in rest(process)
    assert process.returncode == 2


def test_options_are_keys_and_values() -> None:
    assert option("timeout=2000") == ("timeout", "2000")
    assert option("polling-interval=a=b") == ("polling_interval", "a=b")
    for text in ("timeout", "=2000", " =1"):
        with pytest.raises(argparse.ArgumentTypeError, match="KEY=VALUE"):
            option(text)


def test_a_wrong_option_is_wrong_usage() -> None:
    with starting("--name", "py@127.0.0.1", "--option", "timeout") as process:
        assert "KEY=VALUE" in line_with(process, "error: argument --option")
    assert process.returncode == 2


# ---------------------------------------------------------------------------------- the log


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("node a@b is up", "[pyerlnode] node a@b is up"),
        ("[pyerlnode:example] connected to :a@b", "[pyerlnode:example] connected to :a@b"),
    ],
)
def test_log_lines_are_marked_once(text: str, line: str) -> None:
    arguments: Any = ("pyerlnode", logging.INFO, "file", 1, "%s", (text,), None)
    assert Marked().format(logging.LogRecord(*arguments)) == line
