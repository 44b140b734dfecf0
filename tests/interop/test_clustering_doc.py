"""docs/clustering.md tells the truth: programs run here, settings are read, tables are the code's."""

from __future__ import annotations

import math
import re
from dataclasses import MISSING
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import cluster
from pyerlnode.cli import build_parser
from pyerlnode.cli.start import settings_of
from pyerlnode.cluster.named import STRATEGIES, options_of
from pyerlnode.cluster.topologies import Topologies
from pyerlnode.config import node_settings
from pyerlnode.config.variables import SETTINGS
from tests.support.scripts import Block, blocks, python

if TYPE_CHECKING:
    from tests.support.beam import Beam

DOCUMENT = Path(__file__).parents[2] / "docs" / "clustering.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
KINDS = {"python", "elixir", "toml", "console", "yaml"}
COMMON = {"connect_timeout", "polling_interval", "lookup_timeout", "resolver"}
"""Options that are told once, for all strategies."""


def found(language: str, *, role: str = "") -> list[Any]:
    return [
        pytest.param(block, id=f"{block.line}")
        for block in blocks(DOCUMENT)
        if block.language == language and block.role.startswith(role)
    ]


def test_every_block_is_one_that_a_test_reads() -> None:
    assert {block.language for block in blocks(DOCUMENT)} == KINDS
    assert TEXT.count("\n```") == 2 * len(blocks(DOCUMENT))


@pytest.mark.parametrize("block", found("python", role="run"))
@pytest.mark.usefixtures("plain_epmd")
def test_its_programs_print_what_they_promise(block: Block) -> None:
    assert block.promised
    with python("-c", block.code) as script:
        assert script.rest() == block.promised


@pytest.mark.parametrize("block", found("python", role="environment: "))
@pytest.mark.usefixtures("plain_epmd")
def test_its_program_is_configured_from_outside(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in block.role.split()[1:]:
        monkeypatch.setenv(*variable.split("="))
    with python("-c", block.code) as script:
        assert script.rest() == block.promised


@pytest.mark.parametrize("block", found("toml"))
def test_its_files_are_read(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text(block.code, encoding="utf-8")
    settings = node_settings(file, environ={})
    assert {topology.name for topology in settings.topologies} >= {"example"}
    name = "node@web1" if "dns_alias" in block.code else "node@10.0.0.9"
    Topologies(settings.topologies).check(name)


def test_its_commands_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reads its settings: the third from the block that is called as its file is."""
    [file] = [block.code for block in blocks(DOCUMENT) if block.code.startswith("# node.toml\n")]
    (tmp_path / "node.toml").write_text(file, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    [console] = [block for block in blocks(DOCUMENT) if block.language == "console"]
    for [program, *words], output in console.commands:
        assert (program, output) == ("pyerlnode", "")
        settings = settings_of(build_parser().parse_args(words))
        assert settings.name == "py@10.0.0.9"
        assert settings.topologies


def test_its_manifest_names_variables_that_are_read() -> None:
    [manifest] = [block.code for block in blocks(DOCUMENT) if block.language == "yaml"]
    given = dict(re.findall(r'\{name: (\w+), value: "?([^"}]+)"?\}', manifest))
    environ = {key: value.replace("$(POD_IP)", "10.0.0.9") for key, value in given.items()}
    settings = node_settings(environ={**environ, "RELEASE_COOKIE": "cookie"})
    assert settings.name == "app@10.0.0.9"
    assert [type(topology.strategy).__name__ for topology in settings.topologies] == ["Kubernetes"]
    assert settings.warnings == ()
    Topologies(settings.topologies).check(settings.name)


@pytest.mark.beam(elixir=True)
async def test_its_elixir_can_be_read(beam: Beam) -> None:
    for block in blocks(DOCUMENT):
        if block.language == "elixir":
            quoted = f'Code.string_to_quoted!(~S"""\n{block.code}""")'
            assert await beam.elixir(f"is_tuple({quoted})") == "true"


# ---------------------------------------------------------------------------------- tables


def table(heading: str) -> dict[str, str]:
    """The first two columns of the first table below a heading."""
    below = TEXT.partition(f"\n### {heading}\n")[2].partition("\n#")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", below, re.MULTILINE))


def written(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case math.inf:
            return "infinity"
        case tuple() if value:
            return ", ".join(value)
        case None | ():
            return "none"
        case _ if value is MISSING:
            return "required"
    return str(value)


@pytest.mark.parametrize("name", STRATEGIES.values())
def test_the_options_of_each_strategy_are_listed_with_their_defaults(name: str) -> None:
    options = options_of(getattr(cluster, name))
    assert table(name) == {
        key: written(option.default) for key, option in options.items() if key not in COMMON
    }


def test_every_strategy_is_in_the_overview() -> None:
    overview = TEXT.partition("\n## Which strategy\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"\[`(\w+)`\]", overview)) == set(STRATEGIES.values())


def test_every_variable_is_listed() -> None:
    assert [name for name in SETTINGS if f"`PYERLNODE_{name}`" not in TEXT] == []


def test_its_links_lead_to_headings() -> None:
    headings = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert [link for link in re.findall(r"\]\(#(.*?)\)", TEXT) if link not in anchors] == []
