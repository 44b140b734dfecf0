"""``pyerlnode rpc``, with a Python node on the other side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cli import main

if TYPE_CHECKING:
    from pyerlnode.sync import Node


@pytest.fixture
def exporter(peer: Node) -> Node:
    def fail(what: Any) -> None:
        raise ValueError(what)

    peer.export("py.stats", "total", sum)
    peer.export("py.stats", "fail", fail)
    peer.export("py.stats", "nothing", lambda: None)
    return peer


def rpc(*words: str) -> int:
    return main(["rpc", "peer@127.0.0.1", *words, "--cookie", "cookie"])


@pytest.mark.usefixtures("exporter")
def test_it_prints_what_the_function_returns(capsys: pytest.CaptureFixture[str]) -> None:
    assert rpc("py.stats", "total", "[[1, 2.5]]") == 0
    assert rpc(':"py.stats"', ':"nothing"') == 0
    assert capsys.readouterr() == ("3.5\nnil\n", "")


@pytest.mark.usefixtures("exporter")
def test_json_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    assert rpc("py.stats", "total", "[[1, 2]]", "--json") == 0
    assert json.loads(capsys.readouterr().out) == 3


@pytest.mark.usefixtures("exporter")
def test_what_it_raises_is_told_with_its_type_and_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert rpc("py.stats", "fail", '["x"]') == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "ValueError" in err


@pytest.mark.usefixtures("exporter")
def test_what_is_not_exported_is_undef(capsys: pytest.CaptureFixture[str]) -> None:
    assert rpc("os", "getcwd") == 1
    assert "UndefinedFunctionError" in capsys.readouterr().err


@pytest.mark.parametrize("args", ["1", "{1}"])
def test_arguments_are_a_list(capsys: pytest.CaptureFixture[str], args: str) -> None:
    assert rpc("py.stats", "total", args) == 2
    assert "the arguments are a list" in capsys.readouterr().err
