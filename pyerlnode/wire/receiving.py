"""The receiving half of one connection's packets: frames to control messages and payloads.

Spec: as in :mod:`pyerlnode.wire.channel`, which is the other half.  The payload stays undecoded: who receives
it decides whether anybody wants it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyerlnode.errors import DecodeError, RemoteProtocolError, caused
from pyerlnode.term import Atom, RawTerm, decode_bare
from pyerlnode.term.primitives import read_i32_be
from pyerlnode.wire.atom_cache import AtomCache
from pyerlnode.wire.content import PEEK, Content
from pyerlnode.wire.control import Control, parse_control
from pyerlnode.wire.flags import Flags
from pyerlnode.wire.fragments import FIRST, HEAD_SIZE, NEXT, Assembler, parse_head
from pyerlnode.wire.shorthand import read_again, read_control, span_of, words_size

if TYPE_CHECKING:
    from pyerlnode.limits import Limits

BULKY: Final = 32 * 1024
"""Frames from this size on are not copied with others."""

VERSION: Final = 131
WHOLE: Final = 68

_REMEMBERED: Final = 512


class Receiving:
    """What has come so far; ``flags`` are the negotiated ones."""

    __slots__ = (
        "_assembler",
        "_cache",
        "_fragments",
        "_headers",
        "_last_control",
        "_last_refs",
        "_limits",
    )

    def __init__(self, flags: Flags, limits: Limits) -> None:
        self._limits = limits
        self._fragments = Flags.FRAGMENTS in flags
        self._headers = self._fragments or Flags.DIST_HDR_ATOM_CACHE in flags
        self._cache = AtomCache()
        self._last_control: Control  # what ``AtomCache.last`` said
        self._last_refs: tuple[Atom, ...] = ()
        self._assembler = Assembler(limits)

    def receive(self, frame: bytes) -> tuple[Control, RawTerm | None] | None:
        """Take one frame, without its length; gives the message that it completes, if it does.

        Raises :class:`RemoteProtocolError` for everything that the protocol forbids: the connection is to
        be closed then.  Whether a payload is a term shows only when it is decoded.
        """
        try:
            if not self._headers:
                return self._receive_plain(frame)
            if len(frame) > 2 and frame[1] == WHOLE and frame[0] == VERSION:
                return self._receive_whole(frame)
            return self._receive_fragment(frame)
        except DecodeError as error:
            fault = RemoteProtocolError(f"a control message that does not decode: {error}")
            raise caused(fault, error) from error

    def receive_bulky(self, frame: memoryview) -> tuple[Control, RawTerm | None] | None:
        """As :meth:`receive`, for a large frame in a buffer: it is not to change until :meth:`keep`."""
        head = bytes(frame[:PEEK])
        tag = head[1] if self._headers and len(head) > HEAD_SIZE and head[0] == VERSION else -1
        if tag == NEXT and self._fragments:
            seq, number = parse_head(head)
            return self._assembler.proceed(seq, number, frame[HEAD_SIZE:])
        is_message = tag == WHOLE or (tag == FIRST and self._fragments)
        known = self._peek(head, 2 if tag == WHOLE else HEAD_SIZE) if is_message else None
        if known is None:
            return self.receive(bytes(frame))
        control, refs, end = known
        seq, number = (0, 1) if tag == WHOLE else parse_head(head)
        content = Content(head, end, frame)
        if seq == 0 or number == 1:
            return control, content.term(refs)
        self._assembler.begin(seq, number, control, refs, content)
        return None

    def _peek(self, head: bytes, offset: int) -> tuple[Control, tuple[Atom, ...], int] | None:
        """What a large frame begins with: header and control message; None where that is unusual."""
        try:
            refs, offset = self._cache.read_header(head, offset)
            usual = read_control(head, offset, refs)
        except (DecodeError, RemoteProtocolError):
            return None
        if usual is None or not usual[0].HAS_PAYLOAD or usual[1] >= len(head):
            return None
        return usual[0], refs, usual[1]

    def keep(self) -> None:
        """Buffers of frames that were taken are used again: copy what is still needed of them."""
        self._assembler.keep()

    def receive_all(self, data: bytes, messages: list[tuple[Control, RawTerm | None]]) -> int:
        """Take the frames that ``data`` begins with, each behind its length; gives how far it got.

        It ends before a frame that is not complete, and before one of ``BULKY`` bytes or more, which is
        better given to :meth:`receive` without being copied first.  What the frames complete is appended to
        ``messages``, also when one after it raises, as in :meth:`receive`, or is above ``Limits.frame``.
        """
        limit, cache = self._limits.frame, self._cache
        position, end = 0, len(data)
        while end - position >= 4:
            length: int = read_i32_be(data, position)
            start = position + 4
            if length > limit or length < 0:
                raise RemoteProtocolError(f"a packet of {length % 2**32} bytes is above the limit of {limit}")
            if length >= BULKY or length > end - start:
                break
            position = start + length
            if not length:
                continue
            frame = data[start:position]
            head = cache.last
            if head and length > len(head) and frame.startswith(head):  # one more from the same to the same
                messages.append((self._last_control, RawTerm(frame, len(head), self._last_refs)))
                continue
            message = self.receive(frame)
            if message is not None:
                messages.append(message)
        return position

    def _receive_fragment(self, frame: bytes) -> tuple[Control, RawTerm | None] | None:
        tag = frame[1] if len(frame) > 1 and frame[0] == VERSION else -1
        if tag == FIRST and self._fragments:
            return self._receive_first(frame)
        if tag == NEXT and self._fragments:
            seq, number = parse_head(frame)
            return self._assembler.proceed(seq, number, frame[HEAD_SIZE:])
        raise RemoteProtocolError(f"a packet that begins with {frame[:2]!r}, which is no distribution header")

    def _receive_whole(self, frame: bytes) -> tuple[Control, RawTerm | None]:
        """A message in one packet; what begins as an earlier one did, says what that said."""
        count = frame[2]
        start = 4 + count + count // 2 if count else 3  # of the control message, when no atom is new
        span = span_of(frame, start)
        if span:
            head = frame[: start + span]
            known: tuple[Control, tuple[Atom, ...]] | None = self._cache.known.get(head)
            if known is not None and known[0].HAS_PAYLOAD:
                if len(frame) > len(head):
                    self._cache.last = head
                    self._last_control, self._last_refs = known
                    return known[0], RawTerm(frame, len(head), known[1])
            elif known is not None:
                again = read_again(known[0], frame, len(head))
                if again is not None:
                    return again, None
        refs, offset = self._cache.read_header(frame, 2)
        control, end = self._control(frame, offset, refs)
        if span and offset == start and end == start + span + words_size(frame, start, refs):
            if len(self._cache.known) >= _REMEMBERED:
                self._cache.known.clear()
            self._cache.known[frame[: start + span]] = control, refs
        return self._complete(control, frame, end, refs)

    def _receive_first(self, frame: bytes) -> tuple[Control, RawTerm | None] | None:
        """A first piece: complete when it is the only one, or has sequence number 0."""
        seq, number = parse_head(frame)
        refs, offset = self._cache.read_header(frame, HEAD_SIZE)
        control, end = self._control(frame, offset, refs)
        if seq == 0 or number == 1:
            return self._complete(control, frame, end, refs)
        if not control.HAS_PAYLOAD:
            what = f"{type(control).__name__} in {number} fragments"
            raise RemoteProtocolError(f"{what}, though it has no payload")
        self._assembler.begin(seq, number, control, refs, Content(frame, end, memoryview(frame)))
        return None

    def _receive_plain(self, frame: bytes) -> tuple[Control, RawTerm | None]:
        """A packet without a header: ``p``, and each term with its version byte."""
        if frame[:2] != b"p\x83":
            what = f"a packet that begins with {frame[:2]!r}"
            raise RemoteProtocolError(f"{what}, where no header was agreed on")
        control, end = self._control(frame, 2, ())
        if control.HAS_PAYLOAD and frame[end : end + 1] == b"\x83":
            return self._complete(control, frame, end + 1, ())
        if control.HAS_PAYLOAD:
            raise RemoteProtocolError(f"{type(control).__name__} without the payload that belongs to it")
        return self._complete(control, frame, end, ())

    def _control(self, frame: bytes, offset: int, refs: tuple[Atom, ...]) -> tuple[Control, int]:
        usual = read_control(frame, offset, refs)
        if usual is not None:
            return usual
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
