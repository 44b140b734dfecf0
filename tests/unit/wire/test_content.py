from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.term import RawTerm, encode_bare
from pyerlnode.term.large import LargeTerm
from pyerlnode.wire.content import Content

LARGE = bytes(range(256)) * 20


def gathered(data: bytes, cuts: list[int], *, peek: int = 64, keep: bool = True) -> RawTerm:
    """The term in `data`, which comes in pieces, one after the other in the same buffer where `keep`."""
    ends = [*sorted(min(cut, len(data)) for cut in cuts), len(data)]
    buffer = bytearray(len(data))
    content, start = None, 0
    for end in ends:
        piece = memoryview(buffer)[: end - start] if keep else memoryview(data[start:end])
        if keep:
            piece[:] = data[start:end]
        if content is None:
            content = Content(bytes(piece[:peek]), 0, piece)
            assert content.size == end
        else:
            content.add(piece)
        start = end
        if keep and end < len(data):
            content.keep()
            assert not content.lent
            buffer[:] = b"\xff" * len(buffer)
    assert content is not None
    return content.term(())


def test_a_large_binary_is_copied_once() -> None:
    for keep in (False, True):
        raw = gathered(encode_bare(("x", LARGE, 1)), [100, 3000], keep=keep)
        assert isinstance(raw, LargeTerm)
        assert raw.decode() == (b"x", LARGE, 1)
        assert raw.decode()[1] is raw.decode()[1]


def test_a_term_with_more_behind_its_first_binary_is_put_together() -> None:
    raw = gathered(encode_bare([LARGE[:200], LARGE, LARGE]), [100, 300, 5000])
    assert type(raw) is RawTerm
    assert raw.decode() == [LARGE[:200], LARGE, LARGE]


def test_a_binary_that_does_not_come_whole_is_left_to_the_decoder() -> None:
    data = encode_bare((1, LARGE))[:-1]
    raw = gathered(data, [100, 3000])
    assert type(raw) is RawTerm
    assert raw.encoded() == data


@given(
    parts=st.lists(
        st.sampled_from([1, 0.5, b"abc", LARGE, LARGE[:700], [1, 2, 300], list(range(300))]), max_size=6
    ),
    cuts=st.lists(st.integers(0, 15_000), max_size=8),
    peek=st.integers(0, 1024),
    keep=st.booleans(),
)
def test_any_term_in_any_pieces(parts: list[Any], cuts: list[int], peek: int, keep: bool) -> None:
    data = encode_bare(parts)
    raw = gathered(data, cuts, peek=peek, keep=keep)
    assert raw.encoded() == data
    assert len(raw) == len(data)
    assert raw.decode() == parts
