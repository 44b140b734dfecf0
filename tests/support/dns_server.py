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
import enum
import random
import socket
import struct
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.reversename

from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

PATIENCE = 30.0
"""Seconds for a question to come that a test waits for."""
TTL = 600
"""Of every record: Docker's, and nobody should obey it."""
PLAIN_UDP = 512
"""Octets of an answer by UDP to who does not announce more (RFC 1035, 4.2.1)."""


class Failure(enum.Enum):
    """What can be wrong with a DNS server."""

    SERVFAIL = "SERVFAIL"
    REFUSED = "REFUSED"
    NXDOMAIN = "NXDOMAIN"
    EMPTY = "no error, and no answer"
    DROP = "silence"
    TRUNCATE = "truncated by UDP, whole by TCP"
    TRUNCATE_ALWAYS = "truncated, by TCP too"
    GARBAGE = "octets that are no message"
    WRONG_ID = "the answer to another question"
    HALF = "the first half of the answer's octets"


RCODES = {
    Failure.SERVFAIL: dns.rcode.SERVFAIL,
    Failure.REFUSED: dns.rcode.REFUSED,
    Failure.NXDOMAIN: dns.rcode.NXDOMAIN,
}


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


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


class Zone:
    """Names, their records, and what goes wrong for them."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, list[str]]] = {}
        self.failures: dict[str | None, Failure] = {}
        self.delays: dict[str | None, float] = {}

    def find(self, question: dns.message.Message) -> tuple[dns.rcode.Rcode, list[tuple[str, str, str]]]:
        """The answer to a question: its code, and records as name, type and data."""
        name, kind = _asked(question)
        found: list[tuple[str, str, str]] = []
        while (types := self.records.get(name)) is not None:
            found += [(name, kind, data) for data in types.get(kind, [])]
            alias = types.get("CNAME", [])
            if kind == "CNAME" or not alias or len(found) > len(self.records):
                return dns.rcode.NOERROR, found
            found.append((name, "CNAME", alias[0]))
            name = _plain(alias[0])
        return (dns.rcode.NOERROR if found or self._is_inner(name) else dns.rcode.NXDOMAIN), found

    def _is_inner(self, name: str) -> bool:
        """Whether there are names below it (RFC 8020)."""
        return any(known.endswith(f".{name}") for known in self.records)


def _asked(message: dns.message.Message) -> tuple[str, str]:
    question = message.question[0]
    return _plain(question.name.to_text()), dns.rdatatype.to_text(question.rdtype)


class DnsServer:
    """One server, from entering its block to leaving it; entered again it has the same port and zone."""

    def __init__(
        self,
        address: str = "127.0.0.1",
        port: int | None = None,
        *,
        open_socket: Callable[[int, int], socket.socket] = socket.socket,
    ) -> None:
        self.address = address
        self.port = port or free_port(address)
        self.questions: list[Question] = []
        """Everything that was asked."""
        self._zone = Zone()
        self._open_socket = open_socket
        self._lock = threading.RLock()
        self._waiting: list[tuple[str, str, int, Future[None]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ended: asyncio.Event | None = None

    # The zone

    def add(self, name: str, kind: str, *data: str) -> None:
        """More records of a type; names in `data` are whole ones, with a last dot or not."""
        for text in data:
            _rdata(kind, text)
        with self._lock:
            self._zone.records.setdefault(_plain(name), {}).setdefault(kind, []).extend(data)

    def set(self, name: str, kind: str, *data: str) -> None:
        """These records of a type and no others; none leaves the name with an empty answer."""
        with self._lock:
            self._zone.records.setdefault(_plain(name), {})[kind] = []
            self.add(name, kind, *data)

    def add_ptr(self, address: str, *names: str) -> None:
        """Reverse look-up of an address, of either family."""
        self.add(_reverse(address), "PTR", *names)

    def set_ptr(self, address: str, *names: str) -> None:
        """These names of an address and no others."""
        self.set(_reverse(address), "PTR", *names)

    def remove(self, name: str, kind: str | None = None, *data: str) -> None:
        """Forget records, a type of a name, or the name; with the last record goes the name."""
        with self._lock:
            types = self._zone.records.get(_plain(name), {})
            for each in [kind] if kind else list(types):
                types[each] = [text for text in types.get(each, []) if data and text not in data]
            if not any(types.values()):
                self._zone.records.pop(_plain(name), None)

    # What goes wrong

    def fail(self, failure: Failure, name: str | None = None) -> None:
        """From now on, for a name or for whatever is asked."""
        with self._lock:
            self._zone.failures[name and _plain(name)] = failure

    def slow(self, seconds: float, name: str | None = None) -> None:
        """Answers take `seconds`, for a name or for whatever is asked."""
        with self._lock:
            self._zone.delays[name and _plain(name)] = seconds

    def mend(self) -> None:
        """All is well again."""
        with self._lock:
            self._zone.failures.clear()
            self._zone.delays.clear()

    # What was asked

    async def asked(self, name: str, kind: str = "A", *, count: int = 1, timeout: float = PATIENCE) -> None:
        """Returns when `count` more such questions have come; each is answered after that, or not."""
        future: Future[None] = Future()
        with self._lock:
            already = self.count(name, kind)
            self._waiting.append((_plain(name), kind, already + count, future))
        await asyncio.wait_for(asyncio.wrap_future(future), timeout)

    def count(self, name: str, kind: str = "A") -> int:
        """How many such questions came so far."""
        with self._lock:
            return sum(1 for seen in self.questions if (seen.name, seen.type) == (_plain(name), kind))

    def _note(self, question: Question) -> None:
        with self._lock:
            self.questions.append(question)
            waiting, self._waiting = self._waiting, []
            for name, kind, count, future in waiting:
                if self.count(name, kind) < count:
                    self._waiting.append((name, kind, count, future))
                elif future.set_running_or_notify_cancel():
                    future.set_result(None)

    # Answers

    async def _answer(self, octets: bytes, transport: str, client: str) -> bytes | None:
        """The octets that answer a question, or None for silence."""
        try:
            request = dns.message.from_wire(octets)
            name, kind = _asked(request)
        except (dns.exception.DNSException, IndexError):
            return None
        self._note(Question(name, kind, transport, client))
        with self._lock:
            failures, delays = self._zone.failures, self._zone.delays
            failure = failures.get(name, failures.get(None))
            delay = delays.get(name, delays.get(None, 0.0))
            code, records = self._zone.find(request)
        await asyncio.sleep(delay)
        return _spoilt(request, code, records, failure, transport)

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = writer.get_extra_info("peername")[0]
        try:
            while True:
                (size,) = struct.unpack(">H", await reader.readexactly(2))
                answer = await self._answer(await reader.readexactly(size), "tcp", client)
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
            raise
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
        answer = await self._server._answer(data, "udp", addr[0])
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


def _reverse(address: str) -> str:
    return dns.reversename.from_address(address).to_text()


def _rdata(kind: str, data: str) -> dns.rdata.Rdata:
    number = dns.rdatatype.from_text(kind)
    return dns.rdata.from_text(dns.rdataclass.IN, number, data, origin=dns.name.root, relativize=False)


def _spoilt(
    request: dns.message.Message,
    code: dns.rcode.Rcode,
    records: list[tuple[str, str, str]],
    failure: Failure | None,
    transport: str,
) -> bytes | None:
    """The answer's octets, after `failure` had its way with them."""
    if failure is Failure.DROP:
        return None
    if failure is Failure.GARBAGE:
        return random.randbytes(40)
    if failure is not None and failure in RCODES:
        code, records = RCODES[failure], []
    if failure is Failure.EMPTY:
        code, records = dns.rcode.NOERROR, []
    response = _response(request, code, records)
    if failure is Failure.WRONG_ID:
        response.id = (response.id + 1) % 65536
    truncated = failure is Failure.TRUNCATE_ALWAYS or (failure is Failure.TRUNCATE and transport == "udp")
    octets = _to_wire(response, request, transport, truncated=truncated)
    return octets[: len(octets) // 2] if failure is Failure.HALF else octets


def _response(
    request: dns.message.Message, code: dns.rcode.Rcode, records: list[tuple[str, str, str]]
) -> dns.message.Message:
    response = dns.message.make_response(request, recursion_available=True)
    response.flags |= dns.flags.AA
    response.set_rcode(code)
    for name, kind, data in random.sample(records, len(records)):  # as servers do
        rrset = response.find_rrset(
            response.answer,
            dns.name.from_text(name),
            dns.rdataclass.IN,
            dns.rdatatype.from_text(kind),
            create=True,
        )
        rrset.add(_rdata(kind, data), TTL)
    return response


def _to_wire(
    response: dns.message.Message, request: dns.message.Message, transport: str, *, truncated: bool
) -> bytes:
    limit = 65535 if transport == "tcp" else max(PLAIN_UDP, request.payload)
    if not truncated:
        try:
            return response.to_wire(max_size=limit)
        except dns.exception.TooBig:
            pass
    response.answer.clear()
    response.flags |= dns.flags.TC
    return response.to_wire(max_size=limit)
