"""Channels of every form, and frames by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.limits import Limits
from pyerlnode.term import Atom, encode_bare
from pyerlnode.wire import channel as channel_module
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.flags import HIDDEN, Flags, without
from pyerlnode.wire.framing import Framer
from tests.unit.wire.controls import THEM, US

if TYPE_CHECKING:
    from collections.abc import Iterable

IS_COMPILED = not (channel_module.__file__ or "").endswith(".py")
HEADERS = Flags.DIST_HDR_ATOM_CACHE | Flags.FRAGMENTS
FORMS = {
    "both": HIDDEN,
    "atom cache": without(HIDDEN, Flags.FRAGMENTS),
    "fragments": without(HIDDEN, Flags.DIST_HDR_ATOM_CACHE),
    "pass-through": without(HIDDEN, HEADERS),
}
WITH_HEADERS = [name for name in FORMS if name != "pass-through"]

SEND = encode_bare((22, THEM, US))
LINK = encode_bare((1, THEM, US))
HELLO = encode_bare(Atom("hello"))


def channel(form: str = "both", **limits: int) -> Channel:
    return Channel(FORMS[form], limits=Limits(**limits))


def first(seq: int, number: int, rest: bytes) -> bytes:
    return b"\x83E" + seq.to_bytes(8, "big") + number.to_bytes(8, "big") + rest


def following(seq: int, number: int, rest: bytes) -> bytes:
    return b"\x83F" + seq.to_bytes(8, "big") + number.to_bytes(8, "big") + rest


def refused(target: Channel, frame: bytes) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        target.receive(frame)
    return str(caught.value)


def packets_to_frames(packets: Iterable[bytes | memoryview]) -> list[bytes]:
    return Framer(1 << 30).receive(b"".join(packets))
