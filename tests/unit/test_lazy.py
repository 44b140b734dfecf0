"""Names and modules that are imported when they are first used, and what a node starts without."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import pyerlnode
from pyerlnode import cluster, config
from pyerlnode.lazy import later, lazy


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


def test_a_module_is_loaded_when_something_of_it_is_used() -> None:
    code = (
        "import sys; from pyerlnode.lazy import later; colours = later('colorsys'); "
        "assert 'colorsys' not in sys.modules; "
        "assert colours.rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0); "
        "assert 'colorsys' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_a_module_lacks_is_missing_as_anywhere() -> None:
    with pytest.raises(AttributeError, match="module 'colorsys' has no attribute 'nothing'"):
        _ = later("colorsys").nothing


# ---------------------------------------------------------------------------------- what a start costs

IMPORT = "from pyerlnode import *"
START = """
import asyncio
from pyerlnode import *

async def wait(me):
    await me.receive()

async def main():
    async with Node("lonely@127.0.0.1", cookie="cookie", epmd=False) as node:
        await node.spawn(wait, name="waiting")

asyncio.run(main())
"""
NEEDED = "import asyncio, dataclasses, ipaddress, pathlib, zlib; from pyerlnode.term import primitives"
"""What others' modules every node needs."""
LATER = {
    "argparse": "the command line",
    "concurrent.futures.thread": "names of hosts that are looked up",
    "difflib": "settings that are misspelt",
    "dns": "topologies",
    "hashlib": "the first handshake",
    "pyerlnode.cluster.strategy": "topologies",
    "pyerlnode.config.settings": "settings by variables and files",
    "pyerlnode.net.epmd_detached": "hosts without a port mapper",
    "pyerlnode.otp.exception_text": "errors of other nodes",
    "pyerlnode.otp.stopping": "ending other servers",
    "pyerlnode.otp.supervisor": "supervisors",
    "pyerlnode.otp.workers": "plain functions",
    "pyerlnode.term.text.elixir_print": "terms in errors and logs",
    "random": "topologies, and global names where nodes meet",
    "secrets": "names and cookies that are made up",
    "tomllib": "configuration files",
}
"""What only some nodes use, or not to start, and what for."""


@cache
def loaded(code: str) -> frozenset[str]:
    """The names of all modules that are loaded once `code` has run."""
    program = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    return frozenset(subprocess.run(program, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("unused", LATER)
@pytest.mark.parametrize("code", [IMPORT, START], ids=["import", "start"])
def test_a_node_starts_without_what_only_some_need(code: str, unused: str) -> None:
    importlib.import_module(unused)
    assert unused not in loaded(code)


def test_a_node_starts_without_anything_of_others_that_is_not_known_here() -> None:
    beyond = loaded(START) - loaded(NEEDED)
    assert not [module for module in beyond if not module.startswith("pyerlnode")]


def test_a_start_loads_little_that_the_import_has_not() -> None:
    """What is left for later is not needed: else a start would just pay for it at another place."""
    more = {name for name in loaded(START) - loaded(IMPORT) if not name.startswith("pyerlnode.config.")}
    assert not more


def test_what_a_start_loads_generates_no_code() -> None:
    """Neither dataclasses nor regular expressions: each takes as long as several modules."""
    ours = [name for name in loaded(START) if name.startswith("pyerlnode") and "__mypyc" not in name]
    assert len(ours) > 50
    found = [f"{name}:{node.lineno}" for name in ours for node in _body(name) if _generates(node)]
    assert not found, "say @frozen for @dataclass, and re.match(PATTERN, text) for what re.compile gives"


def _body(module: str) -> list[ast.stmt]:
    path = Path(pyerlnode.__file__).parent.joinpath(*module.split(".")[1:])
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(source.read_text(encoding="utf-8")).body


def _generates(node: ast.stmt) -> bool:
    match node:
        case ast.ClassDef(decorator_list=marks):
            return any(ast.unparse(mark).partition("(")[0] == "dataclass" for mark in marks)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return False
    return "re.compile(" in ast.unparse(node)


@pytest.mark.parametrize(
    ("source", "generates"),
    [
        ("@dataclass(frozen=True)\nclass A: ...", True),
        ("@frozen\nclass A: ...", False),
        ("_WORD: Final = re.compile('a')", True),
        ("def word(): return re.compile('a')", False),
    ],
)
def test_generated_code_is_seen(source: str, generates: bool) -> None:
    [node] = ast.parse(source).body
    assert _generates(node) is generates
