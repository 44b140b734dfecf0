"""Who was lost, who is asked to go, and that nothing is said twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode.otp import global_partitions
from pyerlnode.otp.global_partitions import Partitions
from pyerlnode.term import Atom
from tests.support.nodes import ME, FakePeer, make_router

if TYPE_CHECKING:
    from pyerlnode.term import Term

A, B, C = (Atom(f"{letter}@127.0.0.1") for letter in "abc")


class Mesh:
    """A name server of which only what it is asked is looked at."""

    def __init__(self, **versions: int) -> None:
        self.router = make_router()
        self.versions = {Atom(f"{name}@127.0.0.1"): vsn for name, vsn in versions.items()}
        for name in self.versions:
            FakePeer(self.router, name)
        self.said: list[tuple[Term, Atom]] = []
        self.left: list[Atom] = []
        self.disconnected: list[tuple[str, str]] = []
        self.partitions = Partitions(self, self.disconnect)

    def forget(self, node: Atom) -> None:
        self.versions.pop(node, None)

    def is_potentially_known(self, node: Atom) -> bool:
        return node in self.versions

    def version_of(self, node: Atom) -> int:
        return self.versions.get(node, 0)

    def multicast(self, message: Term, *, but: Atom) -> None:
        self.said.append((message, but))

    def ask_to_leave(self, node: Atom) -> None:
        self.left.append(node)

    def disconnect(self, node: str, reason: str) -> bool:
        self.disconnected.append((node, reason))
        return True


class TestWeLoseOne:
    @pytest.mark.parametrize("reason", ["connection_closed", "net_tick_timeout"])
    def test_unexpectedly_all_are_told(self, reason: str) -> None:
        mesh = Mesh(a=8, b=8)
        mesh.partitions.node_down(A, was_known=True, reason=reason)
        mesh.partitions.node_down(B, was_known=True, reason=reason)
        ((word, me, creation, op, lost), but), (second, _) = mesh.said
        assert (word, me, lost, but) == ("lost_connection", ME, A, A)
        assert creation & 0xFFFFFFFF == 7
        assert second[3] > op

    @pytest.mark.parametrize(
        ("known", "reason"), [(False, "connection_closed"), (True, "disconnect"), (True, "this node stops")]
    )
    def test_expectedly_nobody_is(self, known: bool, reason: str) -> None:
        mesh = Mesh(a=8)
        mesh.partitions.node_down(A, was_known=known, reason=reason)
        assert mesh.said == []


class TestOthersLoseOne:
    def test_it_is_passed_on_and_the_lost_one_asked_to_go(self) -> None:
        mesh = Mesh(a=8, b=8)
        mesh.partitions.lost_connection(A, 5, 1, B)
        assert mesh.said == [(("lost_connection", A, 5, 1, B), A)]
        assert mesh.left == [B]
        assert not mesh.is_potentially_known(B)
        mesh.partitions.node_down(
            B, was_known=True, reason="connection_closed"
        )  # it goes, as it was asked to
        assert len(mesh.said) == 1

    def test_once(self) -> None:
        mesh = Mesh(a=8, b=8, c=8)
        for op in (1, 1, 0):
            mesh.partitions.lost_connection(A, 5, op, B)
        assert len(mesh.said) == 1
        mesh.partitions.lost_connection(A, 6, 1, B)  # another incarnation
        mesh.partitions.lost_connection(A, 6, 2, B)
        assert len(mesh.said) == 3

    def test_one_that_lost_us_is_left(self) -> None:
        mesh = Mesh(a=8)
        mesh.partitions.lost_connection(A, 5, 1, Atom(ME))
        assert mesh.left == [A]

    def test_a_stranger_needs_no_leave(self) -> None:
        mesh = Mesh(a=8)
        mesh.partitions.lost_connection(A, 5, 1, B)
        assert mesh.left == []
        assert len(mesh.said) == 1

    def test_an_old_one_is_disconnected_at_once(self) -> None:
        mesh = Mesh(a=8, b=5)
        mesh.partitions.lost_connection(A, 5, 1, B)
        assert mesh.left == []
        assert mesh.disconnected == [(B, "partition")]

    def test_only_so_much_is_remembered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(global_partitions, "REMEMBERED", 2)
        mesh = Mesh()
        for lost in (A, B, C):
            mesh.partitions.lost_connection(Atom("x@h"), 5, 1, lost)
        assert len(mesh.partitions._heard) == 2


class TestWeAreAskedToGo:
    def test_we_do(self) -> None:
        mesh = Mesh(a=8)
        mesh.partitions.remove_connection(A)
        assert mesh.disconnected == [(A, "partition")]
        mesh.partitions.remove_connection(A)
        assert len(mesh.disconnected) == 1
        mesh.partitions.node_down(A, was_known=False, reason="partition")
        assert (mesh.said, mesh.partitions._removing) == ([], set())

    def test_one_without_a_connection_is_only_forgotten(self) -> None:
        mesh = Mesh(a=8)
        mesh.router.sessions.clear()
        mesh.partitions.remove_connection(A)
        assert mesh.partitions._removing == set()
        assert not mesh.is_potentially_known(A)
