"""Making a connection: TCP, then our half of the handshake.

Spec: ERTS "Distribution Protocol", "Distribution Handshake".  What is said is in
:func:`pyerlnode.wire.handshake.initiate`; here are the socket, the deadlines and the cleaning up.
:func:`converse` is the shell of both halves.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pyerlnode.errors import ConnectFailed, CookieMismatch, HandshakeError, MissingFlags, Refused, WrongPeer
from pyerlnode.frozen import frozen
from pyerlnode.limits import DEFAULT
from pyerlnode.net.chance import unpredictable
from pyerlnode.net.stream import Stream
from pyerlnode.wire.framing import frame2
from pyerlnode.wire.handshake import always, initiate

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.limits import Limits
    from pyerlnode.wire.handshake import Conversation, LocalNode, PeerInfo

__all__ = ["Address", "challenge32", "converse", "dial", "explained"]


@frozen
class Address:
    """Where a node listens; `version` is the newest handshake that both sides know."""

    host: str
    port: int
    version: int = 6


def challenge32() -> int:
    """A number of 32 bits that nobody can predict."""
    return unpredictable(32)


def nothing() -> None:
    """Do nothing."""


async def dial(
    address: Address,
    me: LocalNode,
    peer: str,
    cookie: str,
    *,
    limits: Limits = DEFAULT,
    nonce: Callable[[], int] = challenge32,
    insist: Callable[[], bool] = always,
    on_begin: Callable[[], None] = nothing,
) -> tuple[Stream, PeerInfo]:
    """Connect to the node `peer` at `address`; gives the stream, to be attached, and what was agreed.

    `nonce` makes our challenge.  `insist` is asked when the peer still holds an older connection to us.
    `on_begin` is called when TCP stands, right before our name is sent.  TCP and the handshake may each take
    ``Limits.handshake_time``.  A cancelled dial leaves nothing behind.

    Raises :class:`HandshakeError` in its kinds, :class:`RemoteProtocolError`, :class:`OSError` and, too
    late, :class:`TimeoutError`.
    """
    stream = await _connect(address, limits)
    try:
        conversation = initiate(me, peer, cookie, nonce(), version=address.version, insist=insist)
        on_begin()
        async with asyncio.timeout(limits.handshake_time):
            return stream, await converse(stream, conversation)
    except BaseException:
        stream.abort()
        raise


async def _connect(address: Address, limits: Limits) -> Stream:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(limits.handshake_time):
        _, stream = await loop.create_connection(lambda: Stream(limits=limits), address.host, address.port)
    return stream


async def converse(stream: Stream, conversation: Conversation) -> PeerInfo:
    """Carry `conversation` out over `stream`; gives or raises what it ends with.

    Between its last words and the return to the caller nothing is awaited.
    """
    try:
        turn = next(conversation)
        while True:
            for frame in turn.frames:
                stream.write(frame2(frame))
            try:
                frame = await stream.read_frame() if turn.listens else b""
            except EOFError as end:
                turn = conversation.throw(end)
            else:
                turn = conversation.send(frame)
    except StopIteration as end:
        info: PeerInfo = end.value
        return info
    finally:
        conversation.close()


def explained(peer: str, error: Exception) -> ConnectFailed:
    """What went wrong in a dial, as the error that users meet."""
    match error:
        case CookieMismatch():
            stage = "cookie"
        case MissingFlags():
            stage = "flags"
        case WrongPeer():
            stage = "name"
        case Refused() | HandshakeError():
            stage = "refused"
        case TimeoutError():
            return ConnectFailed(
                peer, "timeout", "it did not answer in time: is it stopped, or behind a firewall?"
            )
        case OSError():
            return ConnectFailed(peer, "port", f"its port cannot be reached ({error.strerror or error})")
        case _:
            stage = "refused"
    return ConnectFailed(peer, stage, str(error))
