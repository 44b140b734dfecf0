"""The command line as a whole: version, usage, exit statuses, errors in one line."""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import pyerlnode
from pyerlnode import cli
from pyerlnode.errors import ConfigError, EpmdError, TextError

if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS = ("start", "ping", "names", "nodes", "call", "epmd", "demo")


def usage_of(*words: str) -> tuple[Any, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pyerlnode", *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_the_version_says_whether_the_codec_is_compiled() -> None:
    status, text = usage_of("--version")
    assert status == 0
    assert text in {f"pyerlnode {pyerlnode.__version__} ({kind})\n" for kind in ("pure", "compiled")}


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("    ")]
    assert [word for word in listed if word in COMMANDS] == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([command, "--help"])
    assert caught.value.code == 0
    assert "--loop" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [[], ["nonsense"], ["call", "a@b"], ["ping", "a@b", "--timeout", "0"], ["epmd", "--port", "x"]],
)
def test_wrong_usage_is_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    assert "usage: pyerlnode" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["ping", "a@b@c"], "pyerlnode: peer='a@b@c'"),
        (["ping"], "which node?"),
        (["start"], "a node that stays needs one"),
        (["start", "--strategy", "edmp"], "did you mean 'epmd'?"),
        (["start", "--strategy", "epmd", "--option", "host=a@h"], "did you mean 'hosts'?"),
        (["start", "--config", "nowhere.toml"], "there is no such file"),
        (["start", "--sname", "py@a.b"], "without dots: use --name"),
        (["call", "a@127.0.0.1", "b", "{:a"], "this is no term: "),
        (["call", "a@127.0.0.1", "b", "{", "--json"], "this is no term: not JSON"),
        (["epmd", "names", "x"], "only `epmd stop` takes a name"),
        (["epmd", "start", "--address", "nowhere"], "give IP addresses"),
    ],
)
def test_settings_that_cannot_work_are_status_2_and_one_line(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert complaint in err
    assert err.count("\n") == 1


def outcome(monkeypatch: pytest.MonkeyPatch, work: Callable[[], int]) -> int:
    """The exit status of a command that does `work`."""

    async def run(_: argparse.Namespace) -> int:
        return work()

    def fake_parser() -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser()
        parser.set_defaults(run=run, loop="asyncio")
        return parser

    monkeypatch.setattr(cli, "build_parser", fake_parser)
    return cli.main([])


def raising(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (ConfigError("cookie", "***", "too\nlong"), 2, "pyerlnode: cookie='***': too long\n"),
        (
            TextError("comma?", 3),
            2,
            "pyerlnode: this is no term: comma? (at character 4)\n",
        ),
        (EpmdError("no epmd"), 1, "pyerlnode: no epmd\n"),
        (OSError(), 1, "pyerlnode: OSError\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_become_a_status_and_a_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    text: str,
) -> None:
    assert outcome(monkeypatch, raising(error)) == status
    assert capsys.readouterr() == ("", text)


def test_the_status_of_a_command_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(monkeypatch, lambda: 1) == 1


def test_a_reader_that_goes_away_is_no_error() -> None:
    """As in `pyerlnode --help | head -1`, with a reader that reads nothing at all."""
    program = (
        "import sys; from pyerlnode import cli; "
        "cli.run = lambda _: print('x' * 100_000) or 0; sys.exit(cli.main(['names']))"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
