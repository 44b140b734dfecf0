from __future__ import annotations

import pytest

from pyerlnode.otp.io_text import to_text
from pyerlnode.term import ImproperList, Term


@pytest.mark.parametrize(
    ("chars", "text"),
    [
        ("grüß".encode(), "grüß"),
        ([72, [105, b"!"], ImproperList((b"a",), b"b")], "Hi!ab"),
        ([0xD800, "x", -1, 0x110000, 1.0, True, b"\xff"], "\ufffdx\ufffd"),
        ([], ""),
    ],
)
def test_it_reads_character_data(chars: Term, text: str) -> None:
    assert to_text(chars) == text


def test_binaries_may_be_latin1() -> None:
    assert to_text([b"gr\xfc", 0xDF], "latin-1") == "grüß"


def test_nesting_costs_no_stack() -> None:
    chars: Term = b"x"
    for _ in range(100_000):
        chars = [chars]
    assert to_text(chars) == "x"
