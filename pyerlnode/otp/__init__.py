"""CUSTOMS: the services that OTP nodes expect of each other, each a process."""

from __future__ import annotations
