"""The harness itself: what every other interop test takes for granted."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.beam import Beam, BeamDied, EvalError
from tests.support.epmd import Epmd
from tests.support.ports import free_port

if TYPE_CHECKING:
    from tests.interop.conftest import Starter
    from tests.support.beams import Release

ROOT = Path(__file__).parents[2]


class TestEveryRelease:
    async def test_it_is_the_release_it_claims(self, shared_beam: Beam) -> None:
        assert await shared_beam.eval("erlang:system_info(otp_release)") == f'"{shared_beam.otp}"'

    async def test_it_is_a_named_node_that_sees_nobody(self, shared_beam: Beam, epmd: Epmd) -> None:
        assert await shared_beam.eval("{node(), nodes(connected)}") == f"{{'{shared_beam.name}',[]}}"
        assert shared_beam.name.partition("@")[0] in epmd.names()

    async def test_pid_is_the_vm(self, shared_beam: Beam) -> None:
        assert await shared_beam.eval("os:getpid()") == f'"{shared_beam.pid}"'
        assert Path(f"/proc/{shared_beam.pid}/comm").read_text(encoding="utf-8").startswith("beam")

    async def test_bytes_come_as_term_to_binary_makes_them(self, shared_beam: Beam) -> None:
        assert await shared_beam.eval_bytes("{1, <<2>>}") == b"\x83h\x02a\x01m\0\0\0\1\2"

    async def test_bindings_are_binaries_for_one_question(self, shared_beam: Beam) -> None:
        assert await shared_beam.eval("B =:= <<0,255>>", B=b"\x00\xff") == "true"
        with pytest.raises(EvalError, match="unbound"):
            await shared_beam.eval("B")

    async def test_text_is_unicode_both_ways(self, shared_beam: Beam) -> None:
        assert await shared_beam.eval("'→é'") == "'→é'"

    async def test_large_answers_arrive_whole(self, shared_beam: Beam) -> None:
        answer = await shared_beam.eval_bytes("binary:copy(B, 100)", B=bytes(100_000))
        assert len(answer) == 10_000_000 + len(b"\x83m") + 4

    async def test_failures_are_errors(self, shared_beam: Beam) -> None:
        with pytest.raises(EvalError, match=r"\{error,boom,"):
            await shared_beam.eval("error(boom)")
        with pytest.raises(EvalError, match="syntax error"):
            await shared_beam.eval("1 +")

    async def test_a_slow_question_holds_up_no_other(self, shared_beam: Beam) -> None:
        slow = asyncio.ensure_future(shared_beam.eval("register(slow, self()), receive go -> went end"))
        assert await shared_beam.eval("(fun F() -> whereis(slow) =:= undefined andalso F() end)()") == "false"
        await shared_beam.eval("slow ! go")
        assert await slow == "went"

    async def test_a_late_answer_is_a_timeout_here(self, shared_beam: Beam) -> None:
        with pytest.raises(TimeoutError, match="no answer to"):
            await shared_beam.eval("receive never -> ok end", timeout=0.05)

    async def test_output_becomes_the_log(self, shared_beam: Beam) -> None:
        seen = len(shared_beam.log)
        await shared_beam.eval('io:format("printed ~ts~n", [[8364]])')
        assert (await shared_beam.wait_log(r"printed (\S)", after=seen))[1] == "€"
        await shared_beam.eval('logger:error("logged")')
        await shared_beam.wait_log("logged", after=seen)

    async def test_code_without_a_loop_asks_too(self, shared_beam: Beam) -> None:
        assert shared_beam.ask("1 + 1") == "2"
        assert shared_beam.ask_bytes("[]") == b"\x83j"

    async def test_crypto_is_there(self, shared_beam: Beam) -> None:
        assert await shared_beam.eval("byte_size(crypto:hash(md5, <<>>))") == "16"


@pytest.mark.beam(elixir=True)
class TestElixir:
    async def test_it_evaluates_elixir(self, shared_beam: Beam) -> None:
        assert await shared_beam.elixir("{Node.self(), String.upcase(text)}", text=b"ok") == (
            f'{{:"{shared_beam.name}", "OK"}}'
        )

    async def test_terms_come_as_bytes(self, shared_beam: Beam) -> None:
        assert await shared_beam.elixir_bytes("[]") == b"\x83j"

    async def test_raised_exceptions_are_errors(self, shared_beam: Beam) -> None:
        with pytest.raises(EvalError, match=r"Elixir\.ArgumentError"):
            await shared_beam.elixir("raise ArgumentError")


class TestLife:
    async def test_killed_it_is_gone_at_once(self, beam: Beam, epmd: Epmd) -> None:
        question = asyncio.ensure_future(beam.eval("receive never -> ok end"))
        await beam.eval("ok")
        beam.kill()
        assert not beam.is_alive
        with pytest.raises(BeamDied):
            await question
        with pytest.raises(BeamDied):
            await beam.eval("1")

    async def test_paused_it_is_silent_and_resumed_it_answers(self, beam: Beam) -> None:
        beam.pause()
        question = asyncio.ensure_future(beam.eval("1 + 1"))
        done, _ = await asyncio.wait([question], timeout=0.2)
        assert not done
        beam.resume()
        assert await question == "2"

    async def test_stopped_it_ends_in_order(self, beam: Beam) -> None:
        await beam.stop()
        assert await beam.wait_exit() == 0

    async def test_it_may_halt_by_itself(self, beam: Beam) -> None:
        with pytest.raises(BeamDied):
            await beam.eval("halt(3)")
        assert await beam.wait_exit() == 3

    async def test_a_name_can_be_used_again_after_a_kill(self, release: Release, beams: Starter) -> None:
        first = await beams(release, name="again@127.0.0.1", elixir=False)
        first.kill()
        await beams(release, name="again@127.0.0.1", elixir=False)

    async def test_a_name_in_use_says_so(self, beam: Beam, beams: Starter) -> None:
        with pytest.raises(BeamDied, match="in use"):
            await beams(beam.release, name=beam.name, elixir=False)

    async def test_without_distribution_it_still_answers(self, release: Release, beams: Starter) -> None:
        alone = await beams(release, distributed=False, elixir=False)
        assert await alone.eval("node()") == "nonode@nohost"

    async def test_short_names(self, release: Release, beams: Starter) -> None:
        short = await beams(release, name="short@localhost", elixir=False)
        assert await short.eval("net_kernel:longnames()") == "false"

    async def test_it_ends_with_whoever_started_it_even_when_paused(self, release: Release) -> None:
        script = f"""
            import os, signal
            from tests.support import beams
            from tests.support.beam import Beam
            beam = Beam(beams.find({release.otp}), distributed=False).boot()
            print(beam.pid, flush=True)
            beam.pause()
            os.kill(os.getpid(), signal.SIGKILL)
        """
        ran = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, stdout=subprocess.PIPE, check=False
        )
        assert ran.returncode == -signal.SIGKILL
        await _gone(int(ran.stdout))


async def _gone(pid: int) -> None:
    """Returns when no process `pid` runs (what is dead and not yet collected does not)."""
    async with asyncio.timeout(10):
        while _is_running(pid):
            await asyncio.sleep(0.01)


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "XZ"


@pytest.mark.beam(needs=(25, 27))
async def test_different_releases_find_each_other(beams: Starter) -> None:
    one, other = await beams(25), await beams(27)
    assert await one.eval(f"net_adm:ping('{other.name}')") == "pong"
    assert await other.eval("nodes()") == f"['{one.name}']"


async def test_epmd_ends_and_starts_again_on_its_port() -> None:
    with Epmd(free_port()) as epmd:
        assert epmd.names() == {}
        old = epmd.pid
        epmd.kill()
        with pytest.raises(ConnectionRefusedError):
            epmd.names()
        epmd.start()
        assert epmd.names() == {}
        assert epmd.pid != old
    assert not _is_running(old)


def test_default_epmd_is_the_one_of_this_run(epmd_port: int) -> None:
    assert os.environ["ERL_EPMD_PORT"] == str(epmd_port)
