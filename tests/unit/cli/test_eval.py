"""``pyerlnode eval`` asks for what a Python node does not have, and says so; BEAMs are in tests/interop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode.cli import main

if TYPE_CHECKING:
    from pyerlnode.sync import Node


@pytest.mark.parametrize(
    ("options", "complaint"),
    [([], "has no Elixir: evaluate Erlang with --erl"), (["--erl"], "is no Erlang node")],
)
def test_a_python_node_evaluates_nothing(
    peer: Node, capsys: pytest.CaptureFixture[str], options: list[str], complaint: str
) -> None:
    assert main(["eval", peer.name, "1 + 1", "--cookie", "cookie", *options]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert f"peer@127.0.0.1 {complaint}" in err
