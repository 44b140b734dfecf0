"""Properties of the codec alone: what is written reads back, and no bytes do harm."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pyerlnode.errors import DecodeError
from pyerlnode.limits import Limits
from pyerlnode.term import RawTerm, decode, decode_bare, encode, encode_bare
from pyerlnode.term.maps import exact
from pyerlnode.term.text import brief
from tests.support.terms import atoms, terms
from tests.vectors.golden import load

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

GOLDEN = [golden.data for golden in load() if len(golden.data) < 3000]
SMALL = Limits(nesting=50, elements=10_000, inflate=100_000, atoms=1000)
BYTES = st.integers(0, 255)


@given(terms())
def test_what_is_written_reads_back_as_the_same_term(term: Any) -> None:
    data = encode(term)
    again = decode(data)
    assert exact(again) == exact(term)
    assert encode(again) == data
    assert exact(decode(encode(term, compressed=True))) == exact(term)


@given(terms(), st.binary(max_size=5), st.binary(max_size=5))
def test_a_term_ends_where_it_ends(term: Any, before: bytes, after: bytes) -> None:
    bare = encode_bare(term)
    found, end = decode_bare(before + bare + after, len(before))
    assert exact(found) == exact(term)
    assert end == len(before) + len(bare)
    assert encode_bare(RawTerm(before + bare, len(before))) == bare


@given(terms())
def test_binaries_as_text_are_the_same_terms(term: Any) -> None:
    assert exact(decode(encode(term), text="utf8")) == exact(term)


@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.sampled_from(GOLDEN),
    changes=st.lists(st.tuples(st.integers(0, 2999), BYTES), min_size=1, max_size=6),
)
def test_changed_bytes_are_a_term_or_an_error(data: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(data)
    for place, value in changes:
        changed[place % len(changed)] = value
    _is_term_or_error(bytes(changed))


@settings(max_examples=1000)
@given(
    data=st.sampled_from(GOLDEN),
    cut=st.tuples(st.integers(0, 2999), st.integers(0, 40)),
    more=st.binary(max_size=8),
)
def test_cut_and_spliced_bytes_are_a_term_or_an_error(data: bytes, cut: tuple[int, int], more: bytes) -> None:
    start = cut[0] % len(data)
    _is_term_or_error(data[:start] + more + data[start + cut[1] :])


@settings(max_examples=1000)
@given(st.binary(max_size=200))
@example(b"")
def test_random_bytes_are_a_term_or_an_error(data: bytes) -> None:
    _is_term_or_error(b"\x83" + data)


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(b"CFMRXYZabcdefghijklmnopqrstvwxP")), st.binary(max_size=6)),
        max_size=30,
    )
)
def test_tags_in_a_row_are_a_term_or_an_error(pieces: list[tuple[int, bytes]]) -> None:
    _is_term_or_error(b"\x83" + b"".join(bytes((tag,)) + more for tag, more in pieces))


def _is_term_or_error(data: bytes) -> None:
    try:
        term = decode(data, limits=SMALL)
    except DecodeError as error:
        assert error.offset >= 0
        return
    assert exact(decode(encode(term))) == exact(term)
    assert brief(term)


@given(atoms())
def test_an_atom_survives(atom: Any) -> None:
    again = decode(encode([atom]))
    assert again == [{"true": True, "false": False, "nil": None}.get(atom, atom)]
