"""The Elixir console of the demo, as far as it can be seen without Elixir."""

from __future__ import annotations

from pyerlnode.cli.demo.elixir_console import PROGRAM, elixir_command


def test_it_is_started_as_one_would_by_hand() -> None:
    command = elixir_command("/bin/elixir", "a@localhost", "cookie")
    assert command[:-1] == ["/bin/elixir", "--sname", "a@localhost", "--cookie", "cookie", "-e"]


def test_the_program_is_elixir_and_no_template() -> None:
    assert 'IO.puts("= ready")' in PROGRAM
    assert '"hello #{who}, this is #{node()}"' in PROGRAM
    assert "{{" not in PROGRAM
