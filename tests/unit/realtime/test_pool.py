"""Blocking work, with a limit and a deadline."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.realtime.pool import BlockingPool


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


def make_pool(
    *, threads: int = 2, waiting: int = 2, deadline_s: float = 5.0, released: list[int] | None = None
) -> BlockingPool:
    release = (lambda: released.append(1)) if released is not None else (lambda: None)
    return BlockingPool(threads=threads, waiting=waiting, deadline_s=deadline_s, release=release)


async def test_results_and_errors_come_back_and_the_connection_is_given_back_after_each() -> None:
    released: list[int] = []
    pool = make_pool(released=released)
    assert await pool.run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await pool.run(divmod, 7, 0)
    assert len(released) == 2


async def test_what_has_no_room_is_refused_at_once(gate: threading.Event) -> None:
    pool = make_pool(threads=2, waiting=2)
    under_way = [asyncio.create_task(pool.run(gate.wait, 5)) for _ in range(4)]
    await asyncio.sleep(0)
    with pytest.raises(Refusal) as refused:
        await pool.run(gate.wait)
    assert refused.value.code is ErrorCode.UNAVAILABLE
    gate.set()
    assert await asyncio.gather(*under_way) == [True] * 4
    assert await pool.run(int, "7") == 7


async def test_what_takes_too_long_is_refused_and_holds_its_thread_only(gate: threading.Event) -> None:
    pool = make_pool(threads=2, deadline_s=0.05)
    with pytest.raises(Refusal):
        await pool.run(gate.wait, 5)
    assert await pool.run(int, "7") == 7


async def test_an_error_that_comes_too_late_is_nobodys(gate: threading.Event, caplog: pytest.LogCaptureFixture) -> None:
    pool = make_pool(deadline_s=0.05)

    def fail_late() -> None:
        gate.wait(5)
        raise ConnectionError

    with pytest.raises(Refusal):
        await pool.run(fail_late)
    gate.set()
    await pool.run(int, "7")
    await asyncio.sleep(0.05)
    assert "never retrieved" not in caplog.text
