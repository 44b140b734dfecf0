"""One connection's packets after the handshake: frames to control messages and payloads, and back.

Spec: ERTS "Distribution Protocol", section "Protocol between Connected Nodes", and "External Term
Format", section "Distribution Header".  With an atom cache or fragments negotiated every packet
begins with a distribution header, and the terms behind it have no version byte of their own; without
either, packets begin with ``p`` and each term with its version byte.

The payload stays undecoded: who receives it decides whether anybody wants it.

A packet is made in two steps, since the atom cache is one for all: :meth:`Channel.prepare` encodes a
message, :meth:`Channel.join` puts the headers to packets in the very order in which they leave.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pyerlnode.errors import DecodeError, LocalProtocolError, RemoteProtocolError, caused
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import Atom, Pid, RawTerm, Reference, Term, decode_bare, encode_bare
from pyerlnode.term.primitives import read_i32_be
from pyerlnode.wire.atom_cache import AtomCache, SendingCache
from pyerlnode.wire.batch import Batch
from pyerlnode.wire.content import PEEK, Content
from pyerlnode.wire.control import Control, parse_control
from pyerlnode.wire.flags import Flags
from pyerlnode.wire.fragments import FIRST, HEAD_SIZE, NEXT, WHOLE_SIZE, Assembler, parse_head, split
from pyerlnode.wire.payload import Payload, encode_payload, plain
from pyerlnode.wire.shorthand import (
    like_last,
    read_again,
    read_control,
    span_of,
    words_size,
    write_address,
    write_control,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BULKY: Final = 32 * 1024
"""Frames from this size on are not copied with others."""

SMALL: Final = 4 * 1024
"""Payloads up to this size are copied behind what is to be written; larger ones are worth some trouble."""

VERSION: Final = 131
WHOLE: Final = 68

Packet: TypeAlias = "tuple[tuple[Atom, ...] | None, bytes, bytes]"
"""A message that is ready but for its header: atoms of that (None: it has it), control message, payload."""

_NO_ATOMS: Final[dict[Atom, int]] = {}
_NOTHING: Final = Payload(b"", _NO_ATOMS)

_length: Final = Struct(">I").pack
_start: Final = Struct(">IBB").pack
_REMEMBERED: Final = 512
_MAX_HEADER: Final = 2 + 1 + 128 + 255 * (1 + 2 + 255 * 4)
_MAX_PACKET: Final = 0xFFFF_FFFF - _MAX_HEADER
_MAX_SEQUENCE: Final = (1 << 64) - 1


class Channel:
    """The state of one connection's packets; ``flags`` are the negotiated ones."""

    __slots__ = (
        "_altact",
        "_assembler",
        "_cache",
        "_fragments",
        "_head",
        "_headers",
        "_last_control",
        "_last_refs",
        "_limits",
        "_records",
        "_sender",
        "_sent",
        "_sequence",
        "_table",
        "_target",
        "_to_aliases",
        "_to_pids",
        "batch",
    )

    def __init__(self, flags: Flags, *, limits: Limits = DEFAULT) -> None:
        self.batch: Final = Batch(limits.outbox)
        """The packets that are ready; they leave before any that is made later."""
        self._fragments = Flags.FRAGMENTS in flags
        self._headers = self._fragments or Flags.DIST_HDR_ATOM_CACHE in flags
        self._limits = limits
        self._cache = AtomCache()
        self._last_control: Control  # what ``AtomCache.last`` said
        self._last_refs: tuple[Atom, ...] = ()
        self._sent = SendingCache() if Flags.DIST_HDR_ATOM_CACHE in flags else None
        self._assembler = Assembler(limits)
        self._sequence = 0
        self._records = Flags.NATIVE_RECORDS in flags
        self._to_pids = Flags.SEND_SENDER in flags
        self._to_aliases = Flags.ALTACT_SIG in flags or Flags.ALIAS in flags
        self._altact = Flags.ALTACT_SIG in flags
        self._sender: Pid | None = None  # of the last message that was posted, and what that began with
        self._target: Pid | Atom | Reference | None = None
        self._head = b""
        self._table: dict[Atom, int] = {}

    # ---------------------------------------------------------------------------- receiving

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

    # ---------------------------------------------------------------------------- sending

    def post(self, sender: Pid, target: Pid | Atom | Reference, term: Term) -> bool | Payload:
        """Encode a message and write it to the batch, where that is open and nothing makes it special.

        Gives whether the batch has room for more.  A message that is not written is given back, encoded, to
        be sent as any signal.  Raises ``EncodeError``.
        """
        batch, cache = self.batch, self._sent
        if not batch.is_open or cache is None or batch.size > batch.room:
            return self.payload(term)
        if (sender is not self._sender or target is not self._target) and not self._begin(sender, target):
            return self.payload(term)
        table = self._table.copy()
        data = encode_bare(term, records=self._records, atoms=table)
        if len(data) > SMALL:
            return Payload(data, table)
        batch.add(cache.header(tuple(table)), self._head, data)
        return batch.size <= batch.room

    def payload(self, term: Term) -> Payload:
        """Encode the payload of a message as the peer may take it.  Raises ``EncodeError``."""
        return encode_payload(term, records=self._records)

    def _begin(self, sender: Pid, target: Pid | Atom | Reference) -> bool:
        """Have the control message for ``target`` ready, and its atoms; False where the peer knows none such.

        It stays for the next message: many in a row go from one process to another.
        """
        if isinstance(target, Pid) and not self._to_pids:
            return False
        if isinstance(target, Reference) and not self._to_aliases:
            return False
        head = like_last(self._head, self._target, target) if sender is self._sender else None
        if head is None:
            self._table, self._head = write_address(sender, target, self._limits, altact=self._altact)
        else:
            self._head = head
        self._sender, self._target = sender, target
        return True

    def put(self, control: Control, payload: Payload | bytes | None = None) -> Packet | None:
        """Write a signal to the batch; one that is not small is given back, as :meth:`prepare` does."""
        packet = self.prepare(control, payload)
        refs, term, data = packet
        if len(data) > SMALL:
            return packet
        if refs is None or self._sent is None:
            self.batch.add_plain(term, data)
        else:
            self.batch.add(self._sent.header(refs), term, data)
        return None

    def prepare(self, control: Control, payload: Payload | bytes | None = None) -> Packet:
        """All of a packet that can be made before its turn comes; a large payload is not copied.

        ``payload`` is the output of ``encode_payload`` or of ``encode_bare``.  Raises
        :class:`LocalProtocolError` when it is missing or in excess, or does not fit a packet, and
        ``EncodeError`` when ``control`` cannot be encoded.
        """
        if self._sent is not None:
            given = payload if isinstance(payload, Payload) else _without_atoms(payload)
            _check_payload(control, len(given))
            refs, term = write_control(control, given, self._limits)
            return refs, term, given.data
        data = plain(payload, self._limits) if isinstance(payload, Payload) else payload or b""
        _check_payload(control, len(data))
        term = encode_bare(control.to_term(), limits=self._limits)
        if self._headers:
            return None, b"\x83D\0" + term, data
        return None, b"p\x83" + term + (b"\x83" if data else b""), data

    def join(self, packets: Iterable[Packet]) -> bytes:
        """The bytes of ``packets``, with their lengths: to be sent before anything that is joined later."""
        parts: list[bytes] = []
        for packet in packets:
            self.finish(packet, parts)
        return b"".join(parts)

    def finish(self, packet: Packet, parts: list[Any]) -> int:
        """Append one packet to ``parts``, as :meth:`join` would; gives its size."""
        refs, term, data = packet
        if refs is None or self._sent is None:
            size = len(term) + len(data)
            parts += (_length(size), term, data)
            return 4 + size
        header = self._sent.header(refs)
        size = 2 + len(header) + len(term) + len(data)
        parts += (_start(size, VERSION, WHOLE), header, term, data)
        return 4 + size

    def encode(self, control: Control, payload: Payload | bytes | None = None) -> list[bytes]:
        """The packet for one message, with its length, to be sent before any that is encoded later.

        Parts to be written one after another.  Errors as in :meth:`prepare`.
        """
        parts: list[bytes] = []
        self.finish(self.prepare(control, payload), parts)
        return parts

    def needs_fragments(self, payload: Payload | bytes | None) -> bool:
        """Whether a message with ``payload`` is to be sent by :meth:`fragments`."""
        return self._fragments and payload is not None and len(payload) > WHOLE_SIZE

    def fragments(self, control: Control, payload: Payload | bytes) -> Iterator[list[bytes | memoryview]]:
        """The packets for one large message, each as :meth:`encode` gives it.

        Other packets may be written in between, also pieces of other messages; the header is made when the
        first piece is asked for.  Only where FRAGMENTS was negotiated.  Errors as in :meth:`prepare`.
        """
        if not self._fragments:
            raise LocalProtocolError("fragments to a peer that cannot take them")
        refs, term, pieces = self._prepare_pieces(control, payload)
        self._sequence = self._sequence % _MAX_SEQUENCE + 1
        return self._fragments_of(self._sequence, refs, term, pieces)

    def _prepare_pieces(
        self, control: Control, payload: Payload | bytes
    ) -> tuple[tuple[Atom, ...] | None, bytes, list[bytes]]:
        """As :meth:`prepare`, with the payload in the pieces that it was encoded in."""
        if self._sent is None or not isinstance(payload, Payload):
            refs, term, data = self.prepare(control, payload)
            return refs, term, [data]
        _check_payload(control, len(payload))
        refs, term = write_control(control, payload, self._limits)
        return refs, term, payload.pieces

    def _fragments_of(
        self, sequence: int, refs: tuple[Atom, ...] | None, term: bytes, pieces: list[bytes]
    ) -> Iterator[list[bytes | memoryview]]:
        start = term[2:]  # without version and tag, which are those of a whole message
        if refs is not None and self._sent is not None:
            start = self._sent.header(refs) + term
        for head, parts in split(sequence, start, pieces):
            size = len(head) + sum([len(part) for part in parts])
            yield [_length(size), head, *parts]


def _without_atoms(data: bytes | None) -> Payload:
    return _NOTHING if data is None else Payload(data, _NO_ATOMS)


def _check_payload(control: Control, size: int) -> None:
    if (size > 0) != control.HAS_PAYLOAD:
        fault = "needs a payload" if control.HAS_PAYLOAD else "has no payload"
        raise LocalProtocolError(f"{type(control).__name__} {fault}")
    if size > _MAX_PACKET:
        raise LocalProtocolError(f"a message of {size} bytes does not fit a packet")
