"""An authoritative DNS server whose zone and whose failures a test changes while it runs.  UDP and TCP.

    with DnsServer() as dns:                            # 127.0.0.1 and a free port: dns.address, dns.port
        dns.add("web.test", "A", "10.0.0.1", "10.0.0.2")
        dns.set("web.test", "A", "10.0.0.3")            # instead of what was there
        dns.add("srv.test", "SRV", "0 0 4000 a.test.")  # any type, in the words of zone files
        dns.add_ptr("10.0.0.3", "web3.net_poc")
        dns.remove("web.test", "A", "10.0.0.3")         # without data all of that type, without type the name
        dns.fail(Failure.SERVFAIL, "web.test")          # without a name: whatever is asked
        dns.slow(2.0, "web.test")                       # answers take that long
        dns.mend()                                      # no failures, nothing slow
        await dns.asked("web.test", "A", count=2)       # two more questions like that came
        dns.questions                                   # all of them: name, type, transport

A name that the zone has not is NXDOMAIN; one that it has, without that type, gets an empty answer.  Answers
that are too long for UDP are truncated, as they must be.  It serves from a thread, so it belongs to no event
loop; `open_socket` lets it serve in another network (`tests.support.hosts`).
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import dns.exception
import dns.message

from tests.support.dns_zone import Failure, Zone, asked, plain
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["DnsServer", "Failure", "Question"]

PATIENCE = 30.0
"""Seconds for a question to come that a test waits for."""


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asked."""

    name: str
    """Lower case, without the last dot."""
    type: str
    """ "A", "AAAA", "SRV", "PTR" ..."""
    transport: str
    """ "udp" or "tcp"."""
    client: str
    """Its address."""


class DnsServer(Zone):
    """One server, from entering its block to leaving it; entered again it has the same port and zone."""

    def __init__(
        self,
        address: str = "127.0.0.1",
        port: int | None = None,
        *,
        open_socket: Callable[[int, int], socket.socket] = socket.socket,
    ) -> None:
        super().__init__()
        self.address = address
        self.port = port or free_port(address)
        self.questions: list[Question] = []
        """Everything that was asked."""
        self._open_socket = open_socket
        self._waiting: list[tuple[str, str, int, Future[None]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ended: asyncio.Event | None = None

    # What was asked

    async def asked(self, name: str, kind: str = "A", *, count: int = 1, timeout: float = PATIENCE) -> None:
        """Returns when `count` more such questions have come; the zone's answer to them is settled."""
        future: Future[None] = Future()
        with self._lock:
            already = self.count(name, kind)
            self._waiting.append((plain(name), kind, already + count, future))
        await asyncio.wait_for(asyncio.wrap_future(future), timeout)

    def count(self, name: str, kind: str = "A") -> int:
        """How many such questions came so far."""
        with self._lock:
            return sum(1 for seen in self.questions if (seen.name, seen.type) == (plain(name), kind))

    def _note(self, question: Question) -> None:
        with self._lock:
            self.questions.append(question)
            waiting, self._waiting = self._waiting, []
            for name, kind, count, future in waiting:
                if self.count(name, kind) < count:
                    self._waiting.append((name, kind, count, future))
                elif future.set_running_or_notify_cancel():
                    future.set_result(None)

    # Serving

    async def _reply(self, octets: bytes, transport: str, client: str) -> bytes | None:
        """The octets that answer a question, when it is time for them, or None for silence."""
        try:
            request = dns.message.from_wire(octets)
            name, kind = asked(request)
        except (dns.exception.DNSException, IndexError):
            return None
        answer = self.answer(request, transport)
        self._note(Question(name, kind, transport, client))
        await asyncio.sleep(answer.delay)
        return answer.octets

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = writer.get_extra_info("peername")[0]
        try:
            while True:
                (size,) = struct.unpack(">H", await reader.readexactly(2))
                answer = await self._reply(await reader.readexactly(size), "tcp", client)
                if answer is not None:
                    writer.write(struct.pack(">H", len(answer)) + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    # Life

    def __enter__(self) -> Self:
        up: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(up)), daemon=True)
        self._thread.start()
        up.result(PATIENCE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop and self._ended and self._thread:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()

    async def _run(self, up: Future[None]) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        try:
            tcp = await asyncio.start_server(self._serve_tcp, sock=self._bound(socket.SOCK_STREAM))
            udp, _ = await self._loop.create_datagram_endpoint(
                lambda: _Datagrams(self), sock=self._bound(socket.SOCK_DGRAM)
            )
        except BaseException as error:
            up.set_exception(error)
            return
        up.set_result(None)
        await self._ended.wait()
        udp.close()
        tcp.close()

    def _bound(self, kind: int) -> socket.socket:
        made = self._open_socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setblocking(False)
        made.bind((self.address, self.port))
        return made


class _Datagrams(asyncio.DatagramProtocol):
    """The server's UDP side."""

    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        task = asyncio.get_running_loop().create_task(self._reply(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = await self._server._reply(data, "udp", addr[0])
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)
