"""Large messages in pieces: put together on receipt, cut on sending.

Spec: ERTS "External Term Format", section "Distribution Header for fragmented messages".  The first
piece holds the header, the whole control message and the start of the payload; the others only more
payload.  Pieces are numbered downwards to 1, so the first one tells how many there are.  Messages with
different sequence numbers may mix, also with whole ones.

A peer may claim any number of pieces and start any number of messages; what is kept is bounded by
``Limits.fragmented``, ``fragmented_bytes`` and ``message``.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyerlnode.term import Atom, RawTerm
    from pyerlnode.wire.content import Content
    from pyerlnode.wire.messages import Control

FRAGMENT_SIZE: Final = 64 * 1024
"""Payload bytes in each piece that we send, as a BEAM does."""
LARGE_FRAGMENT: Final = 4 * FRAGMENT_SIZE
"""... of messages that are at least two of these: fewer packets, each of which costs both ends something."""
WHOLE_SIZE: Final = FRAGMENT_SIZE + FRAGMENT_SIZE // 8
"""Payload bytes that go in one packet: one more piece for a few bytes (64 KiB in a tuple) costs too much."""

FIRST: Final = 69
NEXT: Final = 70

_HEAD: Final = Struct(">BBQQ")
HEAD_SIZE: Final = _HEAD.size


class _Message:
    """A message of which pieces are missing."""

    __slots__ = ("content", "control", "left", "refs", "size")

    def __init__(self, control: Control, refs: tuple[Atom, ...], left: int, content: Content) -> None:
        self.control = control
        self.refs = refs
        self.left = left
        self.size = 0
        self.content = content


class Assembler:
    """The unfinished messages of one connection."""

    __slots__ = ("_fresh", "_held", "_limits", "_messages")

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self._messages: dict[int, _Message] = {}
        self._fresh: list[Content] = []  # those that may have something lent
        self._held = 0

    @property
    def held(self) -> int:
        """Bytes of unfinished messages."""
        return self._held

    def begin(self, seq: int, count: int, control: Control, refs: tuple[Atom, ...], content: Content) -> None:
        """Take the first of ``count`` pieces, 2 or more: with ``content``, so far."""
        if seq in self._messages:
            raise RemoteProtocolError(f"fragmented message {seq} begins twice")
        if len(self._messages) >= self._limits.fragmented:
            raise RemoteProtocolError(f"more than {self._limits.fragmented} fragmented messages at once")
        message = _Message(control, refs, count, content)
        self._messages[seq] = message
        self._fresh.append(content)
        self._count(message, content.size)

    def proceed(self, seq: int, number: int, piece: bytes | memoryview) -> tuple[Control, RawTerm] | None:
        """Take the next piece, which may be lent until :meth:`keep`; gives the message with its last one.

        Raises :class:`RemoteProtocolError` for a piece of no message, out of order, or above a limit.
        """
        message = self._messages.get(seq)
        if message is None:
            raise RemoteProtocolError(f"a fragment of message {seq}, which has not begun")
        if number != message.left:
            raise RemoteProtocolError(f"fragment {number} of message {seq} where {message.left} was due")
        self._count(message, len(piece))
        content = message.content
        if number > 1 and not content.lent:
            self._fresh.append(content)
        content.add(piece)
        if number > 1:
            return None
        del self._messages[seq]
        self._held -= message.size
        if not message.size:
            raise RemoteProtocolError(f"fragmented message {seq} has no payload")
        return message.control, content.term(message.refs)

    def keep(self) -> None:
        """Copy all pieces that were lent: their place is used again."""
        for content in self._fresh:
            content.keep()
        self._fresh.clear()

    def _count(self, message: _Message, size: int) -> None:
        self._held += size
        if self._held > self._limits.fragmented_bytes:
            raise RemoteProtocolError(f"over {self._limits.fragmented_bytes} bytes of unfinished messages")
        if message.size + size > self._limits.message:
            raise RemoteProtocolError(f"a fragmented message of more than {self._limits.message} bytes")
        message.size += size
        message.left -= 1


def parse_head(frame: bytes | memoryview) -> tuple[int, int]:
    """The sequence number and the fragment number of a piece.

    Raises :class:`RemoteProtocolError` when they are cut off, or the fragment number is 0.
    """
    if len(frame) < HEAD_SIZE:
        raise RemoteProtocolError("a fragment header is cut off")
    _, _, seq, number = _HEAD.unpack_from(frame)
    if number == 0:
        raise RemoteProtocolError(f"fragment 0 of message {seq}")
    return seq, number


def split(
    seq: int, start: bytes, payload: list[bytes], size: int = 0
) -> Iterator[tuple[bytes, list[memoryview]]]:
    """Cut a message into pieces: of each the head, and the parts of ``payload`` behind it, not copied.

    ``seq`` (1 to 2**64 - 1) must not be in use by an unfinished message; ``start`` is the atom part of the
    header and the encoded control message, which go into the first head.  ``size`` is that of a piece, where
    it is not to depend on that of the message.
    """
    total = sum([len(part) for part in payload])
    few = 0
    if not size:
        size = FRAGMENT_SIZE if total < 2 * LARGE_FRAGMENT else LARGE_FRAGMENT
        few = WHOLE_SIZE - FRAGMENT_SIZE
    left = max(1, -(-(total - few) // size))
    head = _HEAD.pack(131, FIRST, seq, left) + start
    for piece in _cut(payload, size, left):
        yield head, piece
        left -= 1
        head = _HEAD.pack(131, NEXT, seq, left)


def _cut(payload: list[bytes], size: int, count: int) -> Iterator[list[memoryview]]:
    """The bytes of ``payload`` in ``count`` pieces, each as parts of it; all but the last have ``size``."""
    piece: list[memoryview] = []
    room = size
    for part in payload:
        view = memoryview(part)
        while len(view) > room and count > 1:
            piece.append(view[:room])
            yield piece
            count -= 1
            view = view[room:]
            piece, room = [], size
        piece.append(view)
        room -= len(view)
    yield piece
