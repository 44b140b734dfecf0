"""Wires: everything that owns a socket.  asyncio lives from here up; no protocol is parsed here."""

from __future__ import annotations
