"""Terms as JSON: what each side can say, and what happens to the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyerlnode.cli.json_terms import from_json, jsonable, to_json
from pyerlnode.errors import PyerlnodeError, TextError
from pyerlnode.term import Atom, ImproperList, Pid, TermMap


@pytest.mark.parametrize(
    ("term", "value"),
    [
        (None, None),
        (True, True),
        (42, 42),
        (2**80, 2**80),
        (1.5, 1.5),
        (Atom("ok"), "ok"),
        ("text", "text"),
        (b"caf\xc3\xa9", "café"),
        (b"\xff\x01", "<<255, 1>>"),
        ((Atom("ok"), [1, b"a"]), ["ok", [1, "a"]]),
        ({b"a": 1, Atom("b"): (2,)}, {"a": 1, "b": [2]}),
        ({1: 2, None: 4}, {"1": 2, "nil": 4}),
        (TermMap([(1, b"int"), (1.0, b"float")]), {"1": "int", "1.0": "float"}),
        (ImproperList((1,), 2), "[1 | 2]"),
    ],
)
def test_what_json_cannot_say_is_written_in_elixir_syntax(term: Any, value: Any) -> None:
    assert jsonable(term) == value
    assert json.loads(to_json(term)) == value


def test_a_pid_is_its_text() -> None:
    assert "#PID<" in jsonable(Pid(Atom("a@b"), 1, 2, 3))


def test_json_is_on_one_line_and_readable() -> None:
    assert to_json([b"caf\xc3\xa9\n", 1]) == '["café\\n", 1]'


def test_json_becomes_terms() -> None:
    text = '{"a": [1, 2.5, null, true, "x"]}'
    assert from_json(text) == {"a": [1, 2.5, None, True, "x"]}


@pytest.mark.parametrize("text", ["", "{", "[1,]", "nil", "NaN", "Infinity", "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(TextError, match="JSON"):
        from_json(text)


def test_an_answer_that_is_too_deep_for_json_is_refused() -> None:
    term: Any = 1
    for _ in range(20_000):
        term = [term]
    with pytest.raises(PyerlnodeError, match="nested too deeply"):
        to_json(term)
