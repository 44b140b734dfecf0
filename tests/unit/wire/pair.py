"""A dialler's and an acceptor's conversation, wired back to back without a socket."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyerlnode.wire.handshake import Status

if TYPE_CHECKING:
    from pyerlnode.wire.handshake import Conversation, Hello, PeerInfo, Turn


@dataclass
class Door:
    """A gate that says `status` to everyone and remembers what it was told."""

    cookie: str = "cookie"
    status: Status = Status.OK
    name: str = "given@host"
    creation: int = 4242
    hellos: list[Hello] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)
    let_in: list[PeerInfo] = field(default_factory=list)

    def cookie_for(self, peer: str) -> str:
        self.asked_for.append(peer)
        return self.cookie

    def decide(self, hello: Hello) -> Status:
        self.hellos.append(hello)
        return self.status

    def name_for(self, host: str) -> tuple[str, int]:
        return self.name, self.creation

    def proven(self, info: PeerInfo) -> None:
        self.let_in.append(info)


class Half:
    """One conversation under way: `result` or `error` once it is over."""

    def __init__(self, talk: Conversation) -> None:
        self.talk = talk
        self.said: list[bytes] = []
        self.heard: deque[bytes] = deque()
        self.result: PeerInfo | None = None
        self.error: Exception | None = None
        self.listens = False
        self._step(lambda: next(talk))

    @property
    def over(self) -> bool:
        return self.result is not None or self.error is not None

    def feed(self, *frames: bytes) -> None:
        """Hand it frames, as long as it listens."""
        self.heard.extend(frames)
        while self.heard and not self.over:
            frame = self.heard.popleft()
            self._step(lambda frame=frame: self.talk.send(frame))

    def end(self) -> None:
        """Tell it that the other side has closed the connection."""
        if not self.over:
            self._step(lambda: self.talk.throw(EOFError()))

    def _step(self, advance) -> None:
        try:
            turn: Turn = advance()
            self.said += turn.frames
            while not turn.listens:
                turn = self.talk.send(b"")
                self.said += turn.frames
        except StopIteration as stop:
            self.result = stop.value
        except Exception as error:
            self.error = error


def converse(dialler: Half, acceptor: Half) -> None:
    """Carry frames between both until they are over; a side that ends in an error closes the connection."""
    carried = {dialler: 0, acceptor: 0}
    while True:
        moved = False
        for speaker, listener in ((dialler, acceptor), (acceptor, dialler)):
            new = speaker.said[carried[speaker] :]
            carried[speaker] += len(new)
            listener.feed(*new)
            moved = moved or bool(new)
        if not moved:
            break
    for half, other in ((dialler, acceptor), (acceptor, dialler)):
        if half.over:
            other.end()
