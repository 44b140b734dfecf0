"""Child specifications, written here and sent by others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import ConfigError
from pyerlnode.otp.child import BadSpec, Child, Exported, Supervisor, parse_child
from pyerlnode.otp.gen_server import GenServer
from pyerlnode.term import Atom

if TYPE_CHECKING:
    from pyerlnode.term import Term


class Worker(GenServer):
    """Any."""


async def body(me: Any) -> None:
    """Any."""


MFA = (Atom("m"), Atom("f"), [1])


def spec(**options: Term) -> Term:
    return {Atom(key): value for key, value in ({"id": Atom("x"), "start": MFA} | options).items()}


class TestOurs:
    def test_defaults(self) -> None:
        child = Child(Worker, 1, 2)
        assert (child.id, child.args, child.restart, child.shutdown) == ("Worker", (1, 2), "permanent", 5.0)
        assert (child.type, child.modules, child.milliseconds) == ("worker", ["Worker"], 5000)
        assert child.function == ("Worker", "start_link", [1, 2])
        assert repr(child) == "<Child :Worker>"

    def test_ids(self) -> None:
        assert Child(body).id == "body"
        assert Child(Worker, name="a").id == Atom("a")
        assert Child(Worker, name="a", id="b").id == Atom("b")
        assert Child(Worker, id=7).id == 7
        assert Child(Worker, id=None).id is None

    def test_a_supervisor_gets_all_the_time_it_needs(self) -> None:
        child = Child(Supervisor([Child(Worker)]))
        assert (child.id, child.type, child.shutdown) == ("supervisor", "supervisor", "infinity")
        assert child.milliseconds == Atom("infinity")

    @pytest.mark.parametrize("start", [Worker(), 1, "Worker", int, lambda me: None])
    def test_what_cannot_be_started(self, start: Any) -> None:
        with pytest.raises(ConfigError, match="GenServer class"):
            Child(start)

    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            ({"restart": "often"}, "permanent, transient, temporary"),
            ({"shutdown": "soon"}, "brutal_kill, infinity"),
            ({"shutdown": 5000}, "in seconds"),
            ({"shutdown": -1}, "in seconds"),
            ({"significant": True}, "always started again"),
        ],
    )
    def test_settings_that_cannot_work(self, options: dict[str, Any], complaint: str) -> None:
        with pytest.raises(ConfigError, match=complaint):
            Child(Worker, **options)

    def test_a_supervisor_takes_no_arguments(self) -> None:
        with pytest.raises(ConfigError, match="no arguments"):
            Child(Supervisor([]), 1)


class TestSupervisor:
    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            ({"strategy": "simple_one_for_one"}, "one_for_one, one_for_all, rest_for_one"),
            ({"auto_shutdown": "yes"}, "any_significant"),
            ({"max_restarts": -1}, "0 or more"),
            ({"max_seconds": 0}, "more than 0"),
        ],
    )
    def test_settings_that_cannot_work(self, options: dict[str, Any], complaint: str) -> None:
        with pytest.raises(ConfigError, match=complaint):
            Supervisor([], **options)

    def test_children_are_children_with_ids_of_their_own(self) -> None:
        assert (
            len(Supervisor([Child(Worker, id=1), Child(Worker, id=1.0), Child(Worker, id=True)]).children)
            == 3
        )
        with pytest.raises(ConfigError, match="two children have that id"):
            Supervisor([Child(Worker), Child(Worker)])
        with pytest.raises(ConfigError, match="each is a Child"):
            Supervisor([Worker])  # type: ignore[list-item]

    def test_significance_needs_auto_shutdown(self) -> None:
        child = Child(Worker, restart="transient", significant=True)
        assert Supervisor([child], auto_shutdown="any_significant").children == (child,)
        with pytest.raises(ConfigError, match="auto_shutdown"):
            Supervisor([child])


class TestTheirs:
    def test_defaults(self) -> None:
        child = parse_child(spec())
        assert child.start == Exported(Atom("m"), Atom("f"), (1,))
        assert (child.id, child.restart, child.shutdown, child.type) == ("x", "permanent", 5.0, "worker")
        assert (child.modules, child.function, child.significant) == ([Atom("m")], MFA, False)

    def test_a_map_comes_back_as_it_was(self) -> None:
        sent = spec(
            restart=Atom("transient"),
            shutdown=100,
            type=Atom("supervisor"),
            modules=Atom("dynamic"),
            significant=True,
        )
        assert parse_child(sent, "any_significant").to_map() == sent

    def test_a_tuple(self) -> None:
        child = parse_child((Atom("x"), MFA, Atom("temporary"), Atom("brutal_kill"), Atom("worker"), []))
        assert (child.id, child.restart, child.shutdown) == ("x", "temporary", "brutal_kill")

    def test_ids_stay_what_they_are(self) -> None:
        for ident in ("text", b"bytes", None, (1, [2])):
            assert parse_child(spec(id=ident)).id == ident
        assert not isinstance(parse_child(spec(id="text")).id, Atom)

    def test_times(self) -> None:
        assert parse_child(spec(type=Atom("supervisor"))).shutdown == "infinity"
        assert parse_child(spec(shutdown=0)).shutdown == 0
        assert parse_child(spec(shutdown=10**9)).shutdown == "infinity"

    @pytest.mark.parametrize(
        ("sent", "reason"),
        [
            (1, ("invalid_child_spec", 1)),
            ({}, "missing_id"),
            ({Atom("id"): 1}, "missing_start"),
            (spec(start=1), ("invalid_mfa", 1)),
            (spec(start=[Atom("m"), Atom("f"), []]), ("invalid_mfa", ["m", "f", []])),
            (spec(start=(Atom("m"), b"f", [])), ("invalid_mfa", ("m", b"f", []))),
            (spec(restart=b"permanent"), ("invalid_restart_type", b"permanent")),
            (spec(type="worker"), ("invalid_child_type", "worker")),
            (spec(shutdown=-1), ("invalid_shutdown", -1)),
            (spec(shutdown=True), ("invalid_shutdown", True)),
            (spec(significant=1), ("invalid_significant", 1)),
            (spec(modules=1), ("invalid_modules", 1)),
            (spec(modules=[b"m"]), ("invalid_module", b"m")),
        ],
    )
    def test_what_is_none(self, sent: Term, reason: Term) -> None:
        with pytest.raises(BadSpec) as caught:
            parse_child(sent)
        assert caught.value.reason == reason

    @pytest.mark.parametrize("mode", ["never", "any_significant"])
    def test_significance_that_cannot_be(self, mode: str) -> None:
        with pytest.raises(BadSpec) as caught:
            parse_child(spec(significant=True), mode)
        assert caught.value.reason[0] == "bad_combination"
