"""Long names where a strategy finds long ones."""

from __future__ import annotations

import pytest

from pyerlnode.cluster.names import need_long_name
from pyerlnode.errors import ConfigError


@pytest.mark.parametrize("own", ["py@10.0.0.1", "py@web1.net_poc", "py@fd77::11", "nonode@nohost"])
def test_a_long_name_is_fine_and_none_too(own: str) -> None:
    need_long_name("DNSPoll", "py@10.0.0.1", own)


def test_a_short_name_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="short name, and DNSPoll finds nodes with long ones") as caught:
        need_long_name("DNSPoll", "py@10.0.0.1", "py@web1")
    assert caught.value.key == "name"
    assert caught.value.given == "py@web1"
    assert "name this node like py@10.0.0.1" in caught.value.hint
