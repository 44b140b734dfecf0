"""The messages of the handshake: each a frozen value with a reader and a writer.

Spec: ERTS "Distribution Protocol", section "Distribution Handshake".  Frames come and go without their
length prefix.  Version 6 messages are tagged ``N``, version 5 ones ``n``; what follows the name in a
version 6 message is for the future and ignored.  Names are Latin-1 here, except in a ``named:`` status.

Readers raise :class:`RemoteProtocolError` and nothing else, whatever the bytes.
"""

from __future__ import annotations

import struct
from enum import StrEnum
from struct import Struct
from typing import NamedTuple

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.wire.challenge import DIGEST_SIZE
from pyerlnode.wire.flags import LOW_HALF, Flags
from pyerlnode.wire.names import is_valid_host, is_valid_name

_HELLO_6 = Struct(">cQIH")
_HELLO_5 = Struct(">cHI")
_CHALLENGE_6 = Struct(">cQIIH")
_CHALLENGE_5 = Struct(">cHII")
_COMPLEMENT = Struct(">cII")
_REPLY = Struct(">cI16s")
_NAME_LENGTH = Struct(">H")
_CREATION = Struct(">I")
_OLD_VERSION = 5
_EXCERPT = 32


class Status(StrEnum):
    """What an acceptor says to a name, and a dialler to ``alive``."""

    OK = "ok"
    """Go on."""
    OK_SIMULTANEOUS = "ok_simultaneous"
    """Go on: our own attempt to reach you gives way to this one."""
    NOK = "nok"
    """Stop: our own attempt to reach you is the one that goes on."""
    NOT_ALLOWED = "not_allowed"
    """Stop."""
    ALIVE = "alive"
    """We hold a connection to you already: is that one dead?"""
    TRUE = "true"
    """The dialler's answer to ``alive``: it is, go on."""
    FALSE = "false"
    """The dialler's answer to ``alive``: stop."""
    NAMED = "named:"
    """Go on, under the name that follows."""

    def to_bytes(self) -> bytes:
        """The status message."""
        return b"s" + self.value.encode("ascii")


class Named(NamedTuple):
    """The status that gives a node its ``name`` and ``creation``."""

    name: str
    creation: int

    def to_bytes(self) -> bytes:
        """The status message."""
        name = self.name.encode()
        return Status.NAMED.to_bytes() + _NAME_LENGTH.pack(len(name)) + name + _CREATION.pack(self.creation)


class Hello(NamedTuple):
    """What a dialler says first: its name message.

    ``name`` is the host part alone when ``dynamic``: the dialler has no name and asks for one.  In
    version 5 the flags are the lower 32 only and the creation is not told (0).
    """

    name: str
    flags: Flags
    creation: int
    version: int = 6
    dynamic: bool = False

    def to_bytes(self) -> bytes:
        """The name message in this version."""
        name = self.name.encode("latin-1")
        if self.version == _OLD_VERSION:
            return _HELLO_5.pack(b"n", _OLD_VERSION, self.flags & LOW_HALF) + name
        return _HELLO_6.pack(b"N", self.flags, self.creation, len(name)) + name


class Challenge(NamedTuple):
    """What an acceptor says about itself, and the number that the dialler must answer."""

    name: str
    flags: Flags
    challenge: int
    creation: int
    version: int = 6

    def to_bytes(self) -> bytes:
        """The challenge message in this version."""
        name = self.name.encode("latin-1")
        if self.version == _OLD_VERSION:
            return _CHALLENGE_5.pack(b"n", _OLD_VERSION, self.flags & LOW_HALF, self.challenge) + name
        return _CHALLENGE_6.pack(b"N", self.flags, self.challenge, self.creation, len(name)) + name


class Complement(NamedTuple):
    """What a version 5 name message could not hold, once the acceptor has shown that it knows more."""

    flags: Flags
    creation: int

    def to_bytes(self) -> bytes:
        """The complement message: only the upper half of the flags travels."""
        return _COMPLEMENT.pack(b"c", int(self.flags) >> 32, self.creation)


class Reply(NamedTuple):
    """The dialler's answer to the challenge, and its own challenge."""

    challenge: int
    digest: bytes

    def to_bytes(self) -> bytes:
        """The challenge reply."""
        return _REPLY.pack(b"r", self.challenge, self.digest)


def ack_to_bytes(digest: bytes) -> bytes:
    """The acceptor's answer to the dialler's challenge."""
    return b"a" + digest


def parse_hello(frame: bytes) -> Hello:
    """Read a name message of either version."""
    if frame[:1] == b"N" and len(frame) >= _HELLO_6.size:
        _, bits, creation, length = _HELLO_6.unpack_from(frame)
        flags = Flags(bits)
        dynamic = Flags.NAME_ME in flags
        text = _text(frame, _HELLO_6.size, length)
        return Hello(_host(text) if dynamic else _name(text), flags, creation, 6, dynamic)
    if frame[:1] == b"n" and len(frame) >= _HELLO_5.size:
        _, version, bits = _HELLO_5.unpack_from(frame)
        _check_version(version)
        return Hello(_name(frame[_HELLO_5.size :].decode("latin-1")), Flags(bits), 0, _OLD_VERSION)
    raise _unexpected("a name message", frame)


def parse_status(frame: bytes) -> Status | Named:
    """Read a status message."""
    text = frame[1:].decode("latin-1")
    if frame[:1] == b"s":
        if text.startswith(Status.NAMED):
            return _parse_named(frame, 1 + len(Status.NAMED))
        if text in _PLAIN_STATUSES:
            return Status(text)
    raise _unexpected("a status", frame)


def parse_challenge(frame: bytes) -> Challenge:
    """Read a challenge of either version."""
    if frame[:1] == b"N" and len(frame) >= _CHALLENGE_6.size:
        _, bits, challenge, creation, length = _CHALLENGE_6.unpack_from(frame)
        name = _name(_text(frame, _CHALLENGE_6.size, length))
        return Challenge(name, Flags(bits), challenge, creation)
    if frame[:1] == b"n" and len(frame) >= _CHALLENGE_5.size:
        _, version, bits, challenge = _CHALLENGE_5.unpack_from(frame)
        _check_version(version)
        name = _name(frame[_CHALLENGE_5.size :].decode("latin-1"))
        return Challenge(name, Flags(bits), challenge, 0, _OLD_VERSION)
    raise _unexpected("a challenge", frame)


def parse_complement(frame: bytes) -> Complement:
    """Read a complement."""
    if frame[:1] == b"c" and len(frame) == _COMPLEMENT.size:
        _, high, creation = _COMPLEMENT.unpack(frame)
        return Complement(Flags(high << 32), creation)
    raise _unexpected("a complement", frame)


def parse_reply(frame: bytes) -> Reply:
    """Read a challenge reply."""
    if frame[:1] == b"r" and len(frame) == _REPLY.size:
        _, challenge, digest = _REPLY.unpack(frame)
        return Reply(challenge, digest)
    raise _unexpected("a challenge reply", frame)


def parse_ack(frame: bytes) -> bytes:
    """Read a challenge acknowledgement; gives its digest."""
    if frame[:1] == b"a" and len(frame) == 1 + DIGEST_SIZE:
        return frame[1:]
    raise _unexpected("a challenge acknowledgement", frame)


_PLAIN_STATUSES = frozenset(status.value for status in Status if status is not Status.NAMED)


def _parse_named(frame: bytes, start: int) -> Named:
    """Read what follows ``named:``.  Unlike everywhere else in the handshake, this name is UTF-8."""
    try:
        name_at = start + _NAME_LENGTH.size
        name_end: int = name_at + _NAME_LENGTH.unpack_from(frame, start)[0]
        creation: int = _CREATION.unpack_from(frame, name_end)[0]
        return Named(_name(frame[name_at:name_end].decode()), creation)
    except (struct.error, UnicodeDecodeError):
        raise _unexpected("a status with a name", frame) from None


def _text(frame: bytes, start: int, length: int) -> str:
    if len(frame) - start < length:
        raise _unexpected(f"a name of {length} bytes", frame)
    return frame[start : start + length].decode("latin-1")


def _name(text: str) -> str:
    if not is_valid_name(text):
        raise RemoteProtocolError(f"the other side calls itself {text[:255]!r}, which is not a node name")
    return text


def _host(text: str) -> str:
    if not is_valid_host(text):
        raise RemoteProtocolError(f"the other side asks for a name at {text[:255]!r}, which is not a host")
    return text


def _check_version(version: int) -> None:
    if version != _OLD_VERSION:
        raise RemoteProtocolError(f"the other side speaks version {version} of the handshake")


def _unexpected(wanted: str, frame: bytes) -> RemoteProtocolError:
    dots = "..." if len(frame) > _EXCERPT else ""
    return RemoteProtocolError(f"expected {wanted}, got {len(frame)} bytes: {frame[:_EXCERPT]!r}{dots}")
