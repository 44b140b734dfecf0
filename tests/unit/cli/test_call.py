"""``pyerlnode call``: a GenServer call in Elixir syntax or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn

import pytest

from pyerlnode.cli import json_terms, main
from tests.unit.cli.conftest import Echo

if TYPE_CHECKING:
    from pyerlnode.sync import Node
    from pyerlnode.term import Term


@pytest.mark.parametrize("term", ["{:ok, [1, 2.5, nil]}", '%{"a" => :b}', '"text"', ":atom", "<<1, 2, 255>>"])
@pytest.mark.parametrize("server", ["echo", ":echo"])
def test_terms_go_and_come_back_in_elixir_syntax(
    peer: Node, capsys: pytest.CaptureFixture[str], term: str, server: str
) -> None:
    assert main(["call", peer.name, server, term, "--cookie", "cookie"]) == 0
    assert capsys.readouterr() == (f"{term}\n", "")


def test_names_are_those_of_elixir(peer: Node, capsys: pytest.CaptureFixture[str]) -> None:
    peer.register("Elixir.My.Echo", peer.start_server(Echo))
    for name in ("My.Echo", "Elixir.My.Echo", ':"Elixir.My.Echo"'):
        assert main(["call", peer.name, name, "1", "--cookie", "cookie"]) == 0
    assert capsys.readouterr() == ("1\n" * 3, "")


def test_json_both_ways(peer: Node, capsys: pytest.CaptureFixture[str]) -> None:
    value = {"a": [1, 2.5, None, True], "b": {"c": "text"}}
    assert main(["call", peer.name, "echo", json.dumps(value), "--cookie", "cookie", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == value


def test_an_answer_that_json_cannot_hold_is_told(
    peer: Node, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_deep(term: Term) -> NoReturn:
        raise RecursionError

    monkeypatch.setattr(json_terms, "jsonable", too_deep)
    assert main(["call", peer.name, "echo", "1", "--cookie", "cookie", "--json"]) == 1
    assert capsys.readouterr() == ("", "pyerlnode: the answer is nested too deeply for JSON\n")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["peer@127.0.0.1", "nobody", "1"], "there is no process nobody at peer@127.0.0.1"),
        (["nobody@127.0.0.1", "echo", "1"], "cannot connect to nobody@127.0.0.1"),
        (["peer@127.0.0.1", "echo", ":never", "--timeout", "0.1"], "0.1 s"),
    ],
)
def test_no_answer_is_status_1_and_one_line(
    peer: Node, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    assert main(["call", *words, "--cookie", "cookie"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert complaint in err
    assert err.count("\n") == 1
