"""Rows that are stored a little later, many at once, on a thread of their own: nobody waits for them."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import structlog

T = TypeVar("T")
log = structlog.get_logger(__name__)


class BatchWriter(Generic[T]):
    """Keeps up to `limit` rows; when the store is away for longer, the oldest go first and are counted in `dropped`."""

    def __init__(self, name: str, write: Callable[[list[T]], None], *, limit: int, batch: int = 5_000) -> None:
        self.name = name
        self.dropped = 0
        self._write = write
        self._limit = limit
        self._batch = batch
        self._rows: deque[T] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._is_writing = False
        self._is_failing = False

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: T) -> None:
        """Keep a row for the next flush."""
        if len(self._rows) >= self._limit:
            self._rows.popleft()
            self.dropped += 1
        self._rows.append(row)

    async def flush(self) -> None:
        """Store what is kept. A batch that fails stays for the next time; two flushes never run at once."""
        if self._is_writing:
            return
        self._is_writing = True
        try:
            while self._rows:
                rows = [self._rows.popleft() for _ in range(min(len(self._rows), self._batch))]
                try:
                    await asyncio.get_running_loop().run_in_executor(self._thread, self._write, rows)
                except Exception as error:
                    self._keep_again(rows, error)
                    return
                self._is_failing = False
        finally:
            self._is_writing = False

    def _keep_again(self, rows: list[T], error: Exception) -> None:
        room = self._limit - len(self._rows)
        self.dropped += max(0, len(rows) - room)
        self._rows.extendleft(reversed(rows[max(0, len(rows) - room) :]))
        if not self._is_failing:  # once an outage, not once a second
            log.error("store is away", writer=self.name, waiting=len(self._rows), error=repr(error))
        self._is_failing = True

    async def close(self) -> None:
        """Store what is left, if that takes at most 3 s."""
        try:
            await asyncio.wait_for(self.flush(), timeout=3.0)
        except TimeoutError:
            log.error("rows were not stored", writer=self.name, rows=len(self._rows))
        self._thread.shutdown(wait=False, cancel_futures=True)
