"""The children of a supervisor: their order, their ids, and how they are shown."""

from __future__ import annotations

import pytest

from pyerlnode.otp.child import Child
from pyerlnode.otp.children import Children, Entry
from pyerlnode.otp.gen_server import GenServer
from pyerlnode.runtime.actor import Reactor
from pyerlnode.term import Atom, Pid
from tests.support.nodes import make_router

OTHER = Pid(Atom("b@127.0.0.1"), 1, 0, 1)
OK, ERROR = Atom("ok"), Atom("error")


class Worker(GenServer):
    """Any."""


def entry(ident: object = "a", pid: Pid | None = None) -> Entry:
    return Entry(Child(Worker, id=ident), pid)


def filled(*entries: Entry) -> Children:
    children = Children()
    for one in entries:
        children.add(one)
    return children


class TestEntry:
    def test_how_it_is_shown(self) -> None:
        one = entry()
        assert one.shown == "undefined"
        one.pid = OTHER
        assert one.shown == OTHER
        one.restarting = True
        assert one.shown == "restarting"
        one.clear()
        assert one.shown == "undefined"
        assert one.pid is None

    def test_what_a_start_function_gives(self) -> None:
        one = entry()
        assert one.take((OK, OTHER))
        assert (one.pid, one.extra) == (OTHER, None)
        assert one.take((OK, OTHER, 7))
        assert one.extra == (7,)
        one.clear()
        assert one.take(Atom("ignore"))
        assert one.pid is None

    @pytest.mark.parametrize(
        ("result", "why"),
        [
            ((ERROR, 1), 1),
            ((OK, 1), (OK, 1)),
            ((OK, OTHER, 1, 2), (OK, OTHER, 1, 2)),
            ([OK, OTHER], [OK, OTHER]),
            (None, None),
            (b"ignore", b"ignore"),
        ],
    )
    def test_what_else_it_gives(self, result: object, why: object) -> None:
        one = entry()
        assert not one.take(result)
        assert (one.failure, one.pid) == (why, None)

    def test_a_reason_without_a_term(self) -> None:
        one = entry()
        assert not one.take((ERROR, object()))
        assert one.failure[0] == "python_reason"

    def test_as_a_record(self) -> None:
        assert entry().as_record() == (
            "child",
            "undefined",
            "a",
            ("Worker", "start_link", []),
            "permanent",
            False,
            5000,
            "worker",
            ["Worker"],
        )


class TestChildren:
    def test_the_last_is_shown_first(self) -> None:
        children = filled(entry("a", OTHER), entry("b"))
        shown = [(Atom("b"), "undefined", "worker", ["Worker"]), (Atom("a"), OTHER, "worker", ["Worker"])]
        assert children.which() == shown

    def test_ids_are_told_apart_as_in_erlang(self) -> None:
        entries = [entry(1), entry(1.0), entry(True), entry(b"a"), entry("a")]
        children = filled(*entries)
        assert [children.find(one.child.id) for one in entries] == entries
        assert children.find(2) is None

    def test_finding_and_forgetting(self) -> None:
        first, second, third = entry("a"), entry("b", OTHER), entry("c")
        children = filled(first, second, third)
        assert children.by_pid(OTHER) is second
        assert children.from_on(second) == [second, third]
        children.remove(second)
        assert children.in_order() == [first, third]
        assert children.by_pid(OTHER) is None
        assert children.has(first)
        assert not children.has(second)
        assert not children.has(entry("a"))

    def test_counts(self) -> None:
        router = make_router()
        alive, dead = Reactor(router, print), Reactor(router, print)
        dead.end(Atom("normal"))
        children = filled(entry(1, alive.pid), entry(2, dead.pid), entry(3, OTHER), entry(4))
        counts = [("specs", 4), ("active", 2), ("supervisors", 0), ("workers", 4)]
        assert children.count(router.registry) == counts
