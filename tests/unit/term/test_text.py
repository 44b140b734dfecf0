from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from pyerlnode.limits import DEFAULT
from pyerlnode.term import Atom
from pyerlnode.term.maps import exact
from pyerlnode.term.text import brief, parse_elixir, parse_erlang, to_elixir, to_erlang
from tests.support.terms import literals

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@given(literals())
def test_what_is_printed_reads_back_as_the_same_term(term: Any) -> None:
    assert exact(parse_elixir(to_elixir(term))) == exact(term)
    assert exact(parse_erlang(to_erlang(term))) == exact(term)


@given(literals())
def test_brief_is_a_prefix_of_the_text_or_all_of_it(term: Any) -> None:
    whole = to_elixir(term)
    short = brief(term, 10)
    assert short == whole if len(whole) <= 10 else short == whole[:7] + "..."


def test_brief_has_a_limit_of_its_own() -> None:
    assert len(brief([Atom("x")] * 1000)) == DEFAULT.brief
    assert to_erlang([1, 2, 3], limit=5) == "[1..."


class Hostile(list[Any]):
    def __iter__(self) -> Any:
        raise RuntimeError("never show me")


class HostileName:
    __slots__ = ()

    @property
    def __class__(self) -> Any:
        raise ValueError("no class")


@pytest.mark.parametrize("kind", [Hostile, HostileName])
def test_brief_never_raises(kind: type) -> None:
    assert brief(kind()) == f"#Python<{kind.__name__}>"
