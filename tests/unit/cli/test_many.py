"""One command for several nodes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pyerlnode.cli import main
from pyerlnode.sync import Node
from tests.unit.cli.conftest import Echo

if TYPE_CHECKING:
    from collections.abc import Iterator

BOTH = "peer@127.0.0.1,other@127.0.0.1"


@pytest.fixture
def other(peer: Node) -> Iterator[Node]:
    with Node("other@127.0.0.1", cookie="cookie") as node:
        node.start_server(Echo, name="echo")
        yield node


@pytest.mark.usefixtures("other")
def test_each_answers_under_its_name_in_the_order_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", BOTH, "echo", "{:a, 1}", "--cookie", "cookie"]) == 0
    assert capsys.readouterr() == ("peer@127.0.0.1: {:a, 1}\nother@127.0.0.1: {:a, 1}\n", "")


@pytest.mark.usefixtures("other")
def test_json_has_one_object_for_several(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", BOTH, "echo", "[1]", "--cookie", "cookie", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"peer@127.0.0.1": [1], "other@127.0.0.1": [1]}


@pytest.mark.usefixtures("peer")
def test_one_that_fails_takes_no_answer_from_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", BOTH, "echo", "1", "--cookie", "cookie"]) == 1
    out, err = capsys.readouterr()
    assert out == "peer@127.0.0.1: 1\n"
    assert err.startswith("other@127.0.0.1: pyerlnode: cannot connect to other@127.0.0.1: ")
    assert main(["call", BOTH, "echo", "1", "--cookie", "cookie", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"peer@127.0.0.1": 1}


@pytest.mark.usefixtures("peer")
def test_a_name_given_twice_is_asked_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "peer@127.0.0.1,,peer@127.0.0.1", "echo", "1", "--cookie", "cookie"]) == 0
    assert capsys.readouterr().out == "1\n"


@pytest.mark.parametrize("peers", ["", ",", "a b@h"])
def test_names_that_are_none_are_wrong_usage(capsys: pytest.CaptureFixture[str], peers: str) -> None:
    assert main(["call", peers, "echo", "1", "--cookie", "cookie"]) == 2
    assert "peer=" in capsys.readouterr().err
