"""A Python process as a genuine node of Erlang and Elixir clusters."""

from __future__ import annotations

__version__ = "0.1.0.dev0"
