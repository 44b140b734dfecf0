"""``pyerlnode epmd``: runs, lists, detaches and ends a port mapper."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pyerlnode.cli import build_parser, main
from pyerlnode.cli.epmd import settings_of
from pyerlnode.config import EpmdSettings
from tests.support.ports import free_port

if TYPE_CHECKING:
    from pyerlnode.sync import Node


def settings(*words: str) -> EpmdSettings:
    return settings_of(build_parser().parse_args(["epmd", *words]))


def test_options_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERL_EPMD_PORT", "5000")
    monkeypatch.setenv("ERL_EPMD_ADDRESS", "10.0.0.1")
    monkeypatch.delenv("ERL_EPMD_RELAXED_COMMAND_CHECK", raising=False)
    assert settings() == EpmdSettings(5000, ("10.0.0.1",), relaxed=False)
    options = ("start", "--port", "6000", "--address", "10.0.0.2, ::1", "--relaxed-command-check")
    assert settings(*options) == EpmdSettings(6000, ("10.0.0.2", "::1"), relaxed=True)


def test_names_prints_the_list(peer: Node, epmd_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["epmd", "names"]) == 0
    assert capsys.readouterr().out.startswith(
        f"epmd: up and running on port {epmd_port} with data:\nname peer at"
    )


def test_a_second_one_is_refused(epmd_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["epmd", "start"]) == 1
    assert f"port {epmd_port} is in use" in capsys.readouterr().err


def test_it_is_not_stopped_while_nodes_are_registered(peer: Node, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["epmd", "stop"]) == 1
    assert capsys.readouterr().out == "Killing not allowed - living nodes in database.\n"
    assert main(["epmd", "stop", "peer"]) == 1
    assert "does not stop names" in capsys.readouterr().err


def test_stopping_where_none_runs_says_what_epmd_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["epmd", "stop", "--port", str(free_port())]) == 1
    assert capsys.readouterr().err == "epmd: Cannot connect to local epmd\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_in_the_foreground_it_runs_until_a_signal(number: int, loop: str) -> None:
    port = free_port()
    command = [sys.executable, "-m", "pyerlnode", "epmd", "--port", str(port), "--address", "127.0.0.1"]
    with subprocess.Popen([*command, "--loop", loop], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"epmd: up and running on port {port}\n"
        assert main(["epmd", "names", "--port", str(port)]) == 0
        process.send_signal(number)
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_relaxed_it_stops_names_and_itself(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    command = [sys.executable, "-m", "pyerlnode", "epmd", "--port", str(port), "--address", "127.0.0.1"]
    with subprocess.Popen(
        [*command, "--relaxed-command-check"], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        assert main(["epmd", "stop", "nobody", "--port", str(port)]) == 1
        assert capsys.readouterr().out == "NOEXIST\n"
        assert main(["epmd", "stop", "--port", str(port)]) == 0
        assert capsys.readouterr().out == "Killed\n"
    assert process.returncode == 0


def test_detached_it_outlives_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    port = str(free_port())
    start = ["epmd", "--daemon", "--port", port, "--address", "127.0.0.1"]
    assert main(start) == 0
    process = int(capsys.readouterr().err.split("process ")[1])
    try:
        assert main(start) == 0
        assert capsys.readouterr().err == f"epmd: running already on port {port}\n"
        assert main(["epmd", "names", "--port", port]) == 0
    finally:
        stopped = main(["epmd", "stop", "--port", port])
        if stopped != 0:
            os.kill(process, signal.SIGKILL)
    assert stopped == 0
