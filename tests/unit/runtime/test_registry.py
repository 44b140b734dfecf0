"""Pids, references and names: who is who on one node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import NameTaken
from pyerlnode.runtime.actor import Reactor
from pyerlnode.runtime.registry import PID_MASK, WORD_MASK, Registry
from pyerlnode.term import Atom
from tests.support.nodes import make_router

if TYPE_CHECKING:
    from pyerlnode.runtime.router import Router


def actor(router: Router) -> Reactor:
    return Reactor(router, lambda message: None)


@pytest.fixture
def router() -> Router:
    return make_router()


@pytest.fixture
def registry(router: Router) -> Registry:
    return router.registry


class TestPids:
    def test_each_actor_has_its_own(self, router: Router) -> None:
        pids = {actor(router).pid for _ in range(100)}
        assert len(pids) == 100
        assert {pid.node for pid in pids} == {"me@127.0.0.1"}
        assert {pid.creation for pid in pids} == {7}

    def test_a_pid_finds_its_actor_until_that_ends(self, router: Router) -> None:
        one = actor(router)
        assert router.registry.find(one.pid) is one
        one.end(None)
        assert router.registry.find(one.pid) is None
        assert len(router.registry) == 0

    def test_pids_of_another_incarnation_or_node_find_nobody(self, router: Router) -> None:
        pid = actor(router).pid
        assert router.registry.find(pid.__replace__(creation=8)) is None
        assert router.registry.find(pid.__replace__(node=Atom("other@127.0.0.1"))) is None

    def test_numbers_wrap_around_and_pass_over_those_in_use(self, router: Router) -> None:
        first = actor(router)
        router.registry._last_pid = PID_MASK - 1
        last, again = actor(router), actor(router)
        assert first.number == 1
        assert (last.pid.id, last.pid.serial) == (0x7FFF, 0x1FFF)
        assert again.number == 2  # 0 is never given, 1 is in use
        assert [router.registry.find(one.pid) for one in (first, last, again)] == [first, last, again]

    def test_iterating_while_actors_come_and_go(self, router: Router) -> None:
        for one in router.registry:
            one.end(None)
        [actor(router) for _ in range(3)]
        for one in router.registry:
            one.end(None)
            actor(router)
        assert len(router.registry) == 3


class TestReferences:
    def test_they_do_not_repeat_across_words(self, registry: Registry) -> None:
        first = registry.reference()
        registry._last_ref = (1 << 18) - 1
        second = registry.reference()
        registry._last_ref = (1 << 50) - 1
        third = registry.reference()
        assert (first.words, second.words, third.words) == ((1, 0, 0), (0, 1, 0), (0, 0, 1))

    def test_words_stay_within_their_bits(self, registry: Registry) -> None:
        registry._last_ref = (1 << 82) - 2
        assert registry.reference().words == ((1 << 18) - 1, WORD_MASK, WORD_MASK)


class TestNames:
    def test_a_name_leads_to_its_actor_until_it_is_freed(self, router: Router) -> None:
        one = actor(router)
        router.registry.register("a", one)
        assert router.registry.whereis("a") is one
        assert router.registry.names() == ["a"]
        assert router.registry.unregister("a") is True
        assert router.registry.unregister("a") is False
        assert router.registry.whereis("a") is None
        assert one.names == []

    def test_the_end_of_an_actor_frees_all_its_names(self, router: Router) -> None:
        one = actor(router)
        router.registry.register("a", one)
        router.registry.register("b", one)
        one.end(None)
        assert router.registry.names() == []
        assert one.names == []

    def test_a_name_in_use_is_taken(self, router: Router) -> None:
        router.registry.register("a", actor(router))
        with pytest.raises(NameTaken, match=r"node\.unregister\('a'\) first"):
            router.registry.register("a", actor(router))

    def test_undefined_is_no_name(self, router: Router) -> None:
        with pytest.raises(NameTaken, match="undefined"):
            router.registry.register("undefined", actor(router))

    def test_a_dead_actor_gets_none(self, router: Router) -> None:
        one = actor(router)
        one.end(None)
        with pytest.raises(NameTaken, match="has ended"):
            router.registry.register("a", one)

    def test_a_name_that_is_no_atom_changes_nothing(self, router: Router) -> None:
        one = actor(router)
        with pytest.raises(ValueError, match="255"):
            router.registry.register("x" * 256, one)
        assert router.registry.names() == []
        assert one.names == []


class TestRenaming:
    """A nameless node gets its name from its first peer."""

    def test_pids_and_references_made_before_are_still_ours(self, router: Router) -> None:
        one = actor(router)
        pid, ref = one.pid, router.registry.reference()
        assert (router.registry.current(pid), router.registry.home(ref)) == (pid, pid.node)
        router.registry.rename(Atom("new@host"), 9)
        renamed = pid.__replace__(node=Atom("new@host"), creation=9)
        assert one.pid == renamed
        assert router.registry.current(pid) == renamed
        assert router.registry.home(ref) == "new@host"
        assert router.registry.find(router.registry.current(pid)) is one

    def test_those_of_others_stay_what_they_are(self, router: Router) -> None:
        foreign = actor(router).pid.__replace__(node=Atom("other@host"))
        router.registry.rename(Atom("new@host"), 9)
        assert router.registry.current(foreign) == foreign
