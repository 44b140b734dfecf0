"""``pyerlnode ping``: pong or pang, a status, and the reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pyerlnode.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from pyerlnode.sync import Node


@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_a_node_that_answers_is_pong(peer: Node, capsys: pytest.CaptureFixture[str], loop: str) -> None:
    assert main(["ping", peer.name, "--cookie", "cookie", "--loop", loop]) == 0
    assert capsys.readouterr() == ("pong\n", "")


def test_the_guest_is_hidden_and_leaves_nothing(peer: Node) -> None:
    events = peer.monitor_nodes()
    assert main(["ping", peer.name, "--cookie", "cookie"]) == 0
    up, down = next(events), next(events)
    assert up.name == down.name
    assert up.name.startswith("pyerlnode_")
    assert peer.list("connected") == []


def test_a_named_guest_is_seen_by_name(peer: Node) -> None:
    events = peer.monitor_nodes()
    assert main(["ping", peer.name, "--cookie", "cookie", "--name", "asker@127.0.0.1"]) == 0
    assert next(events).name == "asker@127.0.0.1"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["peer@127.0.0.1", "--cookie", "wrong"], "cookie of this node is not the one of peer@127.0.0.1"),
        (["nobody@127.0.0.1", "--cookie", "cookie"], "knows no node 'nobody'"),
    ],
)
def test_a_pang_says_why(peer: Node, capsys: pytest.CaptureFixture[str], words: list[str], why: str) -> None:
    assert main(["ping", *words]) == 1
    out, err = capsys.readouterr()
    assert out == "pang\n"
    assert why in err
    assert err.count("\n") == 1


def test_the_cookie_may_come_from_the_environment(peer: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERLANG_COOKIE", "cookie")
    assert main(["ping", peer.name]) == 0


def test_json(peer: Node, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ping", peer.name, "--cookie", "cookie", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"node": "peer@127.0.0.1", "pong": True}
    assert main(["ping", peer.name, "--cookie", "wrong", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"node": "peer@127.0.0.1", "pong": False}


@pytest.mark.parametrize("variable", ["PYERLNODE_NAME", "RELEASE_NODE"])
def test_without_a_peer_it_pings_the_node_of_its_environment(
    peer: Node, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, peer.name)
    monkeypatch.setenv("PYERLNODE_COOKIE", "cookie")
    assert main(["ping"]) == 0
    assert capsys.readouterr() == ("pong\n", "")
    monkeypatch.setenv(variable, "nobody@127.0.0.1")
    assert main(["ping"]) == 1
    assert capsys.readouterr().out == "pang\n"


def test_without_a_peer_it_pings_the_node_of_its_configuration(
    peer: Node, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "node.toml"
    path.write_text(f'[node]\nname = "{peer.name}"\ncookie = "cookie"\n')
    path.chmod(0o600)
    assert main(["ping", "--config", str(path)]) == 0
    assert capsys.readouterr() == ("pong\n", "")


def test_without_a_peer_and_a_name_it_says_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ping"]) == 2
    assert "which node? `pyerlnode ping node1@host`, or set $PYERLNODE_NAME" in capsys.readouterr().err
