"""Bad input for what compiled code does, in a process of its own: ``python -m tests.support.fuzzing``.

A crash of the interpreter ends that process only, and `run` tells which input it was: each is made from its
number alone, and the number is noted, in a file that is mapped into memory, before the input is used.  What
is wrong without a crash (an exception that nobody promised, a term that is not the same after a round trip)
ends the process with a traceback, and is told likewise.

By hand: ``python -m tests.support.fuzzing decode --count 1000000``, ``... decode --only 4711``.
"""

from __future__ import annotations

import argparse
import gc
import mmap
import os
import struct
import subprocess
import sys
import tempfile
import weakref
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import DecodeError, EncodeError, HandshakeError, RemoteProtocolError, TermError
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import Atom, RawTerm, brief, decode, decode_bare, encode, encode_bare
from pyerlnode.term.maps import exact
from pyerlnode.term.text import to_elixir
from pyerlnode.wire import epmd, handshake, hello
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.framing import Framer, frame4
from tests.support import mutation
from tests.unit.wire.captures import Section, sections
from tests.vectors import golden

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from pyerlnode.wire.flags import Flags

ROOT = Path(__file__).parents[2]
NUMBER = struct.Struct("=q")
NONE_YET = -1
COLLECT = 200
"""Inputs between two garbage collections: what is corrupt shows then."""
TIGHT = Limits(
    elements=200, message=20_000, nesting=12, inflate=10_000, fragmented=4, fragmented_bytes=20_000
)
REFS = tuple(Atom(name) for name in ("ok", "error", "a@b", "", "x" * 255))


# ---------------------------------------------------------------------------------- what is fuzzed


@cache
def _vectors() -> list[bytes]:
    return [each.data for each in golden.load()]


def fuzz_decode(rng: Random) -> None:
    """Terms: what can be read at all can be written, read again, compared and shown."""
    data = mutation.bad(rng, rng.choice(_vectors()), _vectors())
    limits = rng.choice((DEFAULT, DEFAULT, TIGHT))
    text = rng.choice((None, "utf8"))
    try:
        term = decode(data, text=text, limits=limits)
    except DecodeError as error:
        assert 0 <= error.offset <= max(len(data), limits.inflate), error
        return
    _handle(term)


def fuzz_bare(rng: Random) -> None:
    """Terms inside other bytes, with references to atoms, from any place on."""
    data = mutation.bad(rng, rng.choice(_vectors()), _vectors())
    offset = rng.randrange(len(data) + 2)
    with suppress(DecodeError):
        term, end = decode_bare(data, offset, refs=REFS[: rng.randrange(6)])
        assert offset < end <= len(data)
        _handle(term)
    raw = RawTerm(data, min(offset, len(data)), REFS)
    with suppress(DecodeError):
        raw.decode()
    repr(raw)


def fuzz_encode(rng: Random) -> None:
    """Values with anything anywhere: they are written and read again, or refused."""
    value = _value(rng, 4)
    atoms: dict[Atom, int] = {}
    try:
        written = encode_bare(value, rng.choice((DEFAULT, TIGHT)))
    except EncodeError:
        with suppress(EncodeError):
            encode_bare(value, atoms=atoms)
        return
    term, end = decode_bare(written)
    assert end == len(written)
    assert exact(term) == exact(value)
    short = encode_bare(value, atoms=atoms)
    assert exact(decode_bare(short, refs=tuple(atoms))[0]) == exact(value)


def fuzz_channel(rng: Random) -> None:
    """Frames of real connections, some of them changed: messages come out, or the protocol is broken."""
    flags, frames = rng.choice(_connections())
    channel = Channel(flags, limits=rng.choice((DEFAULT, DEFAULT, TIGHT)))
    rate = rng.choice((0.02, 0.1, 0.5))
    with suppress(RemoteProtocolError, DecodeError):
        for frame in frames[: rng.randrange(1, 60)]:
            given = mutation.bad(rng, frame, frames) if rng.random() < rate else frame
            _receive(channel, given, bulky=rng.random() < 0.3)


def _receive(channel: Channel, frame: bytes, *, bulky: bool) -> None:
    if not frame:
        return
    buffer = bytearray(frame)
    message = channel.receive_bulky(memoryview(buffer)) if bulky else channel.receive(frame)
    channel.keep()
    buffer[:] = bytes(len(frame))
    if message is not None:
        control, payload = message
        brief(control.to_term())
        if payload is not None:
            _handle(payload.decode())


def fuzz_frames(rng: Random) -> None:
    """Streams of bytes, cut anywhere."""
    bodies = [rng.randbytes(rng.choice((0, 1, 5, 300))) for _ in range(rng.randrange(5))]
    stream = b"".join(frame4(body) for body in bodies)
    data = mutation.bad(rng, stream) if rng.random() < 0.5 else stream
    framer, found, at = Framer(1_000), [], 0
    with suppress(RemoteProtocolError):
        while at < len(data):
            size = rng.randrange(1, len(data) - at + 1)
            found += framer.receive(data[at : at + size])
            at += size
        assert data != stream or found == bodies


def fuzz_words(rng: Random) -> None:
    """Messages of the handshake and of the port mapper."""
    section = rng.choice(_handshakes())
    _mark, frame = rng.choice(section.handshake())
    data = mutation.bad(rng, frame)
    for parse in _PARSERS:
        with suppress(RemoteProtocolError):
            repr(parse(data))
    talk = handshake.accept(handshake.LocalNode("a@b", section.flags, 1), 1, _Gate())
    with suppress(RemoteProtocolError, HandshakeError, StopIteration):
        next(talk)
        talk.send(data)
        talk.send(mutation.bad(rng, frame))


_PARSERS: tuple[Callable[[bytes], object], ...] = (
    hello.parse_hello,
    hello.parse_status,
    hello.parse_challenge,
    hello.parse_complement,
    hello.parse_reply,
    hello.parse_ack,
    epmd.parse_request,
    epmd.parse_port2,
    epmd.parse_names,
    epmd.parse_dump,
    epmd.Alive2Resp.parse,
)


class _Gate:
    """Lets all in who know the cookie."""

    def cookie_for(self, peer: str) -> str:
        return "cookie"

    def decide(self, told: hello.Hello) -> hello.Status:
        return hello.Status.OK

    def name_for(self, host: str) -> tuple[str, int]:
        return f"x@{host}", 1

    def proven(self, info: handshake.PeerInfo) -> None:
        pass


def fuzz_nothing(rng: Random) -> None:
    """What `run` itself is tried with: one input in a hundred crashes the interpreter."""
    if rng.random() < 0.01:
        os.abort()


FUZZERS: dict[str, Callable[[Random], None]] = {
    "nothing": fuzz_nothing,
    "decode": fuzz_decode,
    "bare": fuzz_bare,
    "encode": fuzz_encode,
    "channel": fuzz_channel,
    "frames": fuzz_frames,
    "words": fuzz_words,
}


@cache
def _connections() -> list[tuple[Flags, list[bytes]]]:
    """What each side may use, and what came after the handshake; longer frames only take longer."""
    found = []
    for section in sections("frames"):
        handshake_frames = [data for mark, data in section.handshake() if mark == "<"]
        theirs = hello.parse_challenge(handshake_frames[1]).flags
        frames = section.frames("<")[len(handshake_frames) :]
        found.append((section.flags & theirs, [frame for frame in frames if len(frame) < 4_096]))
    return [(flags, frames) for flags, frames in found if frames]


@cache
def _handshakes() -> list[Section]:
    return [section for section in sections("dial", "accept") if section.handshake()]


def _handle(term: Any) -> None:
    """Do with a decoded term what programs do."""
    brief(term)
    to_elixir(term, limit=500)
    with suppress(TypeError):  # not everything is hashable, or has weak references
        hash(term)
    with suppress(TypeError):
        _OUTLIVING.append(weakref.ref(term))
    try:
        again = encode(term)
    except EncodeError as error:
        assert "deep" in str(error) or "large" in str(error), error
    else:
        assert exact(decode(again)) == exact(term), brief(term)


_OUTLIVING: list[weakref.ref[Any]] = []
"""References to what is gone by now."""
_DECODED: list[Any] = []


def _value(rng: Random, depth: int) -> Any:
    """A term or nearly one."""
    if not _DECODED:
        for data in _vectors():
            with suppress(TermError):
                _DECODED.append(decode(data))
    match rng.randrange(9 if depth else 4):
        case 0 | 1:
            return rng.choice(_DECODED)
        case 2:
            return rng.choice(
                (0, -1, 255, 256, 1 << 31, -(1 << 63), 1 << 64, 1 << 2_100, 0.5, "é", b"", b"x", True)
            )
        case 3:
            strange = (
                object(),
                {1},
                "\ud800",
                float("nan"),
                float("inf"),
                1j,
                Atom,
                range(3),
                bytearray(b"x"),
            )
            return rng.choice(strange) if rng.random() < 0.1 else None
        case 4 | 5:
            return [_value(rng, depth - 1) for _ in range(rng.randrange(5))]
        case 6:
            return tuple(_value(rng, depth - 1) for _ in range(rng.randrange(5)))
        case 7:
            return {str(_value(rng, 0)): _value(rng, depth - 1) for _ in range(rng.randrange(5))}
        case _:
            return [rng.randrange(-2, 258) for _ in range(rng.choice((1, 3, 300)))]


# ---------------------------------------------------------------------------------- the processes


def run(what: str, count: int, first: int = 0) -> None:
    """Give `count` inputs, from number `first` on, to a process of its own; `AssertionError` if it fails."""
    with tempfile.NamedTemporaryFile() as place:
        place.write(NUMBER.pack(NONE_YET))
        place.flush()
        words = [what, "--first", str(first), "--count", str(count), "--place", place.name]
        command = [sys.executable, "-X", "faulthandler", "-m", "tests.support.fuzzing", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        [number] = NUMBER.unpack(Path(place.name).read_bytes())
    last = first + count - 1
    if done.returncode != 0 or number != last:
        raise AssertionError(
            f"input {number} of {what} ended it with {done.returncode}; again:\n"
            f"  PYERLNODE_SEED={mutation.SEED} python -m tests.support.fuzzing {what} --only {number}\n"
            f"{done.stdout}{done.stderr}"
        )


def main() -> None:
    """Use the inputs that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=FUZZERS)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--only", type=int)
    parser.add_argument("--place")
    chosen = parser.parse_args()
    first, count = (chosen.first, chosen.count) if chosen.only is None else (chosen.only, 1)
    with open(chosen.place or os.devnull, "r+b") as file:
        note = mmap.mmap(file.fileno() if chosen.place else NONE_YET, NUMBER.size)
        for number in range(first, first + count):
            NUMBER.pack_into(note, 0, number)
            FUZZERS[chosen.what](mutation.source((chosen.what, number)))
            if number % COLLECT == 0:
                _tidy()
    _tidy()


def _tidy() -> None:
    gc.collect()
    _OUTLIVING.clear()
    gc.collect()


if __name__ == "__main__":
    main()
