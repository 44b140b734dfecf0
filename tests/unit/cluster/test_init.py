from __future__ import annotations

import subprocess
import sys

import pytest

from pyerlnode import cluster
from pyerlnode.cluster import STRATEGIES


def test_every_public_name_is_there() -> None:
    assert [name for name in cluster.__all__ if not hasattr(cluster, name)] == []
    assert set(cluster.__all__) <= set(dir(cluster))


def test_every_strategy_is_public() -> None:
    assert set(STRATEGIES.values()) <= set(cluster.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = cluster.Nonsense


def test_one_strategy_loads_no_other() -> None:
    code = "import sys; from pyerlnode.cluster import Epmd, Topology; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "pyerlnode.cluster.epmd" in loaded
    assert not {"dns", "aiohttp", "cryptography", "pyerlnode.cluster.gossip"} & loaded
