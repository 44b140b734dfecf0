"""Words: the distribution protocol and epmd's as pure state machines, bytes in and events out.

Nothing here opens a socket, starts a timer or draws a random number; layer ``net`` does, and hands
bytes in.  Two shapes only: conversations with an end are generators (:mod:`~pyerlnode.wire.handshake`),
everything that runs for as long as a connection lives is a class
(:mod:`~pyerlnode.wire.framing`, :mod:`~pyerlnode.wire.channel`, :mod:`~pyerlnode.wire.ticker`).

Import from the modules; this package re-exports nothing.
"""

from __future__ import annotations
