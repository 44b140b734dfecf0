"""Every bound that this library keeps on input, memory and waiting, in one place.

A peer is hostile until it has proven the cookie, and clumsy afterwards: nothing is read, kept or
waited for without one of these limits.  Pass your own to ``Node(..., limits=Limits(mailbox=500))``.
Sizes are bytes, times are seconds, the rest are counts.
"""

from __future__ import annotations

from dataclasses import fields

from pyerlnode.frozen import frozen_options

KIB = 1024
MIB = 1024 * KIB


@frozen_options
class Limits:
    """Bounds on what peers may send us and on what we keep or wait for."""

    # Terms (ERTS "External Term Format")
    nesting: int = 500
    """How deep a term may nest, decoded, encoded or printed."""
    elements: int = 16_000_000
    """Sub-terms in one decoded term: a small message must not grow into gigabytes of objects."""
    inflate: int = 64 * MIB
    """Bytes that a compressed stand-alone term may unpack to."""
    atoms: int = 65_536
    """Atoms that stay interned.  Further ones still decode, they are just not kept."""

    # The wire, before the cookie is proven
    handshake_frame: int = 1 * KIB
    """One handshake message."""
    handshake_time: float = 7.0
    """One whole handshake, and each step of dialling (OTP's ``net_setuptime``)."""
    unauthenticated: int = 64
    """Connections that may be in their handshake at once, accepted side."""

    # The wire, after it
    frame: int = 128 * MIB
    """One packet of the distribution protocol."""
    message: int = 512 * MIB
    """One message put together from fragments."""
    fragmented: int = 1_024
    """Fragmented messages under way at once on one connection."""
    fragmented_bytes: int = 1_024 * MIB
    """Bytes of unfinished fragmented messages on one connection."""
    outbox: int = 1 * MIB
    """High-water mark of unsent bytes on one connection: above it, ``await send()`` waits.

    So a peer that stops reading costs at most twice this and, of each process that sends to it, the one
    message that it waits with.  A process waits for its own large messages (above 64 KiB), not for those of
    others.
    """
    outbox_max: int = 256 * MIB
    """Unsent bytes on one connection at which the peer is given up: it asks and does not read the answers.

    Large messages that an ``await send()`` waits with do not count."""
    linger: float = 5.0
    """How long a closed connection may take to send what was written to it."""

    # Processes
    mailbox: int = 1_000_000
    """Messages waiting in one mailbox; a process that exceeds it ends with ``message_queue_overflow``."""

    spawned: int = 10_000
    """Processes of exported functions that other nodes run here at once; more get ``system_limit``."""

    # epmd
    epmd_time: float = 5.0
    """One conversation with a port mapper, as its client."""
    epmd_clients: int = 1_024
    """Connections that our own port mapper serves at once."""
    epmd_packet_time: float = 60.0
    """How long our own port mapper waits for the rest of a request."""
    epmd_reply: int = 1 * MIB
    """The longest NAMES answer that we read."""

    # Text
    text_input: int = 1 * MIB
    """Characters of Elixir or Erlang syntax that the term reader takes."""
    brief: int = 200
    """Characters of a term that errors and logs show."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) <= 0:
                raise ValueError(
                    f"Limits.{field.name} must be greater than 0, got {getattr(self, field.name)!r}"
                )


DEFAULT = Limits()
