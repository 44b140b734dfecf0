from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.limits import DEFAULT
from pyerlnode.term import Atom, BitString, ImproperList, RawTerm, TermMap
from pyerlnode.term.text.elixir_print import ElixirPrinter
from pyerlnode.term.text.erlang_print import ErlangPrinter

if TYPE_CHECKING:
    from pyerlnode.term.text.printer import Printer

PRINTERS = pytest.mark.parametrize("printer", [ElixirPrinter, ErlangPrinter])

GIGANTIC: list[Any] = [
    b"x" * 5_000_000,
    b"\xff" * 5_000_000,
    "é" * 2_000_000,
    [0] * 500_000,
    [97] * 500_000,
    [(Atom("a"), 1)] * 500_000,
    (None,) * 500_000,
    ImproperList((1,) * 500_000, 2),
    BitString(b"\1" * 5_000_000, 3),
    {number: number for number in range(100_000)},
    {Atom("k"): [b"x" * 5_000_000]},
    1 << 30_000_000,
    RawTerm(b"x" * 5_000_000),
]


@PRINTERS
def test_the_work_is_bounded_by_what_is_printed(printer: type[Printer]) -> None:
    for term in GIGANTIC:
        tracemalloc.start()
        try:
            text = printer(100).print(term)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert len(text) <= 100
        assert text.endswith("...") or isinstance(term, RawTerm)
        assert peak < 50_000  # a copy of it, or of its elements, would be megabytes


@PRINTERS
def test_what_fits_is_not_cut(printer: type[Printer]) -> None:
    for term in ([1, 2, 3], {b"k": (None, 1.5)}, "text", ImproperList((1,), 2)):
        whole = printer(None).print(term)
        assert printer(len(whole)).print(term) == whole
        assert printer(len(whole) - 1).print(term) == whole[: len(whole) - 4] + "..."


@PRINTERS
def test_the_least_that_is_printed_is_the_mark_of_the_cut(printer: type[Printer]) -> None:
    assert printer(0).print([1, 2, 300, 4]) == "..."


@PRINTERS
def test_nesting_is_cut_and_not_followed_for_ever(printer: type[Printer]) -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert printer(None).print(endless) == "[" * (DEFAULT.nesting + 1) + "..."
    deep: tuple[Any, ...] = ()
    for _ in range(DEFAULT.nesting):
        deep = (deep,)
    assert printer(None).print(deep) == "{" * (DEFAULT.nesting + 1) + "}" * (DEFAULT.nesting + 1)


@PRINTERS
def test_a_character_cut_in_two_bytes_still_prints_as_text(printer: type[Printer]) -> None:
    for length in range(90, 130):
        text = printer(20).print(("é" * length).encode() + b"x")
        assert "é" * 12 in text


@PRINTERS
def test_what_is_no_term_has_its_type_printed(printer: type[Printer]) -> None:
    assert printer(None).print((object(),)) == "{#Python<object>}"
    assert printer(None).print(TermMap()) == printer(None).print({})
