"""Known nodes, as the releases tell them."""

from __future__ import annotations

from typing import Any

import pytest

from pyerlnode.otp.global_exchange import Exchange, node_version
from pyerlnode.term import Atom


@pytest.mark.parametrize(
    ("item", "read"),
    [
        (Atom("a@h"), (Atom("a@h"), 0)),
        ((Atom("a@h"), 8), (Atom("a@h"), 8)),
        (b"a@h", None),
        ((Atom("a@h"), Atom("8")), None),
        ((b"a@h", 8), None),
        (7, None),
    ],
)
def test_a_known_node_is_read_in_both_forms(item: Any, read: Any) -> None:
    assert node_version(item) == read


def test_a_new_exchange_waits_for_everything() -> None:
    exchange = Exchange(5)
    assert exchange.vsn == 0
    assert not exchange.is_locked
    assert (exchange.his_names, exchange.ops, exchange.his_resolved, exchange.task) == (
        None,
        None,
        None,
        None,
    )
