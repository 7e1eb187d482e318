"""Rows that are stored a little later, many at once, on a thread of their own: nobody waits for them."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

import structlog

T = TypeVar("T")
log = structlog.get_logger(__name__)


class BatchWriter(Generic[T]):
    """Keeps up to `limit` rows; when the store is away for longer, the oldest go first and are counted in `dropped`."""

    def __init__(self, name: str, write: Callable[[list[T]], object], *, limit: int, batch: int = 5_000) -> None:
        self.name = name
        self.dropped = 0
        self._write = write
        self._limit = limit
        self._batch = batch
        self._rows: deque[T] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._under_way = 0
        self._flushing: asyncio.Task[None] | None = None
        self._is_failing = False

    def __len__(self) -> int:
        return len(self._rows) + self._under_way

    def add(self, row: T) -> None:
        """Keep a row for the next flush."""
        if len(self._rows) >= self._limit:
            self._rows.popleft()
            self.dropped += 1
        self._rows.append(row)

    @property
    def is_full(self) -> bool:
        """Whether the next row would push the oldest out."""
        return len(self) >= self._limit

    async def flush(self) -> None:
        """Store what is kept. A batch that fails stays for the next time; two flushes never run at once.

        Whoever waits for it may be canceled: the batch that is under way is still looked after.
        """
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.get_running_loop().create_task(self._flush())
        await asyncio.shield(self._flushing)

    async def _flush(self) -> None:
        while self._rows:
            rows = [self._rows.popleft() for _ in range(min(len(self._rows), self._batch))]
            self._under_way = len(rows)
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._write, rows)
            except Exception as error:
                self._keep_again(rows, error)
                return
            self._under_way = 0
            self._is_failing = False

    def _keep_again(self, rows: list[T], error: Exception) -> None:
        self._under_way = 0
        room = self._limit - len(self._rows)
        self.dropped += max(0, len(rows) - room)
        self._rows.extendleft(reversed(rows[max(0, len(rows) - room) :]))
        if not self._is_failing:  # once an outage, not once a second
            log.error("store is away", writer=self.name, waiting=len(self._rows), error=repr(error))
        self._is_failing = True

    async def close(self) -> None:
        """Store what is left, if that takes at most 3 s."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.flush(), timeout=3.0)
        if len(self):
            log.error("rows were not stored", writer=self.name, rows=len(self))
        if self._flushing is not None:
            self._flushing.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)
