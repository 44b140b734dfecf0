"""A real BEAM, started, questioned, frozen and killed by tests.

    async with Beam(find(27), name="a@127.0.0.1", epmd_port=port, elixir=True) as beam:
        await beam.eval("nodes()")                      # '[]', printed as ~0tp prints it
        await beam.elixir("Node.list()")                # '[]', printed as inspect prints it
        await beam.eval_bytes("self()")                 # the term in external format, 131 first
        await beam.eval("binary_to_term(B) =:= [a]", B=data)    # B is bound to a binary
        await beam.wait_log("not responding")           # a regular expression; beam.log has all lines
        beam.pause(), beam.resume(), beam.kill()        # SIGSTOP, SIGCONT, SIGKILL of the VM itself

Leaving the block kills it; ``await beam.stop()`` ends it in order, which takes it a second.
Everything awaited has a plain twin for code without a loop: `start`/`boot`, `stop`/`shutdown`, `eval`/`ask`.
A Beam belongs to no event loop, so one can serve a whole test session.

How questions reach it: over a socket pair that the VM inherits and serves as an ``{fd, N, N}`` port with four
length bytes (`SERVER` below).  Nothing of pyerlnode is used and nothing of Erlang's distribution, so it works
for a node that has a wrong cookie, no name or a full distribution buffer, and no test sees a node that it did
not start.  Each question runs in a process of its own, which ends with the answer: a slow one holds up no
other, and the names and tables it owns go with it (spawn what shall stay).  Bindings last for one question.

How nothing is left behind: the VM halts when our end of the socket closes, however we end; and where it
cannot (it is stopped), the kernel kills it with the thread that started it.  A Debian tree is entered in a
mount namespace of its own, which goes with its last process.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import struct
import subprocess
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from tests.support.epmd import tied_to_us
from tests.support.log import Log

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from tests.support.beams import Release

BOOT = 30.0
"""Seconds for a BEAM to boot and answer."""
ANSWER = 15.0
"""Seconds for a question to be answered, unless it says otherwise."""
GOODBYE = 5.0
"""Seconds for ``init:stop()``."""

ENTER_TREE = """
mount --rbind /proc "$0/proc" && mount --rbind /dev "$0/dev" || exit 1
for file in hosts resolv.conf; do
    [ -e "$0/etc/$file" ] || : > "$0/etc/$file"
    if [ -e "/etc/$file" ]; then mount --bind "/etc/$file" "$0/etc/$file"; fi
done
exec chroot "$0" "$@"
"""
"""Shell of a mount namespace of its own: makes the tree at $0 fit for a BEAM and runs the rest in it."""

SERVER = """
Printed = fun(Format, Term) -> unicode:characters_to_binary(io_lib:format(Format, [Term])) end,
Name = fun(Text) -> binary_to_atom(Text, utf8) end,
Erlang = fun(Text, Bound) ->
    {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(Text)),
    {ok, Expressions} = erl_parse:parse_exprs(Tokens),
    {value, Value, _} = erl_eval:exprs(Expressions, orddict:from_list(Bound)),
    Value
end,
Elixir = fun(Text, Bound) ->
    {ok, _} = application:ensure_all_started(elixir),
    element(1, 'Elixir.Code':eval_string(Text, Bound, []))
end,
Inspect = fun(Value) ->
    'Elixir.Kernel':inspect(Value, [{limit, infinity}, {printable_limit, infinity}, {width, infinity}])
end,
Answer = fun
    ($p, Text, Bound) -> Printed("~0tp", Erlang(Text, Bound));
    ($b, Text, Bound) -> term_to_binary(Erlang(Text, Bound));
    ($i, Text, Bound) -> Inspect(Elixir(Text, Bound));
    ($x, Text, Bound) -> term_to_binary(Elixir(Text, Bound))
end,
Safely = fun(Kind, Text, Bound) ->
    try [$+, Answer(Kind, Text, Bound)]
    catch Class:Reason:Stack -> [$-, Printed("~0tp", {Class, Reason, Stack})]
    end
end,
Serve = fun Serve(Link) ->
    receive
        {Link, {data, <<Id:32, Kind, Count, Rest/binary>>}} ->
            Bind = fun
                Bind(0, Text, Bound) -> {Text, Bound};
                Bind(N, <<K, Key:K/binary, V:32, Value:V/binary, More/binary>>, Bound) ->
                    Bind(N - 1, More, [{Name(Key), Value} | Bound])
            end,
            {Text, Bound} = Bind(Count, Rest, []),
            spawn(fun() -> port_command(Link, [<<Id:32>> | Safely(Kind, Text, Bound)]) end),
            Serve(Link);
        {Link, eof} -> halt(0, [{flush, false}])
    end
end,
spawn(fun() ->
    group_leader(whereis(user), self()),
    Link = open_port({fd, FD, FD}, [binary, {packet, 4}, eof]),
    port_command(Link, [<<0:32>>, $+]),
    Serve(Link)
end).
"""
"""What a BEAM runs to answer us; plain Erlang for `-eval`, good from OTP 23 on."""

MINIMAL_LOAD = (
    "+S",
    "1:1",
    "+SDcpu",
    "1:1",
    "+A",
    "1",
    "+sbwt",
    "none",
    "+sbwtdcpu",
    "none",
    "+sbwtdio",
    "none",
)
"""One scheduler that never spins: several BEAMs must share two cores with what is tested."""

T = TypeVar("T")

_numbers = itertools.count(1)


class BeamError(Exception):
    """What was asked of a BEAM went wrong."""


class EvalError(BeamError):
    """The expression did not parse, or raised: the text is ``{Class, Reason, Stack}``."""


class BeamDied(BeamError):
    """The BEAM is gone.  The text ends with the last lines of its log."""


class Beam:
    """One BEAM: a live node where it has a name.

    `name`
        "a@127.0.0.1"; a host without a dot makes it a short name; without a host it gets @127.0.0.1;
        None invents one.  ``distributed=False``: no distribution until ``net_kernel:start`` is called.
    `cookie`, `epmd_port`
        Its cookie, and the port of the epmd to use (None: as `env` or `flags` say).  It never starts an epmd.
    `elixir`
        Put Elixir on the code path and start it.
    `flags`, `env`, `wrapper`
        More arguments of ``erl`` (``["-hidden"]``, ``["-kernel", "net_ticktime", "8"]``), more environment,
        and a command to run it under (``["ip", "netns", "exec", "one"]``).
    """

    seen: ClassVar[list[Beam]] = []
    """Every BEAM started since this was last cleared: for reports of failed tests."""

    def __init__(
        self,
        release: Release,
        *,
        name: str | None = None,
        cookie: str = "cookie",
        epmd_port: int | None = None,
        elixir: bool = False,
        distributed: bool = True,
        flags: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
    ) -> None:
        short = name or f"{release.id}_{os.getpid()}_{next(_numbers)}"
        self.release = release
        self.name = short if "@" in short else f"{short}@127.0.0.1"
        self.cookie = cookie
        self.epmd_port = epmd_port
        self._log = Log(repr(self), BeamDied)
        self._with_elixir = elixir
        self._distributed = distributed
        self._flags = flags
        self._env = env or {}
        self._wrapper = wrapper
        self._lock = threading.Lock()
        self._tags = itertools.count(1)
        self._waiting: dict[int, Future[bytes]] = {}
        self._writing = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._readers: list[threading.Thread] = []
        self._dead = False

    def __repr__(self) -> str:
        return f"<Beam {self.release.id} {self.name}>"

    @property
    def otp(self) -> int:
        """Its OTP release: 27."""
        return self.release.otp

    @property
    def pid(self) -> int:
        """The operating system's process id of the VM itself, inside a tree as well."""
        return self._running().pid

    @property
    def log(self) -> list[str]:
        """Lines that it wrote to standard output and standard error."""
        return self._log.lines

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    # Life

    async def start(self) -> Self:
        """Boot it; returns when it answers.  BeamDied shows its log when it did not come up."""
        booted = self._launch()
        try:
            await self._awaited(booted, BOOT, "boot")
        except BaseException:
            self.close()
            raise
        return self

    def boot(self) -> Self:
        """`start` for code without an event loop."""
        booted = self._launch()
        try:
            self._plainly(booted, BOOT, "boot")
        except BaseException:
            self.close()
            raise
        return self

    async def stop(self) -> None:
        """End it in order (``init:stop()``), by force after `GOODBYE` seconds.  A dead one stays dead."""
        await asyncio.to_thread(self.shutdown)

    def shutdown(self) -> None:
        """`stop` for code without an event loop."""
        if self._process is None:
            return
        if self.is_alive:
            self.resume()
            with contextlib.suppress(BeamDied):
                self._send("p", "init:stop().", {})
            try:
                self._process.wait(GOODBYE)
            except subprocess.TimeoutExpired:
                self._log.note("(harness: init:stop() took too long, so it was killed)")
        self.close()

    def kill(self) -> None:
        """SIGKILL the VM; returns when it is gone, so its peers' sockets are closed by then."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """`kill` it and let go of all that is ours: what leaving the block does."""
        self.kill()
        self._let_go()

    def pause(self) -> None:
        """SIGSTOP: it holds its connections and says nothing more."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: it goes on where it was paused."""
        self._running().send_signal(signal.SIGCONT)

    async def wait_exit(self, timeout: float = ANSWER) -> int:
        """Wait until it has ended by itself; gives its exit status (negative: the signal)."""
        return await asyncio.to_thread(self._running().wait, timeout)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    # Questions

    async def eval(self, code: str, *, timeout: float = ANSWER, **bindings: bytes) -> str:
        """Evaluate Erlang `code` (the final dot may be missing); its value as ``~0tp`` prints it.

        Each of `bindings` is a variable bound to a binary.  EvalError when it fails, BeamDied when it died.
        """
        return (await self._ask_awaited("p", _dotted(code), timeout, bindings)).decode()

    async def eval_bytes(self, code: str, *, timeout: float = ANSWER, **bindings: bytes) -> bytes:
        """Evaluate Erlang `code`; its value as ``term_to_binary`` gives it."""
        return await self._ask_awaited("b", _dotted(code), timeout, bindings)

    async def elixir(self, code: str, *, timeout: float = ANSWER, **bindings: bytes) -> str:
        """Evaluate Elixir `code`; its value as ``inspect`` prints it, whole."""
        return (await self._ask_awaited("i", code, timeout, bindings)).decode()

    async def elixir_bytes(self, code: str, *, timeout: float = ANSWER, **bindings: bytes) -> bytes:
        """Evaluate Elixir `code`; its value as ``term_to_binary`` gives it."""
        return await self._ask_awaited("x", code, timeout, bindings)

    def ask(self, code: str, *, timeout: float = ANSWER, **bindings: bytes) -> str:
        """`eval` for code without an event loop."""
        question = self._send("p", _dotted(code), bindings)
        return self._plainly(question, timeout, code).decode()

    def ask_bytes(self, code: str, *, timeout: float = ANSWER, **bindings: bytes) -> bytes:
        """`eval_bytes` for code without an event loop."""
        return self._plainly(self._send("b", _dotted(code), bindings), timeout, code)

    async def wait_log(self, pattern: str, *, timeout: float = ANSWER, after: int = 0) -> re.Match[str]:
        """Wait for a log line in which `pattern` (a regular expression) is found, from line `after` on."""
        return await self._log.wait(pattern, timeout=timeout, after=after)

    # The process

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise BeamError(f"{self!r} was not started")
        return self._process

    def _launch(self) -> Future[bytes]:
        if problem := self.release.problem:
            raise BeamError(problem)
        if self._process is not None:
            raise BeamError(f"{self!r} was started before: make another one")
        ours, theirs = socket.socketpair()
        booted = self._waiting[0] = Future()
        with theirs:
            self._process = subprocess.Popen(
                self._command(theirs.fileno()),
                env=self._environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._socket = ours
        self._readers = [
            threading.Thread(target=job, daemon=True) for job in (self._read_log, self._read_answers)
        ]
        for reader in self._readers:
            reader.start()
        Beam.seen.append(self)
        return booted

    def _command(self, fd: int) -> list[str]:
        release = self.release
        command = [
            f"{release.bindir}/erlexec",
            "-noshell",
            "-noinput",
            *MINIMAL_LOAD,
            "+fnu",
            "-start_epmd",
            "false",
        ]
        if self._distributed:
            long_name = "." in self.name.partition("@")[2] or ":" in self.name
            command += ["-name" if long_name else "-sname", self.name, "-setcookie", self.cookie]
        if self._with_elixir:
            if release.elixir is None:
                raise BeamError(f"{release.id} has no Elixir beside it")
            applications = ("elixir", "logger", "mix", "iex", "eex", "ex_unit")
            command += ["-pa", *(f"{release.elixir}/{name}/ebin" for name in applications)]
            command += ["-eval", "{ok, _} = application:ensure_all_started(elixir)."]
        command += [*self._flags, "-eval", SERVER.replace("FD", str(fd))]
        if release.chroot is not None:
            command = ["unshare", "--mount", "sh", "-c", ENTER_TREE, str(release.chroot), *command]
        return tied_to_us([*self._wrapper, *command])

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ERL_", "ELIXIR_"))}
        runtime = {
            "ROOTDIR": self.release.root,
            "BINDIR": self.release.bindir,
            "EMU": "beam",
            "PROGNAME": "erl",
        }
        habits = {"LC_ALL": "C.UTF-8", "ERL_CRASH_DUMP_SECONDS": "0"}
        epmd = {} if self.epmd_port is None else {"ERL_EPMD_PORT": str(self.epmd_port)}
        return kept | runtime | habits | epmd | dict(self._env)

    def _let_go(self) -> None:
        """Close what is ours, after its end."""
        for reader in self._readers:
            reader.join(GOODBYE)  # a program that the BEAM left behind may hold its standard output open
        if self._socket is not None:
            self._socket.close()
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()

    # The channel

    async def _ask_awaited(
        self, kind: str, code: str, timeout: float, bindings: Mapping[str, bytes]
    ) -> bytes:
        return await self._awaited(self._send(kind, code, bindings), timeout, code)

    def _send(self, kind: str, code: str, bindings: Mapping[str, bytes]) -> Future[bytes]:
        tag = next(self._tags)
        bound = b"".join(
            struct.pack(">B", len(key)) + key.encode() + struct.pack(">I", len(value)) + value
            for key, value in bindings.items()
        )
        question = struct.pack(">IcB", tag, kind.encode(), len(bindings)) + bound + code.encode()
        answer: Future[bytes] = Future()
        with self._lock:
            if self._dead or self._socket is None:
                raise BeamDied(f"{self!r} is not there.  {self.tail()}")
            self._waiting[tag] = answer
        with self._writing, contextlib.suppress(OSError):  # when it dies now, the reader tells all who wait
            self._socket.sendall(struct.pack(">I", len(question)) + question)
        return answer

    def _read_answers(self) -> None:
        if self._socket is None:
            return
        with contextlib.suppress(OSError), self._socket.makefile("rb") as stream:
            while len(head := stream.read(4)) == 4:
                frame = stream.read(int.from_bytes(head, "big"))
                with self._lock:
                    answer = self._waiting.pop(int.from_bytes(frame[:4], "big"), None)
                if answer is not None and answer.set_running_or_notify_cancel():
                    _settle(answer, frame[4:5], frame[5:])
        self._tell_all_that_it_ended()

    def _tell_all_that_it_ended(self) -> None:
        self._readers[0].join(GOODBYE)  # first its last words, then the news
        with self._lock:
            self._dead = True
            answers, self._waiting = list(self._waiting.values()), {}
        news = BeamDied(f"{self!r} ended.  {self.tail()}")
        for answer in answers:
            if answer.set_running_or_notify_cancel():
                answer.set_exception(news)
        self._log.end()

    def _read_log(self) -> None:
        stdout = self._running().stdout
        if stdout is None:
            return
        for raw in stdout:
            self._log.note(raw.decode(errors="replace").rstrip("\r\n"))

    def tail(self, lines: int = 40) -> str:
        """The end of its log, for error texts."""
        return self._log.tail(lines)

    async def _awaited(self, future: Future[T], timeout: float, what: str) -> T:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), timeout)
        except TimeoutError:
            raise TimeoutError(self._late(what, timeout)) from None

    def _plainly(self, future: Future[T], timeout: float, what: str) -> T:
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise TimeoutError(self._late(what, timeout)) from None

    def _late(self, what: str, timeout: float) -> str:
        return f"{self!r}: no answer to {what[:200]!r} within {timeout} s.  {self.tail()}"


def _settle(answer: Future[bytes], verdict: bytes, payload: bytes) -> None:
    if verdict == b"+":
        answer.set_result(payload)
    else:
        answer.set_exception(EvalError(payload.decode()))


def _dotted(code: str) -> str:
    """Erlang `code` with its final dot."""
    return code if code.rstrip().endswith(".") else code + "."
