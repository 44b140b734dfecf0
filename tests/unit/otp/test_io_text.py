from __future__ import annotations

import pytest

from pyerlnode.otp.io_text import to_text
from pyerlnode.term import Atom, ImproperList, Term


@pytest.mark.parametrize(
    ("chars", "text"),
    [
        ("grüß".encode(), "grüß"),
        ([72, [105, b"!"], ImproperList((b"a",), b"b")], "Hi!ab"),
        ("x", "x"),
        ([], ""),
    ],
)
def test_it_reads_character_data(chars: Term, text: str) -> None:
    assert to_text(chars) == text


@pytest.mark.parametrize(
    "wrong", [0xD800, -1, 0x110000, 1.0, True, None, b"\xff", Atom("a"), (1,), ImproperList((1,), 2.0)]
)
def test_anything_else_is_an_error(wrong: Term) -> None:
    for chars in (wrong, [72, [wrong]]):
        with pytest.raises(ValueError):
            to_text(chars)


def test_latin1_ends_at_255() -> None:
    with pytest.raises(ValueError, match="no character data: 300"):
        to_text([300], "latin-1")


def test_binaries_may_be_latin1() -> None:
    assert to_text([b"gr\xfc", 0xDF], "latin-1") == "grüß"


def test_nesting_costs_no_stack() -> None:
    chars: Term = b"x"
    for _ in range(100_000):
        chars = [chars]
    assert to_text(chars) == "x"
