from __future__ import annotations

import pytest

from pyerlnode.errors import DecodeError
from pyerlnode.limits import Limits
from pyerlnode.term import Atom, RawTerm, encode_bare


def test_it_decodes_the_rest_of_the_data() -> None:
    raw = RawTerm(b"..." + encode_bare([b"a", 1]), 3)
    assert raw.decode() == [b"a", 1]
    assert raw.decode(text="utf8") == ["a", 1]
    assert len(raw) == len(encode_bare([b"a", 1]))


def test_it_knows_the_atoms_of_its_header() -> None:
    assert RawTerm(b"h\2R\1R\0", 0, (Atom("a"), Atom("b"))).decode() == ("b", "a")


def test_bytes_after_the_term_are_an_error() -> None:
    with pytest.raises(DecodeError, match="2 bytes follow") as caught:
        RawTerm(b".a\1..", 1).decode()
    assert caught.value.offset == 3


def test_it_obeys_limits() -> None:
    with pytest.raises(DecodeError):
        RawTerm(encode_bare([[[]]])).decode(Limits(nesting=1))


def test_it_never_shows_its_contents_and_is_no_key() -> None:
    assert repr(RawTerm(b"m\0\0\0\6secret")) == "<RawTerm of 11 bytes>"
    with pytest.raises(TypeError):
        hash(RawTerm(b"j"))
