"""What our packets are to real nodes: every form of them and every control message, to each release.

The other direction, their packets to us, is in tests/unit/wire, from captures.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from pyerlnode.term import Atom, Pid, Reference, decode, encode_bare
from pyerlnode.wire import messages as m
from pyerlnode.wire.flags import HIDDEN, Flags, without
from tests.support.raw_peer import RawPeer

if TYPE_CHECKING:
    from tests.support.beam import Beam
    from tests.support.epmd import Epmd

US = "raw_wire@127.0.0.1"
DIGESTS = """
    Loop = fun Loop() -> receive {From, Tag, Data} -> From ! {Tag, erlang:md5(Data), Data}, Loop() end end,
    catch register(digests, spawn(Loop)), ok
"""
HEADERS = Flags.DIST_HDR_ATOM_CACHE | Flags.FRAGMENTS
FORMS = {
    "both": HIDDEN,
    "atom cache": without(HIDDEN, Flags.FRAGMENTS),
    "fragments": without(HIDDEN, Flags.DIST_HDR_ATOM_CACHE),
    "pass-through": without(HIDDEN, HEADERS),
}


async def dial(beam: Beam, epmd: Epmd, flags: Flags = HIDDEN) -> RawPeer:
    port = epmd.names()[beam.name.partition("@")[0]]
    return await RawPeer.dial(port, US, beam.name, flags=flags)


@pytest.mark.beam
@pytest.mark.parametrize("form", FORMS)
async def test_a_node_takes_every_form_of_our_packets(form: str, shared_beam: Beam, epmd: Epmd) -> None:
    assert await shared_beam.eval(DIGESTS) == "ok"
    sizes = {1: 10, 2: 5_000, 3: 65_536, 4: 1_000_000, 5: 70_000}
    data = {tag: bytes([tag]) * size for tag, size in sizes.items()}
    async with await dial(shared_beam, epmd, FORMS[form]) as raw:
        streams = []
        for tag, value in data.items():
            control = m.RegSend(raw.pid(tag), Atom("digests"))
            payload = encode_bare((raw.pid(tag), tag, value))
            if raw.channel.needs_fragments(payload):
                streams.append(raw.channel.fragments(control, payload))
            else:
                streams.append(iter([raw.channel.encode(control, payload)]))
        while streams:  # one packet of each in turn, so that fragments mix
            for stream in list(streams):
                packet = next(stream, None)
                if packet is None:
                    streams.remove(stream)
                else:
                    raw.write(b"".join(packet))

        answers = {}
        while len(answers) < len(data):
            control, payload = await raw.message()
            assert payload is not None
            tag, digest, value = payload.decode()
            assert control.target == raw.pid(tag)
            assert value == data[tag]
            answers[tag] = digest

    assert answers == {tag: hashlib.md5(value).digest() for tag, value in data.items()}


@pytest.mark.beam
@pytest.mark.parametrize("form", FORMS)
async def test_a_node_takes_every_control_message_of_ours(form: str, shared_beam: Beam, epmd: Epmd) -> None:
    assert await shared_beam.eval(DIGESTS) == "ok"
    async with await dial(shared_beam, epmd, FORMS[form]) as raw:
        send_all(raw, shared_beam.otp, await living(shared_beam))
        done = m.RegSend(raw.pid(1), Atom("digests"))
        raw.send(done, (raw.pid(1), Atom("alive"), b""))
        while True:  # it answers much of that; a connection that it kills ends this with EOFError
            _, payload = await raw.message()
            if payload is not None and payload.decode() == ("alive", hashlib.md5(b"").digest(), b""):
                break


async def living(beam: Beam) -> Pid:
    """A process there that takes everything."""
    pid = decode(await beam.eval_bytes("spawn(fun Loop() -> receive _ -> Loop() end end)"))
    assert isinstance(pid, Pid)
    return pid


def send_all(raw: RawPeer, otp: int, them: Pid) -> None:
    """Every message that a node of this release takes, with a token where it may have one."""
    us, ref = raw.pid(1), raw.ref(5)
    token = (0, Atom("label"), 1, us, 0)
    mfa = (Atom("erlang"), Atom("node"), 0)
    plain: list[m.Control] = [
        m.MonitorP(us, them, ref),
        m.DemonitorP(us, them, ref),
        m.MonitorP(us, Atom("digests"), raw.ref(6)),
        m.DemonitorP(us, Atom("digests"), raw.ref(6)),
        m.MonitorP(us, Atom("nobody"), raw.ref(7)),
        m.MonitorPExit(Atom("nobody"), them, raw.ref(8), Atom("noproc")),
        m.GroupLeader(us, them),
        m.Exit2(us, them, Atom("normal")),
        m.Exit2(us, them, Atom("normal"), token),
        m.Link(us, them),
    ]
    if otp < 26:
        plain.append(m.Unlink(us, them))
    if otp >= 25:
        plain += [m.UnlinkId(1, us, them), m.Link(us, them), m.UnlinkId((1 << 64) - 1, us, them)]
        plain.append(m.UnlinkIdAck(1, us, them))
    for control in plain:
        raw.send(control)
    raw.send(m.SpawnRequest(raw.ref(9), us, us, *mfa, [Atom("link"), Atom("monitor")]), [])
    raw.send(m.SpawnRequest(raw.ref(10), us, us, *mfa, [], token), [])
    raw.send(m.PayloadMonitorPExit(Atom("nobody"), them, raw.ref(8)), Atom("noproc"))
    raw.send(m.PayloadExit2(us, them), Atom("normal"))
    raw.send(m.PayloadExit2(us, them, token), Atom("normal"))
    for control in (m.SendSender(us, them), m.SendSender(us, them, token), m.Send(them), m.Send(them, token)):
        raw.send(control, Atom("hello"))
    for control in (m.RegSend(us, Atom("nobody")), m.RegSend(us, Atom("nobody"), token)):
        raw.send(control, Atom("hello"))
    if otp >= 25:
        alias = Reference(them.node, them.creation, (1, 2, 3))
        for control in (m.AliasSend(us, alias), m.AliasSend(us, alias, token)):
            raw.send(control, Atom("hello"))
    if otp >= 28:
        for control in (
            m.AltactSigSend(0, us, them),
            m.AltactSigSend(m.ALIAS, us, alias, token),
            m.AltactSigSend(m.NAME | m.PRIORITY, us, Atom("nobody")),
        ):
            raw.send(control, Atom("hello"))
        raw.send(m.AltactSigSend(m.EXIT_SIGNAL, us, them), Atom("normal"))
    raw.send(m.PayloadExit(us, them), Atom("normal"))
    raw.send(m.PayloadExit(us, them, token), Atom("normal"))
    raw.send(m.Exit(us, them, Atom("normal")))
    raw.send(m.Exit(us, them, Atom("normal"), token))
