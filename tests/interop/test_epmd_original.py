"""Our epmd beside Ericsson's: the same bytes to both must bring the same answers and the same hanging up.

Both run as programs of their own.  Replies are compared byte for byte; only what must differ is masked:
creations (seeded by the second of the start) and file descriptors (in DUMP).  No sleeps: each epmd handles
its sockets in turn, so when it has answered two other clients, it has read all that was sent to it before.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.wire import epmd
from tests.support.epmd import find_epmd, tied_to_us
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = [
    pytest.mark.beam,
    pytest.mark.skipif(find_epmd() is None, reason="no `epmd` on this machine: install Erlang (erlang-base)"),
]

OURS = [sys.executable, "-m", "pyerlnode.net.epmd_daemon"]
ORIGINAL = [find_epmd() or "epmd"]
PATIENCE = 10.0


class Program:
    """A running epmd, ours or the original."""

    def __init__(self, command: list[str], port: int, flags: Sequence[str]) -> None:
        self.port = port
        self.process = subprocess.Popen(
            tied_to_us([*command, "-port", str(port), *flags]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.settle()
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                assert self.process.poll() is None
                time.sleep(0.01)  # epmd tells nobody when it listens
            else:
                return

    def settle(self) -> None:
        """Return when all that was sent so far has been dealt with."""
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as link:
                link.sendall(epmd.NamesReq().to_bytes())
                while link.recv(65536):
                    pass

    def talk(
        self,
        *chunks: bytes,
        keep: list[socket.socket] | None = None,
        end: bool = False,
        source: str = "127.0.0.1",
    ) -> str:
        """Send the chunks, each read apart from the others, and tell what came back."""
        link = socket.create_connection(("127.0.0.1", self.port), PATIENCE, (source, 0))
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(BrokenPipeError, ConnectionResetError):  # it has hung up already: seen below
            for chunk in chunks:
                link.sendall(chunk)
                self.settle()
        if end:
            with suppress(OSError):
                link.shutdown(socket.SHUT_WR)
            self.settle()
        seen = self._seen(link)
        if keep is None:
            link.close()
        else:
            keep.append(link)
        return seen

    def _seen(self, link: socket.socket) -> str:
        link.setblocking(False)
        data = b""
        while True:
            try:
                chunk = link.recv(65536)
            except BlockingIOError:
                return f"{self._masked(data)!r}, open"
            except ConnectionResetError:
                return f"{self._masked(data)!r}, closed"
            if not chunk:
                return f"{self._masked(data)!r}, closed"
            data += chunk

    def _masked(self, data: bytes) -> bytes:
        if data[:2] in {b"v\0", b"y\0"} and len(data) in {4, 6}:
            return data[:2] + b"C" * (len(data) - 2)
        if data[:4] == self.port.to_bytes(4, "big"):
            data = b"PORT" + data[4:]
        return re.sub(rb"fd = \d+", b"fd = N", data)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def program(command: list[str], *flags: str, port: int | None = None) -> Iterator[Program]:
    running = Program(command, port or free_port(), ["-address", "127.0.0.1", *flags])
    try:
        running.wait_until_it_answers()
        yield running
    finally:
        running.kill()


@contextmanager
def both(*flags: str) -> Iterator[tuple[Program, Program]]:
    with program(ORIGINAL, *flags) as original, program(OURS, *flags) as ours:
        yield original, ours


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(2, "big") + body


def alive(name: bytes, *, extra: bytes = b"", highest: int = 6, kind: int = 77, tail: bytes = b"") -> bytes:
    head = (7).to_bytes(2, "big") + bytes((kind, 0)) + highest.to_bytes(2, "big") + b"\0\5"
    sizes = len(name).to_bytes(2, "big"), len(extra).to_bytes(2, "big")
    return framed(b"x" + head + sizes[0] + name + sizes[1] + extra + tail)


SCRIPTS: list[tuple[bytes, ...]] = [
    # lookups
    (framed(b"zlive"),),
    (framed(b"zlive\0"),),
    (framed(b"zlive\0\0"),),
    (framed(b"zli\0ve"),),
    (framed(b"zold"),),
    (framed(b"znobody"),),
    (framed(b"z"),),
    (framed(b"z\0"),),
    (framed(b"z\xff"),),
    (framed(b"z" + "på".encode()),),
    (framed(b"z" + b"l" * 254),),
    (framed(b"z" + b"l" * 255),),
    (framed(b"z" + b"q" * 3056),),
    # names and dump, with what they do not look at
    (framed(b"n"),),
    (framed(b"nxyz"),),
    (framed(b"n" * 3057),),
    (framed(b"d"),),
    (framed(b"dxyz"),),
    # framing
    (b"",),
    (b"\0",),
    (b"\0\0",),
    (b"\x0b\xf1",),
    (b"\x0b\xf2",),
    (b"\xff\xff",),
    (framed(b"n") + b"x",),
    (b"\0\1", b"nxxx"),
    (b"\0", b"\1nxxx"),
    (b"\0", b"\1", b"n"),
    (b"\0\5", b"z", b"l", b"i", b"v", b"e"),
    (framed(b"zlive") * 2,),
    # registrations
    (alive(b"new"),),
    (alive(b"new", highest=5),),
    (alive(b"new", highest=0),),
    (alive(b"new", highest=65535),),
    (alive(b"new", kind=72),),
    (alive(b"new", kind=0),),
    (alive(b"new", extra=b"extra\0\xff"),),
    (alive(b"new", tail=b"junk"),),
    (alive(b"new"), b"x"),
    (alive(b"new"), b""),
    (alive(b"new"), framed(b"n")),
    (alive(b"new") + b"x",),
    (alive(b"new")[:2], alive(b"new")[2:] + b"x"),
    (alive(b"new")[:9], alive(b"new")[9:]),
    (alive(b"live"),),
    (alive(b"live", highest=5),),
    (alive(b"live"), b"x"),
    (alive("å".encode()),),
    (alive(b"\xff"),),
    (alive(b"\xed\xa0\x80"),),
    (alive(b"\xf4\x90\x80\x80"),),
    (alive(b"\xc0\x80"),),
    (alive(b"a b\nname c at port 1"),),
    (alive(b"e" * 255),),
    (alive(b"e" * 256),),
    (alive("å".encode() * 255),),
    (alive("😀".encode() * 255),),
    (alive(b"e" * 1020),),
    (alive(b"e" * 1021),),
    (alive(b"new", extra=b"e" * 1020),),
    (alive(b"new", extra=b"e" * 1021),),
    (alive(b"e" * 255, extra=b"e" * 1020),),
    (alive(b""),),
    (alive(b"", extra=b"e"),),
    (alive(b"n\0w"),),
    (framed(alive(b"new")[2:15]),),
    (framed(alive(b"new")[2:11] + b"\0\xff" + alive(b"new")[13:]),),
    (framed(alive(b"new")[2:-2] + b"\0\1"),),
    # who may end what
    (framed(b"k"),),
    (framed(b"kxyz"),),
    (framed(b"s"),),
    (framed(b"slive"),),
    (framed(b"slive\0"),),
    (framed(b"slive\0xyz"),),
    (framed(b"snobody"),),
    # what is no request
    (framed(b"Q"),),
    (framed(b"a\0\7old"),),
    (framed(b"\0"),),
    (b"GET / HTTP/1.1\r\n\r\n",),
]


@pytest.mark.parametrize("relaxed", [False, True])
def test_the_same_bytes_bring_the_same_answers(relaxed: bool) -> None:
    with both(*(["-relaxed_command_check"] if relaxed else [])) as pair:
        for script in SCRIPTS:
            if relaxed and script[0][2:3] == b"k":
                continue  # that is the end of both: tested below
            for end in (False, True):
                seen = [_stage(program, script, end=end) for program in pair]
                assert seen[1] == seen[0], (script, end)


def _stage(program: Program, script: tuple[bytes, ...], *, end: bool) -> list[str]:
    """What `script` brings while two names live and some are old; and what is left then."""
    kept: list[socket.socket] = []
    try:
        program.talk(alive(b"old"), end=True)
        first = [program.talk(alive(name), keep=kept) for name in (b"live", "på".encode(), b"l" * 254)]
        said = program.talk(*script, keep=kept, end=end)
        after = [program.talk(framed(b"n")), program.talk(framed(b"d")), program.talk(framed(b"zlive"))]
        return [*first, said, *after]
    finally:
        for link in kept:
            link.close()
        program.settle()


def test_random_bytes_bring_the_same_answers() -> None:
    """Mutations of real requests.  One name lives throughout, so nothing can kill either."""
    dice = random.Random(4369)
    requests = [script[0] for script in SCRIPTS if 2 < len(script[0]) < 64]
    with both() as pair:
        kept: list[socket.socket] = []
        assert len({program.talk(alive(b"live"), keep=kept) for program in pair}) == 1
        for _ in range(400):
            data = _mutated(dice, dice.choice(requests))
            cut = dice.randrange(len(data) + 1) if dice.random() < 0.3 else 0
            chunks = (data[:cut], data[cut:]) if cut else (data,)
            seen = [program.talk(*chunks) for program in pair]
            assert seen[1] == seen[0], chunks
            names = [program.talk(framed(b"n")) for program in pair]
            assert names[1] == names[0], chunks
        for link in kept:
            link.close()


def _mutated(dice: random.Random, data: bytes) -> bytes:
    work = bytearray(data)
    for _ in range(dice.randrange(4)):
        at = dice.randrange(len(work) + 1)
        match dice.randrange(4):
            case 0 if work:
                del work[at - 1]
            case 1:
                work[at:at] = dice.randbytes(dice.randrange(1, 4))
            case 2 if work:
                work[at - 1] = dice.choice(b"\0\1\2\xff nxzdsa")
            case _:
                work = work[:at]
    if len(work) >= 2 and dice.random() < 0.7:
        work[:2] = (len(work) - 2).to_bytes(2, "big")
    return bytes(work)


def _own_address() -> str | None:
    """An address of this host that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # sends nothing
        return str(probe.getsockname()[0])
    return None


@pytest.mark.skipif(_own_address() is None, reason="this host has no address but loopback")
def test_both_know_a_client_that_is_not_local() -> None:
    """One whose address is neither loopback nor the one that it connected to."""
    source = _own_address() or ""
    requests = [b"n", b"d", b"k", b"slive", b"zlive", alive(b"new")[2:]]
    with both("-relaxed_command_check") as pair:
        kept: list[socket.socket] = []
        for program in pair:
            program.talk(alive(b"live"), keep=kept)
        for request in requests:
            original, ours = (program.talk(framed(request), source=source) for program in pair)
            assert ours == original
            assert (ours == "b'', closed") is (request[:1] not in {b"n", b"z"})
        assert {program.talk(framed(b"n")) for program in pair} == {r"b'PORTname live at port 7\n', closed"}
        for link in kept:
            link.close()


def test_both_give_up_on_a_silent_client_and_never_on_a_node() -> None:
    with both("-packet_timeout", "1") as pair:
        for program in pair:
            kept: list[socket.socket] = []
            program.talk(alive(b"live"), keep=kept)
            program.talk(keep=kept)
            program.talk(b"\0\5zli", keep=kept)
            for link in kept[1:]:
                link.settimeout(PATIENCE)
                assert link.recv(9) == b""
            assert program.talk(framed(b"zlive")).startswith(r"b'w\x00")
            for link in kept:
                link.close()


@pytest.mark.parametrize("flags", [[], ["-relaxed_command_check"]])
def test_kill_ends_both_with_status_0(flags: list[str]) -> None:
    with both(*flags) as pair:
        kept: list[socket.socket] = []
        if flags:
            assert len({program.talk(alive(b"live"), keep=kept) for program in pair}) == 1
        for program in pair:
            with socket.create_connection(("127.0.0.1", program.port), PATIENCE) as link:
                link.sendall(framed(b"k"))
                assert link.recv(9) == b"OK"
                assert link.recv(9) == b""
            assert program.process.wait(PATIENCE) == 0
        for link in kept:
            assert link.recv(9) == b""
            link.close()


@pytest.mark.parametrize("highest", [5, 6])
def test_creations_count_up_alike(highest: int) -> None:
    with both() as pair:
        steps = []
        for program in pair:
            seen = [_creation(program, highest) for _ in range(5)]
            steps.append([later - earlier for earlier, later in itertools.pairwise(seen)])
            if highest == 6:
                assert abs(seen[0] - time.time()) < 60
                assert steps[-1] == [1, 1, 1, 1]
            else:
                assert sorted(set(seen)) == [1, 2, 3]
        assert {step % 3 for step in steps[0]} == {step % 3 for step in steps[1]} == {1}


def _creation(program: Program, highest: int) -> int:
    with socket.create_connection(("127.0.0.1", program.port), PATIENCE) as link:
        link.sendall(alive(b"py", highest=highest))
        reply = epmd.Alive2Resp.parse(link.recv(99))
    program.settle()
    return reply.creation


class TestItsCommandLine:
    """`epmd -names` and its sisters must not tell our epmd from their own."""

    @staticmethod
    def epmd(port: int, *flags: str) -> tuple[int, str]:
        environment = {**os.environ, "ERL_EPMD_PORT": str(port)}
        done = subprocess.run(
            [*ORIGINAL, *flags], env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout.replace(str(port), "PORT") + done.stderr

    def test_reads_ours_as_its_own(self) -> None:
        with both("-relaxed_command_check") as pair:
            kept: list[socket.socket] = []
            for name in (b"one", "två".encode()):
                for program in pair:
                    program.talk(alive(name), keep=kept)
            for flags in (
                ["-names"],
                ["-dump"],
                ["-stop", "one"],
                ["-stop", "one"],
                ["-names"],
                ["-kill"],
                ["-names"],
            ):
                original, ours = (self.epmd(program.port, *flags) for program in pair)
                assert re.sub(r"fd = \d+", "", ours[1]) == re.sub(r"fd = \d+", "", original[1])
                assert ours[0] == original[0]
            for link in kept:
                link.close()

    def test_is_not_let_to_kill_a_live_one(self) -> None:
        with both() as pair:
            kept: list[socket.socket] = []
            for program in pair:
                program.talk(alive(b"one"), keep=kept)
            original, ours = (self.epmd(program.port, "-kill") for program in pair)
            assert ours == original == (1, "Killing not allowed - living nodes in database.\n")
            for link in kept:
                link.close()

    def test_does_not_start_a_second_one(self) -> None:
        with program(OURS) as ours:
            assert self.epmd(ours.port, "-port", str(ours.port), "-daemon")[0] == 0
            assert ours.talk(framed(b"n")) == "b'PORT', closed"


class TestOurClient:
    """The client of this library, with the original on the other side."""

    async def test_everything_it_can_ask(self) -> None:
        with program(ORIGINAL, "-relaxed_command_check") as original:
            client = EpmdClient(port=original.port, retry=0.01)
            registration = await client.register("py", 4711, hidden=True)
            assert registration.creation > 3
            entry = await client.lookup("py")
            assert entry == epmd.NodeEntry("py", 4711, epmd.HIDDEN)
            assert await client.lookup("nobody") is None
            assert await client.names() == [("py", 4711)]
            assert (await client.dump()).startswith("active name     <py> at port 4711, fd = ")
            assert await client.stop("py")
            assert not await client.stop("nobody")
            await registration.close()
            assert await client.is_running()
            assert await client.kill()
            assert original.process.wait(PATIENCE) == 0
            assert not await client.is_running()

    async def test_it_returns_when_epmd_does(self) -> None:
        port = free_port()
        client = EpmdClient(port=port, retry=0.01)
        with program(ORIGINAL, port=port):
            registration = await client.register("py", 4711)
            first = registration.creation
        await registration.lost.wait()
        for successor in (OURS, ORIGINAL):
            with program(successor, port=port):
                await registration.held.wait()
                assert await client.names() == [("py", 4711)]
                assert registration.creation == first
            await registration.lost.wait()
        await registration.close()
