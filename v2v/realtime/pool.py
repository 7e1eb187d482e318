"""Blocking work of the sockets (the database), on threads of their own, with a limit and a deadline.

Django's own way runs all of it on one shared thread: one blocked query froze an unrelated echo for 3.7 s.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog

from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal

T = TypeVar("T")
log = structlog.get_logger(__name__)


class BlockingPool:
    """Runs functions on `threads` threads; at most `waiting` of them wait for one."""

    def __init__(
        self,
        *,
        threads: int,
        waiting: int,
        deadline_s: float,
        release: Callable[[], None],
        away: tuple[type[Exception], ...] = (),
    ) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="blocking")
        self._room = threads + waiting
        self._deadline_s = deadline_s
        self._release = release  # gives the thread's database connection back
        self._away = away  # what a function raises when the store is away
        self._under_way = 0

    async def run(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """The function's result; Refusal(unavailable) when there is no room, or it takes too long,
        or the store is away.

        A function that is late goes on in its thread: a stopped PostgreSQL ignores every time-out but ours.
        """
        if self._under_way >= self._room:
            raise Refusal(ErrorCode.UNAVAILABLE)
        self._under_way += 1
        # The context goes along, so that what the function logs carries the ids of whom it works for.
        future = self._executor.submit(contextvars.copy_context().run, self._call, function, args, kwargs)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._finished) if not loop.is_closed() else None)
        answer = asyncio.wrap_future(future)
        answer.add_done_callback(_look_at)  # nobody asks for one that comes late
        try:
            return await asyncio.wait_for(asyncio.shield(answer), self._deadline_s)
        except TimeoutError:
            future.cancel()
            raise Refusal(ErrorCode.UNAVAILABLE) from None
        except self._away as error:
            log.warning("the store is away", error=str(error))
            raise Refusal(ErrorCode.UNAVAILABLE) from None

    def _finished(self) -> None:
        self._under_way -= 1

    def _call(self, function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        try:
            return function(*args, **kwargs)
        finally:
            self._release()

    def close(self) -> None:
        """Take no more; what runs is not waited for."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _look_at(answer: "asyncio.Future[Any]") -> None:
    """Keep asyncio from logging a traceback for an exception that was never asked for."""
    if not answer.cancelled():
        answer.exception()
