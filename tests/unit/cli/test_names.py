"""``pyerlnode names``: the words of ``epmd -names``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pyerlnode.cli import main
from pyerlnode.cli.names import as_epmd_prints
from tests.support.ports import free_port

if TYPE_CHECKING:
    import pytest

    from pyerlnode.sync import Node


def test_the_words_are_those_of_epmd() -> None:
    assert as_epmd_prints([], 4369) == "epmd: up and running on port 4369 with data:\n"
    assert as_epmd_prints([("node3", 40221), ("node2", 32971)], 4369) == (
        "epmd: up and running on port 4369 with data:\nname node3 at port 40221\nname node2 at port 32971\n"
    )


def test_it_prints_the_nodes_of_this_host(
    peer: Node, epmd_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = f"epmd: up and running on port {epmd_port} with data:\nname peer at port {peer.port}\n"
    for words in (["names"], ["names", "127.0.0.1"]):
        assert main(words) == 0
        assert capsys.readouterr() == (wanted, "")


def test_json(peer: Node, epmd_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["names", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "port": epmd_port,
        "names": [{"name": "peer", "port": peer.port}],
    }


def test_where_none_runs_it_says_what_epmd_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ERL_EPMD_PORT", str(free_port()))
    assert main(["names"]) == 1
    assert capsys.readouterr() == ("", "epmd: Cannot connect to local epmd\n")


def test_of_another_host_it_says_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    monkeypatch.setenv("ERL_EPMD_PORT", str(port))
    assert main(["names", "127.0.0.2"]) == 1
    assert f"no epmd answers at 127.0.0.2:{port}" in capsys.readouterr().err
