"""What is imported when it is first used: public names of a package, and modules.

A tool that needs one part of a package loads that part, and a node starts without those it never uses.  The
names stay visible to type checkers through imports under ``TYPE_CHECKING``, and to people through ``dir``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazy(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Give the ``__getattr__`` and the ``__dir__`` of `package`.

    `homes` has, for each module, the names that it is the home of, separated by spaces.
    """
    home_of = {name: home for home, names in homes.items() for name in names.split()}
    namespace = vars(sys.modules[package])

    def find(name: str) -> Any:
        home = home_of.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = namespace[name] = getattr(import_module(home), name)
        return value

    def names() -> list[str]:
        return sorted({*namespace, *home_of})

    return find, names


def later(module: str) -> Any:
    """Give what stands for `module`, and loads it when something of it is first used.

    For what a node may well live without, as texts of errors.  It takes the place of an import::

        if TYPE_CHECKING:
            from pyerlnode.otp import supervisor
        else:
            supervisor = later("pyerlnode.otp.supervisor")

    Compiled by mypyc, such an ``else`` is unreachable: there, write ``_hashlib: Any = later("hashlib")``.
    """
    return _Later(module)


class _Later:
    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._module), name)
