"""The table of global names, alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode.otp.global_table import GlobalTable
from pyerlnode.term import Atom, Pid, Reference

if TYPE_CHECKING:
    from pyerlnode.otp.global_table import GlobalName
    from pyerlnode.term import Term

IT = Atom("it")
METHOD = (Atom("global"), Atom("random_exit_name"))
OURS, THEIRS = Pid(Atom("a@h"), 1, 0, 1), Pid(Atom("b@h"), 2, 0, 1)


class Watch:
    def __init__(self) -> None:
        self.watched: dict[Reference, Pid] = {}
        self.count = 0

    def __call__(self, pid: Pid) -> Reference:
        self.count += 1
        ref = Reference(Atom("a@h"), 1, (self.count, 0, 0))
        self.watched[ref] = pid
        return ref

    def forget(self, ref: Reference) -> None:
        del self.watched[ref]


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def table(watch: Watch) -> GlobalTable:
    return GlobalTable(watch, watch.forget)


class TestNames:
    def test_a_name_is_any_term(self, table: GlobalTable) -> None:
        for name in (IT, [1], 1, 1.0, {b"k": 1}):
            table.insert(name, OURS, METHOD)
        assert [entry[0] for entry in table.entries()] == [IT, [1], 1, 1.0, {b"k": 1}]

    def test_each_is_watched_once(self, table: GlobalTable, watch: Watch) -> None:
        table.insert(IT, OURS, METHOD)
        table.insert(IT, THEIRS, METHOD)
        assert list(watch.watched.values()) == [THEIRS]
        assert table.entries() == [(IT, THEIRS, METHOD)]
        table.delete(IT)
        table.delete(IT)
        assert (len(table), watch.watched) == (0, {})

    def test_a_name_goes_with_its_process(self, table: GlobalTable, watch: Watch) -> None:
        table.insert(IT, OURS, METHOD)
        [ref] = watch.watched
        assert table.watches(ref)
        table.process_down(ref)
        table.process_down(ref)
        assert not table.watches(ref)
        assert table.find(IT) is None

    def test_changes_of_a_meeting(self, table: GlobalTable) -> None:
        table.apply([(Atom("insert"), (IT, OURS, METHOD)), (Atom("insert"), (1, OURS, METHOD)), Atom("x")])
        table.apply([(Atom("delete"), IT)])
        assert table.entries() == [(1, OURS, METHOD)]


class TestClashes:
    async def compare(self, table: GlobalTable, keeps: Term) -> tuple[list[Term], list[Term]]:
        async def settle(ours: GlobalName, theirs: Pid) -> Term:
            assert (ours.pid, theirs) == (OURS, THEIRS)
            return keeps

        table.insert(IT, OURS, METHOD)
        return await table.compare([(IT, THEIRS, METHOD)], settle)

    async def test_theirs_stays(self, table: GlobalTable) -> None:
        assert await self.compare(table, THEIRS) == ([("insert", (IT, THEIRS, METHOD))], [])

    async def test_ours_stays(self, table: GlobalTable) -> None:
        assert await self.compare(table, OURS) == ([], [("insert", (IT, OURS, METHOD))])

    async def test_none_stays(self, table: GlobalTable) -> None:
        assert await self.compare(table, Atom("none")) == ([("delete", IT)], [("delete", IT)])

    async def test_the_other_side_settles(self, table: GlobalTable) -> None:
        table.insert(IT, OURS, METHOD)
        assert await table.compare([(IT, THEIRS, METHOD)], None) == ([], [])

    async def test_new_and_equal_names_are_no_clash(self, table: GlobalTable) -> None:
        table.insert(IT, OURS, METHOD)
        theirs = [(IT, OURS, METHOD), (1, THEIRS, METHOD), (2, b"no pid", METHOD), Atom("nonsense")]
        assert await table.compare(theirs, None) == ([("insert", (1, THEIRS, METHOD))], [])
