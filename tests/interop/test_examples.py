"""The examples, each with its Elixir half, as a reader would run them: two programs, side by side."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.scripts import Script, promises, python

if TYPE_CHECKING:
    from tests.support.epmd import Epmd

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py"))


@pytest.fixture(autouse=True)
def _own_epmd(plain_epmd: Epmd) -> None:
    """The examples use plain names."""


def elixir(path: Path) -> Script:
    program = shutil.which("elixir")
    if program is None:
        pytest.skip("no `elixir` on the PATH of this machine: install it (Debian: elixir)")
    return Script([program, "--name", "node1@127.0.0.1", "--cookie", "cookie", str(path)])


def halves(name: str) -> tuple[Path, Path]:
    """The two programs of an example, the one to start first first."""
    paths = EXAMPLES / f"{name}.py", EXAMPLES / f"{name}.exs"
    first = [path for path in paths if "start me first" in path.read_text(encoding="utf-8").lower()]
    assert len(first) == 1, f"one half of {name} must say: start me first"
    return (paths[0], paths[1]) if first == [paths[0]] else (paths[1], paths[0])


def program(path: Path) -> Script:
    return python(str(path)) if path.suffix == ".py" else elixir(path)


@pytest.mark.parametrize("name", NAMES)
def test_both_halves_print_what_they_promise(name: str) -> None:
    one, other = halves(name)
    promised = {path: promises(path.read_text(encoding="utf-8")) for path in (one, other)}
    assert any(promised.values())
    with program(one) as first:
        first.line()  # it is ready
        with program(other) as second:
            assert second.rest() == promised[other]
            assert first.lines(len(promised[one])) == promised[one], second.errors


def test_every_example_has_two_halves_and_is_listed() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.exs")) == NAMES
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"| `{name}` |" not in listed] == []
