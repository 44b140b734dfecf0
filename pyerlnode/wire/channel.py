"""One connection's packets after the handshake: frames to control messages and payloads, and back.

Spec: ERTS "Distribution Protocol", section "Protocol between Connected Nodes", and "External Term
Format", section "Distribution Header".  With an atom cache or fragments negotiated every packet
begins with a distribution header, and the terms behind it have no version byte of their own; without
either, packets begin with ``p`` and each term with its version byte.

The payload stays undecoded: who receives it decides whether anybody wants it.  We send headers without
atoms, which every node takes.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from pyerlnode.errors import DecodeError, LocalProtocolError, RemoteProtocolError
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import Atom, RawTerm, decode_bare, encode_bare
from pyerlnode.wire.atom_cache import AtomCache
from pyerlnode.wire.control import Control, parse_control
from pyerlnode.wire.flags import Flags
from pyerlnode.wire.fragments import FIRST, FRAGMENT_SIZE, HEAD_SIZE, NEXT, Assembler, parse_head, split

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION: Final = 131
WHOLE: Final = 68

_LENGTH: Final = Struct(">I")
_JOINED: Final = 4 * 1024
_MAX_PACKET: Final = 0xFFFF_FFFF
_MAX_SEQUENCE: Final = (1 << 64) - 1


class Channel:
    """The state of one connection's packets; ``flags`` are the negotiated ones."""

    __slots__ = ("_assembler", "_cache", "_fragments", "_headers", "_limits", "_sequence")

    def __init__(self, flags: Flags, *, limits: Limits = DEFAULT) -> None:
        self._fragments = Flags.FRAGMENTS in flags
        self._headers = self._fragments or Flags.DIST_HDR_ATOM_CACHE in flags
        self._limits = limits
        self._cache = AtomCache()
        self._assembler = Assembler(limits)
        self._sequence = 0

    # ---------------------------------------------------------------------------- receiving

    def receive(self, frame: bytes) -> tuple[Control, RawTerm | None] | None:
        """Take one frame, without its length; gives the message that it completes, if it does.

        Raises :class:`RemoteProtocolError` for everything that the protocol forbids: the connection is to
        be closed then.  Whether a payload is a term shows only when it is decoded.
        """
        try:
            if self._headers:
                return self._receive(frame)
            return self._receive_plain(frame)
        except DecodeError as error:
            raise RemoteProtocolError(f"a control message that does not decode: {error}") from error

    def _receive(self, frame: bytes) -> tuple[Control, RawTerm | None] | None:
        tag = frame[1] if len(frame) > 1 and frame[0] == VERSION else -1
        if tag == WHOLE:
            refs, offset = self._cache.read_header(frame, 2)
            return self._message(frame, offset, refs)
        if tag == FIRST and self._fragments:
            return self._receive_first(frame)
        if tag == NEXT and self._fragments:
            seq, number = parse_head(frame)
            return self._assembler.proceed(seq, number, frame[HEAD_SIZE:])
        raise RemoteProtocolError(f"a packet that begins with {frame[:2]!r}, which is no distribution header")

    def _receive_first(self, frame: bytes) -> tuple[Control, RawTerm | None] | None:
        """A first piece: complete when it is the only one, or has sequence number 0."""
        seq, number = parse_head(frame)
        refs, offset = self._cache.read_header(frame, HEAD_SIZE)
        if seq == 0 or number == 1:
            return self._message(frame, offset, refs)
        control, end = self._control(frame, offset, refs)
        if not control.HAS_PAYLOAD:
            raise RemoteProtocolError(
                f"{type(control).__name__} in {number} fragments, though it has no payload"
            )
        self._assembler.begin(seq, number, control, refs, frame[end:])
        return None

    def _receive_plain(self, frame: bytes) -> tuple[Control, RawTerm | None]:
        """A packet without a header: ``p``, and each term with its version byte."""
        if frame[:2] != b"p\x83":
            raise RemoteProtocolError(
                f"a packet that begins with {frame[:2]!r}, where no header was agreed on"
            )
        control, end = self._control(frame, 2, ())
        if control.HAS_PAYLOAD and frame[end : end + 1] == b"\x83":
            return self._complete(control, frame, end + 1, ())
        if control.HAS_PAYLOAD:
            raise RemoteProtocolError(f"{type(control).__name__} without the payload that belongs to it")
        return self._complete(control, frame, end, ())

    def _message(self, frame: bytes, offset: int, refs: tuple[Atom, ...]) -> tuple[Control, RawTerm | None]:
        control, end = self._control(frame, offset, refs)
        return self._complete(control, frame, end, refs)

    def _control(self, frame: bytes, offset: int, refs: tuple[Atom, ...]) -> tuple[Control, int]:
        term, end = decode_bare(frame, offset, refs=refs, limits=self._limits)
        return parse_control(term), end

    def _complete(
        self, control: Control, frame: bytes, end: int, refs: tuple[Atom, ...]
    ) -> tuple[Control, RawTerm | None]:
        """Check that a payload is there if and only if ``control`` has one."""
        if control.HAS_PAYLOAD:
            if end == len(frame):
                raise RemoteProtocolError(f"{type(control).__name__} without the payload that belongs to it")
            return control, RawTerm(frame, end, refs)
        if end < len(frame):
            raise RemoteProtocolError(f"{type(control).__name__} with {len(frame) - end} bytes behind it")
        return control, None

    # ---------------------------------------------------------------------------- sending

    def encode(self, control: Control, payload: bytes | None = None) -> list[bytes]:
        """The packet for one message, with its length: parts to be written one after another.

        ``payload`` is the output of ``encode_bare``; a large one is a part of its own, not copied.
        Raises :class:`LocalProtocolError` when ``payload`` is missing or in excess, or does not fit a packet,
        and ``EncodeError`` when ``control`` cannot be encoded.
        """
        _check_payload(control, payload)
        term = encode_bare(control.to_term(), limits=self._limits)
        if self._headers:
            head = b"\x83D\0" + term
        else:
            head = b"p\x83" + term + (b"" if payload is None else b"\x83")
        return _packet(head, payload or b"")

    def needs_fragments(self, payload: bytes | None) -> bool:
        """Whether a message with ``payload`` is to be sent by :meth:`fragments`."""
        return self._fragments and payload is not None and len(payload) > FRAGMENT_SIZE

    def fragments(self, control: Control, payload: bytes) -> Iterator[list[bytes]]:
        """The packets for one large message, each as :meth:`encode` gives it.

        Other packets may be written in between, also pieces of other messages.  Only where FRAGMENTS was
        negotiated.  Errors as in :meth:`encode`.
        """
        if not self._fragments:
            raise LocalProtocolError("fragments to a peer that cannot take them")
        _check_payload(control, payload)
        term = encode_bare(control.to_term(), limits=self._limits)
        self._sequence = self._sequence % _MAX_SEQUENCE + 1
        return _packets(split(self._sequence, term, payload))


def _packets(pieces: Iterator[tuple[bytes, bytes]]) -> Iterator[list[bytes]]:
    for head, piece in pieces:
        yield _packet(head, piece)


def _packet(head: bytes, payload: bytes) -> list[bytes]:
    size = len(head) + len(payload)
    if size > _MAX_PACKET:
        raise LocalProtocolError(f"a message of {size} bytes does not fit a packet")
    if size <= _JOINED:
        return [_LENGTH.pack(size) + head + payload]
    return [_LENGTH.pack(size) + head, payload]


def _check_payload(control: Control, payload: bytes | None) -> None:
    if bool(payload) != control.HAS_PAYLOAD:
        fault = "needs a payload" if control.HAS_PAYLOAD else "has no payload"
        raise LocalProtocolError(f"{type(control).__name__} {fault}")
