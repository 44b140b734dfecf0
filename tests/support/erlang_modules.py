"""Modules in Erlang for BEAMs: compiled there or, where no compiler is, by this machine's ``erlc``."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.beam import Beam

COMPILE = """
Parse = fun Again(Text, Forms) ->
    case erl_scan:tokens([], Text, 1) of
        {done, {ok, Tokens, _}, Rest} ->
            {ok, Form} = erl_parse:parse_form(Tokens),
            Again(Rest, [Form | Forms]);
        _ -> lists:reverse(Forms)
    end
end,
{ok, Module, Code} = compile:forms(Parse(binary_to_list(Source), [])),
{module, Module} = code:load_binary(Module, "", Code),
ok
"""


async def load(beam: Beam, source: str) -> None:
    """Makes the module `source` known to `beam`."""
    if await beam.eval("code:which(compile)") != "non_existing":
        await beam.eval(COMPILE, Source=source.encode())
        return
    name = module_name(source)
    load_it = f'{{module, _}} = code:load_binary({name}, "", Code), ok'
    await beam.eval(load_it, Code=_compiled(name, source))


def _compiled(name: str, source: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.erl")
        path.write_text(source, encoding="utf-8")
        subprocess.run(["erlc", "-o", folder, str(path)], check=True, capture_output=True)
        return path.with_suffix(".beam").read_bytes()


def module_name(source: str) -> str:
    """What ``-module`` calls it."""
    found = re.search(r"^-module\((\w+)\)", source, re.MULTILINE)
    if found is None:
        raise ValueError("there is no -module in it")
    return found[1]
