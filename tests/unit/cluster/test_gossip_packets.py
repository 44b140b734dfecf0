"""Heartbeats as bytes: those of libcluster read, ours are the same, and nothing else passes."""

from __future__ import annotations

import sys
import zlib
from typing import Any

import pytest

from pyerlnode.cluster.gossip_packets import BLOCK, LONGEST, MARK, NOBODY, Plain, Sealed
from pyerlnode.errors import ConfigError
from pyerlnode.term import Atom, encode
from pyerlnode.term import atom as atoms
from tests.vectors.gossip import Heartbeat, load

NAME = "node1@10.77.0.11"
ATOMS = {
    "ATOM": b"d\0\x10" + NAME.encode(),
    "SMALL_ATOM": b"s\x10" + NAME.encode(),
    "ATOM_UTF8": b"v\0\x10" + NAME.encode(),
    "SMALL_ATOM_UTF8": b"w\x10" + NAME.encode(),
}
KEYS = [b"d\0\4node", b"s\4node", b"v\0\4node", b"w\4node"]


def one_pair(key: bytes, value: bytes) -> bytes:
    return MARK + b"\x83t\0\0\0\1" + key + value


def packets_of(heartbeat: Heartbeat) -> Plain | Sealed:
    if heartbeat.secret is None:
        return Plain()
    return Sealed(heartbeat.secret, lambda: heartbeat.data[:BLOCK])


def golden(heartbeat: Heartbeat) -> str:
    return f"{heartbeat}"


class TestThoseOfLibcluster:
    @pytest.mark.parametrize("heartbeat", load(), ids=golden)
    def test_they_read(self, heartbeat: Heartbeat) -> None:
        expected = None if heartbeat.name == NOBODY else heartbeat.name
        assert packets_of(heartbeat).unpack(heartbeat.data) == expected

    @pytest.mark.parametrize("heartbeat", [h for h in load() if h.otp >= 26], ids=golden)
    def test_ours_are_those_of_otp_26_and_later_to_the_byte(self, heartbeat: Heartbeat) -> None:
        assert packets_of(heartbeat).pack(heartbeat.name) == heartbeat.data

    @pytest.mark.parametrize("heartbeat", load(), ids=golden)
    def test_without_the_right_secret_they_say_nothing(self, heartbeat: Heartbeat) -> None:
        wrong = Sealed("another secret", lambda: bytes(BLOCK))
        assert wrong.unpack(heartbeat.data) is None
        if heartbeat.secret is not None:
            assert Plain().unpack(heartbeat.data) is None


class TestPlain:
    def test_what_is_packed_reads(self) -> None:
        assert Plain().unpack(Plain().pack(NAME)) == NAME

    @pytest.mark.parametrize("value", ATOMS.values(), ids=ATOMS)
    @pytest.mark.parametrize("key", KEYS, ids=ATOMS)
    def test_every_form_of_atoms_reads(self, key: bytes, value: bytes) -> None:
        assert Plain().unpack(one_pair(key, value)) == NAME

    def test_the_longest_name_reads(self) -> None:
        longest = "\xe9" * 250 + "@host"
        assert Plain().unpack(Plain().pack(longest)) == longest

    def test_further_keys_do_no_harm(self) -> None:
        term = {Atom("node"): Atom(NAME), Atom("version"): 2, b"node": Atom("x@y"), 1: [1.5, (None,)]}
        assert Plain().unpack(MARK + encode(term)) == NAME

    def test_a_map_that_is_no_dict_reads(self) -> None:
        pairs = (
            b"\x83t\0\0\0\3" + b"w\4node" + ATOMS["ATOM"] + b"a\1a\1" + b"F" + b"\x3f\xf0" + bytes(6) + b"a\2"
        )
        assert Plain().unpack(MARK + pairs) == NAME

    def test_a_compressed_term_reads(self) -> None:
        bare = encode({Atom("node"): Atom(NAME)})[1:]
        data = MARK + b"\x83P" + len(bare).to_bytes(4, "big") + zlib.compress(bare)
        assert Plain().unpack(data) == NAME

    def test_it_is_no_str_that_remembers_to_be_an_atom(self) -> None:
        assert type(Plain().unpack(Plain().pack(NAME))) is str

    @pytest.mark.parametrize(
        "term",
        [
            {},
            {b"node": Atom(NAME)},
            {Atom("nodes"): Atom(NAME)},
            {Atom("node"): NAME},
            {Atom("node"): [97, 64, 98]},
            {Atom("node"): None},
            {Atom("node"): Atom("")},
            {Atom("node"): Atom("node1")},
            {Atom("node"): Atom("a@b@c")},
            {Atom("node"): Atom("a\n@b")},
            {Atom("node"): Atom("\u65e5@b")},
            {Atom("node"): Atom(NOBODY)},
            [(Atom("node"), Atom(NAME))],
            Atom(NAME),
            1,
        ],
        ids=repr,
    )
    def test_other_terms_are_nobody(self, term: Any) -> None:
        assert Plain().unpack(MARK + encode(term)) is None

    @pytest.mark.parametrize(
        "datagram",
        [
            b"",
            MARK,
            MARK[:-1],
            MARK + b"garbage",
            MARK + b"\x83",
            MARK + b"\x84t\0\0\0\0",
            MARK + b"\x83t\xff\xff\xff\xff",
            Plain().pack(NAME)[:-1],
            Plain().pack(NAME) + b"\0",
            b" " + Plain().pack(NAME),
            b"Heartbeat::" + Plain().pack(NAME)[len(MARK) :],
            one_pair(KEYS[0], b"R\0"),
            MARK + b"\x83" + b"h\1" * 900 + b"a\1",
        ],
        ids=lambda datagram: repr(datagram)[:40],
    )
    def test_other_bytes_are_nobody(self, datagram: bytes) -> None:
        assert Plain().unpack(datagram) is None

    def test_what_is_too_long_is_not_looked_at(self) -> None:
        def padded(size: int) -> bytes:
            return MARK + encode({Atom("node"): Atom(NAME), Atom("more"): b"x" * size})

        spare = LONGEST - len(padded(0))
        assert Plain().unpack(padded(spare)) == NAME
        assert Plain().unpack(padded(spare + 1)) is None

    def test_a_small_packet_does_not_grow(self) -> None:
        bare = encode({Atom("node"): Atom(NAME), Atom("more"): bytes(1_000_000)})[1:]
        packed = zlib.compress(bare, 9)
        assert len(packed) < LONGEST - 20
        assert Plain().unpack(MARK + b"\x83P" + len(bare).to_bytes(4, "big") + packed) is None

    def test_a_flood_of_names_fills_no_table(self) -> None:
        heard = f"flood{id(self)}@nowhere"
        bare = b"w" + bytes([len(heard)]) + heard.encode()
        known = len(atoms.by_utf8)
        assert Plain().unpack(one_pair(KEYS[3], bare)) == heard
        assert len(atoms.by_utf8) == known


class TestSealed:
    def make(self, secret: str | bytes = "secret", prefix: bytes = bytes(range(16))) -> Sealed:
        return Sealed(secret, lambda: prefix)

    def test_what_is_packed_reads_with_the_same_secret(self) -> None:
        datagram = self.make("s\xe9cret").pack(NAME)
        assert datagram[:BLOCK] == bytes(range(16))
        assert NAME.encode() not in datagram
        assert self.make("s\xe9cret".encode()).unpack(datagram) == NAME
        assert self.make("secret").unpack(datagram) is None

    def test_the_prefix_changes_everything(self) -> None:
        one, other = self.make().pack(NAME), self.make(prefix=bytes(16)).pack(NAME)
        assert not any(a == b for a, b in zip(_blocks(one), _blocks(other), strict=True))

    @pytest.mark.parametrize("length", [*range(33), 47, 49, LONGEST + 16])
    def test_other_lengths_are_nobody(self, length: int) -> None:
        assert self.make().unpack((self.make().pack(NAME) * 50)[:length]) is None

    @pytest.mark.parametrize("place", range(64))
    def test_a_changed_byte_is_nobody_or_another_name(self, place: int) -> None:
        datagram = bytearray(self.make().pack(NAME))
        datagram[place] ^= 0x80
        assert self.make().unpack(bytes(datagram)) != NAME

    def test_a_sealed_text_that_is_no_heartbeat_is_nobody(self) -> None:
        sealed = self.make()
        sealed._plain = _Speaker()
        assert self.make().unpack(sealed.pack(NAME)) is None

    def test_without_cryptography_the_error_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers", None)
        with pytest.raises(ConfigError, match=r"pip install .pyerlnode\[gossip\]") as caught:
            self.make("hush")
        assert "hush" not in f"{caught.value!r} {caught.value}"


class _Speaker(Plain):
    """Says something else."""

    def pack(self, name: str) -> bytes:
        return f"{name} lives, and this is no heartbeat".encode()


def _blocks(data: bytes) -> list[bytes]:
    return [data[start : start + BLOCK] for start in range(0, len(data), BLOCK)]
