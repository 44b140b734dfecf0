from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from pyerlnode.term import (
    Atom,
    BitString,
    ExportFun,
    Fun,
    ImproperList,
    Pid,
    Port,
    Record,
    Reference,
    TermMap,
)
from pyerlnode.term.maps import build, exact

NODE = Atom("a@b")
PID = Pid(NODE, 1, 2, 3)


def fun(*free: Any) -> Fun:
    return Fun(1, b"u" * 16, 2, NODE, 3, 4, PID, free)


def record(value: Any, *, exported: bool = True) -> Record:
    return Record(NODE, NODE, ((Atom("x"), value),), exported)


DIFFERENT = [
    *(0, 1, -1, 2**70, 0.0, -0.0, 1.0, float(2**70), True, False, None),
    *(Atom("a"), b"a", b"\x01", Atom(""), b""),
    *((), (1,), (1.0,), (True,), (0.0,), (-0.0,), ((1,),)),
    *([], [1], [1.0], [[1]], [b"a"], [Atom("a")]),
    *({}, {1: 1}, {1: 1.0}, {1.0: 1}, {True: 1}, TermMap([(1, 1), (1.0, 1)]), TermMap([([1], 1)])),
    *(ImproperList((1,), 2), ImproperList((1,), 2.0), ImproperList((1.0,), 2), ImproperList((1, 2), 3)),
    *(BitString(b"\x80", 1), BitString(b"\x80", 2)),
    *(PID, Port(NODE, 1, 2), Reference(NODE, 1, (2,)), ExportFun(NODE, NODE, 1)),
    *(fun(), fun(1), fun(1.0), fun([1])),
    *(record(1), record(1.0), record([1]), record(1, exported=False)),
]
"""Terms of which no two are ``=:=``, though many are ``==`` for Python."""


def test_exact_tells_terms_apart_that_are_not_equal() -> None:
    for one, other in combinations(DIFFERENT, 2):
        assert exact(one) != exact(other), (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", b"a"),
        (bytearray(b"a"), memoryview(b"a")),
        (Atom("true"), True),
        (Atom("nil"), None),
        ({1: 2, 3: 4}, {3: 4, 1: 2}),
        ({1: 2}, TermMap([(1, 2)])),
        ([("k", 1)], [(b"k", 1)]),
        (fun([1]), fun([1])),
    ],
)
def test_exact_is_the_same_for_equal_terms(one: Any, other: Any) -> None:
    assert exact(one) == exact(other)
    assert hash(exact(one)) == hash(exact(other))


def test_exact_refuses_what_is_no_term() -> None:
    with pytest.raises(ValueError, match="set is not an Erlang term"):
        exact([{1}])


class TestTermMap:
    def test_it_keeps_keys_apart_that_a_dict_would_merge(self) -> None:
        made = TermMap((key, number) for number, key in enumerate(DIFFERENT))
        assert len(made) == len(DIFFERENT)
        assert [made[key] for key in DIFFERENT] == list(range(len(DIFFERENT)))
        assert list(made.values()) == list(range(len(DIFFERENT)))

    def test_of_equal_keys_the_last_wins(self) -> None:
        assert TermMap([(b"a", 1), ("a", 2)]) == {"a": 2}

    def test_it_is_made_of_a_mapping_too(self) -> None:
        assert TermMap({1: 2}) == TermMap([(1, 2)])
        assert TermMap(TermMap([(1, 2)])) == TermMap([(1, 2)])
        assert TermMap() == {}

    def test_it_equals_mappings_with_the_same_keys_and_values(self) -> None:
        assert TermMap([(1, 2)]) == {1: 2}
        assert TermMap([(1, 2)]) != {1.0: 2}
        assert TermMap([(1, 2)]) != {1: 3}
        assert TermMap([(1, 2)]) != {1: 2, 3: 4}
        assert TermMap([(1, 2)]) != [(1, 2)]

    def test_a_missing_key_is_a_key_error(self) -> None:
        made = TermMap([(1, 2), (1.0, 3)])
        assert True not in made
        assert made.get(True) is None
        with pytest.raises(KeyError):
            made[frozenset()]

    def test_it_is_not_hashable_as_a_dict_is_not(self) -> None:
        with pytest.raises(TypeError):
            hash(TermMap())

    def test_its_pairs_are_its_items(self) -> None:
        made = TermMap([([1], 2), (1.0, 3)])
        assert list(made.pairs()) == list(made.items()) == [([1], 2), (1.0, 3)]

    def test_it_shows_its_pairs(self) -> None:
        assert repr(TermMap([(1, 2), (1.0, 3)])) == "TermMap([(1, 2), (1.0, 3)])"

    def test_a_key_that_is_no_term_is_refused(self) -> None:
        with pytest.raises(ValueError, match="object is not an Erlang term"):
            TermMap([(object(), 1)])

    def test_its_exact_form_is_computed_once(self) -> None:
        made = TermMap([([1], [2])])
        assert exact(made) is exact(made)


class TestBuild:
    def test_a_dict_where_it_loses_nothing(self) -> None:
        assert type(build([1, b"a", (1.5,), None], [1, 2, 3, 4])) is dict
        assert build([], []) == {}

    @pytest.mark.parametrize(
        "keys", [[1, 1.0], [0.0, -0.0], [(True,), (1,)], [[1]], [{}], [ImproperList(([],), 1)]]
    )
    def test_else_a_term_map(self, keys: list[Any]) -> None:
        made = build(keys, keys)
        assert type(made) is TermMap
        assert list(made) == keys

    def test_a_key_that_comes_twice_makes_it_shorter(self) -> None:
        assert len(build([1, 1], [2, 3])) == 1
        assert build([[1], [1]], [2, 3]) == TermMap([([1], 3)])
