from __future__ import annotations

from typing import Any

import pytest

from pyerlnode.errors import EncodeError
from pyerlnode.term import Atom
from pyerlnode.term.keys import check_keys, kind_of_key

A = Atom


def test_kinds_are_told_apart_where_it_matters() -> None:
    kinds = [kind_of_key(kind) for kind in (Atom, bytes, int, str, bool, tuple)]
    assert len(set(kinds)) == len(kinds)
    assert sum(kinds) == 2 ** len(kinds) - 1
    assert kind_of_key(float) == kind_of_key(int)
    assert kind_of_key(type(None)) == kind_of_key(bool)
    assert kind_of_key(object) == kind_of_key(tuple)


@pytest.mark.parametrize(
    "mapping",
    [
        {},
        {A("a"): 1, b"a": 2},
        {A("a"): 1, b"a": 2, 1: 3, 1.5: 4},
        {"a": 1, b"b": 2},
        {True: 1, None: 2, A("a"): 3},
        {(1, "a"): 1, (1, b"b"): 2},
    ],
)
def test_keys_that_are_different_terms_pass(mapping: dict[Any, Any]) -> None:
    check_keys(tuple(mapping))


@pytest.mark.parametrize(
    "mapping",
    [{"a": 1, b"a": 2}, {A("nil"): 1, None: 2}, {(1, "a"): 1, (1, b"a"): 2}, {A("true"): 1, True: 2}],
)
def test_keys_that_are_one_term_do_not(mapping: dict[Any, Any]) -> None:
    with pytest.raises(EncodeError, match="the same Erlang term"):
        check_keys(tuple(mapping))
