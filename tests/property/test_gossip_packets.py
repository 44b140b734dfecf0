"""Properties of heartbeats: what is packed reads, and no bytes do harm."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyerlnode.cluster.gossip_packets import BLOCK, MARK, NOBODY, Plain, Sealed
from pyerlnode.wire.names import is_valid_name
from tests.vectors.gossip import load

GOLDEN = load()
PRINTABLE = st.characters(max_codepoint=0xFF, exclude_characters="@").filter(str.isprintable)
NAMES = st.builds("{}@{}".format, *(st.text(PRINTABLE, min_size=1, max_size=127),) * 2).filter(NOBODY.__ne__)
SECRETS = st.text(min_size=1) | st.binary(min_size=1)
PREFIXES = st.binary(min_size=BLOCK, max_size=BLOCK)
SEALED = Sealed("a shared secret", lambda: bytes(BLOCK))


def is_harmless(datagram: bytes) -> None:
    for packets in (Plain(), SEALED):
        name = packets.unpack(datagram)
        assert name is None or (is_valid_name(name) and name != NOBODY)


@given(NAMES, SECRETS, PREFIXES)
def test_what_is_packed_reads(name: str, secret: str | bytes, prefix: bytes) -> None:
    assert Plain().unpack(Plain().pack(name)) == name
    sealed = Sealed(secret, lambda: prefix)
    assert sealed.unpack(sealed.pack(name)) == name


@given(NAMES, SECRETS, SECRETS, PREFIXES)
def test_only_the_same_secret_opens(name: str, one: str | bytes, other: str | bytes, prefix: bytes) -> None:
    sealed = Sealed(one, lambda: prefix).pack(name)
    raw = [secret.encode() if isinstance(secret, str) else secret for secret in (one, other)]
    assert Sealed(other, lambda: prefix).unpack(sealed) == (name if raw[0] == raw[1] else None)
    assert Plain().unpack(sealed) is None


@settings(max_examples=1000)
@given(
    st.sampled_from(GOLDEN),
    st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=5),
    st.integers(0, 999),
    st.binary(max_size=40),
)
def test_damaged_heartbeats_are_nobody_or_somebody(
    golden: object, changes: list[tuple[int, int]], cut: int, more: bytes
) -> None:
    data = bytearray(golden.data)  # type: ignore[attr-defined]
    for place, value in changes:
        data[place % len(data)] = value
    is_harmless(bytes(data))
    is_harmless(bytes(data[:cut]) + more)


@settings(max_examples=1000)
@given(st.binary(max_size=300))
@example(b"\x83P\0\0\x07\xff")
def test_any_bytes_are_nobody_or_somebody(data: bytes) -> None:
    is_harmless(data)
    is_harmless(MARK + data)
    is_harmless(MARK + b"\x83" + data)
