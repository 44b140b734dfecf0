"""The handshake as two conversations: :func:`initiate` when we dial, :func:`accept` when we are dialled.

Spec: ERTS "Distribution Protocol", section "Distribution Handshake"; order of steps as in OTP.

A conversation is a generator.  It yields a :class:`Turn`, frames (without length prefix) to send, and is
sent the next frame received; where ``turn.listens`` is false nothing is to be read, and it is resumed at
once with ``b""`` (the last words: an ack, or a refusal).  It returns a :class:`PeerInfo` or raises.  When
the stream ends while a frame is awaited, throw :class:`EOFError` into it: it knows what a close means
at that place and raises the error that says so.  The whole shell, for any stream::

    turn = next(talk)
    while True:
        for frame in turn.frames:
            write(frame)
        turn = talk.send(read() if turn.listens else b"")     # StopIteration.value is the PeerInfo

Everything that arrives is hostile until the digest is right.  Whatever is wrong with it raises
:class:`RemoteProtocolError` or a :class:`HandshakeError`, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import NamedTuple, Protocol, TypeAlias

from pyerlnode.errors import (
    CookieMismatch,
    HandshakeError,
    LocalProtocolError,
    MissingFlags,
    Refused,
    RemoteProtocolError,
    WrongPeer,
    caused,
)
from pyerlnode.wire.challenge import digest, is_digest
from pyerlnode.wire.flags import LOW_HALF, REQUIRED, Flags, describe, expand, missing, without
from pyerlnode.wire.hello import (
    Challenge,
    Complement,
    Hello,
    Named,
    Reply,
    Status,
    ack_to_bytes,
    parse_ack,
    parse_challenge,
    parse_complement,
    parse_hello,
    parse_reply,
    parse_status,
)
from pyerlnode.wire.names import is_valid_host, is_valid_name, split_name

__all__ = ["Gate", "Hello", "LocalNode", "PeerInfo", "Status", "Turn", "accept", "always", "initiate"]

_MAX_WORD = 0xFFFF_FFFF


class LocalNode(NamedTuple):
    """What we say about ourselves.

    ``name`` is the full name, or the host alone when ``dynamic``: then we ask the peer for a name, which
    only a dialler can.  ``creation`` (0 to 2**32 - 1) tells our incarnations apart.  ``required`` are
    the flags that a peer must have.
    """

    name: str
    flags: Flags
    creation: int
    dynamic: bool = False
    required: Flags = REQUIRED


class PeerInfo(NamedTuple):
    """A proven peer.

    ``flags`` are those of both nodes; ``visible`` whether each shows the other in ``nodes()``.
    ``local_name`` and ``local_creation`` are ours on this connection; they differ from those of the
    :class:`LocalNode` when the peer gave us our name.
    """

    name: str
    flags: Flags
    creation: int
    visible: bool
    local_name: str
    local_creation: int


class Turn(NamedTuple):
    """Frames to send, in order; then a frame to read if it ``listens``."""

    frames: tuple[bytes, ...] = ()
    listens: bool = True


class Gate(Protocol):
    """What an acceptor must be told about its own node.  No method may block."""

    def cookie_for(self, peer: str) -> str:
        """The cookie shared with ``peer``."""

    def decide(self, hello: Hello) -> Status:
        """What to say to that name: OK, OK_SIMULTANEOUS, NOK, NOT_ALLOWED or ALIVE.

        A dialler that has our own name gets NOK.  When both nodes dial at once, the attempt of the node
        with the greater name goes on: NOK when that is ours, else OK_SIMULTANEOUS.  ``hello.name`` has
        proven nothing yet: no state may change for good, except to drop our own attempt.  A ``dynamic``
        one can only be told OK, NOK or NOT_ALLOWED.
        """

    def name_for(self, host: str) -> tuple[str, int]:
        """A free full name at ``host`` and a creation, for a dialler that has none."""

    def proven(self, info: PeerInfo) -> None:
        """The peer knows the cookie, and its connection is about to stand: close an older one now."""


def always() -> bool:
    """Insist whenever the peer thinks that an older connection to us lives."""
    return True


Conversation: TypeAlias = Generator[Turn, bytes, PeerInfo]

_LISTEN = Turn()


# ------------------------------------------------------------------------------------ dialling


def initiate(
    me: LocalNode,
    peer: str,
    cookie: str,
    nonce: int,
    *,
    version: int = 6,
    insist: Callable[[], bool] = always,
) -> Conversation:
    """Our half of the handshake when we dial ``peer``.

    ``nonce`` is our challenge: 32 bits, from a source that nobody can predict.  ``version`` 5 is for peers
    that epmd says know no better.  ``insist`` is asked when the peer holds an older connection to us.

    Raises :class:`Refused`, :class:`CookieMismatch`, :class:`MissingFlags`, :class:`WrongPeer` or
    :class:`RemoteProtocolError`; :class:`LocalProtocolError` for arguments that cannot work.
    """
    _check_local(me, nonce)
    split_name(peer)
    dialler = _Dialler(me, peer, cookie, nonce, version, insist)
    try:
        return (yield from dialler.talk())
    except EOFError as end:
        raise caused(dialler.cut_off(), end) from end


class _Dialler:
    """One :func:`initiate` under way."""

    def __init__(
        self, me: LocalNode, peer: str, cookie: str, nonce: int, version: int, insist: Callable[[], bool]
    ) -> None:
        self.me = me
        self.peer = peer
        self.cookie = cookie
        self.nonce = nonce
        self.insist = insist
        self.hello = _hello(me, version)
        self.place = _AT_NAME

    def talk(self) -> Conversation:
        status = parse_status((yield Turn((self.hello.to_bytes(),))))
        name, creation = self.my_name(status)
        theirs = parse_challenge((yield from self.after(status)))
        if theirs.name != self.peer:
            raise WrongPeer(self.peer, theirs.name)
        _check_flags(self.peer, theirs.flags, self.me.required)
        self.place = _AT_PROOF
        self.check_ack((yield Turn(self.answer(theirs))))
        return _info(self.peer, theirs.flags, theirs.creation, self.hello.flags, name, creation)

    def my_name(self, status: Status | Named) -> tuple[str, int]:
        """Our name and creation on this connection: those just given, when we asked for some."""
        if not isinstance(status, Named):
            return self.me.name, self.me.creation
        if not self.me.dynamic or split_name(status.name)[1] != self.me.name:
            raise RemoteProtocolError(f"{self.peer} gave us the name {status.name}, which we did not ask for")
        return status.name, status.creation

    def after(self, status: Status | Named) -> Generator[Turn, bytes, bytes]:
        """React to ``status``; gives the frame that follows it."""
        if status in (Status.NOK, Status.NOT_ALLOWED):
            raise _refused(self.peer, status)
        self.place = _AT_CHALLENGE
        if isinstance(status, Named) or (status in _GO_ON and not self.me.dynamic):
            return (yield _LISTEN)
        if status is not Status.ALIVE or self.me.dynamic:
            raise RemoteProtocolError(f"{self.peer} answered our name with {status}")
        if self.insist():
            return (yield Turn((Status.TRUE.to_bytes(),)))
        yield Turn((Status.FALSE.to_bytes(),), listens=False)
        raise _refused(self.peer, status)

    def answer(self, theirs: Challenge) -> tuple[bytes, ...]:
        """Our challenge reply; before it what our name message could not say, if the peer can hear it."""
        reply = Reply(self.nonce, digest(self.cookie, theirs.challenge)).to_bytes()
        if self.hello.version < theirs.version:
            return Complement(self.hello.flags, self.hello.creation).to_bytes(), reply
        return (reply,)

    def check_ack(self, frame: bytes) -> None:
        if frame[:1] == b"s":  # a BEAM that misses a flag in our complement says so as late as here
            raise _refused(self.peer, parse_status(frame))
        if not is_digest(self.cookie, self.nonce, parse_ack(frame)):
            raise CookieMismatch(self.peer)

    def cut_off(self) -> HandshakeError:
        """What it means that the peer closed the connection where we are."""
        if self.place == _AT_PROOF:
            return CookieMismatch(self.peer)
        hint = _NO_VERSION_5 if self.place == _AT_NAME and self.hello.version == 5 else ""
        return Refused(self.peer, "closed", f"{self.peer} closed the connection {self.place}{hint}")


_GO_ON = (Status.OK, Status.OK_SIMULTANEOUS)
_AT_NAME = (
    "at our name: it is no Erlang node, it is busy with another connection to us, or it does not take "
    "our name (long names and short ones do not mix)"
)
_NO_VERSION_5 = "; OTP 25.0 to 25.2 take no name in version 5, which was used"
_AT_CHALLENGE = "before its challenge: it stopped, or gave way to another connection between us"
_AT_PROOF = "at our proof of the cookie"


def _hello(me: LocalNode, version: int) -> Hello:
    if version not in (5, 6) or (me.dynamic and version == 5):
        what = "ask for a name" if me.dynamic else "dial"
        raise LocalProtocolError(f"cannot {what} with version {version} of the handshake")
    if me.dynamic:
        return Hello(me.name, _nameless(me.flags), 0, version, dynamic=True)
    return Hello(me.name, me.flags, me.creation, version)


# ------------------------------------------------------------------------------------ being dialled


def accept(me: LocalNode, nonce: int, gate: Gate) -> Conversation:
    """Our half of the handshake when someone dials us.

    ``nonce`` is our challenge, as in :func:`initiate`.  ``gate`` decides who may come in; with NOK and
    NOT_ALLOWED the status goes out and :class:`Refused` is raised.  A wrong proof of the cookie is answered
    with nothing: :class:`CookieMismatch`.

    Raises what :func:`initiate` does, and :class:`HandshakeError` when the dialler goes away.
    """
    _check_local(me, nonce)
    acceptor = _Acceptor(me, nonce, gate)
    try:
        return (yield from acceptor.talk())
    except EOFError as end:
        gone = HandshakeError(acceptor.peer, f"{acceptor.peer or 'the dialler'} {acceptor.place}")
        raise caused(gone, end) from end


class _Acceptor:
    """One :func:`accept` under way."""

    def __init__(self, me: LocalNode, nonce: int, gate: Gate) -> None:
        self.me = me
        self.nonce = nonce
        self.gate = gate
        self.peer = ""
        self.creation = 0
        self.place = "closed the connection before it gave a name"

    def talk(self) -> Conversation:
        hello = parse_hello((yield _LISTEN))
        self.peer, self.creation = hello.name, hello.creation
        complete = hello.version == 6 or Flags.HANDSHAKE_23 not in expand(hello.flags)
        yield from self.check_flags(
            hello.flags, self.me.required if complete else self.me.required & LOW_HALF
        )
        status = yield from self.judge(hello)
        self.place = "closed the connection at our challenge: it misses a flag, or stopped"
        mine = self.challenge(hello)
        frame = yield Turn((*status, mine.to_bytes()))
        theirs = hello.flags
        if not complete:
            rest = parse_complement(frame)
            theirs, self.creation = theirs | rest.flags, rest.creation
            yield from self.check_flags(theirs, self.me.required)
            frame = yield _LISTEN
        cookie = self.gate.cookie_for(self.peer)
        reply = parse_reply(frame)
        if not is_digest(cookie, self.nonce, reply.digest):
            raise CookieMismatch(self.peer)
        info = _info(self.peer, theirs, self.creation, mine.flags, self.me.name, self.me.creation)
        self.gate.proven(info)
        yield Turn((ack_to_bytes(digest(cookie, reply.challenge)),), listens=False)
        return info

    def check_flags(self, theirs: Flags, required: Flags) -> Generator[Turn, bytes, None]:
        """Turn the dialler away when it lacks some of ``required``."""
        try:
            _check_flags(self.peer, theirs, required)
        except MissingFlags:
            yield Turn((Status.NOT_ALLOWED.to_bytes(),), listens=False)
            raise

    def judge(self, hello: Hello) -> Generator[Turn, bytes, tuple[bytes, ...]]:
        """Ask the gate about ``hello``; gives the status still to be sent, if any."""
        verdict = self.gate.decide(hello)
        if verdict in (Status.NOK, Status.NOT_ALLOWED):
            yield Turn((verdict.to_bytes(),), listens=False)
            raise Refused(self.peer, str(verdict), f"turned {self.peer} away with status {verdict}")
        if hello.dynamic and verdict is Status.OK:
            return (self.christen(hello.name).to_bytes(),)
        if hello.dynamic or (verdict not in _GO_ON and verdict is not Status.ALIVE):
            raise LocalProtocolError(f"a gate cannot answer {self.peer} with {verdict}")
        if verdict is Status.ALIVE:
            yield from self.ask_whether_alive()
            return ()
        return (verdict.to_bytes(),)

    def christen(self, host: str) -> Named:
        """Give a nameless dialler a name, its own from here on."""
        name, creation = self.gate.name_for(host)
        if split_name(name)[1] != host:
            raise LocalProtocolError(f"a gate cannot name a node at {host} {name}")
        self.peer, self.creation = name, creation
        return Named(name, creation)

    def ask_whether_alive(self) -> Generator[Turn, bytes, None]:
        self.place = "closed the connection when asked whether its older one is alive"
        answer = parse_status((yield Turn((Status.ALIVE.to_bytes(),))))
        if answer is Status.FALSE:
            raise Refused(self.peer, str(answer), f"{self.peer} gave its attempt up: an older one goes on")
        if answer is not Status.TRUE:
            raise RemoteProtocolError(f"{self.peer} answered the status alive with {answer}")

    def challenge(self, hello: Hello) -> Challenge:
        """Our challenge, in the version that the dialler understands."""
        flags = _nameless(self.me.flags) if hello.dynamic else self.me.flags
        version = 6 if hello.version == 6 or Flags.HANDSHAKE_23 in expand(hello.flags) else 5
        return Challenge(self.me.name, flags, self.nonce, self.me.creation, version)


# ------------------------------------------------------------------------------------ both


def _nameless(flags: Flags) -> Flags:
    """The flags that both sides announce when the dialler asks for its name."""
    return without(flags, Flags.PUBLISHED) | Flags.NAME_ME


def _check_flags(peer: str, theirs: Flags, required: Flags) -> None:
    lacking = missing(theirs, required)
    if lacking:
        raise MissingFlags(peer, describe(lacking))


def _info(peer: str, theirs: Flags, creation: int, mine: Flags, name: str, my_creation: int) -> PeerInfo:
    flags = expand(theirs) & expand(mine)
    return PeerInfo(peer, flags, creation, Flags.PUBLISHED in flags, name, my_creation)


def _refused(peer: str, status: Status | Named) -> Refused:
    return Refused(peer, str(status), _REFUSALS.get(status, "").format(peer=peer) or None)


_REFUSALS: dict[Status | Named, str] = {
    Status.NOK: "{peer} refused the connection with status nok: it is connecting to us at this moment "
    "and goes on with that attempt, or it has our own name",
    Status.NOT_ALLOWED: "{peer} refused the connection with status not_allowed: it admits only some nodes "
    "(net_kernel:allow), or misses a distribution flag in us",
    Status.ALIVE: "{peer} still holds an older connection to us, and we did not insist on a new one",
}


def _check_local(me: LocalNode, nonce: int) -> None:
    if not (is_valid_host(me.name) if me.dynamic else is_valid_name(me.name)):
        raise LocalProtocolError(f"{me.name!r} cannot be our name in a handshake")
    if not (0 <= nonce <= _MAX_WORD and 0 <= me.creation <= _MAX_WORD):
        raise LocalProtocolError("a creation and a challenge are numbers of 32 bits")
