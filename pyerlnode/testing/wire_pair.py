"""Two nodes' protocol machines back to back: no sockets, no event loop, nothing in between.

::

    pair = WirePair(LocalNode("a@h", VISIBLE, 1), LocalNode("b@h", VISIBLE, 2))
    left, right = pair.shake_hands()
    assert pair.send(Link(pid_a, pid_b)) == [(Link(pid_a, pid_b), None)]
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from pyerlnode.wire.channel import Channel
from pyerlnode.wire.handshake import Status, accept, initiate

if TYPE_CHECKING:
    from pyerlnode.term import RawTerm
    from pyerlnode.wire.control import Control
    from pyerlnode.wire.handshake import Conversation, Gate, Hello, LocalNode, PeerInfo, Turn

__all__ = ["OpenGate", "WirePair"]


class OpenGate:
    """A gate that lets everybody in who has `cookie`, and remembers who asked."""

    def __init__(self, cookie: str, status: Status = Status.OK) -> None:
        self.cookie = cookie
        self.status = status
        self.asked: list[Hello] = []
        """Every name that came."""
        self.admitted: list[PeerInfo] = []
        """Every one that has proven the cookie."""

    def cookie_for(self, peer: str) -> str:
        """The cookie."""
        return self.cookie

    def decide(self, hello: Hello) -> Status:
        """The status given at the start."""
        self.asked.append(hello)
        return self.status

    def name_for(self, host: str) -> tuple[str, int]:
        """Numbered names."""
        return f"guest{len(self.asked)}@{host}", 1

    def proven(self, info: PeerInfo) -> None:
        """Remember `info`."""
        self.admitted.append(info)


class WirePair:
    """Two nodes, `left` of which dials `right`.

    `cookie` is that of both unless `gate`, which answers for the right one, has its own.
    """

    def __init__(
        self,
        left: LocalNode,
        right: LocalNode,
        *,
        cookie: str = "cookie",
        gate: Gate | None = None,
        version: int = 6,
    ) -> None:
        self.transcript: list[tuple[str, bytes]] = []
        """Every handshake message, behind ``>`` (from the dialler) or ``<``."""
        self._left = initiate(left, right.name, cookie, 1111, version=version)
        self._right = accept(right, 2222, gate or OpenGate(cookie))
        self._channels: dict[str, Channel] = {}

    def shake_hands(self) -> tuple[PeerInfo, PeerInfo]:
        """Carry the handshake out; gives what the left and the right one agreed to.

        Raises what the first of them to fail raises.  Afterwards :meth:`send` and :meth:`answer` work.
        """
        left, right = _Side(self._left, ">"), _Side(self._right, "<")
        while left.info is None or right.info is None:
            moved = left.listen_to(right, self.transcript)
            if not right.listen_to(left, self.transcript) and not moved:
                raise RuntimeError("both sides wait for the other to speak")
        self._channels = {"left": Channel(left.info.flags), "right": Channel(right.info.flags)}
        return left.info, right.info

    def send(self, control: Control, payload: bytes | None = None) -> list[tuple[Control, RawTerm | None]]:
        """A message from the left to the right; gives what arrives."""
        return self._carry("left", "right", control, payload)

    def answer(self, control: Control, payload: bytes | None = None) -> list[tuple[Control, RawTerm | None]]:
        """A message from the right to the left; gives what arrives."""
        return self._carry("right", "left", control, payload)

    def _carry(
        self, sender: str, receiver: str, control: Control, payload: bytes | None
    ) -> list[tuple[Control, RawTerm | None]]:
        channel = self._channels[sender]
        if payload is not None and channel.needs_fragments(payload):
            packets = [b"".join(parts) for parts in channel.fragments(control, payload)]
        else:
            packets = [b"".join(channel.encode(control, payload))]
        arrived = (self._channels[receiver].receive(packet[4:]) for packet in packets)
        return [message for message in arrived if message is not None]


class _Side:
    """One conversation under way."""

    def __init__(self, conversation: Conversation, mark: str) -> None:
        self.info: PeerInfo | None = None
        self.said: deque[bytes] = deque()
        self._conversation = conversation
        self._mark = mark
        self._turn: Turn | None = None

    def listen_to(self, other: _Side, transcript: list[tuple[str, bytes]]) -> bool:
        """Say what is to be said, or hear what the other has said; False when there is neither."""
        if self.info is not None:
            return False
        try:
            if self._turn is None:
                self._turn = next(self._conversation)
            elif not self._turn.listens:
                self._turn = self._conversation.send(b"")
            elif other.said:
                self._turn = self._conversation.send(other.said.popleft())
            else:
                return False
        except StopIteration as end:
            self.info = end.value
            return True
        self.said.extend(self._turn.frames)
        transcript.extend((self._mark, frame) for frame in self._turn.frames)
        return True
