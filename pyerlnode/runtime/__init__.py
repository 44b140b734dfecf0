"""LIFE: processes and signals.  Knows nodes, links, monitors and exits; knows no service."""

from __future__ import annotations
