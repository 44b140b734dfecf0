"""The house rules that a machine can check, read from the source without importing it.

Rules, not lists: a new module is judged the day it appears.  Each exception names its reason and disappears
when it is no longer needed (a stale one fails too).
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import building

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pyerlnode"

LAYERS = (
    {"errors", "lazy", "frozen"},
    {"limits"},
    {"term"},
    {"wire"},
    {"net"},
    {"runtime"},
    {"otp", "cluster"},
    {"phoenix"},
    {"config"},
    {"node"},
    {"loops"},
    {"sync", "cli"},
    {"__main__"},
)
"""Imports point from a later line to an earlier one, or stay within one name."""
HEIGHT = {name: height for height, names in enumerate(LAYERS) for name in names}
FACADE_USERS = {"sync", "cli", "testing"}
"""Only these may say ``from pyerlnode import Node``: they stand where users stand."""

PURE = ("errors", "limits", "term", "wire")
IMPURE = {
    "asyncio",
    "os",
    "random",
    "secrets",
    "selectors",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "time",
}

COMPILED = ("term", "wire")
"""The parts that mypyc compiles (building.py), but for ``__init__`` and ``term.text``."""
BASES = {"Enum", "IntEnum", "IntFlag", "StrEnum", "NamedTuple", "Protocol", "Generic"}
"""Classes of others that a compiled class may derive from: mypyc leaves those be, or knows them."""

LONGEST = 400
LONG: dict[str, str] = {
    "pyerlnode/node.py": "the verbs of api.md, a few lines each, and what they are made of: nothing else",
    "pyerlnode/otp/global_names.py": "one process of one protocol; its tables and locks live beside it",
    "pyerlnode/sync/__init__.py": "the verbs of node.py once more, a line or two each: nothing else",
}

READS_ENVIRONMENT: dict[str, str] = {
    "pyerlnode/config/environment.py": "the one place that does",
    "pyerlnode/net/epmd_detached.py": "hands the environment, less its secrets, to the daemon it starts",
}

UNTESTED_ALONE: dict[str, str] = {}
"""Modules without a unit test file of their own."""


@dataclass(frozen=True, slots=True)
class Import:
    target: str
    """Dotted name of a module; ``pyerlnode`` itself for names out of the facade."""
    line: int
    when_loaded: bool
    """Whether loading the importing module performs it."""


@dataclass(frozen=True)
class Module:
    path: Path

    @property
    def where(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def name(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def part(self) -> str:
        """The name that LAYERS places: ``term`` for pyerlnode.term.decode, "" for the facade."""
        return self.name.removeprefix("pyerlnode").lstrip(".").split(".")[0]

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @property
    def imports(self) -> list[Import]:
        return list(_imports(self.tree, when_loaded=True))


@cache
def modules() -> dict[str, Module]:
    return {module.name: module for module in map(Module, sorted(PACKAGE.rglob("*.py")))}


def _imports(node: ast.AST, *, when_loaded: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import(names=names):
                yield from (Import(alias.name, child.lineno, when_loaded) for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found = {f"{module}.{alias.name}" for alias in names}
                submodules = found & set(modules())
                yield from (Import(name, child.lineno, when_loaded) for name in sorted(submodules))
                if len(submodules) < len(found):
                    yield Import(module, child.lineno, when_loaded)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _imports(child, when_loaded=False)
            case _:
                yield from _imports(child, when_loaded=when_loaded)


def _require(holds: object, complaint: str) -> None:
    if not holds:
        pytest.fail(complaint, pytrace=False)


every_module = pytest.mark.parametrize("module", modules().values(), ids=lambda module: module.where)


@every_module
def test_it_has_a_place_in_the_layers(module: Module) -> None:
    _require(
        module.part in HEIGHT or module.part in ("", "testing"),
        f"{module.where}: design.md knows no part {module.part!r}; give it a layer there and in LAYERS",
    )


@every_module
def test_imports_point_down(module: Module) -> None:
    wrong = [
        f"{module.where}:{imported.line} imports {imported.target}: {reason}"
        for imported in module.imports
        if (reason := _why_not(module.part, imported.target))
    ]
    _require(not wrong, "\n".join(["imports point down only (LAYERS, and design.md):", *wrong]))


def _why_not(part: str, target: str) -> str | None:
    if target.split(".", maxsplit=1)[0] != "pyerlnode" or part == "":
        return None
    if target == "pyerlnode":
        return None if part in FACADE_USERS else "the facade is for users; import from where the name lives"
    to = target.split(".")[1]
    if to == part or part == "testing":
        return None
    if to == "testing":
        return "nothing that users run imports testing"
    if HEIGHT.get(to, 0) == HEIGHT.get(part, 0):
        return f"{part} and {to} do not know each other: node.py introduces them"
    return f"{to} lives above {part}" if HEIGHT.get(to, 0) > HEIGHT.get(part, 0) else None


def test_no_module_needs_itself_to_load() -> None:
    graph = {
        module.name: {imported.target for imported in module.imports if imported.when_loaded}
        & (set(modules()) - {"pyerlnode"})
        for module in modules().values()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail("import cycle: " + " <- ".join(cycle.args[1]))


@every_module
def test_pure_parts_stay_pure(module: Module) -> None:
    if module.part not in PURE:
        return
    found = [
        f"{module.where}:{i.line} {i.target}" for i in module.imports if i.target.split(".")[0] in IMPURE
    ]
    _require(
        not found, "bytes in, events out; no clocks, sockets or chance here: inject them\n" + "\n".join(found)
    )


every_compiled_module = pytest.mark.parametrize(
    "module",
    [
        module
        for module in modules().values()
        if module.part in COMPILED
        and not module.path.match("__init__.py")
        and ".text." not in module.name
        and module.where not in building.LEFT_ALONE
    ],
    ids=lambda module: module.where,
)


@every_compiled_module
def test_compiled_classes_derive_from_compiled_ones(module: Module) -> None:
    """Mypyc frees those of another base with their weak references left, and memory is corrupt.

    A decorator that it does not know keeps it from making the class its own.
    """
    own = {name for module in modules().values() if module.part in COMPILED for name in _classes(module.tree)}
    wrong = [
        f"{module.where}:{node.lineno} class {node.name}({base})"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and not _is_kept_ordinary(node)
        for base in map(ast.unparse, node.bases)
        if base.partition("[")[0] not in own | BASES
    ]
    _require(not wrong, "derives from a class that is not compiled:\n" + "\n".join(wrong))


def _classes(tree: ast.Module) -> Iterator[str]:
    return (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def _is_kept_ordinary(node: ast.ClassDef) -> bool:
    names = [ast.unparse(decorator).partition("(")[0] for decorator in node.decorator_list]
    return bool(set(names) - {"dataclass", "final"})


@every_compiled_module
def test_compiled_modules_import_what_is_compiled_or_builtin(module: Module) -> None:
    wrong = [
        f"{module.where}:{imported.line} {imported.target}"
        for imported in module.imports
        if imported.when_loaded
        and imported.target.partition(".")[0] not in sys.stdlib_module_names | {"pyerlnode", "librt"}
    ]
    _require(not wrong, "what a pure installation lacks cannot be imported:\n" + "\n".join(wrong))


@every_compiled_module
def test_compiled_code_chains_causes_itself(module: Module) -> None:
    """Mypyc passes over ``from``: ``raise caused(new, old) from old`` sets the cause in both worlds."""
    wrong = [
        f"{module.where}:{node.lineno} {ast.unparse(node)}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Raise) and _forgets_its_cause(node)
    ]
    _require(not wrong, "compiled, this error would have no cause:\n" + "\n".join(wrong))


def _forgets_its_cause(node: ast.Raise) -> bool:
    if node.cause is None or (isinstance(node.cause, ast.Constant) and node.cause.value is None):
        return False
    return not (isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) == "caused")


@every_module
def test_only_config_reads_the_environment(module: Module) -> None:
    lines = [getattr(node, "lineno", 0) for node in ast.walk(module.tree) if _reads_environment(node)]
    if module.where in READS_ENVIRONMENT:
        _require(lines, f"{module.where} reads no environment: take it out of READS_ENVIRONMENT")
    else:
        _require(not lines, f"{module.where} lines {lines} read the environment: config does that, for all")


def _reads_environment(node: ast.AST) -> bool:
    names = {"environ", "environb", "getenv"}
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr=attribute):
            return attribute in names
        case ast.ImportFrom(module="os", names=imported):
            return any(alias.name in names for alias in imported)
    return False


@every_module
def test_it_says_what_it_is(module: Module) -> None:
    _require(ast.get_docstring(module.tree), f"{module.where} has no docstring: what is it, which spec, why?")


@every_module
def test_it_is_no_longer_than_it_should_be(module: Module) -> None:
    lines = len(module.path.read_text(encoding="utf-8").splitlines())
    if module.where in LONG:
        _require(lines > LONGEST, f"{module.where} is short enough now: take it out of LONG")
    else:
        _require(lines <= LONGEST, f"{module.where} has {lines} lines: split it, or give LONG a good reason")


@every_module
def test_it_has_its_own_unit_tests(module: Module) -> None:
    mirror = _mirror(module)
    if not _has_code(module):
        return
    if module.where in UNTESTED_ALONE:
        _require(not mirror.exists(), f"{mirror.name} exists: take {module.where} out of UNTESTED_ALONE")
    else:
        _require(mirror.exists(), f"{module.where} wants {mirror.relative_to(ROOT).as_posix()}")


def _mirror(module: Module) -> Path:
    """tests/unit/term/test_ids.py for term/ids.py; tests/unit/term/test_text.py for term/text/__init__.py."""
    *parents, last = module.name.split(".")[1:] or ["package"]
    return ROOT.joinpath("tests", "unit", *parents, f"test_{last}.py")


def _has_code(module: Module) -> bool:
    """Whether there is more than constants, imports and module hooks such as ``__getattr__``."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(isinstance(node, kinds) and not node.name.startswith("__") for node in module.tree.body)


@pytest.mark.parametrize(
    "exceptions", [LONG, READS_ENVIRONMENT, UNTESTED_ALONE], ids=["long", "env", "untested"]
)
def test_exceptions_are_of_modules_that_exist(exceptions: dict[str, str]) -> None:
    gone = [where for where in exceptions if not (ROOT / where).exists()]
    _require(not gone, f"no such module any more: {gone}")


class TestFacade:
    """``pyerlnode`` itself: what it offers, what it promises and what type checkers see are one list."""

    def test_all_is_sorted_and_each_name_is_there(self) -> None:
        facade = importlib.import_module("pyerlnode")
        assert facade.__all__ == sorted(set(facade.__all__))
        missing = [name for name in facade.__all__ if not hasattr(facade, name)]
        assert not missing

    def test_type_checkers_see_exactly_what_all_says(self) -> None:
        facade = importlib.import_module("pyerlnode")
        assert sorted(_imported_names(modules()["pyerlnode"].tree)) == facade.__all__

    def test_it_offers_nothing_else(self) -> None:
        facade = importlib.import_module("pyerlnode")
        ours = {
            name
            for name in dir(facade)
            if not name.startswith("_") and not inspect.ismodule(getattr(facade, name))
        }
        borrowed = {"annotations", "TYPE_CHECKING"}
        assert ours - borrowed == set(facade.__all__)

    def test_each_public_name_is_described(self) -> None:
        facade = importlib.import_module("pyerlnode")
        public = {name: getattr(facade, name) for name in facade.__all__}
        undescribed = [
            name
            for name, value in public.items()
            if (inspect.isclass(value) or inspect.isfunction(value)) and not _described(value)
        ]
        assert not undescribed

    def test_types_are_shipped(self) -> None:
        assert (PACKAGE / "py.typed").exists()


def _described(value: Any) -> bool:
    """Whether it has a docstring; mypyc leaves those of classes in the source."""
    if inspect.getdoc(value):
        return True
    source = modules()[value.__module__].tree
    kinds = (ast.ClassDef, ast.FunctionDef)
    return any(
        isinstance(node, kinds) and node.name == value.__name__ and ast.get_docstring(node)
        for node in source.body
    )


def _imported_names(tree: ast.Module) -> Iterator[str]:
    """Names that the facade takes from its own parts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pyerlnode"):
            names = (alias.asname or alias.name for alias in node.names)
            yield from (name for name in names if not name.startswith("_"))


class TestTheRulesThemselves:
    """A rule that cannot fail protects nothing."""

    @pytest.mark.parametrize(
        ("part", "target", "allowed"),
        [
            ("term", "pyerlnode.wire.flags", False),
            ("wire", "pyerlnode.term", True),
            ("wire", "pyerlnode", False),
            ("otp", "pyerlnode.cluster.mesh", False),
            ("cluster", "pyerlnode.otp", False),
            ("cluster", "pyerlnode.runtime.router", True),
            ("node", "pyerlnode.config", True),
            ("config", "pyerlnode.node", False),
            ("net", "pyerlnode.testing.streams", False),
            ("cli", "pyerlnode", True),
            ("term", "zlib", True),
        ],
    )
    def test_layers(self, part: str, target: str, allowed: bool) -> None:
        assert (_why_not(part, target) is None) is allowed

    def test_imports_are_seen_wherever_they_hide(self) -> None:
        source = "if TYPE_CHECKING:\n import a.b\ndef f():\n from c import d\nclass E:\n import g\n"
        seen = {i.target: i.when_loaded for i in _imports(ast.parse(source), when_loaded=True)}
        assert seen == {"a.b": False, "c": False, "g": True}

    @pytest.mark.parametrize(
        ("source", "ordinary"),
        [
            ("class A(str): ...", False),
            ("@dataclass(frozen=True)\nclass A(str): ...", False),
            ("@ordinary\nclass A(str): ...", True),
        ],
    )
    def test_ordinary_classes(self, source: str, ordinary: bool) -> None:
        [node] = ast.parse(source).body
        assert isinstance(node, ast.ClassDef)
        assert _is_kept_ordinary(node) is ordinary

    @pytest.mark.parametrize(
        ("source", "forgets"),
        [
            ("raise A(b) from b", True),
            ("raise a from b", True),
            ("raise caused(A(b), b) from b", False),
            ("raise A(b) from None", False),
            ("raise A(b)", False),
        ],
    )
    def test_causes(self, source: str, forgets: bool) -> None:
        [node] = ast.parse(source).body
        assert isinstance(node, ast.Raise)
        assert _forgets_its_cause(node) is forgets

    def test_the_environment_is_seen_by_both_of_its_names(self) -> None:
        source = "import os\nfrom os import environ\nos.environ['A']\nos.getenv('A')\nworld.environ\nos.sep\n"
        seen = filter(_reads_environment, ast.walk(ast.parse(source)))
        assert sorted(getattr(node, "lineno", 0) for node in seen) == [2, 3, 4]

    def test_submodules_and_names_are_told_apart(self) -> None:
        source = "from pyerlnode import errors, Node\nfrom pyerlnode.errors import Exit\n"
        seen = [i.target for i in _imports(ast.parse(source), when_loaded=True)]
        assert seen == ["pyerlnode.errors", "pyerlnode", "pyerlnode.errors"]
