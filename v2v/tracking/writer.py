"""From the queue to the database, in batches. A batch is forgotten by the queue once it is committed, never before."""

import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import structlog
from django.db import DatabaseError, DataError, IntegrityError, close_old_connections
from django.utils import timezone

from v2v.tracking import metrics
from v2v.tracking.queue import Entry, PositionQueue, QueueUnavailable, minute_now
from v2v.tracking.records import PositionRecord, chunks_of, correlation_ids, records_in
from v2v.tracking.storage import dead_letter_store, positions_store

log = structlog.get_logger(__name__)

BATCH_ROWS = 500
BATCH_S = 0.5
MAX_TRIES = 5
_TAKE = 16  # chunks of up to 500 positions
_MAX_WAITING = 1_000  # refused positions that wait for their next try; more of them die at once
_BACKOFF_S = (0.5, 5.0)  # while the database or the queue is away
_STOP_WITHIN_S = 4.0

# The row is to blame. Whatever else goes wrong is the database's fault, and every row waits until it is well again.
_REFUSED = (DataError, IntegrityError, ValueError, TypeError, OverflowError)


@dataclass(slots=True)
class Refused:
    """A position of an entry that the database refused."""

    index: int
    record: PositionRecord
    reason: str


@dataclass(slots=True)
class Waiting:
    """An entry whose refused positions are tried once more at `due` (monotonic seconds)."""

    due: float
    entry: Entry
    refused: list[Refused]
    tries: int = 1


class Writer:
    """One of any number. `retry_s` is the first of the waits before a refused position is tried again, each twice
    as long as the one before.
    """

    def __init__(self, queue: PositionQueue, *, retry_s: float = 0.5) -> None:
        self._queue = queue
        self._retry_s = retry_s
        self._in_hand: deque[Entry] = deque()
        self._waiting: list[Waiting] = []
        self._failures = 0
        self._stop = threading.Event()
        self._drains = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Work on a thread of its own; a daemon, which a stopped database cannot keep the process alive with."""
        if self._thread is None:
            self._thread = threading.Thread(target=self.run, name="writer", daemon=True)
            self._thread.start()

    def stop(self, *, drain: bool = False) -> None:
        """Store what is in hand; with `drain` all that waits in the queue. Not for longer than 4 s."""
        self._drains = drain
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_STOP_WITHIN_S)

    def run(self) -> None:
        """Work until `stop`; what goes wrong is tried again, later and later."""
        while not self._stop.is_set():
            self._try()
        until = time.monotonic() + _STOP_WITHIN_S
        while time.monotonic() < until and (self._in_hand or (self._drains and self._queue.depth())):
            self._try()

    def _try(self) -> None:
        try:
            self.step()
            self._failures = 0
        except (DatabaseError, QueueUnavailable) as error:
            self._back_off(error)
        except Exception:
            log.exception("the writer stumbled")
            self._back_off(None)
        finally:
            close_old_connections()

    def _back_off(self, error: Exception | None) -> None:
        if error is not None and not self._failures:  # once an outage, not once a try
            log.error("positions wait: the database or the queue is away", error=repr(error))
        self._failures += 1
        first, longest = _BACKOFF_S
        wait_s = min(longest, first * 2 ** min(self._failures - 1, 10)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        self._stop.wait(wait_s)
        if self._stop.is_set():  # while it drains, a broken database must not make it spin
            time.sleep(min(wait_s, 0.2))

    def step(self, *, wait_s: float = BATCH_S) -> int:
        """Store one batch; how many positions were new. Raises DatabaseError or QueueUnavailable: nothing is lost."""
        self._queue.renew([*self._in_hand, *(waiting.entry for waiting in self._waiting)] if self._failures else [])
        self._retry_due(time.monotonic())
        batch = self._gather(wait_s)
        if not batch:
            return 0
        try:
            return self._store(batch)
        except BaseException:
            self._in_hand.extendleft(reversed(batch))
            raise

    def _gather(self, wait_s: float) -> list[Entry]:
        """Entries of up to 500 positions together; it waits for more of them, but not for longer than `wait_s`."""
        deadline = time.monotonic() + wait_s
        takes = self._drains or not self._stop.is_set()
        while takes and sum(entry.rows for entry in self._in_hand) < BATCH_ROWS:
            left_s = deadline - time.monotonic()
            taken = self._queue.take(limit=_TAKE, wait_s=max(0.0, left_s))
            self._in_hand.extend(taken)
            if left_s <= 0 or self._stop.is_set():
                break
        batch: list[Entry] = []
        rows = 0
        while self._in_hand and (not batch or rows + self._in_hand[0].rows <= BATCH_ROWS):
            rows += self._in_hand[0].rows
            batch.append(self._in_hand.popleft())
        return batch

    def _store(self, batch: list[Entry]) -> int:
        began = time.monotonic()
        read = [(entry, *self._read(entry)) for entry in batch]
        parts = [(at, index, record) for at, (_, records, _) in enumerate(read) for index, record in records]
        written, refused_parts = self._store_parts(parts)
        refused: dict[int, list[Refused]] = {}
        for at, item in refused_parts:
            refused.setdefault(at, []).append(item)
        whole = [entry for at, (entry, _, is_read) in enumerate(read) if at not in refused and is_read]
        for at, items in refused.items():
            self._wait(Waiting(time.monotonic() + self._retry_s, read[at][0], items))
        self._queue.done(whole)
        self._tell(began, batch, [record for _, _, record in parts], written)
        return written

    def _read(self, entry: Entry) -> tuple[list[tuple[int, PositionRecord]], bool]:
        """The entry's positions; one that cannot be read is dead at once, since it never will be."""
        try:
            return list(enumerate(records_in(entry.payload))), True
        except msgspec.MsgspecError as error:
            self._bury(entry.id, entry.payload, None, f"not readable: {error}", tries=1)
            self._queue.done([entry])
            return [], False

    def _store_parts(self, parts: list[tuple[int, int, PositionRecord]]) -> tuple[int, list[tuple[int, Refused]]]:
        """Store them; when one is refused, in halves, until the refused ones stand alone and all others are stored."""
        if not parts:
            return 0, []
        try:
            return positions_store([record for _, _, record in parts]), []
        except _REFUSED as error:
            if len(parts) == 1:
                at, index, record = parts[0]
                return 0, [(at, Refused(index, record, f"{type(error).__name__}: {error}"))]
        half = len(parts) // 2
        first, second = self._store_parts(parts[:half]), self._store_parts(parts[half:])
        return first[0] + second[0], first[1] + second[1]

    # ---- What the database refuses

    def _wait(self, waiting: Waiting) -> None:
        if sum(len(other.refused) for other in self._waiting) > _MAX_WAITING:
            waiting.tries = MAX_TRIES
            waiting.due = 0.0
        self._waiting.append(waiting)
        self._count_retried(len(waiting.refused))

    def _retry_due(self, now: float) -> None:
        for waiting in [waiting for waiting in self._waiting if waiting.due <= now]:
            if waiting.tries < MAX_TRIES:
                waiting.tries += 1
                waiting.refused = self._refused_again(waiting.refused)
            if waiting.tries >= MAX_TRIES:
                for item in waiting.refused:
                    ((payload, _),) = chunks_of([item.record])
                    key = f"{waiting.entry.id}:{item.index}"
                    self._bury(key, payload, item.record.fleet, item.reason, tries=waiting.tries)
                waiting.refused = []
            if not waiting.refused:
                self._queue.done([waiting.entry])
                self._waiting.remove(waiting)
            else:
                waiting.due = now + self._retry_s * 2 ** (waiting.tries - 1)
                self._count_retried(len(waiting.refused))

    def _refused_again(self, items: list[Refused]) -> list[Refused]:
        still: list[Refused] = []
        for item in items:
            written, refused = self._store_parts([(0, item.index, item.record)])
            still += [again for _, again in refused]
            metrics.WRITTEN.inc(written)
        return still

    def _bury(self, key: str, payload: bytes, fleet: int | None, reason: str, *, tries: int) -> None:
        dead_letter_store(key=key, payload=payload, fleet=fleet, reason=reason, tries=tries, now=timezone.now())
        metrics.DEAD.inc()
        self._count(dead=1)
        log.error("position laid aside as a dead letter", key=key, reason=reason, tries=tries)

    def _count_retried(self, count: int) -> None:
        metrics.RETRIED.inc(count)
        self._count(retried=count)

    def _count(self, **counts: int) -> None:
        with suppress(QueueUnavailable):  # figures for people are not worth a batch
            self._queue.tally(minute=minute_now(), **counts)

    def _tell(self, began: float, batch: Sequence[Entry], records: list[PositionRecord], written: int) -> None:
        seconds = time.monotonic() - began
        metrics.BATCH_SIZE.observe(len(records))
        metrics.BATCH_SECONDS.observe(seconds)
        metrics.WRITTEN.inc(written)
        for record in records:
            if record.conflict is not None:
                metrics.OUT_OF_ORDER.labels(record.conflict.kind).inc()
        self._count(written=written)
        log.info(
            "positions stored",
            rows=len(records),
            new=written,
            entries=len(batch),
            ms=round(seconds * 1000, 1),
            correlation_ids=correlation_ids(records),
        )
