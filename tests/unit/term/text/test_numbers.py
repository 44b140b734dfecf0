from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyerlnode.term.text.numbers import elixir_float_text, float_text, integer_text

PLENTY = 1 << 60


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.5, "1.5"),
        (-12.345678, "-12.345678"),
        (123456.0, "123456.0"),
        (1000.0, "1.0e3"),
        (10000.0, "1.0e4"),
        (100000.0, "1.0e5"),
        (1.0e15, "1.0e15"),
        (9007199254740991.0, "9007199254740991.0"),
        (9007199254740992.0, "9.007199254740992e15"),
        (1.0e16, "1.0e16"),
        (123456789012345680.0, "1.2345678901234568e17"),
        (1.0e22, "1.0e22"),
        (0.1, "0.1"),
        (0.001, "0.001"),
        (0.0001, "0.0001"),
        (0.00012345, "1.2345e-4"),
        (0.00001, "1.0e-5"),
        (1.5e300, "1.5e300"),
        (5.0e-324, "5.0e-324"),
        (1.7976931348623157e308, "1.7976931348623157e308"),
    ],
)
def test_a_float_is_printed_as_erlang_does(value: float, text: str) -> None:
    assert float_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100000.0, "100000.0"),
        (-1.0e15, "-1000000000000000.0"),
        (9007199254740992.0, "9007199254740992.0"),
        (1.0e16, "1.0e16"),
        (0.0, "0.0"),
        (1.5e-7, "1.5e-7"),
    ],
)
def test_elixir_keeps_whole_floats_plain(value: float, text: str) -> None:
    assert elixir_float_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(2.0**53)
@example(-(10.0**22))
@example(1e23)
def test_a_float_reads_back_as_itself(value: float) -> None:
    for text in (float_text(value), elixir_float_text(value)):
        assert float(text) == value
        assert math.copysign(1, float(text)) == math.copysign(1, value)
        assert "." in text


def test_integers_are_decimal_until_that_would_take_too_long() -> None:
    assert integer_text(-12, "0x", PLENTY) == "-12"
    assert integer_text(True, "0x", PLENTY) == "1"
    assert integer_text(10**4000, "0x", PLENTY) == str(10**4000)
    assert integer_text(2**20_000, "0x", PLENTY) == f"{2**20_000:#x}"
    assert integer_text(-(2**20_000), "16#", PLENTY) == f"-16#1{'0' * 5000}"


def test_of_a_gigantic_integer_only_the_start_is_printed() -> None:
    text = integer_text(0xABCDEF << 100_000_000, "0x", 20)
    assert text.startswith("0xABCDEF000000")
    assert 20 < len(text) < 60
