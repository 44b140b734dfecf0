"""Conversations: back to back, with a scripted other side, and with real BEAMs as they were captured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.errors import (
    CookieMismatch,
    HandshakeError,
    LocalProtocolError,
    MissingFlags,
    ProtocolError,
    Refused,
    RemoteProtocolError,
    WrongPeer,
)
from pyerlnode.wire.challenge import digest
from pyerlnode.wire.flags import (
    HIDDEN,
    LOW_HALF,
    MANDATORY_23,
    MANDATORY_25,
    MANDATORY_26,
    VISIBLE,
    Flags,
    describe,
    expand,
    without,
)
from pyerlnode.wire.handshake import LocalNode, Status, accept, always, initiate
from pyerlnode.wire.hello import Challenge, Complement, Hello, Named, Reply, ack_to_bytes
from tests.unit.wire.captures import Section, sections
from tests.unit.wire.pair import Door, Half, converse

A = LocalNode("a@host", VISIBLE, 11)
B = LocalNode("b@host", VISIBLE, 22)
NAMELESS = LocalNode("host", VISIBLE, 0, dynamic=True)

# What each release announces as a visible node, and what it insists on.
RELEASES = {
    23: (Flags(0x1_01DF7FBD), MANDATORY_23),
    25: (Flags(0xD_07DF7FBD), MANDATORY_25),
    27: (Flags(0xD_07DF7FBD), MANDATORY_26),
    28: (Flags(0x2D_07DF7FBD), MANDATORY_26),
    29: (Flags(0x6D_07DF7FBD), MANDATORY_26),
}


def dial(me: LocalNode = A, peer: str = "b@host", cookie: str = "cookie", **options) -> Half:
    return Half(initiate(me, peer, cookie, 1234, **options))


def answer(door: Door, me: LocalNode = B) -> Half:
    return Half(accept(me, 4321, door))


def meet(dialler: Half, acceptor: Half) -> tuple[Half, Half]:
    converse(dialler, acceptor)
    assert dialler.over
    assert acceptor.over
    return dialler, acceptor


# ------------------------------------------------------------------------------- back to back


@pytest.mark.parametrize("status", [Status.OK, Status.OK_SIMULTANEOUS, Status.ALIVE])
@pytest.mark.parametrize("version", [5, 6])
@pytest.mark.parametrize("mine", [VISIBLE, HIDDEN])
@pytest.mark.parametrize("theirs", [VISIBLE, HIDDEN])
def test_two_nodes_connect(status: Status, version: int, mine: Flags, theirs: Flags) -> None:
    door = Door(status=status)
    dialler, acceptor = meet(
        dial(A._replace(flags=mine), version=version), answer(door, B._replace(flags=theirs))
    )

    there, here = dialler.result, acceptor.result
    assert there is not None
    assert here is not None
    assert (there.name, there.creation, there.local_name, there.local_creation) == (
        "b@host",
        22,
        "a@host",
        11,
    )
    assert (here.name, here.creation, here.local_name, here.local_creation) == ("a@host", 11, "b@host", 22)
    assert there.flags == here.flags == mine & theirs
    assert there.visible == here.visible == (mine == theirs == VISIBLE)
    assert door.let_in == [here]
    assert door.asked_for == ["a@host"]
    assert [hello.version for hello in door.hellos] == [version]


def test_a_version_5_dialler_without_handshake_23_is_answered_in_kind() -> None:
    old = without(VISIBLE, Flags.HANDSHAKE_23 | Flags.MANDATORY_25_DIGEST)
    dialler, acceptor = meet(dial(A._replace(flags=old), version=5), answer(Door()))
    assert acceptor.said[1][:1] == b"n"
    assert [frame[:1] for frame in dialler.said] == [b"n", b"r"]
    assert dialler.result is not None
    assert acceptor.result is not None
    assert dialler.result.flags == acceptor.result.flags == old & 0xFFFFFFFF
    assert dialler.result.creation == acceptor.result.creation == 0


def test_the_digest_alone_lets_a_version_5_dialler_complement() -> None:
    few = Flags.MANDATORY_25_DIGEST | Flags.V4_NC
    dialler, acceptor = meet(dial(A._replace(flags=few), version=5), answer(Door()))
    assert [frame[:1] for frame in dialler.said] == [b"n", b"c", b"r"]
    assert acceptor.result is not None
    assert acceptor.result.flags == expand(few)


def test_a_nameless_dialler_is_given_a_name() -> None:
    door = Door(name="xyz@host", creation=99)
    dialler, acceptor = meet(dial(NAMELESS), answer(door))

    there, here = dialler.result, acceptor.result
    assert there is not None
    assert here is not None
    assert (there.name, there.local_name, there.local_creation) == ("b@host", "xyz@host", 99)
    assert (here.name, here.creation) == ("xyz@host", 99)
    assert not there.visible
    assert not here.visible
    assert Flags.NAME_ME in here.flags
    assert door.hellos[0].dynamic
    assert door.hellos[0].name == "host"
    assert door.hellos[0].creation == 0
    assert door.asked_for == ["xyz@host"]


def test_a_name_outside_ascii_is_latin_1_in_one_message_and_utf_8_in_the_other() -> None:
    dialler, acceptor = meet(
        dial(NAMELESS, "b\xe9@host"), answer(Door(name="x\xe9@host"), B._replace(name="b\xe9@host"))
    )
    assert dialler.result is not None
    assert dialler.result.local_name == "x\xe9@host"
    assert "x\xe9@host".encode() in acceptor.said[0]
    assert "b\xe9@host".encode("latin-1") in acceptor.said[1]


@pytest.mark.parametrize("status", [Status.NOK, Status.NOT_ALLOWED])
@pytest.mark.parametrize("me", [A, NAMELESS])
def test_who_is_turned_away_hears_why(status: Status, me: LocalNode) -> None:
    dialler, acceptor = meet(dial(me), answer(Door(status=status)))
    for half in (dialler, acceptor):
        assert type(half.error) is Refused
        assert half.error.status == str(status)
    assert acceptor.said == [status.to_bytes()]


def test_a_dialler_may_give_in_to_an_older_connection() -> None:
    dialler, acceptor = meet(dial(insist=lambda: False), answer(Door(status=Status.ALIVE)))
    assert dialler.said[-1] == b"sfalse"
    assert type(dialler.error) is Refused
    assert dialler.error.status == "alive"
    assert type(acceptor.error) is Refused
    assert acceptor.error.status == "false"


def test_insisting_is_the_default() -> None:
    assert always()


@pytest.mark.parametrize("version", [5, 6])
def test_a_wrong_cookie_is_noticed_by_both_and_answered_with_silence(version: int) -> None:
    door = Door(cookie="right")
    dialler, acceptor = meet(dial(cookie="wrong", version=version), answer(door))
    assert type(acceptor.error) is CookieMismatch
    assert type(dialler.error) is CookieMismatch
    assert dialler.error.peer == "b@host"
    assert acceptor.error.peer == "a@host"
    assert len(acceptor.said) == 2
    assert door.let_in == []
    assert "right" not in str(acceptor.error)


def test_an_older_session_is_closed_before_the_ack_goes_out() -> None:
    events: list[str] = []
    door = Door()
    door.proven = lambda info: events.append("proven")  # type: ignore[method-assign]
    talk = accept(B, 4321, door)
    next(talk)
    talk.send(Hello("a@host", VISIBLE, 11).to_bytes())
    turn = talk.send(Reply(1, digest("cookie", 4321)).to_bytes())
    assert events == ["proven"]
    assert not turn.listens
    assert turn.frames == (ack_to_bytes(digest("cookie", 1)),)


# ------------------------------------------------------------------------------- flags of the releases


@pytest.mark.parametrize("acceptor_release", RELEASES)
@pytest.mark.parametrize("dialler_release", RELEASES)
def test_releases_pair_as_the_real_ones_do(dialler_release: int, acceptor_release: int) -> None:
    flags, required = RELEASES[dialler_release]
    a = A._replace(flags=flags, required=required)
    flags, required = RELEASES[acceptor_release]
    b = B._replace(flags=flags, required=required)
    dialler, acceptor = meet(dial(a), answer(Door(), b))

    if {dialler_release, acceptor_release} & {23} and {dialler_release, acceptor_release} & {27, 28, 29}:
        assert dialler.result is None
        assert acceptor.result is None
        if dialler_release == 23:
            assert type(acceptor.error) is MissingFlags
            assert acceptor.error.missing == "UNLINK_ID, V4_NC"
            assert acceptor.said == [b"snot_allowed"]
            assert type(dialler.error) is Refused
        else:
            assert type(dialler.error) is MissingFlags
            assert type(acceptor.error) is HandshakeError
    else:
        assert dialler.result is not None
        assert acceptor.result is not None


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("me", [VISIBLE, HIDDEN])
@pytest.mark.parametrize("version", [5, 6])
def test_we_connect_with_every_release_from_either_side(release: int, me: Flags, version: int) -> None:
    flags, required = RELEASES[release]
    other = LocalNode("b@host", flags, 5, required=required)
    for dialler, acceptor in (
        (dial(A._replace(flags=me), version=version), answer(Door(), other)),
        (dial(other, "a@host", version=version), answer(Door(), A._replace(flags=me))),
    ):
        meet(dialler, acceptor)
        assert dialler.result is not None
        assert acceptor.result is not None
        assert dialler.result.visible == (me == VISIBLE)


@pytest.mark.parametrize(
    ("flags", "welcome"),
    [
        (Flags.MANDATORY_25_DIGEST, {25}),
        (Flags.MANDATORY_25_DIGEST | Flags.V4_NC | Flags.UNLINK_ID, {25, 27, 28, 29}),
        (MANDATORY_23, {23}),
        (MANDATORY_25, {23, 25}),
        (MANDATORY_26, {23, 25, 27, 28, 29}),
        (without(MANDATORY_26, Flags.BIG_CREATION), set()),
    ],
)
def test_short_flag_words_are_taken_where_the_real_ones_take_them(flags: Flags, welcome: set[int]) -> None:
    for release, (theirs, required) in RELEASES.items():
        if release == 23 and Flags.MANDATORY_25_DIGEST in flags:
            continue  # does not know the digest: see the captures
        acceptor = answer(Door(), B._replace(flags=theirs, required=required))
        acceptor.feed(Hello("a@host", flags, 1).to_bytes())
        assert (acceptor.said[0] == b"sok") == (release in welcome)


@pytest.mark.parametrize("flag", list(MANDATORY_23))
def test_each_mandatory_flag_is_one(flag: Flags) -> None:
    lacking = without(VISIBLE, flag | Flags.MANDATORY_25_DIGEST)
    acceptor = answer(Door())
    acceptor.feed(Hello("a@host", lacking, 1).to_bytes())
    assert type(acceptor.error) is MissingFlags
    assert acceptor.error.missing == describe(flag)
    assert acceptor.said == [b"snot_allowed"]

    dialler = dial()
    dialler.feed(b"sok", Challenge("b@host", lacking, 1, 1).to_bytes())
    assert type(dialler.error) is MissingFlags
    assert len(dialler.said) == 1


def test_flags_are_checked_before_anybody_is_asked() -> None:
    door = Door()
    acceptor = answer(door)
    acceptor.feed(Hello("a@host", Flags(0), 1).to_bytes())
    assert door.hellos == []


def test_high_flags_are_checked_once_the_complement_tells_them() -> None:
    strict = B._replace(required=MANDATORY_26)
    acceptor = answer(Door(), strict)
    acceptor.feed(Hello("a@host", VISIBLE, 1, 5).to_bytes())
    assert not acceptor.over
    acceptor.feed(Complement(Flags.SPAWN, 1).to_bytes())
    assert type(acceptor.error) is MissingFlags
    assert acceptor.error.missing == "V4_NC"
    assert acceptor.said[-1] == b"snot_allowed"


def test_high_flags_that_can_never_come_are_missed_at_once() -> None:
    old = without(VISIBLE, Flags.HANDSHAKE_23 | Flags.MANDATORY_25_DIGEST)
    acceptor = answer(Door(), B._replace(required=MANDATORY_23 | Flags.V4_NC))
    acceptor.feed(Hello("a@host", old, 1, 5).to_bytes())
    assert type(acceptor.error) is MissingFlags
    assert acceptor.said == [b"snot_allowed"]


def test_a_refusal_after_the_complement_is_understood() -> None:
    dialler = dial(version=5)
    dialler.feed(b"sok", Challenge("b@host", VISIBLE, 1, 1).to_bytes(), b"snot_allowed")
    assert type(dialler.error) is Refused
    assert dialler.error.status == "not_allowed"


# ------------------------------------------------------------------------------- the other side misbehaves


def test_another_node_than_the_one_dialled() -> None:
    dialler = dial()
    dialler.feed(b"sok", Challenge("c@host", VISIBLE, 1, 1).to_bytes())
    assert type(dialler.error) is WrongPeer
    assert dialler.error.reached == "c@host"
    assert len(dialler.said) == 1


def test_a_peer_that_answers_with_our_own_challenge_does_not_prove_the_cookie() -> None:
    dialler = dial()
    dialler.feed(
        b"sok", Challenge("b@host", VISIBLE, 1234, 1).to_bytes(), ack_to_bytes(digest("guess", 1234))
    )
    assert type(dialler.error) is CookieMismatch


@pytest.mark.parametrize(
    "status", [b"strue", b"sfalse", b"snamed:\0\x06x@host\0\0\0\1", b"sperhaps", b"", b"Nok"]
)
def test_statuses_that_do_not_answer_a_name(status: bytes) -> None:
    dialler = dial()
    dialler.feed(status)
    assert type(dialler.error) is RemoteProtocolError


@pytest.mark.parametrize(
    "status", [b"sok", b"sok_simultaneous", b"salive", Named("x@other", 1).to_bytes(), b"strue"]
)
def test_statuses_that_give_no_name_or_one_elsewhere(status: bytes) -> None:
    dialler = dial(NAMELESS)
    dialler.feed(status)
    assert type(dialler.error) is RemoteProtocolError


@pytest.mark.parametrize("reply", [b"sok", b"salive", b"N", b"", b"snamed:\0\x06x@host\0\0\0\1"])
def test_nonsense_in_answer_to_alive(reply: bytes) -> None:
    acceptor = answer(Door(status=Status.ALIVE))
    acceptor.feed(Hello("a@host", VISIBLE, 1).to_bytes(), reply)
    assert type(acceptor.error) is RemoteProtocolError


@pytest.mark.parametrize("name", [b"", b"a", b"@", b"a@", b"@b", b"a@b@c", b"a" * 300 + b"@b"])
def test_bad_names_get_no_status(name: bytes) -> None:
    door = Door()
    acceptor = answer(door)
    acceptor.feed(b"N" + VISIBLE.to_bytes(8, "big") + bytes(4) + len(name).to_bytes(2, "big") + name)
    assert type(acceptor.error) is RemoteProtocolError
    assert acceptor.said == []
    assert door.hellos == []


def test_a_complement_is_not_optional() -> None:
    acceptor = answer(Door())
    acceptor.feed(Hello("a@host", VISIBLE, 1, 5).to_bytes(), Reply(1, digest("cookie", 4321)).to_bytes())
    assert type(acceptor.error) is RemoteProtocolError


# ------------------------------------------------------------------------------- the other side goes away


def closed_after(half: Half, *frames: bytes) -> Exception:
    half.feed(*frames)
    assert not half.over
    half.end()
    assert half.error is not None
    assert isinstance(half.error.__cause__, EOFError)
    return half.error


def test_a_close_means_something_else_at_each_place_of_a_dial() -> None:
    challenge = Challenge("b@host", VISIBLE, 1, 1).to_bytes()
    at_name = closed_after(dial())
    assert type(at_name) is Refused
    assert at_name.status == "closed"
    assert "at our name" in str(at_name)
    assert "25" not in str(at_name)
    assert "25.0" in str(closed_after(dial(version=5)))
    for frames in ([b"sok"], [b"salive"]):
        before_challenge = closed_after(dial(), *frames)
        assert type(before_challenge) is Refused
        assert "before its challenge" in str(before_challenge)
    assert type(closed_after(dial(), b"sok", challenge)) is CookieMismatch


def test_a_close_means_something_else_at_each_place_of_an_accept() -> None:
    hello = Hello("a@host", VISIBLE, 1).to_bytes()
    assert "before it gave a name" in str(closed_after(answer(Door())))
    assert "at our challenge" in str(closed_after(answer(Door()), hello))
    assert "older one is alive" in str(closed_after(answer(Door(status=Status.ALIVE)), hello))
    error = closed_after(answer(Door()), hello)
    assert type(error) is HandshakeError
    assert error.peer == "a@host"


# ------------------------------------------------------------------------------- this side misbehaves


@pytest.mark.parametrize(
    ("me", "peer", "cookie", "nonce", "version"),
    [
        (A._replace(name="a"), "b@host", "cookie", 1, 6),
        (A, "b", "cookie", 1, 6),
        (A, "b@host", "cookie", -1, 6),
        (A, "b@host", "cookie", 1 << 32, 6),
        (A._replace(creation=1 << 32), "b@host", "cookie", 1, 6),
        (A, "b@host", "cookie", 1, 4),
        (NAMELESS, "b@host", "cookie", 1, 5),
        (NAMELESS._replace(name="a@host"), "b@host", "cookie", 1, 6),
    ],
)
def test_a_dial_that_cannot_work_says_nothing(
    me: LocalNode, peer: str, cookie: str, nonce: int, version: int
) -> None:
    half = Half(initiate(me, peer, cookie, nonce, version=version))
    assert type(half.error) is LocalProtocolError
    assert half.said == []


@pytest.mark.parametrize(
    ("hello", "door"),
    [
        (Hello("a@host", VISIBLE, 1), Door(status=Status.TRUE)),
        (Hello("a@host", VISIBLE, 1), Door(status=Status.NAMED)),
        (Hello("host", VISIBLE | Flags.NAME_ME, 0), Door(status=Status.ALIVE)),
        (Hello("host", VISIBLE | Flags.NAME_ME, 0), Door(status=Status.OK_SIMULTANEOUS)),
        (Hello("host", VISIBLE | Flags.NAME_ME, 0), Door(name="x@elsewhere")),
        (Hello("host", VISIBLE | Flags.NAME_ME, 0), Door(name="x")),
    ],
)
def test_a_gate_that_decides_nonsense(hello: Hello, door: Door) -> None:
    acceptor = answer(door)
    acceptor.feed(hello.to_bytes())
    assert type(acceptor.error) is LocalProtocolError
    assert acceptor.said == []


# ------------------------------------------------------------------------------- any other side


FRAMES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"sok",
            b"salive",
            b"strue",
            Named("x@host", 1).to_bytes(),
            Hello("a@host", VISIBLE, 1).to_bytes(),
            Hello("a@host", VISIBLE, 1, 5).to_bytes(),
            Hello("host", VISIBLE | Flags.NAME_ME, 0).to_bytes(),
            Challenge("b@host", VISIBLE, 1, 1).to_bytes(),
            Challenge("b@host", VISIBLE, 1, 1, 5).to_bytes(),
            Complement(VISIBLE, 1).to_bytes(),
            Reply(1, bytes(16)).to_bytes(),
            ack_to_bytes(bytes(16)),
        ]
    ),
)


@given(
    st.lists(FRAMES, max_size=6),
    st.sampled_from([A, NAMELESS]),
    st.sampled_from([Status.OK, Status.ALIVE, Status.NOK]),
    st.data(),
)
def test_whatever_is_said_nobody_comes_in_without_the_cookie(
    frames: list[bytes], me: LocalNode, status: Status, data: st.DataObject
) -> None:
    version = 6 if me.dynamic else data.draw(st.sampled_from([5, 6]))
    door = Door(status=Status.OK if me.dynamic else status, name="x@host")
    for half in (dial(me, version=version), answer(door)):
        half.feed(*frames)
        half.end()
        assert half.result is None
        assert isinstance(half.error, ProtocolError)
    assert door.let_in == []


# ------------------------------------------------------------------------------- real nodes, as captured


@pytest.mark.parametrize("section", sections("dial", "frames"), ids=str)
def test_our_dialler_says_what_a_real_node_was_content_with(section: Section) -> None:
    facts = section.facts
    me = LocalNode(facts["us"], section.flags, int(facts["creation"]), dynamic=facts["dynamic"] == "1")
    insist = (lambda: False) if section.title == "alive false" else always
    talk = initiate(
        me, facts["peer"], facts["cookie"], int(facts["nonce"]), version=int(facts["version"]), insist=insist
    )
    half = Half(talk)
    frames = section.handshake()
    half.feed(*(frame for mark, frame in frames if mark == "<"))
    assert half.said == [frame for mark, frame in frames if mark == ">"]
    if section.closed:
        half.end()

    expected = {
        "wrong cookie": CookieMismatch,
        "without BIG_CREATION": Refused,
        "with its own name": Refused,
        "alive false": Refused,
    }.get(section.title)
    if section.release == 23 and section.title == "digest alone":
        expected = Refused
    if section.release == 25 and section.title.startswith("v5"):
        expected = Refused  # 25.0 to 25.2 take no version 5 name
    if expected is not None:
        assert type(half.error) is expected
        return
    info = half.result
    assert info is not None
    assert info.name == facts["peer"]
    ours = without(section.flags, Flags.PUBLISHED) | Flags.NAME_ME if me.dynamic else section.flags
    theirs = RELEASES[section.release][0] | Flags.NAME_ME
    if section.frames("<")[1][:1] == b"n":
        theirs &= LOW_HALF
    assert info.flags == expand(ours) & expand(theirs)
    assert info.visible == (section.title in ("v6 visible", "visible"))
    if section.title == "dynamic":
        assert info.local_name.endswith("@127.0.0.1")
        assert info.local_creation > 0


@pytest.mark.parametrize("section", sections("accept"), ids=str)
def test_our_acceptor_says_what_a_real_node_was_content_with(section: Section) -> None:
    facts = section.facts
    me = LocalNode(facts["us"], section.flags, int(facts["creation"]))
    door = Door(cookie=facts["cookie"], status=Status(facts["status"]), name="named@127.0.0.1")
    half = Half(accept(me, int(facts["nonce"]), door))
    frames = section.handshake()
    half.feed(*(frame for mark, frame in frames if mark == "<"))
    assert half.said == [frame for mark, frame in frames if mark == ">"]

    if section.title == "wrong cookie":
        assert type(half.error) is CookieMismatch
    elif door.status in (Status.NOK, Status.NOT_ALLOWED):
        assert type(half.error) is Refused
    else:
        assert half.result is not None
        assert door.let_in == [half.result]
        assert half.result.name == ("named@127.0.0.1" if section.title == "dynamic" else door.hellos[0].name)
