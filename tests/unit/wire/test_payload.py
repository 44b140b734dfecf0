from __future__ import annotations

import pytest

from pyerlnode.errors import EncodeError
from pyerlnode.limits import Limits
from pyerlnode.term import Atom, Record, encode_bare
from pyerlnode.wire.payload import Payload, as_received, encode_payload, plain

TERM = {Atom("key"): (Atom("value"), True, None, Atom("key"), "text")}
RECORD = Record(Atom("m"), Atom("r"), ((Atom("f"), 1),), True)


def test_atoms_are_counted_from_0_and_named_once() -> None:
    payload = encode_payload((Atom("a"), Atom("b"), Atom("a"), True))
    assert payload.data == b"h\4\x52\0\x52\1\x52\0\x52\2"
    assert payload.refs == ("a", "b", "true")
    assert payload.table == {"a": 0, "b": 1, "true": 2}
    assert {type(atom) for atom in payload.refs} == {Atom}
    assert len(payload) == 10
    assert repr(payload) == "<Payload of 10 bytes and 3 atoms>"


def test_large_binaries_are_not_copied() -> None:
    large = bytes(100_000)
    payload = encode_payload((Atom("a"), large, 1))
    assert [piece is large for piece in payload.pieces] == [False, True, False]
    assert payload.data == b"".join(payload.pieces) == encode_bare((Atom("a"), large, 1), atoms={})
    assert payload.data is payload.data
    assert len(payload) == len(encode_payload((Atom("a"), large, 1))) == len(payload.data)
    assert payload.raw().decode() == (Atom("a"), large, 1)


def test_a_receiver_here_reads_it_with_its_atoms() -> None:
    assert encode_payload(TERM).raw().decode(text="utf8") == TERM
    for payload in (encode_payload(TERM), encode_bare(TERM)):
        received = as_received(payload)
        assert received is not None
        assert received.decode(text="utf8") == TERM
    assert as_received(None) is None


def test_for_others_it_is_written_in_full() -> None:
    assert plain(encode_payload(TERM)) == encode_bare(TERM)
    without = Payload(b"a\1", {})
    assert plain(without) is without.data


def test_errors_are_those_of_encoding() -> None:
    with pytest.raises(EncodeError):
        encode_payload(object())
    with pytest.raises(EncodeError, match="nesting"):
        encode_payload([[[b""]]], Limits(nesting=2))
    with pytest.raises(EncodeError, match="OTP 29"):
        encode_payload(RECORD, records=False)
    assert plain(encode_payload(RECORD)) == encode_bare(RECORD)
