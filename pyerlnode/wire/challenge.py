"""The proof that both nodes hold the same cookie, without saying it.

Spec: ERTS "Distribution Protocol", section "Semi-graphic View" and "Distribution Handshake": the digest
is MD5 over the cookie's characters followed by the other side's challenge in decimal.  MD5 is the
protocol's choice, not ours; it keeps strangers out by accident, not attackers on the path.
"""

from __future__ import annotations

from typing import Any, Final

from pyerlnode.errors import LocalProtocolError
from pyerlnode.lazy import later

DIGEST_SIZE = 16

_hashlib: Final[Any] = later("hashlib")
_hmac: Final[Any] = later("hmac")


def digest(cookie: str, challenge: int) -> bytes:
    """The answer to ``challenge`` (0 to 2**32 - 1) of a node that knows ``cookie``: 16 bytes.

    Raises :class:`LocalProtocolError` for a cookie with characters outside Latin-1: no BEAM can use it.
    """
    proof: bytes = _hashlib.md5(_cookie_bytes(cookie) + b"%d" % challenge, usedforsecurity=False).digest()
    return proof


def is_digest(cookie: str, challenge: int, given: bytes) -> bool:
    """Whether ``given`` answers our ``challenge``; takes equally long for every wrong answer."""
    return bool(_hmac.compare_digest(digest(cookie, challenge), given))


def _cookie_bytes(cookie: str) -> bytes:
    try:
        return cookie.encode("latin-1")
    except UnicodeEncodeError:
        fault = "the cookie has characters outside Latin-1, which no Erlang node can use"
    raise LocalProtocolError(fault)  # raised out here so that the chain does not hold the cookie
