"""Heartbeats of libcluster's Gossip strategy, as bytes: pure, and safe to feed with anything.

Plain: ``heartbeat::`` and an external term ``%{node: :"name@host"}``.  With a secret: 16 random bytes, and
the plain form encrypted by AES-256 in CBC mode with them, padded as PKCS #7 has it; the key is the SHA-256 of
the secret.  There is no documentation of it but the program (libcluster 3.5.0); ``tests/vectors/gossip.txt``
holds what it sent on several releases of OTP.

The encryption hides names and keeps clusters apart.  It proves nothing about who sent a packet, and one that
was recorded can be sent again: what a heartbeat leads to is a dial, where the cookie decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from pyerlnode.errors import ConfigError, TermError
from pyerlnode.limits import Limits
from pyerlnode.term import Atom, decode, encode
from pyerlnode.wire.names import is_valid_name

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = b"heartbeat::"
NODE = Atom("node")
NOBODY = "nonode@nohost"
"""What a node without a name calls itself; libcluster gossips even that (its issue #103)."""
LONGEST = 2048
"""Bytes of a datagram that is looked at: the longest name takes less than 600, encrypted too."""
LIMITS = Limits(nesting=8, elements=64, inflate=LONGEST, atoms=1)
"""Bounds on the term of a heartbeat.  Its atoms are not kept: whoever floods us fills no table."""
BLOCK = 16
"""Bytes in a block of the cipher, and in the random prefix."""


class Packets(Protocol):
    """Between heartbeats and datagrams."""

    def pack(self, name: str) -> bytes:
        """The datagram in which the node `name` says that it lives."""

    def unpack(self, datagram: bytes) -> str | None:
        """The name of the node that lives, by this datagram; None for anything that is no heartbeat."""


class Plain:
    """Packets of a cluster without a secret."""

    def pack(self, name: str) -> bytes:
        """The datagram in which the node `name` says that it lives; in the bytes of OTP 26 and later."""
        return MARK + encode({NODE: Atom(name)})

    def unpack(self, datagram: bytes) -> str | None:
        """The name of the node that lives, by this datagram; None for anything that is no heartbeat."""
        if len(datagram) > LONGEST or not datagram.startswith(MARK):
            return None
        try:
            term = decode(datagram[len(MARK) :], limits=LIMITS)
        except TermError:
            return None
        name = term.get(NODE) if isinstance(term, Mapping) else None
        return str(name) if _is_somebody(name) else None


class Sealed:
    """Packets of a cluster whose nodes share `secret`.

    `prefix` gives 16 unpredictable bytes for each packet.  Raises :class:`ConfigError` when the package
    ``cryptography`` is not installed.
    """

    def __init__(self, secret: str | bytes, prefix: Callable[[], bytes]) -> None:
        try:
            from cryptography.hazmat.primitives.ciphers import Cipher  # noqa: PLC0415  optional
            from cryptography.hazmat.primitives.ciphers.algorithms import AES  # noqa: PLC0415
            from cryptography.hazmat.primitives.ciphers.modes import CBC  # noqa: PLC0415
            from cryptography.hazmat.primitives.padding import PKCS7  # noqa: PLC0415
        except ImportError as error:
            cure = 'gossip with a secret needs the package cryptography: pip install "pyerlnode[gossip]"'
            raise ConfigError("secret", "***", cure) from error
        self._plain = Plain()
        self._prefix = prefix
        key = AES(hashlib.sha256(secret.encode() if isinstance(secret, str) else secret).digest())
        self._cipher: Callable[[bytes], Cipher[CBC]] = lambda prefix: Cipher(key, CBC(prefix))
        self._padding = PKCS7(8 * BLOCK)

    def pack(self, name: str) -> bytes:
        """The datagram in which the node `name` says that it lives."""
        prefix = self._prefix()
        padder, encryptor = self._padding.padder(), self._cipher(prefix).encryptor()
        padded = padder.update(self._plain.pack(name)) + padder.finalize()
        return prefix + encryptor.update(padded) + encryptor.finalize()

    def unpack(self, datagram: bytes) -> str | None:
        """The name of the node that lives, by this datagram.

        None for anything that is no heartbeat, or was made with another secret: whoever sends such learns
        nothing from us, as nothing follows.
        """
        prefix, sealed = datagram[:BLOCK], datagram[BLOCK:]
        if len(datagram) > LONGEST or not sealed or len(sealed) % BLOCK:
            return None
        decryptor, unpadder = self._cipher(prefix).decryptor(), self._padding.unpadder()
        padded = decryptor.update(sealed) + decryptor.finalize()
        try:
            plain = unpadder.update(padded) + unpadder.finalize()
        except ValueError:
            return None
        return self._plain.unpack(plain)


def _is_somebody(name: object) -> bool:
    return isinstance(name, Atom) and name != NOBODY and is_valid_name(name)
