"""Length-prefixed packets: out of a stream of bytes into frames, and back.

Spec: ERTS "Distribution Protocol": handshake messages have a length of two bytes (four inside TLS),
everything after the handshake one of four.  An empty frame after the handshake is a tick.

A frame that grows over many reads is gathered in one buffer and copied out once, so the cost stays
linear whatever the sizes are; a length above the limit is refused before a single byte of it is kept.
"""

from __future__ import annotations

from struct import Struct

from pyerlnode.errors import LocalProtocolError, RemoteProtocolError

_TWO = Struct(">H")
_FOUR = Struct(">I")

TICK = b"\0\0\0\0"
"""An empty frame: a sign of life."""


def frame2(body: bytes) -> bytes:
    """``body`` behind its length in two bytes: a handshake message on plain TCP."""
    if len(body) > 0xFFFF:
        raise LocalProtocolError(f"a handshake message of {len(body)} bytes does not fit its length field")
    return _TWO.pack(len(body)) + body


def frame4(body: bytes) -> bytes:
    """``body`` behind its length in four bytes: anything after the handshake, or inside TLS."""
    if len(body) > 0xFFFF_FFFF:
        raise LocalProtocolError(f"a packet of {len(body)} bytes does not fit its length field")
    return _FOUR.pack(len(body)) + body


class Framer:
    """Cuts received bytes into frames.

    ``max_frame`` is the longest frame taken, in bytes without its length; ``prefix`` the bytes of the
    length field, 2 or 4.
    """

    __slots__ = ("_buffer", "_length", "_max", "_needed", "_prefix")

    def __init__(self, max_frame: int, prefix: int = 4) -> None:
        if prefix not in (2, 4):
            raise LocalProtocolError(f"frames have a length of 2 or 4 bytes, not {prefix}")
        self._max = max_frame
        self._prefix = prefix
        self._length = _TWO if prefix == 2 else _FOUR
        self._buffer = bytearray()
        self._needed = prefix  # bytes that the buffer must hold before it is worth a look

    @property
    def pending(self) -> int:
        """Bytes received of a frame that is not complete."""
        return len(self._buffer)

    def receive(self, data: bytes | bytearray | memoryview) -> list[bytes]:
        """Take what was read; give the frames that are now complete, ticks as ``b""``.

        Raises :class:`RemoteProtocolError` for a frame above the limit.  Frames before it in ``data``
        go down with it: the connection is to be closed.
        """
        frames: list[bytes] = []
        if self._buffer:
            self._buffer += data
            if not self._is_due():
                return frames
            data = self._take_first(frames)
        elif type(data) is not bytes:
            data = bytes(data)
        self._cut(data, frames)
        return frames

    def _is_due(self) -> bool:
        """Whether the buffer holds its first frame whole."""
        buffer = self._buffer
        if len(buffer) < self._needed:
            return False
        if self._needed == self._prefix:
            self._needed += self._read_length(buffer, 0)
        return len(buffer) >= self._needed

    def _take_first(self, frames: list[bytes]) -> bytes:
        """Move the buffer's first frame to ``frames``; give what is behind it."""
        with memoryview(self._buffer) as view:
            frames.append(bytes(view[self._prefix : self._needed]))
            rest = bytes(view[self._needed :])
        self._buffer = bytearray()
        self._needed = self._prefix
        return rest

    def _cut(self, data: bytes, frames: list[bytes]) -> None:
        """Move all whole frames of ``data`` to ``frames``; keep the rest."""
        prefix, position, end = self._prefix, 0, len(data)
        while end - position >= prefix:
            start = position + prefix
            stop = start + self._read_length(data, position)
            if stop > end:
                self._needed = stop - position
                break
            frames.append(data[start:stop])
            position = stop
        if position < end:
            self._buffer += data[position:] if position else data

    def _read_length(self, data: bytes | bytearray, position: int) -> int:
        length: int = self._length.unpack_from(data, position)[0]
        if length > self._max:
            raise RemoteProtocolError(f"a packet of {length} bytes is above the limit of {self._max}")
        return length
