"""What the measurements run in: an environment of their own, and a compiled and a pure copy of the package.

All of it is in build/bench.  The copies are of the files as they are now, so that nobody's editing disturbs
a run; the compiled one is made by `.ci/compiled`, as CI makes it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / "build" / "bench"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
CHECK = "import sys, pyerlnode.term.decode; print(sys.modules['pyerlnode.term.decode'].__file__)"


def say(text: str) -> None:
    """Tells what goes on."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class Build:
    """A copy of the package, and the Python that runs it."""

    name: str
    folder: Path
    python: Path

    def command(self, script: str, *arguments: str) -> list[str]:
        """How to run a script of this folder with this copy; `-P` keeps the folder itself off the path."""
        return [str(self.python), "-P", str(Path(__file__).with_name(script)), *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """What it runs in."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "ERL_"))}
        return kept | {"PYTHONPATH": str(self.folder)}

    def check(self) -> None:
        """That it is what it is called, and itself what is imported."""
        found = subprocess.run(
            [str(self.python), "-P", "-c", CHECK],
            env=self.environment,
            cwd="/",
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout.strip()
        if not Path(found).is_relative_to(self.folder.resolve()):
            raise RuntimeError(f"the {self.name} copy is not what is imported, but {found}")
        if found.endswith(".py") != (self.name == "pure"):
            raise RuntimeError(f"{found} is not {self.name}")


def prepare(compiled: Path | None = None, only: str | None = None) -> list[Build]:
    """Every build that is to be measured; `compiled` a folder with a compiled ``pyerlnode``."""
    python = _environment()
    builds = []
    if only != "pure":
        folder = compiled.resolve() if compiled else HOME / "compiled"
        if compiled is None:
            say("compiling a copy of the package ...")
            _run([str(ROOT / ".ci" / "compiled"), str(folder), sys.executable])
        builds.append(Build("compiled", folder, python))
    if only != "compiled":
        folder = HOME / "pure"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(
            ROOT / "pyerlnode", folder / "pyerlnode", ignore=shutil.ignore_patterns("*.so", "__pycache__")
        )
        builds.append(Build("pure", folder, python))
    for build in builds:
        build.check()
    return builds


def _environment() -> Path:
    """The Python of the virtual environment, made anew where what it is made from has changed."""
    folder = HOME / "venv"
    python, stamp = folder / "bin" / "python", folder / ".made-from"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    contenders = REQUIREMENTS.read_text(encoding="utf-8").split()
    recipe = repr([sys.version, project["dependencies"], contenders])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == recipe:
        return python
    say("making the environment of the measurements ...")
    venv.create(folder, clear=True, with_pip=True)
    install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    _run([*install, *project["dependencies"]])
    for contender in contenders:
        if subprocess.run([*install, contender], check=False, capture_output=True).returncode:
            say(f"{contender} cannot be installed here, so nothing is compared to it")
    stamp.write_text(recipe, encoding="utf-8")
    return python


def _run(command: list[str]) -> None:
    """Runs it; what it said is shown only where it failed."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}")
