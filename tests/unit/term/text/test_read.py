"""Reading terms, in either syntax."""

from __future__ import annotations

import pytest
from hypothesis import given

from pyerlnode.errors import TextError
from pyerlnode.limits import Limits
from pyerlnode.term.text import parse_elixir, parse_erlang
from tests.support.terms import noise


@given(noise())
def test_reading_noise_ends_in_a_term_or_a_text_error(text: str) -> None:
    for parse in (parse_elixir, parse_erlang):
        try:
            parse(text)
        except TextError as error:
            assert 0 <= error.offset <= len(text)


@pytest.mark.parametrize("parse", [parse_elixir, parse_erlang])
def test_limits_hold_for_both(parse: object) -> None:
    assert callable(parse)
    assert parse("[[1]]", Limits(nesting=2)) == [[1]]
    with pytest.raises(TextError):
        parse("[[[1]]]", Limits(nesting=2))
    with pytest.raises(TextError):
        parse("[1, 2, 3]", Limits(text_input=8))
