"""What other nodes may call: nothing that was not exported, by that name, with that many arguments."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import ConfigError
from pyerlnode.otp.exports import Exports
from pyerlnode.otp.gen import Process
from pyerlnode.term import Atom
from tests.support.nodes import make_router
from tests.support.threads import worker_threads

if TYPE_CHECKING:
    from collections.abc import Iterator


def add(a: int, b: int = 1) -> int:
    return a + b


@pytest.fixture
def exports() -> Iterator[Exports]:
    with worker_threads() as pool:
        yield Exports(lambda: pool)


def test_closed_by_default(exports: Exports) -> None:
    for module, function in (("os", "system"), ("builtins", "eval"), ("erlang", "halt")):
        assert exports.find(Atom(module), Atom(function), ["x"]) is None


def test_by_name_and_number_of_arguments(exports: Exports) -> None:
    exports.add("py.math", "add", add)
    assert exports.find(Atom("py.math"), Atom("add"), [1]) is add
    assert exports.find(Atom("py.math"), Atom("add"), [1, 2]) is add
    for args in ([], [1, 2, 3], (1,), None):
        assert exports.find(Atom("py.math"), Atom("add"), args) is None
    assert exports.find(Atom("py.math"), Atom("sub"), [1]) is None
    assert exports.find(1, Atom("add"), [1]) is None
    assert exports.find(Atom("py.math"), [Atom("add")], [1]) is None


def test_it_can_be_taken_back(exports: Exports) -> None:
    exports.add("m", "f", add)
    assert exports.remove("m", "f") is True
    assert exports.remove("m", "f") is False
    assert exports.find(Atom("m"), Atom("f"), [1]) is None


def test_only_what_can_be_called(exports: Exports) -> None:
    target: Any = 1
    with pytest.raises(ConfigError, match="m:f"):
        exports.add("m", "f", target)


def test_a_builtin_without_a_signature_says_itself_what_it_takes(exports: Exports) -> None:
    exports.add("m", "f", type)
    assert exports.find(Atom("m"), Atom("f"), [1]) is type


async def test_running_on_the_loop_or_in_a_thread(exports: Exports) -> None:
    async def here() -> bool:
        return threading.current_thread() is threading.main_thread()

    def there() -> bool:
        return threading.current_thread() is threading.main_thread()

    assert await exports.run(here, []) is True
    assert await exports.run(there, []) is False
    assert await exports.run(add, [1, 2]) == 3


class TestProcesses:
    async def test_it_gets_its_process_before_the_arguments(self, exports: Exports) -> None:
        async def body(me: Any, a: int, b: int = 2) -> Any:
            return me, a, b

        exports.add("m", "f", body, process=True)
        found = exports.find(Atom("m"), Atom("f"), [1])
        assert found is not None
        me: Any = object()
        assert await exports.run(found, [1], me) == (me, 1, 2)
        for args in ([], [1, 2, 3]):
            assert exports.find(Atom("m"), Atom("f"), args) is None

    async def test_any_number_of_arguments(self, exports: Exports) -> None:
        async def body(*args: Any) -> int:
            return len(args)

        exports.add("m", "f", body, process=True)
        found = exports.find(Atom("m"), Atom("f"), [1, 2, 3])
        assert found is not None
        assert await exports.run(found, [1, 2, 3], object()) == 4  # type: ignore[arg-type]

    async def test_without_a_process_it_refuses(self, exports: Exports) -> None:
        async def body(me: Any) -> None: ...

        exports.add("m", "f", body, process=True)
        found = exports.find(Atom("m"), Atom("f"), [])
        assert found is not None
        with pytest.raises(TypeError, match="m:f is exported as a process"):
            await exports.run(found, [])

    def test_only_coroutine_functions_that_take_a_process(self, exports: Exports) -> None:
        async def nothing() -> None: ...

        for target in (add, nothing):
            with pytest.raises(ConfigError, match=r"async def fn\(me, \*args\)"):
                exports.add("m", "f", target, process=True)


class TestHowMany:
    def test_no_more_than_the_limit_until_one_ends(
        self, exports: Exports, caplog: pytest.LogCaptureFixture
    ) -> None:
        router = make_router()
        one, two = Process(router), Process(router)
        exports.started(one)
        assert not exports.is_full(2)
        exports.started(two)
        assert exports.is_full(2)
        assert exports.is_full(2)
        assert [record.message for record in caplog.records] == [
            "2 processes run for other nodes, Limits.spawned: no more are started"
        ]
        one.end(Atom("normal"))
        assert not exports.is_full(2)
