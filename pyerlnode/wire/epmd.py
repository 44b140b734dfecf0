"""The words of epmd, the Erlang port mapper: every request and reply, parsed and written.

ERTS distribution protocol, "EPMD Protocol".  A request is a 16-bit length and a body; a reply has no
length at all.  epmd closes the connection after each reply save the one to ALIVE2, whose connection *is*
the registration: it lasts until that connection ends, and one more byte sent on it ends it.

Names travel as UTF-8 and stay ``bytes`` here, since a port mapper must be able to refuse the ones that are
not; what a client is told about a node (:class:`NodeEntry`) carries ``str``.  Node names are the part
before the ``@`` only: an epmd knows one host.

Nothing in this module reads a socket or a clock; the life of names is in :mod:`pyerlnode.wire.epmd_registry`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pyerlnode.errors import LocalProtocolError, RemoteProtocolError
from pyerlnode.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

EPMD_PORT: Final = 4369
"""Where an epmd listens unless ERL_EPMD_PORT says otherwise."""

NORMAL: Final = 77
"""ALIVE2 node type ``M``: an ordinary node."""
HIDDEN: Final = 72
"""ALIVE2 node type ``H``: a hidden one (only C nodes and we say so; a hidden BEAM says ``M``)."""

HIGHEST_VERSION: Final = 6
LOWEST_VERSION: Final = 5
"""The handshake versions that every node since OTP 23 announces, and so do we."""

MAX_NAME: Final = 1020
"""Bytes of a name, and of the extra field: 255 characters of at most four bytes."""
MAX_CHARACTERS: Final = 255
MAX_BODY: Final = 3057
"""Bytes of a request without its length: what fits epmd's buffer."""

FAILURE_CREATION: Final = 99
"""What the creation field holds in a refusal."""

_ALIVE2_REQ: Final = ord("x")
_PORT2_REQ: Final = ord("z")
_NAMES_REQ: Final = ord("n")
_DUMP_REQ: Final = ord("d")
_KILL_REQ: Final = ord("k")
_STOP_REQ: Final = ord("s")
_ALIVE2_RESP: Final = ord("y")
_ALIVE2_WIDE_RESP: Final = ord("v")
_PORT2_RESP: Final = ord("w")

_HEAD = struct.Struct(">HBBHHH")
_U16 = struct.Struct(">H")
_U32 = struct.Struct(">I")
_ALIVE2_NARROW = struct.Struct(">BBH")
_ALIVE2_WIDE = struct.Struct(">BBI")


# ---------------------------------------------------------------------------------- requests


@frozen
class Alive2Req:
    """Register ``name`` as a node that listens on ``port``."""

    name: bytes
    port: int
    kind: int = NORMAL
    protocol: int = 0
    highest: int = HIGHEST_VERSION
    lowest: int = LOWEST_VERSION
    extra: bytes = b""

    def to_bytes(self) -> bytes:
        """The request with its length.  ``LocalProtocolError`` for a bad name or port."""
        if not 1 <= len(self.name) <= MAX_NAME or b"\0" in self.name:
            raise LocalProtocolError(
                f"a name to register has 1 to {MAX_NAME} bytes and no NUL, got {len(self.name)}"
            )
        if not 0 <= self.port <= 0xFFFF:
            raise LocalProtocolError(f"a port is a number from 0 to 65535, got {self.port}")
        head = _HEAD.pack(self.port, self.kind, self.protocol, self.highest, self.lowest, len(self.name))
        return _framed(_ALIVE2_REQ, head + self.name + _U16.pack(len(self.extra)) + self.extra)


@frozen
class Port2Req:
    """Where does the node ``name`` listen?"""

    name: bytes

    def to_bytes(self) -> bytes:
        """The request with its length."""
        return _framed(_PORT2_REQ, self.name)


@frozen
class NamesReq:
    """Which nodes are there?"""

    def to_bytes(self) -> bytes:
        """The request with its length."""
        return _framed(_NAMES_REQ, b"")


@frozen
class DumpReq:
    """Which nodes are there, and which were?  Answered to local clients only."""

    def to_bytes(self) -> bytes:
        """The request with its length."""
        return _framed(_DUMP_REQ, b"")


@frozen
class KillReq:
    """End, epmd.  Refused while names are registered, unless its command check is relaxed."""

    def to_bytes(self) -> bytes:
        """The request with its length."""
        return _framed(_KILL_REQ, b"")


@frozen
class StopReq:
    """Forget ``name``.  Only an epmd with a relaxed command check does."""

    name: bytes

    def to_bytes(self) -> bytes:
        """The request with its length."""
        return _framed(_STOP_REQ, self.name)


Request: TypeAlias = Alive2Req | Port2Req | NamesReq | DumpReq | KillReq | StopReq


def parse_request(body: bytes) -> Request:
    """Parse one request, without its length.  ``RemoteProtocolError`` where epmd would just hang up."""
    if not body:
        raise RemoteProtocolError("an empty request")
    match body[0]:
        case 120:  # x
            return _parse_alive2(body)
        case 122:  # z
            return _parse_port2(body)
        case 110:  # n
            return NamesReq()
        case 100:  # d
            return DumpReq()
        case 107:  # k
            return KillReq()
        case 115:  # s
            return _parse_stop(body)
        case _:
            raise RemoteProtocolError(f"unknown request {body[0]}")


def _parse_alive2(body: bytes) -> Alive2Req:
    if len(body) <= 13:
        raise RemoteProtocolError("ALIVE2 without room for a name")
    port, kind, protocol, highest, lowest, name_size = _HEAD.unpack_from(body, 1)
    if 13 + name_size > len(body):
        raise RemoteProtocolError("ALIVE2 whose name is longer than the request")
    extra_at = 13 + name_size
    extra_size: int = _U16.unpack_from(body, extra_at - 2)[0]
    if extra_at + extra_size > len(body):
        raise RemoteProtocolError("ALIVE2 whose extra field is longer than the request")
    name = body[11 : 11 + name_size]
    if b"\0" in name:
        raise RemoteProtocolError("ALIVE2 with a NUL in the name")
    return Alive2Req(name, port, kind, protocol, highest, lowest, body[extra_at : extra_at + extra_size])


def _parse_port2(body: bytes) -> Port2Req:
    name = body[1:-1] if body[-1] == 0 else body[1:]
    if not name or b"\0" in name:
        raise RemoteProtocolError("PORT2 with an empty name, or a NUL in it")
    if characters(name) is None or not 1 <= len(name.decode()) < MAX_CHARACTERS:
        raise RemoteProtocolError("PORT2 for a name that is too long or not UTF-8")
    return Port2Req(name)


def _parse_stop(body: bytes) -> StopReq:
    if len(body) <= 1:
        raise RemoteProtocolError("STOP without a name")
    return StopReq(body[1:].split(b"\0", 1)[0])


def characters(name: bytes) -> int | None:
    """How many characters a name in UTF-8 has; None when it is not UTF-8."""
    try:
        return len(name.decode("utf-8"))
    except UnicodeDecodeError:
        return None


def _framed(opcode: int, rest: bytes) -> bytes:
    size = 1 + len(rest)
    if size > MAX_BODY:
        raise LocalProtocolError(f"an epmd request has at most {MAX_BODY} bytes, this one would have {size}")
    return _U16.pack(size) + bytes((opcode,)) + rest


# ---------------------------------------------------------------------------------- replies


class Alive2Resp(NamedTuple):
    """The answer to ALIVE2: ``result`` 0 and the node's creation, or a refusal."""

    result: int
    creation: int
    wide: bool = True
    """Whether the creation has 32 bits: it does when the request's highest version is 6 or more."""

    def to_bytes(self) -> bytes:
        """The reply as epmd sends it."""
        if self.wide:
            return _ALIVE2_WIDE.pack(_ALIVE2_WIDE_RESP, self.result, self.creation)
        return _ALIVE2_NARROW.pack(_ALIVE2_RESP, self.result, self.creation)

    @staticmethod
    def parse(data: bytes) -> Alive2Resp:
        """Parse a whole reply, :meth:`size` bytes long."""
        if len(data) != Alive2Resp.size(data):
            raise RemoteProtocolError(f"an ALIVE2 reply of {len(data)} bytes")
        wide = data[0] == _ALIVE2_WIDE_RESP
        _, result, creation = (_ALIVE2_WIDE if wide else _ALIVE2_NARROW).unpack(data)
        return Alive2Resp(result, creation, wide)

    @staticmethod
    def size(start: bytes) -> int:
        """How many bytes the reply that starts like this has, as far as can be told yet."""
        if not start:
            return 1
        if start[0] == _ALIVE2_WIDE_RESP:
            return _ALIVE2_WIDE.size
        if start[0] == _ALIVE2_RESP:
            return _ALIVE2_NARROW.size
        raise RemoteProtocolError(f"byte {start[0]} does not begin an ALIVE2 reply")


class NodeEntry(NamedTuple):
    """What epmd tells about a live node."""

    name: str
    port: int
    kind: int = NORMAL
    protocol: int = 0
    highest: int = HIGHEST_VERSION
    lowest: int = LOWEST_VERSION
    extra: bytes = b""

    @property
    def hidden(self) -> bool:
        """Whether the node registered itself as hidden.  A BEAM never does: this says little."""
        return self.kind == HIDDEN

    @property
    def version(self) -> int | None:
        """The highest handshake version that it and we speak, None when there is none."""
        if self.lowest > HIGHEST_VERSION or self.highest < LOWEST_VERSION:
            return None
        return min(self.highest, HIGHEST_VERSION)


NOT_FOUND: Final = bytes((_PORT2_RESP, 1))
"""The PORT2 reply for a name that nobody holds."""


def port2_found(alive: Alive2Req) -> bytes:
    """The PORT2 reply for the node that registered with ``alive``."""
    head = _HEAD.pack(alive.port, alive.kind, alive.protocol, alive.highest, alive.lowest, len(alive.name))
    return bytes((_PORT2_RESP, 0)) + head + alive.name + _U16.pack(len(alive.extra)) + alive.extra


def port2_size(start: bytes) -> int:
    """How many bytes the PORT2 reply that starts like this has, as far as can be told yet."""
    if start and start[0] != _PORT2_RESP:
        raise RemoteProtocolError(f"byte {start[0]} does not begin a PORT2 reply")
    if len(start) < 2 or start[1] != 0:
        return 2
    if len(start) < 12:
        return 12
    extra_at = 12 + int(_U16.unpack_from(start, 10)[0])
    if len(start) < extra_at + 2:
        return extra_at + 2
    return extra_at + 2 + int(_U16.unpack_from(start, extra_at)[0])


def parse_port2(data: bytes) -> NodeEntry | None:
    """Parse a whole PORT2 reply, :func:`port2_size` bytes long.  None: nobody holds the name."""
    if len(data) != port2_size(data):
        raise RemoteProtocolError("a PORT2 reply that ends early")
    if data[1] != 0:
        return None
    port, kind, protocol, highest, lowest, name_size = _HEAD.unpack_from(data, 2)
    name = data[12 : 12 + name_size].decode("utf-8", "replace")
    return NodeEntry(name, port, kind, protocol, highest, lowest, data[14 + name_size :])


class Names(NamedTuple):
    """The answer to NAMES."""

    epmd_port: int
    """The port that this epmd believes to listen on."""
    nodes: tuple[tuple[str, int], ...]
    """Name and port of every live node, in no promised order."""


def format_names(epmd_port: int, nodes: Iterable[tuple[bytes, int]]) -> bytes:
    """The NAMES reply."""
    lines = [b"name %s at port %d\n" % (name, port) for name, port in nodes]
    return _U32.pack(epmd_port) + b"".join(lines)


def parse_names(data: bytes) -> Names:
    """Parse a whole NAMES reply.  Lines in another form are passed over, as BEAM does."""
    if len(data) < 4:
        raise RemoteProtocolError("a NAMES reply without a port")
    entries = (_parse_name_line(line) for line in data[4:].split(b"\n"))
    return Names(_U32.unpack_from(data)[0], tuple(entry for entry in entries if entry is not None))


def _parse_name_line(line: bytes) -> tuple[str, int] | None:
    name, found, port = line.removeprefix(b"name ").rpartition(b" at port ")
    if not found or not line.startswith(b"name ") or not port.isdigit() or len(port) > 5:
        return None
    return name.decode("utf-8", "replace"), int(port)


def format_dump(
    epmd_port: int, live: Iterable[tuple[bytes, int, int]], old: Iterable[tuple[bytes, int, int]]
) -> bytes:
    """The DUMP reply, from (name, port, file descriptor) of live and of remembered nodes.

    Each line is followed by a NUL byte, which the manual does not tell.
    """
    lines = [b"active name     <%s> at port %d, fd = %d\n\0" % entry for entry in live]
    lines += [b"old/unused name <%s>, port = %d, fd = %d \n\0" % entry for entry in old]
    return _U32.pack(epmd_port) + b"".join(lines)


def parse_dump(data: bytes) -> str:
    """The text of a whole DUMP reply, one line per name."""
    if len(data) < 4:
        raise RemoteProtocolError("a DUMP reply without a port")
    return data[4:].replace(b"\0", b"").decode("utf-8", "replace")
