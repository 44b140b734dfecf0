"""One connection's packets after the handshake: frames to control messages and payloads, and back.

Spec: ERTS "Distribution Protocol", section "Protocol between Connected Nodes", and "External Term
Format", section "Distribution Header".  With an atom cache or fragments negotiated every packet
begins with a distribution header, and the terms behind it have no version byte of their own; without
either, packets begin with ``p`` and each term with its version byte.

A packet is made in two steps, since the atom cache is one for all: :meth:`Channel.prepare` encodes a
message, :meth:`Channel.join` puts the headers to packets in the very order in which they leave.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pyerlnode.errors import LocalProtocolError
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import Atom, Pid, Reference, Term, encode_bare
from pyerlnode.term.encode import encode_pieces
from pyerlnode.wire.atom_cache import SendingCache
from pyerlnode.wire.batch import Batch
from pyerlnode.wire.flags import Flags
from pyerlnode.wire.fragments import WHOLE_SIZE, split
from pyerlnode.wire.payload import Payload, encode_payload, plain
from pyerlnode.wire.receiving import VERSION, WHOLE, Receiving
from pyerlnode.wire.shorthand import (
    like_last,
    write_address,
    write_control,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyerlnode.wire.control import Control

SMALL: Final = 4 * 1024
"""Payloads up to this size are copied behind what is to be written; larger ones are worth some trouble."""

Packet: TypeAlias = "tuple[tuple[Atom, ...] | None, bytes, Payload]"
"""A message that is ready but for its header: atoms of that (None: it has it), control message, payload."""

_NO_ATOMS: Final[dict[Atom, int]] = {}
_NOTHING: Final = Payload(b"", _NO_ATOMS)

_length: Final = Struct(">I").pack
_start: Final = Struct(">IBB").pack
_MAX_HEADER: Final = 2 + 1 + 128 + 255 * (1 + 2 + 255 * 4)
_MAX_PACKET: Final = 0xFFFF_FFFF - _MAX_HEADER
_MAX_SEQUENCE: Final = (1 << 64) - 1


class Channel(Receiving):
    """The state of one connection's packets; ``flags`` are the negotiated ones.

    Here is what is sent; what is received is in the base class.
    """

    __slots__ = (
        "_altact",
        "_head",
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
        super().__init__(flags, limits)
        self.batch: Final = Batch(limits.outbox)
        """The packets that are ready; they leave before any that is made later."""
        self._sent = SendingCache() if Flags.DIST_HDR_ATOM_CACHE in flags else None
        self._sequence = 0
        self._records = Flags.NATIVE_RECORDS in flags
        self._to_pids = Flags.SEND_SENDER in flags
        self._to_aliases = Flags.ALTACT_SIG in flags or Flags.ALIAS in flags
        self._altact = Flags.ALTACT_SIG in flags
        self._sender: Pid | None = None  # of the last message that was posted, and what that began with
        self._target: Pid | Atom | Reference | None = None
        self._head = b""
        self._table: dict[Atom, int] = {}

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
        data = encode_pieces(term, records=self._records, atoms=table)
        if not isinstance(data, bytes) or len(data) > SMALL:
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
        refs, term, given = packet
        if len(given) > SMALL:
            return packet
        if refs is None or self._sent is None:
            self.batch.add_plain(term, given.data)
        else:
            self.batch.add(self._sent.header(refs), term, given.data)
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
            return refs, term, given
        data = plain(payload, self._limits) if isinstance(payload, Payload) else payload or b""
        _check_payload(control, len(data))
        term = encode_bare(control.to_term(), limits=self._limits)
        if self._headers:
            return None, b"\x83D\0" + term, _without_atoms(data)
        return None, b"p\x83" + term + (b"\x83" if data else b""), _without_atoms(data)

    def join(self, packets: Iterable[Packet]) -> bytes:
        """The bytes of ``packets``, with their lengths: to be sent before anything that is joined later."""
        parts: list[bytes] = []
        for packet in packets:
            self.finish(packet, parts)
        return b"".join(parts)

    def finish(self, packet: Packet, parts: list[Any]) -> int:
        """Append one packet to ``parts``, as :meth:`join` would; gives its size.

        What is large in it is the last of them.
        """
        refs, term, given = packet
        if refs is None or self._sent is None:
            size = len(term) + len(given)
            parts += (_length(size), term)
        else:
            header = self._sent.header(refs)
            size = 2 + len(header) + len(term) + len(given)
            parts += (_start(size, VERSION, WHOLE), header, term)
        if size > WHOLE_SIZE:
            parts.append(given.data)
        else:
            parts += given.pieces
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
        refs, term, given = self.prepare(control, payload)
        self._sequence = self._sequence % _MAX_SEQUENCE + 1
        return self._fragments_of(self._sequence, refs, term, given.pieces)

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
