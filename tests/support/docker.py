"""The Docker engine for tests: its commands, the images of this run, and cleaning up by label.

Everything that a run makes carries the label ``pyerlnode.test=RUN``, where RUN is another text each time; the
base images (`make docker-base`) carry another value, and stay.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
RUN = os.environ.get("PYERLNODE_DOCKER_RUN") or f"t{secrets.token_hex(3)}"
"""What this run's names begin with, and its label's value."""
LABEL = f"pyerlnode.test={RUN}"
SUITES = ("bookworm", "trixie", "forky")
"""The Debian releases that `make docker-base` makes images of: OTP 25, 27, 29 and Python 3.11, 3.13, 3.14."""
PATIENCE = 90.0
"""Seconds for what should be so soon, on a machine with much else to do."""
COMMAND = 120.0
"""Seconds for one command."""
BUILD = 600.0
"""Seconds for building an image."""

_T = TypeVar("_T")


class DockerError(RuntimeError):
    """A command failed.  The text has its output."""


def run(
    *command: str, stdin: str = "", timeout: float = COMMAND, env: Mapping[str, str] | None = None
) -> str:
    """Run a command in the repository's root and give its standard output."""
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
    )
    if done.returncode:
        said = f"{done.stdout}\n{done.stderr}".strip()[-4000:]
        raise DockerError(f"{' '.join(command)[:500]}: status {done.returncode}\n{said}")
    return done.stdout


def docker(*arguments: str, stdin: str = "", timeout: float = COMMAND) -> str:
    """Run ``docker``."""
    return run("docker", *arguments, stdin=stdin, timeout=timeout, env={"DOCKER_BUILDKIT": "0"})


def eventually(read: Callable[[], _T], expected: _T, *, timeout: float = PATIENCE) -> None:
    """Wait until `read` gives `expected`; that a command fails is passed over until then."""
    end = time.monotonic() + timeout
    while True:
        try:
            value: object = read()
        except DockerError as error:
            value = error
        if value == expected:
            return
        if time.monotonic() > end:
            raise AssertionError(f"not {expected!r} within {timeout} s, but {value!r}")
        time.sleep(0.1)


def problem() -> str | None:
    """Why there can be no containers here, if so."""
    try:
        docker("version")
        missing = [suite for suite in SUITES if not docker("image", "ls", "-q", f"pyerlnode/elixir:{suite}")]
    except (OSError, DockerError) as error:
        return f"no Docker engine answers (`make docker-test` starts one): {error}"
    return f"no base images of {', '.join(missing)}: `make docker-base`" if missing else None


@cache
def images(suite: str) -> str:
    """Build every Dockerfile on the bases of `suite`, once a run; gives the images' tag."""
    tag = f"{RUN}-{suite}"
    python, elixir = f"PYTHON_IMAGE=pyerlnode/python:{suite}", f"ELIXIR_IMAGE=pyerlnode/elixir:{suite}"
    node = ("-f", "docker/Dockerfile", "--build-arg", python, ".")
    poc = ("--build-arg", elixir, "--build-arg", "LIBCLUSTER=stand-in", "docker/libcluster_poc")
    _build(f"pyerlnode:{tag}", *node)
    _build(f"pyerlnode-app:{tag}", "--target", "app", *node)
    _build(f"libcluster_poc:{tag}", *poc)
    return tag


@cache
def image_with(extras: str, suite: str) -> str:
    """Build the image of a Python node with `extras` on the base of `suite`, once a run; gives its name."""
    image = f"pyerlnode-extras:{RUN}-{suite}"
    build_args = ("--build-arg", f"PYTHON_IMAGE=pyerlnode/python:{suite}", "--build-arg", f"EXTRAS={extras}")
    _build(image, "-f", "docker/Dockerfile", *build_args, ".")
    return image


def _build(image: str, *arguments: str) -> None:
    docker("build", "--label", LABEL, "-t", image, *arguments, timeout=BUILD)


def remove_containers(*, named: str) -> None:
    """Remove the containers and networks of which the names begin with `named`."""
    for container in docker("ps", "-aq", "--filter", f"name=^/?{named}").split():
        docker("rm", "-f", "-v", container)
    for network in docker("network", "ls", "-q", "--filter", f"name={named}").split():
        docker("network", "rm", network)


def remove_images() -> None:
    """Remove this run's images, and what their builds left behind."""
    listed = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"label={LABEL}")
    named = [image for image in listed.split() if "<none>" not in image]
    if named:
        docker("image", "rm", *named)
    docker("image", "prune", "-f", "--filter", f"label={LABEL}")
    docker("image", "prune", "-f", "--filter", "label=pyerlnode.stage")
