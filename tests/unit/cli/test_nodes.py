"""``pyerlnode nodes``: whom a node is connected to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pyerlnode import Atom
from pyerlnode.cli import main
from pyerlnode.sync import Node

if TYPE_CHECKING:
    import pytest


def test_one_name_a_line_in_order(peer: Node, capsys: pytest.CaptureFixture[str]) -> None:
    peer.export("erlang", "nodes", lambda: [Atom("b@host"), Atom("a@host")])
    assert main(["nodes", peer.name, "--cookie", "cookie"]) == 0
    assert capsys.readouterr() == ("a@host\nb@host\n", "")
    assert main(["nodes", peer.name, "--cookie", "cookie", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == ["a@host", "b@host"]


def test_a_python_node_is_asked_for_its_mesh(peer: Node, capsys: pytest.CaptureFixture[str]) -> None:
    with Node("friend@127.0.0.1", cookie="cookie") as friend:
        friend.connect(peer.name)
        while peer.call("global_name_server", Atom("get_known")) != [friend.name]:
            assert friend.list() == [peer.name]
        assert main(["nodes", peer.name, "--cookie", "cookie"]) == 0
    assert capsys.readouterr() == ("friend@127.0.0.1\n", "")


def test_an_error_of_the_function_is_shown(peer: Node, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> Any:
        raise ValueError("no nodes today")

    peer.export("erlang", "nodes", fail)
    assert main(["nodes", peer.name, "--cookie", "cookie"]) == 1
    assert "no nodes today" in capsys.readouterr().err


def test_a_peer_that_cannot_be_reached_is_status_1(
    epmd_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["nodes", "nobody@127.0.0.1", "--cookie", "cookie"]) == 1
    assert "cannot connect to nobody@127.0.0.1" in capsys.readouterr().err
