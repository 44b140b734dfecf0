"""What a test's DNS server knows, and what goes wrong with it: questions in, answers out, both as octets.

The serving is in `tests.support.dns_server`, and there is how to use both.
"""

from __future__ import annotations

import enum
import random
import threading
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.reversename

TTL = 600
"""Of every record: Docker's, and nobody should obey it."""
PLAIN_UDP = 512
"""Octets of an answer by UDP to who does not announce more (RFC 1035, 4.2.1)."""
LONGEST_CHAIN = 8
"""CNAMEs that are followed for one question."""


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
    Failure.EMPTY: dns.rcode.NOERROR,
}


@dataclass(frozen=True, slots=True)
class Record:
    """One record, its data in the words of zone files."""

    name: str
    type: str
    data: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be sent, and after how many seconds; None is silence."""

    octets: bytes | None
    delay: float


class Zone:
    """Names, their records, and what goes wrong for them.  Any thread may ask and change it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._records: dict[str, dict[str, list[str]]] = {}
        self._failures: dict[str | None, Failure] = {}
        self._delays: dict[str | None, float] = {}

    def add(self, name: str, kind: str, *data: str) -> None:
        """More records of a type; names in `data` are whole ones, with a last dot or not."""
        for text in data:
            _rdata(kind, text)
        with self._lock:
            self._records.setdefault(plain(name), {}).setdefault(kind, []).extend(data)

    def set(self, name: str, kind: str, *data: str) -> None:
        """These records of a type and no others; none leaves the name with an empty answer."""
        with self._lock:
            self._records.setdefault(plain(name), {})[kind] = []
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
            types = self._records.get(plain(name), {})
            for each in [kind] if kind else list(types):
                types[each] = [text for text in types.get(each, []) if data and text not in data]
            if not any(types.values()):
                self._records.pop(plain(name), None)

    def fail(self, failure: Failure, name: str | None = None) -> None:
        """From now on, for a name or for whatever is asked."""
        with self._lock:
            self._failures[name and plain(name)] = failure

    def slow(self, seconds: float, name: str | None = None) -> None:
        """Answers take `seconds`, for a name or for whatever is asked."""
        with self._lock:
            self._delays[name and plain(name)] = seconds

    def mend(self) -> None:
        """All is well again."""
        with self._lock:
            self._failures.clear()
            self._delays.clear()

    def answer(self, request: dns.message.Message, transport: str) -> Answer:
        """What the zone says now to a question that came by "udp" or "tcp"."""
        name, kind = asked(request)
        with self._lock:
            failure = self._failures.get(name, self._failures.get(None))
            delay = self._delays.get(name, self._delays.get(None, 0.0))
            code, records = self._find(name, kind)
        if failure in RCODES:
            code, records = RCODES[failure], []
        response = _response(request, code, records)
        return Answer(_sent(response, request, transport, failure), delay)

    def _find(self, name: str, kind: str) -> tuple[dns.rcode.Rcode, list[Record]]:
        found: list[Record] = []
        while (types := self._records.get(name)) is not None:
            found += [Record(name, kind, data) for data in types.get(kind, [])]
            alias = types.get("CNAME", [])
            if kind == "CNAME" or not alias or len(found) > LONGEST_CHAIN:
                return dns.rcode.NOERROR, found
            found.append(Record(name, "CNAME", alias[0]))
            name = plain(alias[0])
        inner = any(known.endswith(f".{name}") for known in self._records)  # RFC 8020
        return (dns.rcode.NOERROR if found or inner else dns.rcode.NXDOMAIN), found


def plain(name: str) -> str:
    """A name in lower case, without its last dot."""
    return name.rstrip(".").lower()


def asked(message: dns.message.Message) -> tuple[str, str]:
    """The name and the type that a message asks for."""
    question = message.question[0]
    return plain(question.name.to_text()), dns.rdatatype.to_text(question.rdtype)


def _reverse(address: str) -> str:
    return dns.reversename.from_address(address).to_text()


def _rdata(kind: str, data: str) -> dns.rdata.Rdata:
    number = dns.rdatatype.from_text(kind)
    return dns.rdata.from_text(dns.rdataclass.IN, number, data, origin=dns.name.root, relativize=False)


def _response(
    request: dns.message.Message, code: dns.rcode.Rcode, records: list[Record]
) -> dns.message.Message:
    response = dns.message.make_response(request, recursion_available=True)
    response.flags |= dns.flags.AA
    response.set_rcode(code)
    for record in random.sample(records, len(records)):  # as servers do
        name, kind = dns.name.from_text(record.name), dns.rdatatype.from_text(record.type)
        rrset = response.find_rrset(response.answer, name, dns.rdataclass.IN, kind, create=True)
        rrset.add(_rdata(record.type, record.data), TTL)
    return response


def _sent(
    response: dns.message.Message, request: dns.message.Message, transport: str, failure: Failure | None
) -> bytes | None:
    """The octets of a response, after `failure` had its way with them."""
    if failure is Failure.DROP:
        return None
    if failure is Failure.GARBAGE:
        return random.randbytes(40)
    if failure is Failure.WRONG_ID:
        response.id = (response.id + 1) % 65536
    limit = 65535 if transport == "tcp" else max(PLAIN_UDP, request.payload)
    truncated = failure is Failure.TRUNCATE_ALWAYS or (failure is Failure.TRUNCATE and transport == "udp")
    octets = _truncated(response) if truncated else _fitting(response, limit)
    return octets[: len(octets) // 2] if failure is Failure.HALF else octets


def _fitting(response: dns.message.Message, limit: int) -> bytes:
    try:
        return response.to_wire(max_size=limit)
    except dns.exception.TooBig:
        return _truncated(response)


def _truncated(response: dns.message.Message) -> bytes:
    response.answer.clear()
    response.flags |= dns.flags.TC
    return response.to_wire()
