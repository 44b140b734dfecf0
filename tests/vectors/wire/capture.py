"""Writes the vectors beside it: what real BEAMs say in handshakes and send in packets.

    python -m tests.vectors.wire.capture            # every release found, one file each
    python -m tests.vectors.wire.capture 25 29

A node of ours (a plain socket, and the conversations and framing of ``pyerlnode.wire``) dials a BEAM and is
dialled by it, in all ways that the handshake knows, and then has the BEAM send every kind of signal, with
several sets of flags.  All bytes of both sides are written down as they crossed the wire, without lengths:

    @ dial v6                         a section: `dial`, `accept` or `frames`, and a title
    : cookie cookie                   what a replay needs to know
    > 4e0000...                       a frame of ours
    < 736f6b                          a frame of the BEAM
    % P ! hello                       what the BEAM was asked to do: its frames follow
    = 8377...                         the payload that it sent, as term_to_binary gives it
    ! closed                          the BEAM closed the connection

Hexadecimal digits; ``{6162*300}`` is ``6162`` three hundred times.  `tests/unit/wire/captures.py` reads it.
"""

from __future__ import annotations

import re
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from pyerlnode.errors import HandshakeError, RemoteProtocolError
from pyerlnode.term import Atom, Pid, Reference, encode, encode_bare
from pyerlnode.wire import control as c
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.flags import HIDDEN, VISIBLE, Flags, without
from pyerlnode.wire.framing import Framer, frame2
from pyerlnode.wire.handshake import LocalNode, Status, accept, initiate
from tests.support import beams
from tests.support.beam import Beam
from tests.support.epmd import Epmd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyerlnode.wire.control import Control
    from pyerlnode.wire.handshake import Hello, PeerInfo, Turn

HERE = Path(__file__).parent
COOKIE = "cookie"
NONCE = 0x01020304
CREATION = 77
US = "py@127.0.0.1"
PATIENCE = 5.0
STRAGGLERS = 0.2

ME = Pid(Atom(US), 9, 0, CREATION)
NOTHING = b"\x83\x64\x00\x07nothing", b"\x83\x77\x07nothing"
ALIAS = Reference(Atom(US), CREATION, (1, 2, 3))


class Tape:
    """The lines of one vector file."""

    def __init__(self, title: str) -> None:
        self.lines = [f"# {title}; written by capture.py"]

    def section(self, kind: str, title: str, **facts: object) -> None:
        self.lines += ["", f"@ {kind} {title}", *(f": {key} {value}" for key, value in facts.items())]

    def frame(self, mark: str, data: bytes) -> None:
        self.lines.append(f"{mark} {squeeze(data)}")

    def write(self, path: Path) -> None:
        path.write_text("\n".join(self.lines) + "\n", encoding="utf-8")


RUN = re.compile(rb"(.{1,8}?)\1{15,}", re.DOTALL)


def squeeze(data: bytes) -> str:
    """`data` in hexadecimal, with many times the same few bytes written once."""
    text, start = "", 0
    for run in RUN.finditer(data):
        times = (run.end() - run.start()) // len(run[1])
        text += data[start : run.start()].hex() + f"{{{run[1].hex()}*{times}}}"
        start = run.end()
    return text + data[start:].hex()


class Link:
    """A TCP connection to a BEAM whose frames go on the tape."""

    def __init__(self, sock: socket.socket, tape: Tape) -> None:
        self.sock = sock
        self.tape = tape
        self.data = b""
        self.framer = Framer(1 << 28)
        self.frames: list[bytes] = []

    def converse(self, talk: Iterator[Turn]) -> PeerInfo | Exception:
        """Run a handshake conversation to its end; its error is a result, too."""
        try:
            turn = next(talk)
            while True:
                for frame in turn.frames:
                    self.tape.frame(">", frame)
                    self.sock.sendall(frame2(frame))
                turn = talk.send(self.read2() if turn.listens else b"")  # type: ignore[attr-defined]
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        except EOFError:
            self.tape.lines.append("! closed")
            try:
                talk.throw(EOFError())  # type: ignore[attr-defined]
            except (HandshakeError, RemoteProtocolError) as error:
                return error
            raise
        except (HandshakeError, RemoteProtocolError) as error:
            return error

    def read2(self) -> bytes:
        self.sock.settimeout(PATIENCE)
        while len(self.data) < 2 or len(self.data) < 2 + int.from_bytes(self.data[:2], "big"):
            chunk = self.sock.recv(65536)
            if not chunk:
                raise EOFError
            self.data += chunk
        size = 2 + int.from_bytes(self.data[:2], "big")
        frame, self.data = self.data[2:size], self.data[size:]
        self.tape.frame("<", frame)
        return frame

    def send(self, channel: Channel, control: Control, payload: bytes | None = None) -> None:
        packet = b"".join(channel.encode(control, payload))
        self.tape.frame(">", packet[4:])
        self.sock.sendall(packet)

    def read_until_fence(self) -> None:
        """Tape what comes, up to the fence and a moment more, for signals of other processes."""
        fenced = False
        frames = self.framer.receive(self.data)
        self.data = b""
        while True:
            for frame in filter(None, frames):
                self.tape.frame("<", frame)
                fenced = fenced or frame.endswith(b"the fence")
            self.sock.settimeout(STRAGGLERS if fenced else PATIENCE)
            try:
                chunk = self.sock.recv(1 << 20)
            except TimeoutError:
                if fenced:
                    return
                raise
            if not chunk:
                self.tape.lines.append("! closed")
                return
            frames = self.framer.receive(chunk)

    def close(self) -> None:
        self.sock.close()


class Gate:
    """Says `status` to whoever dials."""

    def __init__(self, status: Status, cookie: str) -> None:
        self.status = status
        self.cookie = cookie

    def cookie_for(self, peer: str) -> str:
        return self.cookie

    def decide(self, hello: Hello) -> Status:
        return self.status

    def name_for(self, host: str) -> tuple[str, int]:
        return f"named@{host}", 4242

    def proven(self, info: PeerInfo) -> None:
        pass


class Capture:
    """All conversations with one BEAM."""

    def __init__(self, beam: Beam, epmd: Epmd, tape: Tape) -> None:
        self.beam = beam
        self.epmd = epmd
        self.tape = tape

    # handshakes, we dial

    def dial(
        self, title: str, *, flags: Flags = HIDDEN, name: str = US, **options: object
    ) -> tuple[Link, object]:
        """Dial the BEAM; `options` are those of `initiate`, `cookie` and `dynamic`."""
        cookie = str(options.pop("cookie", COOKIE))
        dynamic = bool(options.pop("dynamic", False))
        version = options.get("version", 6)
        kind = "frames" if options.pop("frames", False) else "dial"
        facts = {"us": name, "peer": self.beam.name, "cookie": cookie, "nonce": NONCE, "creation": CREATION}
        self.tape.section(kind, title, **facts, flags=hex(flags), dynamic=int(dynamic), version=version)
        port = self.epmd.names()[self.beam.name.partition("@")[0]]
        link = Link(socket.create_connection(("127.0.0.1", port), PATIENCE), self.tape)
        me = LocalNode(name, flags, CREATION, dynamic)
        result = link.converse(initiate(me, self.beam.name, cookie, NONCE, **options))  # type: ignore[arg-type]
        say(f"  {title}: {result if isinstance(result, Exception) else 'connected'}")
        return link, result

    def dial_all(self) -> None:
        few = without(HIDDEN, Flags.BIG_CREATION | Flags.MANDATORY_25_DIGEST)
        attempts: list[tuple[str, dict[str, object]]] = [
            ("v6 hidden", {}),
            ("v6 visible", {"flags": VISIBLE, "name": "visible@127.0.0.1"}),
            ("v5", {"version": 5}),
            ("v5 without HANDSHAKE_23", {"version": 5, "flags": without(HIDDEN, Flags.HANDSHAKE_23)}),
            ("dynamic", {"name": "127.0.0.1", "dynamic": True, "flags": VISIBLE}),
            ("wrong cookie", {"cookie": "chocolate"}),
            ("without BIG_CREATION", {"flags": few}),
            ("digest alone", {"flags": Flags.MANDATORY_25_DIGEST | Flags.V4_NC | Flags.UNLINK_ID}),
            ("with its own name", {"name": self.beam.name}),
        ]
        for title, options in attempts:
            self.dial(title, **options)[0].close()  # type: ignore[arg-type]
        self.dial_twice("alive true", insist=True)
        self.dial_twice("alive false", insist=False)

    def dial_twice(self, title: str, *, insist: bool) -> None:
        first, _ = self.dial(f"before {title}")

        def decide() -> bool:
            first.close()  # OTP 23 waits for it to end; later ones end it themselves
            return insist

        self.dial(title, insist=decide)[0].close()

    # handshakes, we are dialled

    def accept_all(self) -> None:
        with listen_as("py", self.epmd.port) as listener:
            for status in (Status.OK, Status.OK_SIMULTANEOUS, Status.ALIVE, Status.NOK, Status.NOT_ALLOWED):
                self.accept(listener, f"status {status}", status)
            self.accept(listener, "wrong cookie", Status.OK, cookie="chocolate")
            if self.beam.otp >= 25:  # asks in vain in 23.2.6, which has no such names
                self.accept_nameless(listener)

    def accept(self, listener: socket.socket, title: str, status: Status, cookie: str = COOKIE) -> None:
        self.accept_from(self.beam, listener, title, status, cookie)

    def accept_from(
        self, beam: Beam, listener: socket.socket, title: str, status: Status, cookie: str = COOKIE
    ) -> None:
        facts = {"us": US, "cookie": cookie, "nonce": NONCE, "creation": CREATION, "flags": hex(HIDDEN)}
        self.tape.section("accept", title, **facts, status=status)
        with ThreadPoolExecutor() as pool:
            pool.submit(beam.ask, f"net_kernel:connect_node('{US}')")
            sock, _ = listener.accept()
            link = Link(sock, self.tape)
            me = LocalNode(US, HIDDEN, CREATION)
            result = link.converse(accept(me, NONCE, Gate(status, cookie)))
            say(f"  accept {title}: {result if isinstance(result, Exception) else 'connected'}")
            link.close()

    def accept_nameless(self, listener: socket.socket) -> None:
        flags = ["-name", "undefined@127.0.0.1", "-setcookie", COOKIE]
        beam = Beam(self.beam.release, distributed=False, epmd_port=self.epmd.port, flags=flags)
        try:
            beam.boot()
            self.accept_from(beam, listener, "dynamic", Status.OK)
        finally:
            beam.close()

    # packets

    def frames(
        self, title: str, flags: Flags, orders: list[str], act: Callable[[Link, Channel], None]
    ) -> None:
        link, info = self.dial(title, flags=flags, frames=True)
        if isinstance(info, Exception):
            return
        channel = Channel(info.flags)  # type: ignore[attr-defined]
        act(link, channel)
        for order in orders:
            self.tape.lines.append("% " + " ".join(order.split()))
            known = "P = binary_to_term(BinP), A = binary_to_term(BinA), Node = node(P)"
            fence = '{fence, Node} ! <<"the fence">>'
            code = f"{known}, Value = begin {order} end, {fence}, Value"
            value = self.beam.ask_bytes(code, BinP=encode(ME), BinA=encode(ALIAS))
            link.read_until_fence()
            if value not in NOTHING:
                self.tape.frame("=", value)
        link.close()
        self.beam.ask(f"net_kernel:disconnect('{US}')")

    def frames_all(self) -> None:
        old = Flags.SEND_SENDER | Flags.EXIT_PAYLOAD | Flags.ALTACT_SIG
        if self.beam.otp < 26:
            old |= Flags.UNLINK_ID
        headers = Flags.DIST_HDR_ATOM_CACHE | Flags.FRAGMENTS
        for title, flags in (
            ("everything", HIDDEN),
            ("old forms", without(HIDDEN, old)),
            ("pass-through", without(HIDDEN, headers)),
        ):
            extra = ATOMS + LARGE if flags is HIDDEN else []
            self.frames(title, flags, signals(self.beam.otp, flags) + extra, ask_for_answers)
        self.frames("no fragments", without(HIDDEN, Flags.FRAGMENTS), ATOMS[:1] + LARGE[:1], nothing)
        self.frames("no atom cache", without(HIDDEN, Flags.DIST_HDR_ATOM_CACHE), ATOMS[:1] + LARGE, nothing)
        self.frames("visible", VISIBLE, ["P ! hello"], nothing)


def nothing(link: Link, channel: Channel) -> None:
    """Ask the BEAM for nothing."""


def ask_for_answers(link: Link, channel: Channel) -> None:
    """Send what the BEAM answers: monitors and links of nobody, spawns, unlinkings."""
    name = Atom("nobody_is_called_that")
    link.send(channel, c.MonitorP(ME, name, ALIAS))
    leader, args = ME, encode_bare([Atom("x")])
    options = [Atom("link"), Atom("monitor")]
    ref = Reference(Atom(US), CREATION, (4, 5, 6))
    link.send(channel, c.SpawnRequest(ref, ME, leader, Atom("erlang"), Atom("exit"), 1, options), args)
    ref = Reference(Atom(US), CREATION, (7, 8, 9))
    link.send(channel, c.SpawnRequest(ref, ME, leader, Atom("erlang"), Atom("exit"), 1, [Atom("what")]), args)


def signals(otp: int, flags: Flags) -> list[str]:
    """Orders that make a BEAM send every signal that it can to a node with `flags`.

    Each gives what it sent, or `nothing`.
    """
    orders = [
        "P ! {hello, 1, 2.5, <<1,2,3>>, [a, b | c], #{k => v}, self(), make_ref()}",
        "M = {to_a_name, [true, false, nil, undefined]}, {some_name, Node} ! M, M",
        "link(P), unlink(P), nothing",
        "R = monitor(process, P), demonitor(R), nothing",
        "R = monitor(process, {some_name, Node}), demonitor(R), nothing",
        "exit(P, {because, [some, thing]}), {because, [some, thing]}",
        "{X, R} = spawn_monitor(fun() -> link(P), exit({shot, down}) end), "
        "receive {'DOWN', R, _, _, _} -> {shot, down} end",
        "group_leader(self(), P), nothing",
        "erlang:spawn_request(Node, some_module, some_function, [1, two], [link, monitor]), [1, two]",
        "erlang:spawn_request(Node, true, nil, [], [{reply, no}]), []",
        traced("{a, label}", "P ! {with, token}"),
        traced("7", "{some_name, Node} ! token"),
        traced("7", "exit(P, token), token"),
        traced("7", "erlang:spawn_request(Node, m, f, [], [{reply, no}]), []"),
        traced(
            "7",
            "{X, R} = spawn_monitor(fun() -> link(P), exit(token) end), "
            "receive {'DOWN', R, _, _, _} -> token end",
        ),
    ]
    if otp >= 24:
        orders += ["A ! {to, alias}", traced("7", "A ! token")]
    if otp >= 28:
        orders.append("erlang:send(A, {urgent, 1}, [priority]), {urgent, 1}")
    if otp >= 28 and Flags.ALTACT_SIG in flags:
        orders += [
            "exit(A, {urgent, exit}, [priority]), {urgent, exit}",
            "exit(A, {alias, exit}), {alias, exit}",
        ]
    return orders


def traced(label: str, order: str) -> str:
    """`order` with a seq_trace token."""
    return f"seq_trace:set_token(label, {label}), Sent = begin {order} end, seq_trace:set_token([]), Sent"


def atoms(first: int, last: int) -> str:
    return f'P ! [list_to_atom("vector_" ++ integer_to_list(N)) || N <- lists:seq({first}, {last})]'


ATOMS = [
    "P ! {list_to_atom([16#20AC, 16#1F600, $x]), list_to_atom(lists:duplicate(255, 233)), ''}",
    "P ! [list_to_atom(lists:duplicate(255, 16#20AC)), list_to_atom(lists:duplicate(200, $y))]",
    atoms(1, 254),
    *(atoms(first, first + 99) for first in range(1, 1500, 100)),
    *(atoms(first, first + 9) for first in range(1491, 1, -70)),
    "P ! [self(), self(), node(), 'py@127.0.0.1', true, false, nil]",
]

LARGE = [
    "P ! {binary:copy(<<0>>, 150000), [first, {second, binary:copy(<<1>>, 70000)}]}",
    "P ! binary:copy(<<2>>, 65536)",
    "P ! lists:duplicate(40000, 1000)",
    "M = {big, binary:copy(<<3>>, 66000)}, {some_name, Node} ! M, M",
    "M = {big, binary:copy(<<4>>, 66000)}, exit(P, M), M",
]


class listen_as:  # noqa: N801
    """A listening socket that epmd knows as `name`."""

    def __init__(self, name: str, epmd_port: int) -> None:
        self.name = name.encode()
        self.epmd_port = epmd_port

    def __enter__(self) -> socket.socket:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.registration = socket.create_connection(("127.0.0.1", self.epmd_port), PATIENCE)
        port = self.listener.getsockname()[1].to_bytes(2, "big")
        size = len(self.name).to_bytes(2, "big")
        self.registration.sendall(frame2(b"x" + port + b"\x48\0\0\x06\0\x05" + size + self.name + b"\0\0"))
        self.registration.recv(16)
        return self.listener

    def __exit__(self, *_: object) -> None:
        self.registration.close()
        self.listener.close()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def capture(release: beams.Release, epmd: Epmd) -> None:
    say(f"OTP {release.otp} (erts {release.erts})")
    tape = Tape(f"OTP {release.otp}, erts {release.erts}")
    name = f"vectors{release.otp}@127.0.0.1"
    beam = Beam(release, name=name, cookie=COOKIE, epmd_port=epmd.port)
    try:
        beam.boot()
        job = Capture(beam, epmd, tape)
        job.dial_all()
        job.accept_all()
        job.frames_all()
    finally:
        beam.close()
    tape.write(HERE / f"{release.id}.txt")


def main() -> None:
    chosen = [beams.find(int(word)) for word in sys.argv[1:]] or beams.releases()
    with Epmd() as epmd:
        for release in chosen:
            capture(release, epmd)


if __name__ == "__main__":
    main()
