"""``pyerlnode start``: comes up, says so, stays, and leaves when it is told to."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cli.start import Marked
from pyerlnode.errors import NodeDown
from pyerlnode.runtime.events import NodeUp

if TYPE_CHECKING:
    from pyerlnode.sync import Node


def starting(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pyerlnode", "start", "--cookie", "cookie", *words]
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
