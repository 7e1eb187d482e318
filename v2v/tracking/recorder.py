"""What the sockets report, on its way to the queue: once a tick, off the event loop."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from v2v.protocol.decode import Refusal
from v2v.realtime.batch import BatchWriter
from v2v.realtime.engine import Engine
from v2v.tracking import metrics
from v2v.tracking.live import Fix, LiveState, Outcome, Track
from v2v.tracking.queue import PositionQueue, QueueUnavailable
from v2v.tracking.records import PositionRecord, chunks_of, conflict_of, record_of

MAX_WAITING = 200_000


class Seen(NamedTuple):
    """A fix as the tick found it; what is dear to make of it is made on the thread that stores it."""

    vehicle_pk: int
    fleet: int
    fix: Fix
    outcome: Outcome
    stood: Fix | None


class Recorder:
    """Keeps up to 200,000 positions while the queue is full or away; then the oldest go, and are counted.

    With `every_ms`, of a vehicle that reports more often only one position in so many milliseconds is noted, and each
    that was kept for what it carries.
    """

    def __init__(self, engine: Engine, live: LiveState, queue: PositionQueue, *, every_ms: int = 0) -> None:
        self._engine = engine
        self._live = live
        self._queue = queue
        self._every_ms = every_ms
        self._noted: dict[int, int] = {}  # by vehicle, when the last one was that was noted (epoch milliseconds)
        self._last: dict[int, Fix] = {}  # by vehicle, of what has gone into the queue
        self._dropped = 0
        self.storage: BatchWriter[Seen | PositionRecord] = BatchWriter("positions", self._put, limit=MAX_WAITING)

    def moved(self, moved: Sequence[Track], kept: Sequence[tuple[Track, Fix]]) -> None:
        """A `MovedListener`: notes what is to be stored, each vehicle's fixes in their order."""
        add = self.storage.add
        for track, fix in kept:
            if not fix.is_queued:
                add(Seen(track.vehicle_pk, track.fleet, fix, Outcome.LIVE, None))
        for track in moved:
            if track.fix is not None and not track.fix.is_queued and self._is_due(track.vehicle_pk, track.fix):
                add(Seen(track.vehicle_pk, track.fleet, track.fix, Outcome.LIVE, None))
        aside = self._live.aside
        while aside:
            track, fix, outcome, stood = aside.popleft()
            add(Seen(track.vehicle_pk, track.fleet, fix, outcome, stood))

    def _is_due(self, vehicle_pk: int, fix: Fix) -> bool:
        if not self._every_ms:
            return True
        if not fix.kept and fix.ts < self._noted.get(vehicle_pk, 0) + self._every_ms:
            return False
        self._noted[vehicle_pk] = fix.ts
        return True

    def _put(self, rows: list[Seen | PositionRecord]) -> None:
        """On the storage's thread. A row that comes again because the queue was away finds `_last` as it was."""
        clock = self._engine.clock
        began_ms = clock.now_ms() - clock.monotonic() * 1000
        last: dict[int, Fix] = {}
        records = [row if isinstance(row, PositionRecord) else self._record(row, last, began_ms) for row in rows]
        self._queue.put(chunks_of(records))
        self._last.update(last)

    def _record(self, seen: Seen, last: dict[int, Fix], began_ms: float) -> PositionRecord:
        fix, stood = seen.fix, seen.stood
        if seen.outcome is Outcome.LIVE:
            stood = last.get(seen.vehicle_pk) or self._last.get(seen.vehicle_pk)
            last[seen.vehicle_pk] = fix
        return record_of(
            fix,
            vehicle=seen.vehicle_pk,
            fleet=seen.fleet,
            received_ts=int(began_ms + fix.received_at * 1000),
            source="socket",
            conflict=conflict_of(fix, seen.outcome, stood),
        )

    async def watch(self) -> None:
        """Bring the metrics up to date."""
        metrics.WAITING.set(len(self.storage))
        metrics.DROPPED.inc(self.storage.dropped - self._dropped)
        self._dropped = self.storage.dropped
        with suppress(QueueUnavailable, Refusal):
            metrics.DEPTH.set(await self._engine.pool.run(self._queue.depth))

    async def close(self) -> None:
        """Hand over what the last tick has left."""
        self.moved((), ())
        await self.storage.close()
