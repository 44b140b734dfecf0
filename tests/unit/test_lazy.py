"""Public names that are imported when they are first used."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

import pyerlnode
from pyerlnode import cluster, config
from pyerlnode.lazy import lazy


@pytest.fixture
def package() -> ModuleType:
    """A package of one name, whose home is a module of the standard library."""
    made = ModuleType("a_package")
    sys.modules["a_package"] = made
    made.__getattr__, made.__dir__ = lazy("a_package", {"colorsys": "rgb_to_hsv hsv_to_rgb"})  # type: ignore[method-assign]
    yield made
    del sys.modules["a_package"]


def test_a_name_is_imported_when_it_is_used_and_kept(package: ModuleType) -> None:
    assert "rgb_to_hsv" not in vars(package)
    assert package.rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)
    assert vars(package)["rgb_to_hsv"] is package.rgb_to_hsv


def test_a_name_without_a_home_is_missing_as_anywhere(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match="module 'a_package' has no attribute 'nothing'"):
        _ = package.nothing


def test_all_names_are_listed_before_they_are_used(package: ModuleType) -> None:
    assert {"rgb_to_hsv", "hsv_to_rgb"} <= set(dir(package))


@pytest.mark.parametrize("module", [pyerlnode, cluster, config], ids=lambda module: module.__name__)
def test_what_is_public_has_a_home(module: ModuleType) -> None:
    assert all(getattr(module, name) is not None for name in module.__all__)
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize(
    "unused",
    ["tomllib", "difflib", "argparse", "pyerlnode.cluster.strategy", "pyerlnode.config.settings", "dns"],
)
def test_a_node_loads_nothing_that_only_some_need(unused: str) -> None:
    code = f"import sys, pyerlnode; pyerlnode.Node; sys.exit({unused!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
