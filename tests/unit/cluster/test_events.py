from __future__ import annotations

from pyerlnode.cluster.events import Connected, ConnectionFailed, Found


def test_events_are_values_to_match_on() -> None:
    match ConnectionFailed("example", "a@h", "unreachable", 0.5):
        case ConnectionFailed(topology, node, reason, duration):
            assert (topology, node, reason, duration) == ("example", "a@h", "unreachable", 0.5)
    assert Connected("example", "a@h", 0.1) == Connected("example", "a@h", 0.1)
    assert len({Found("example", frozenset({"a@h"}), True, 0.1)} | {Connected("example", "a@h", 0.1)}) == 2
