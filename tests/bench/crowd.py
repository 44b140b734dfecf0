"""Many peers of one node that is measured, each with a connection of its own, in one process.

Run by `growth.py`.  Settings come as JSON; it says ``ready`` when all are connected.  Each line that it reads
is a number of messages, which it sends to that node's ``sink``, spread over all connections in bundles; then
it says ``done``.  It ends with its standard input.

The peers are as small as can be, a socket and some bytes each: they share the processor's caches with the
node, and what it costs to have many of them is not to be found in the node's figures.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from typing import Any

from pyerlnode import Atom, Pid
from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.control import RegSend
from pyerlnode.wire.flags import HIDDEN
from pyerlnode.wire.framing import frame2
from pyerlnode.wire.handshake import LocalNode, PeerInfo, initiate
from pyerlnode.wire.payload import encode_payload

DONE, MSG, SINK = Atom("done"), Atom("msg"), Atom("sink")
BUNDLE = 10
"""Messages that one connection carries before it is another's turn."""


class Member:
    """One peer, connected."""

    def __init__(self, name: str, peer: str, port: int, cookie: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        channel = Channel(self._introduce(LocalNode(name, HIDDEN, 1), peer, cookie).flags)
        me = Pid(name, 1, 0, 1)
        self._send(bundle(channel, me))  # which brings the names of its atoms
        self._bundle = bundle(channel, me)

    def _introduce(self, me: LocalNode, peer: str, cookie: str) -> PeerInfo:
        conversation = initiate(me, peer, cookie, nonce=1)
        try:
            turn = next(conversation)
            while True:
                self._socket.sendall(b"".join(map(frame2, turn.frames)))
                turn = conversation.send(self._read(2) if turn.listens else b"")
        except StopIteration as end:
            info: PeerInfo = end.value
            return info

    def send(self) -> None:
        """One bundle, until it is taken."""
        self._send(self._bundle)

    def _send(self, data: bytes) -> None:
        self._socket.sendall(data)
        while not self._read(4):  # a tick
            pass

    def _read(self, prefix: int) -> bytes:
        """The next packet, whose length has so many bytes."""
        length = int.from_bytes(self._exactly(prefix), "big")
        return self._exactly(length) if length else b""

    def _exactly(self, count: int) -> bytes:
        data = self._socket.recv(count, socket.MSG_WAITALL)
        if len(data) < count:
            raise EOFError("the node that is measured closed a connection")
        return data


def bundle(channel: Channel, me: Pid) -> bytes:
    """So many messages to the sink, and the question whether they have come."""
    messages: list[Any] = [(MSG, number) for number in range(BUNDLE)]
    return b"".join(
        part
        for message in [*messages, (DONE, me)]
        for part in channel.encode(RegSend(me, SINK), encode_payload(message))
    )


async def port_of(peer: str, epmd: int) -> int:
    name, _, host = peer.partition("@")
    entry = await EpmdClient(host, epmd).lookup(name)
    if entry is None:
        raise LookupError(f"{peer} is not registered")
    return entry.port


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(settings: dict[str, Any]) -> None:
    peer = settings["peer"]
    port = asyncio.run(port_of(peer, settings["epmd"]))
    names = [f"crowd_{number}_{peer}" for number in range(settings["count"])]
    members = [Member(name, peer, port, settings["cookie"]) for name in names]
    say("ready")
    for line in sys.stdin:
        for _ in range(int(line) // (BUNDLE * len(members))):
            for member in members:
                member.send()
        say("done")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
