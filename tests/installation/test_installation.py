"""Installing the package as users do: with a C compiler and without, forced either way, from the sdist too.

What building takes comes from the package index, so these are slow.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from subprocess import PIPE, STDOUT

import pytest

ROOT = Path(__file__).parents[2]
BUILT_FROM = (
    "pyproject.toml",
    "setup.py",
    "building.py",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build takes, and no more: the tests may themselves run in a compiled copy."""
    tree = tmp_path_factory.mktemp("tree")
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, tree)
    shutil.copytree(
        ROOT / "pyerlnode", tree / "pyerlnode", ignore=shutil.ignore_patterns("*.so", "__pycache__")
    )
    return tree


class Place:
    """A fresh virtual environment, in which there may be no compiler."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self.bin = folder / "bin"

    def run(
        self, *words: str, compiler: bool = True, wish: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        ours = ("PYTHONPATH", "PYERLNODE_COMPILED", "PYERLNODE_COMPILE", "CC")
        environment = {name: value for name, value in os.environ.items() if name not in ours}
        if not compiler:
            environment["PATH"] = str(self.bin)
        if wish is not None:
            environment["PYERLNODE_COMPILE"] = wish
        command = [str(self.bin / words[0]), *words[1:]]
        return subprocess.run(
            command, env=environment, cwd=self.bin, stdout=PIPE, stderr=STDOUT, text=True, check=False
        )

    def install(
        self, what: Path, *words: str, compiler: bool = True, wish: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return self.run(
            "python", "-m", "pip", "install", "-v", *words, str(what), compiler=compiler, wish=wish
        )

    def kind(self) -> str:
        done = self.run("pyerlnode", "--version")
        return done.stdout.partition("(")[2].strip(")\n") or done.stdout


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "venv")


def test_with_a_compiler_it_is_compiled_and_says_so(place: Place, tree: Path) -> None:
    done = place.install(tree)
    assert "pyerlnode: compiled by mypyc" in done.stdout, done.stdout
    assert place.kind() == "compiled"
    assert not [*tree.rglob("*.so")]


def test_without_one_it_is_pure_and_says_so(place: Place, tree: Path) -> None:
    done = place.install(tree, compiler=False)
    assert "pyerlnode: pure Python, for want of a C compiler" in done.stdout, done.stdout
    assert "mypy" not in done.stdout
    assert place.kind() == "pure"


def test_compiling_that_must_be_but_cannot_is_an_error_with_a_cure(place: Place, tree: Path) -> None:
    done = place.install(tree, compiler=False, wish="1")
    assert done.returncode != 0
    told = done.stdout
    assert "pyerlnode cannot be compiled here: there is no C compiler that works" in told
    assert "apt install gcc" in told


def test_a_wish_that_is_none_is_an_error(place: Place, tree: Path) -> None:
    done = place.install(tree, wish="yes")
    assert done.returncode != 0
    assert "PYERLNODE_COMPILE=yes is not known" in done.stdout


def test_an_editable_installation_is_pure_and_needs_no_mypy(place: Place, tree: Path) -> None:
    done = place.install(tree, "--editable", wish="1")
    assert "mypy" not in done.stdout, done.stdout
    assert place.kind() == "pure"


def test_it_can_be_kept_pure_and_built_from_its_sdist(place: Place, tree: Path, tmp_path: Path) -> None:
    code = f"import building; building.build_sdist({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=False)
    [sdist] = tmp_path.glob("*.tar.gz")
    done = place.install(sdist, wish="0")
    assert "pyerlnode: pure Python, as PYERLNODE_COMPILE says" in done.stdout, done.stdout
    assert place.kind() == "pure"
    wheel = place.run("python", "-m", "pip", "wheel", "--no-deps", "-w", str(tmp_path), str(sdist), wish="1")
    [compiled] = tmp_path.glob("*cp3*.whl")
    names = zipfile.ZipFile(compiled).namelist()
    assert any(name.startswith("pyerlnode/term/decode.") and name.endswith(".so") for name in names), (
        wheel.stdout
    )
    assert {"pyerlnode/term/decode.py", "pyerlnode/py.typed"} <= {*names}
    assert not [name for name in names if not name.startswith("pyerlnode")]
