from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.term import Atom, BitString, ImproperList, Pid, Port, Reference
from pyerlnode.wire import control as c
from pyerlnode.wire import messages as m
from tests.unit.wire.controls import EXAMPLES, LONG_REF, NAME, REF, THEM, TOKEN, US, WITH_TOKEN, parts_of

PORT = Port(Atom("beam@host"), 1, 5)
MFA = (Atom("m"), Atom("f"), 0)


def name_of(control: Any) -> str:
    return type(control).__name__


@pytest.mark.parametrize("control", EXAMPLES + WITH_TOKEN, ids=name_of)
def test_what_is_written_is_read(control: m.Control) -> None:
    assert c.parse_control(control.to_term()) == control


@pytest.mark.parametrize("control", EXAMPLES + WITH_TOKEN, ids=name_of)
def test_one_element_less_or_more_is_refused(control: m.Control) -> None:
    term = control.to_term()
    for wrong in (term[:-1], (*term, 1)):
        if type(control) is m.AltactSigSend and len(wrong) > len(term):
            assert c.parse_control(wrong) == control
        else:
            with pytest.raises(RemoteProtocolError):
                c.parse_control(wrong)


@pytest.mark.parametrize("control", EXAMPLES + WITH_TOKEN, ids=name_of)
def test_every_part_is_checked(control: m.Control) -> None:
    term = control.to_term()
    free = {"reason", "options", "token"}  # may be anything
    values = [value for name, value in parts_of(control).items() if name not in free]
    for index in range(1, len(term)):
        if term[index] == m.UNUSED or not any(term[index] == value for value in values):
            continue
        for wrong in (PORT, 2.5, b"name", "name", [], -1, {}, BitString(b"\x80", 1), ImproperList((1,), 2)):
            with pytest.raises(RemoteProtocolError):
                c.parse_control((*term[:index], wrong, *term[index + 1 :]))


@pytest.mark.parametrize(
    "term",
    [
        None,
        1,
        [],
        [22, THEM, US],
        (),
        (Atom("link"), THEM, US),
        (True, THEM, US),
        (1.0, THEM, US),
        (b"\x01", THEM, US),
        (0, THEM, US),
        (5, THEM, US),
        (9, THEM, US),
        (17, THEM, US),
        (38, THEM, US),
        (99, THEM, US),
        (-1, THEM, US),
        (1 << 80, THEM, US),
        (22, US),
        (37,),
        ((22, THEM, US),),
    ],
    ids=repr,
)
def test_what_is_no_control_message_is_refused(term: Any) -> None:
    with pytest.raises(RemoteProtocolError, match="unknown or malformed control message"):
        c.parse_control(term)


@pytest.mark.parametrize("op", [35, 36])
@pytest.mark.parametrize("number", [0, -1, 1 << 64, True, 1.0, Atom("1"), None])
def test_unlinkings_are_numbered_from_1_to_the_64_bits(op: int, number: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        c.parse_control((op, number, THEM, US))


@pytest.mark.parametrize(("value", "name"), [(True, "true"), (False, "false"), (None, "nil")])
def test_a_name_may_be_an_atom_that_decodes_as_a_constant(value: Any, name: str) -> None:
    parsed = [
        c.parse_control((6, THEM, m.UNUSED, value)).name,
        c.parse_control((19, THEM, value, REF)).target,
        c.parse_control((20, THEM, value, REF)).target,
        c.parse_control((21, value, US, REF, 1)).target,
        c.parse_control((28, value, US, REF)).target,
        c.parse_control((31, REF, US, 0, value)).result,
        c.parse_control((37, m.NAME, THEM, value)).target,
        c.parse_control((29, REF, THEM, THEM, (value, Atom("f"), 0), [])).module,
        c.parse_control((29, REF, THEM, THEM, (Atom("m"), value, 0), [])).function,
    ]
    assert parsed == [name] * len(parsed)
    assert {type(atom) for atom in parsed} == {Atom}


def test_a_plain_string_is_no_name() -> None:
    with pytest.raises(RemoteProtocolError):
        c.parse_control((6, THEM, m.UNUSED, "name"))


@pytest.mark.parametrize("unused", [Atom(""), Atom("cookie"), None, 1, [], b""])
def test_what_stands_where_the_cookie_stood_does_not_matter(unused: Any) -> None:
    assert c.parse_control((2, unused, US)) == m.Send(US)
    assert c.parse_control((6, THEM, unused, NAME)) == m.RegSend(THEM, NAME)


@pytest.mark.parametrize(
    "mfa",
    [
        None,
        (),
        (Atom("m"), Atom("f")),
        [Atom("m"), Atom("f"), 0],
        (b"m", Atom("f"), 0),
        (Atom("m"), 1, 0),
        (Atom("m"), Atom("f"), -1),
        (Atom("m"), Atom("f"), 1.0),
        (Atom("m"), Atom("f"), True),
        (Atom("m"), Atom("f"), 0, 0),
    ],
)
def test_a_spawn_request_names_a_function(mfa: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        c.parse_control((29, REF, THEM, THEM, mfa, []))


@pytest.mark.parametrize("options", [[], None, 5, ImproperList((Atom("link"),), 1), [Atom("what")]])
def test_bad_spawn_options_are_somebody_elses_matter(options: Any) -> None:
    assert c.parse_control((29, REF, THEM, THEM, MFA, options)).options == options


@pytest.mark.parametrize("flags", [-1, 1 << 27, 1.0, True, None, Atom("link")])
def test_flags_of_a_spawn_reply_are_a_small_number(flags: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        c.parse_control((31, REF, US, flags, THEM))


class TestAltact:
    def test_the_token_is_the_fifth_element_when_the_flags_say_so(self) -> None:
        assert c.parse_control((37, 2, THEM, US, TOKEN)) == m.AltactSigSend(0, THEM, US, TOKEN)
        assert c.parse_control((37, 0, THEM, US, TOKEN)) == m.AltactSigSend(0, THEM, US)

    def test_a_token_that_is_announced_must_be_there(self) -> None:
        with pytest.raises(RemoteProtocolError):
            c.parse_control((37, 2, THEM, US))

    def test_further_elements_and_higher_flags_are_ignored(self) -> None:
        term = (37, 1 << 5 | 1 << 40 | 6, THEM, LONG_REF, TOKEN, 1, 2, 3)
        assert c.parse_control(term) == m.AltactSigSend(m.ALIAS, THEM, LONG_REF, TOKEN)

    @pytest.mark.parametrize(
        ("flags", "target"),
        [
            (0, REF),
            (0, NAME),
            (m.ALIAS, US),
            (m.ALIAS, NAME),
            (m.NAME, US),
            (m.NAME, REF),
            (m.ALIAS | m.NAME, REF),
            (m.ALIAS | m.NAME, NAME),
            (m.ALIAS | m.NAME, US),
        ],
    )
    def test_the_target_is_what_the_flags_say(self, flags: int, target: Any) -> None:
        with pytest.raises(RemoteProtocolError):
            c.parse_control((37, flags, THEM, target))

    @pytest.mark.parametrize("flags", [-1, 1.0, True, None, Atom("alias")])
    def test_the_flags_are_a_number(self, flags: Any) -> None:
        with pytest.raises(RemoteProtocolError):
            c.parse_control((37, flags, THEM, US))


def test_an_error_shows_the_message_shortened() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        c.parse_control((99, b"x" * 100_000))
    assert len(str(caught.value)) < 400


PIDS = st.builds(Pid, st.just(Atom("a@b")), st.integers(0, 99), st.just(0), st.just(1))
REFS = st.builds(Reference, st.just(Atom("a@b")), st.just(1), st.just((1, 2, 3)))
PARTS = st.one_of(
    PIDS,
    REFS,
    st.sampled_from([Atom("n"), None, True, "s", MFA, [], {}, 0.5, PORT]),
    st.integers(-2, 40),
    st.tuples(st.sampled_from([Atom("m"), 1]), st.just(Atom("f")), st.integers(-1, 3)),
)


@given(op=st.integers(-1, 40), parts=st.lists(PARTS, max_size=8))
def test_any_tuple_is_read_or_refused(op: int, parts: list[Any]) -> None:
    term = (op, *parts)
    try:
        control = c.parse_control(term)
    except RemoteProtocolError:
        return
    again = control.to_term()
    assert c.parse_control(again) == control
    if type(control) is not m.AltactSigSend:
        assert len(again) == len(term)
