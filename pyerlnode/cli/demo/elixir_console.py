"""A real Elixir node that does what its standard input says: the twin of :mod:`.python_console`."""

from __future__ import annotations

from pyerlnode.cli.demo.consoles import ANSWER, READY

LOOPBACK_ONLY = "-kernel inet_dist_use_interface {127,0,0,1}"
"""For ``ERL_ZFLAGS``: a BEAM listens on every address unless told otherwise, with a cookie all know."""

PROGRAM = f"""
defmodule Greeter do
  use GenServer

  def init(nil), do: {{:ok, nil}}

  def handle_call({{:hello, who}}, _from, nil) do
    {{:reply, "hello #{{who}}, this is #{{node()}}", nil}}
  end
end

{{:ok, _}} = GenServer.start_link(Greeter, nil, name: :greeter)
IO.puts("{ANSWER}{READY}")

for line <- IO.stream(:stdio, :line) do
  {{value, _}} = Code.eval_string(line)
  IO.puts("{ANSWER}" <> inspect(value))
end

System.halt(0)
"""


def elixir_command(elixir: str, name: str, cookie: str) -> list[str]:
    """Give the command that starts the Elixir node ``name``, as one would by hand."""
    return [elixir, "--sname", name, "--cookie", cookie, "-e", PROGRAM]
