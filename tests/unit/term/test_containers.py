from __future__ import annotations

import pytest

from pyerlnode.term import BitString, ImproperList, charlist


def test_an_improper_list_takes_any_iterable_of_items() -> None:
    assert ImproperList([1, 2], 3) == ImproperList((1, 2), 3)  # type: ignore[arg-type]
    assert len({ImproperList((1,), 2), ImproperList((1,), 2)}) == 1


def test_an_improper_tail_is_joined_on() -> None:
    assert ImproperList((1,), ImproperList((2,), 3)) == ImproperList((1, 2), 3)


def test_an_improper_list_needs_items_and_a_tail_that_is_no_list() -> None:
    with pytest.raises(ValueError, match="at least one item"):
        ImproperList((), 1)
    with pytest.raises(ValueError, match=r"use ImproperList\.of"):
        ImproperList((1,), [2])


def test_of_makes_whichever_list_the_parts_are() -> None:
    assert ImproperList.of([1], 2) == ImproperList((1,), 2)
    assert ImproperList.of([1], [2]) == [1, 2]
    assert ImproperList.of([], [2]) == [2]
    assert ImproperList.of([], 2) == 2
    assert ImproperList.of(iter([1]), ImproperList((2,), 3)) == ImproperList((1, 2), 3)


@pytest.mark.parametrize(
    ("bits", "last"), [(1, 0x80), (2, 0xC0), (3, 0xE0), (4, 0xF0), (5, 0xF8), (6, 0xFC), (7, 0xFE)]
)
def test_a_bit_string_clears_what_it_does_not_use(bits: int, last: int) -> None:
    assert BitString(b"\xff\xff", bits) == BitString(bytes([0xFF, last]), bits)
    assert BitString(b"\xff\xff", bits).data == bytes([0xFF, last])


@pytest.mark.parametrize("bits", [-1, 0, 8, 9])
def test_a_bit_string_uses_one_to_seven_bits_of_its_last_byte(bits: int) -> None:
    with pytest.raises(ValueError, match="1 to 7 bits"):
        BitString(b"\xff", bits)


def test_a_bit_string_has_a_byte() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        BitString(b"", 1)


def test_a_charlist_is_a_list_of_code_points() -> None:
    assert charlist("aé😀") == [97, 233, 0x1F600]
    assert charlist("") == []
