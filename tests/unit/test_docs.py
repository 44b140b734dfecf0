"""The Python blocks of docs/ run, and print what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.scripts import Block, blocks, python

DOCS = Path(__file__).parents[2] / "docs"
PROGRAMS = [
    pytest.param(block, id=f"{path.name}:{block.line}")
    for path in sorted(DOCS.glob("*.md"))
    for block in blocks(path)
    if block.language == "python" and not block.role
]
"""All but those with a role: tests/interop runs them, beside a BEAM."""


@pytest.mark.parametrize("block", PROGRAMS)
def test_it_prints_what_it_promises(block: Block) -> None:
    assert block.promised
    with python("-c", block.code) as script:
        assert script.rest() == block.promised


def test_links_between_documents_lead_somewhere() -> None:
    import re

    root = DOCS.parent
    broken = [
        f"{document.relative_to(root)}: {target}"
        for document in (*root.glob("*.md"), *root.glob("docs/*.md"), *root.glob("examples/*.md"))
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert broken == []
