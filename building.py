"""How pyerlnode is built: ``term`` and ``wire`` compiled by mypyc where that works, as they are where not.

A PEP 517 build backend around setuptools' own.  ``$PYERLNODE_COMPILE`` decides:

* ``0``: nothing is compiled; the wheel is for every platform.
* ``1``: all is compiled, or the build is an error that says what is missing.
* not set: compiled where a C compiler and Python's headers are; else, or when compiling fails, as with 0.

An editable installation never compiles: a binary would hide the source that is edited.  So mypy, which does
the work, is asked for only when there will be some.  ``python setup.py build_ext --inplace`` compiles where
the source is: ``.ci/compiled`` does that, in a copy.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

VARIABLE = "PYERLNODE_COMPILE"
COMPILER = "mypy==2.4.1"
"""What compiles.  Pinned, for a later one may find fault with types that this one takes."""
COMPILED = ("pyerlnode/term/[!_]*.py", "pyerlnode/wire/[!_]*.py")
"""Not ``__init__.py``, where nothing happens; not ``term/text``: it reads and prints terms for people, with
regular expressions, on no message's way."""

LEFT_ALONE = ("pyerlnode/term/maps.py",)
"""``TermMap`` derives from ``Mapping``, which mypyc gets wrong; what recurses there wants Python's bound."""

_SOURCES = ("pyerlnode", "building.py", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
_LIBRARY = "pyerlnode.compiled"
_MYPY = """\
[mypy]
python_version = 3.11
; else the facade pulls in all of the package, and all that it depends on
[mypy-pyerlnode]
follow_imports = skip
"""
_compiles = ContextVar("compiles", default=False)
"""What setup.py is to do when setuptools runs it, in this process."""

_TRIAL = "#include <Python.h>\nint trial(void) { return PY_VERSION_HEX == 0; }\n"
_TRY = "from setuptools import Extension, setup; setup(name='t', ext_modules=[Extension('t', ['t.c'])])"


# ------------------------------------------------------------------------------------ what to do


def wish() -> bool | None:
    """What ``$PYERLNODE_COMPILE`` says: do, do not, or (``None``) if possible."""
    given = os.environ.get(VARIABLE, "")
    known = {"": None, "0": False, "1": True}
    if given not in known:
        raise SystemExit(f"{VARIABLE}={given} is not known: 1 compiles, 0 does not; unset, it is tried")
    return known[given]


def obstacle() -> str | None:
    """Why this Python cannot be compiled for on this machine, if so."""
    if platform.python_implementation() != "CPython":
        return f"mypyc is for CPython, this is {platform.python_implementation()}"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "mypyc is for Pythons with a global lock, this is one without"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "t.c").write_text(_TRIAL, encoding="ascii")
        command = [sys.executable, "-c", _TRY, "build_ext", "--inplace"]
        trial = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if trial.returncode == 0:
        return None
    reason = (trial.stderr.strip() or "no reason given").splitlines()[-1]
    return f"there is no C compiler that works, or no Python.h ({reason})"


def will_compile() -> bool:
    """Decide.  ``SystemExit`` with a text for the user when it must be but cannot."""
    wanted = wish()
    problem = None if wanted is False else obstacle()
    if wanted and problem:
        raise _cannot(problem)
    return wanted is not False and problem is None


def _cannot(problem: str) -> SystemExit:
    return SystemExit(
        f"pyerlnode cannot be compiled here: {problem}.\n"
        "Install a C compiler and Python's headers (Debian: apt install gcc libc6-dev python3-dev),\n"
        f"or install it as pure Python, the same code but slower: unset {VARIABLE}, or make it 0."
    )


# ------------------------------------------------------------------------------------ the backend


def get_requires_for_build_wheel(settings: Any = None) -> list[str]:
    """What must be there to build a wheel: mypy too, if it will compile."""
    wanted = build_meta.get_requires_for_build_wheel(settings)
    return [*wanted, COMPILER] if will_compile() else wanted


def build_wheel(directory: str, settings: Any = None, metadata: str | None = None) -> str:
    """Build the wheel, and say which of the two it is."""
    if will_compile():
        try:
            with _working(compiles=True):
                name: str = build_meta.build_wheel(directory, settings, metadata)
        except (Exception, SystemExit) as error:
            if wish():
                raise
            _say(f"compiling failed ({error}): it is built as pure Python")
        else:
            _say("compiled by mypyc")
            return name
    with _working(compiles=False):
        name = build_meta.build_wheel(directory, settings, metadata)
    why = f"as {VARIABLE} says" if wish() is False else "for want of a C compiler that works"
    _say(f"pure Python, {why}")
    return name


def _say(what: str) -> None:
    print(f"pyerlnode: {what}", file=sys.stderr, flush=True)


@contextmanager
def _working(*, compiles: bool) -> Iterator[None]:
    """Work in a copy: what builds leave behind stays out of the source tree, and of later builds."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for name in _SOURCES:
            _copy(here / name, Path(folder, name))
        os.chdir(folder)
        before = _compiles.set(compiles)
        try:
            yield
        finally:
            _compiles.reset(before)
            os.chdir(here)


def _copy(source: Path, to: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, to, ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    else:
        shutil.copy2(source, to)


# ------------------------------------------------------------------------------------ for setup.py


def extensions() -> list[Any]:
    """The compiled modules, when this is a build of them; else none."""
    if not _compiles.get() and "build_ext" not in sys.argv:
        return []
    from mypyc.build import mypycify  # it is there only when needed

    os.makedirs("build", exist_ok=True)
    settings = Path("build", "mypy.ini")
    settings.write_text(_MYPY, encoding="ascii")
    found = {path.as_posix() for pattern in COMPILED for path in Path().glob(pattern)}
    modules = sorted(found - {*LEFT_ALONE})
    arguments = [f"--config-file={settings}", *modules]
    made = mypycify(arguments, group_name=_LIBRARY, opt_level="3", debug_level="0")
    for extension in made:
        # another compiler has other warnings
        extension.extra_compile_args = [*extension.extra_compile_args, "-Wno-error"]
    return made
