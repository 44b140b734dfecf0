"""The table of peers: who is connected, who is being dialled, and who wins when both dial at once.

Between two nodes at most one connection stands.  For each peer there is at most one attempt of ours:

=============  ====================================================================================
our state      what a peer's own attempt to us is told (OTP: ``net_kernel``, ``dist_util``)
=============  ====================================================================================
nothing        ``ok``
looking up     ``ok``: our attempt has not said its name yet, so it steps back and waits
dialling       the attempt of the node with the greater name goes on: ``nok`` where that is ours, else
               ``ok_simultaneous``, and ours steps back once the peer has proven the cookie (until then
               it may be an impostor; the real one will refuse ours)
connected      ``alive``: the peer has lost the old connection before us; once it has proven the
               cookie, ours is closed and the new one takes its place
=============  ====================================================================================

An attempt that stepped back or failed waits for the peer's, where there is one; should that one fail, it
dials again.  While a peer's attempt is under way we do not say our name to that peer, unless it takes
suspiciously long.  Nothing that an unproven dialler says changes more than that.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from pyerlnode.errors import (
    ConnectFailed,
    NodeDown,
    NodeError,
    NodeNotRunning,
    ProtocolError,
    Refused,
)
from pyerlnode.net.chance import new_creation, unpredictable
from pyerlnode.net.dial import Address, dial, explained
from pyerlnode.net.session import Session
from pyerlnode.runtime.events import NodeEvents, NodeUp
from pyerlnode.wire.flags import Flags
from pyerlnode.wire.handshake import Hello, LocalNode, PeerInfo, Status

if TYPE_CHECKING:
    from pyerlnode.limits import Limits
    from pyerlnode.net.stream import Stream
    from pyerlnode.runtime.router import Router

log = logging.getLogger("pyerlnode.node")

COURTESY = 3  # into how many parts handshake_time goes, of which we wait one for a peer that is dialling us
TRIES = 3  # how often one attempt dials, where it keeps meeting the peer's own


class Local(Protocol):
    """What the table must know of the node that it serves."""

    limits: Limits
    net_ticktime: float

    def introduction(self) -> LocalNode:
        """What we say about ourselves in a handshake."""

    def cookie_for(self, peer: str) -> str:
        """The cookie that we share with `peer`."""

    async def locate(self, peer: str) -> Address:
        """Where `peer` can be dialled; raises :class:`ConnectFailed`."""

    def named(self, name: str, creation: int) -> None:
        """A peer gave us this name."""


class Attempt:
    """One try of ours to reach a peer, shared by all who wait for it."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.outcome: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self.outcome.add_done_callback(_seen)
        self.task: asyncio.Task[None] | None = None
        self.dialling: asyncio.Task[Session] | None = None
        self.begun = False
        """Whether our name is on the wire."""

    def step_back(self) -> None:
        """Gives way to the peer's own attempt."""
        self.begun = False
        if self.dialling is not None:
            self.dialling.cancel()


def _seen(future: asyncio.Future[Session]) -> None:
    if not future.cancelled():
        future.exception()  # somebody may have stopped waiting: that is no error


class Peers:
    """Connections to other nodes, made by either side."""

    def __init__(self, local: Local, router: Router, events: NodeEvents) -> None:
        self._local = local
        self._router = router
        self.deliver = router.deliver  # (:class:`pyerlnode.net.session.Sink`)
        self.delivered = router.delivered
        self._events = events
        self._attempts: dict[str, Attempt] = {}
        self._incoming: dict[str, int] = {}
        self._ends: dict[str, asyncio.Event] = {}  # by peer: set when an attempt of its ends
        self._naming = asyncio.Lock()
        self._closed = True
        self._guests: set[str] = set()  # peers that have their names from us, while they are connected
        self.known: dict[str, None] = {}

    @property
    def sessions(self) -> dict[str, Session]:
        """Every connection that stands, by peer."""
        return self._router.sessions

    def open(self) -> None:
        """Lets connections be made, by either side."""
        self._closed = False

    # dialling ------------------------------------------------------------------------

    async def connect(self, peer: str) -> Session:
        """The connection to `peer`, made now where there is none.  Raises :class:`ConnectFailed`."""
        session = self.sessions.get(peer)
        if session is not None:
            return session
        if self._closed:
            raise NodeNotRunning(f"cannot connect to {peer}: this node is stopped")
        attempt = self._attempts.get(peer)
        if attempt is None:
            attempt = self._attempts[peer] = Attempt(peer)
            attempt.task = asyncio.get_running_loop().create_task(self._try(attempt), name=f"dial {peer}")
        return await asyncio.shield(attempt.outcome)

    async def _try(self, attempt: Attempt) -> None:
        try:
            session = await self._reach(attempt)
        except ConnectFailed as error:
            self._fail(attempt, error)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            self._fail(attempt, ConnectFailed(attempt.peer, "refused", f"{type(error).__name__}: {error}"))
        else:
            self._succeed(attempt, session)

    def _succeed(self, attempt: Attempt, session: Session) -> None:
        self._attempts.pop(attempt.peer, None)
        if not attempt.outcome.done():
            attempt.outcome.set_result(session)

    def _fail(self, attempt: Attempt, error: NodeError) -> None:
        session = self.sessions.get(attempt.peer)
        if session is not None:  # the peer has connected to us meanwhile
            self._succeed(attempt, session)
            return
        self._attempts.pop(attempt.peer, None)
        if not attempt.outcome.done():
            attempt.outcome.set_exception(error)

    async def _reach(self, attempt: Attempt) -> Session:
        peer = attempt.peer
        address = await self._local.locate(peer)
        failure: Exception | None = None
        for _ in range(TRIES):
            session = await self._incoming_session(peer)
            if session is not None:
                return session
            try:
                session = await self._dial(attempt, address)
            except (ProtocolError, OSError) as error:
                failure = error
                session = await self._after_failure(peer, error)
            if session is not None:
                return session
        raise ConnectFailed(peer, "refused", _both_dialled(peer)) from failure

    async def _after_failure(self, peer: str, error: Exception) -> Session | None:
        """The connection that `peer` makes to us, where it says, or we know, that it does."""
        if isinstance(error, Refused) and error.status == Status.NOK:
            return await self._awaited(peer)
        if self._incoming.get(peer):
            return await self._incoming_session(peer)
        raise explained(peer, error) from error

    async def _dial(self, attempt: Attempt, address: Address) -> Session | None:
        """Dials once; None when we gave way to the peer's own attempt."""
        attempt.dialling = asyncio.get_running_loop().create_task(self._shake_hands(attempt, address))
        try:
            await asyncio.wait([attempt.dialling])
            return None if attempt.dialling.cancelled() else attempt.dialling.result()
        finally:
            attempt.dialling.cancel()
            attempt.dialling = None
            attempt.begun = False

    async def _shake_hands(self, attempt: Attempt, address: Address) -> Session:
        if not self._local.introduction().dynamic:
            return await self._introduce(attempt, address)
        async with self._naming:  # one peer names us; then the others are told that name
            return await self._introduce(attempt, address)

    async def _introduce(self, attempt: Attempt, address: Address) -> Session:
        def begin() -> None:
            attempt.begun = True

        peer = attempt.peer
        stream, info = await dial(
            address,
            self._local.introduction(),
            peer,
            self._local.cookie_for(peer),
            limits=self._local.limits,
            insist=lambda: peer not in self.sessions,
            on_begin=begin,
        )
        return self._up(stream, info)

    async def _incoming_session(self, peer: str) -> Session | None:
        """Waits until `peer` makes no attempt to reach us; the connection that came of it.

        Not as long as a handshake may take: it may be an impostor's, who only wants us to wait.
        """
        deadline = asyncio.get_running_loop().time() + self._local.limits.handshake_time / COURTESY
        while self._incoming.get(peer) and await self._end_of_attempt(peer, deadline):
            pass
        return self.sessions.get(peer)

    async def _awaited(self, peer: str) -> Session | None:
        """The connection that `peer` makes to us; None when it fails or takes longer than one may."""
        if peer not in self.sessions:
            deadline = asyncio.get_running_loop().time() + self._local.limits.handshake_time
            await self._end_of_attempt(peer, deadline)
        return self.sessions.get(peer)

    async def _end_of_attempt(self, peer: str, deadline: float) -> bool:
        """Waits until an attempt of `peer` to reach us ends, well or not; False when it takes too long."""
        end = self._ends.setdefault(peer, asyncio.Event())
        try:
            async with asyncio.timeout_at(deadline):
                return await end.wait()
        except TimeoutError:
            log.debug("%s did not connect to us in time", peer)
            return False
        finally:
            if self._ends.get(peer) is end:
                del self._ends[peer]

    # being dialled (pyerlnode.net.listen.ListenGate) ---------------------------------------

    def cookie_for(self, peer: str) -> str:
        """The cookie that we share with `peer`."""
        return self._local.cookie_for(peer)

    def decide(self, hello: Hello) -> Status:
        """What to tell a dialler that says it is `hello`."""
        peer, me = hello.name, self._local.introduction().name
        if self._closed:
            return Status.NOT_ALLOWED  # with NOK it would wait for an attempt of ours
        if peer == me:
            return Status.NOK
        if hello.dynamic:
            return Status.OK
        status = self._verdict(peer, me)
        if status is not Status.NOK:
            self._incoming[peer] = self._incoming.get(peer, 0) + 1
        return status

    def _verdict(self, peer: str, me: str) -> Status:
        if peer in self.sessions:
            return Status.ALIVE
        attempt = self._attempts.get(peer)
        if attempt is None or attempt.dialling is None or attempt.dialling.done():
            return Status.OK
        if attempt.begun:
            return Status.NOK if me > peer else Status.OK_SIMULTANEOUS
        attempt.step_back()
        return Status.OK

    def name_for(self, host: str) -> tuple[str, int]:
        """A name and a creation for a peer that has none."""
        while True:
            name = f"{_random_name()}@{host}"
            if name not in self.sessions:
                return name, new_creation()

    def proven(self, info: PeerInfo) -> None:
        """`info` has the cookie: an older connection to it makes room, and so does our own attempt."""
        if info.flags & Flags.NAME_ME:
            self._guests.add(info.name)
        attempt = self._attempts.get(info.name)
        if attempt is not None:
            attempt.step_back()
        old = self.sessions.get(info.name)
        if old is not None:
            log.info("%s connected anew: closing the old connection to it", info.name)
            old.close("connection replaced by the peer")

    def established(self, stream: Stream, info: PeerInfo) -> None:
        """The acceptor's side of the handshake is done."""
        self._leave(info.name)
        if self._closed:
            stream.close()
        else:
            self._up(stream, info)
        self._settle(info.name)

    def failed(self, peer: str | None, error: Exception) -> None:
        """A dialler did not make it."""
        if peer is not None:
            if not (isinstance(error, Refused) and error.status in (Status.NOK, Status.NOT_ALLOWED)):
                self._leave(peer)
            self._settle(peer)

    def _leave(self, peer: str) -> None:
        left = self._incoming.get(peer, 0) - 1
        if left > 0:
            self._incoming[peer] = left
        else:
            self._incoming.pop(peer, None)

    def _settle(self, peer: str) -> None:
        end = self._ends.pop(peer, None)
        if end is not None:
            end.set()

    # connections ---------------------------------------------------------------------

    def _up(self, stream: Stream, info: PeerInfo) -> Session:
        old = self.sessions.get(info.name)
        if old is not None:
            old.close("connection replaced")
        self._local.named(info.local_name, info.local_creation)
        session = Session(stream, info, self, ticktime=self._local.net_ticktime, limits=self._local.limits)
        self._router.node_up(session)
        self.known[info.name] = None
        log.log(_level(info), "node %s is up", info.name)
        self._events.publish(NodeUp(info.name, info.visible))
        session.start()
        return session

    def lost(self, session: Session, reason: str) -> None:
        """A connection is gone (:class:`pyerlnode.net.session.Sink`)."""
        if session.name in self._guests:
            self._guests.discard(session.name)
            self.known.pop(session.name, None)
        if self._router.node_down(session):
            log.log(_level(session.info), "node %s is down: %s", session.name, reason)
            self._events.publish(NodeDown(session.name, reason))

    def disconnect(self, peer: str, reason: str = "disconnect") -> bool:
        """Closes the connection to `peer`; False where there is none."""
        session = self.sessions.get(peer)
        if session is None:
            return False
        session.close(reason)
        return True

    async def close(self) -> None:
        """Ends every attempt and every connection, all at once; nothing new is made afterwards."""
        self._closed = True
        attempts = list(self._attempts.values())
        tasks = [attempt.task for attempt in attempts if attempt.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for attempt in attempts:  # also those whose task had not begun
            stopped = NodeNotRunning(f"cannot connect to {attempt.peer}: this node was stopped meanwhile")
            self._fail(attempt, stopped)
        sessions = list(self.sessions.values())
        await asyncio.gather(*(session.flush() for session in sessions), return_exceptions=True)
        for session in sessions:
            session.close("this node stops")


def _random_name() -> str:
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "".join(alphabet[unpredictable(32) % len(alphabet)] for _ in range(13))


def _both_dialled(peer: str) -> str:
    return f"{peer} insists on its own attempt to reach us, which does not arrive: can it reach our port?"


def _level(peer: PeerInfo) -> int:
    """Hidden nodes are tools that come and go, health checks among them: of interest when debugging."""
    return logging.INFO if peer.visible else logging.DEBUG
