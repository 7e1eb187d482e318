"""Positions that come otherwise than by a socket, handed to the live state as if they had come by one."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from typing import NamedTuple, Protocol

from v2v.realtime.engine import Engine
from v2v.tracking.ingest import fix_offer
from v2v.tracking.live import Fix, LiveState, Outcome
from v2v.tracking.recorder import Recorder
from v2v.tracking.records import PositionRecord

_DEADLINE_S = 2.0


class Placed(NamedTuple):
    """What became of a fix, and the newest one that stood before it."""

    outcome: Outcome
    stood: Fix | None


class Place(Protocol):
    """Where fixes become live: the engine of this process, or a way to the processes that have one.

    Called from any thread but the event loop's.
    """

    def place(self, *, vehicle_id: str, vehicle_pk: int, fleet: int, fixes: Sequence[Fix]) -> list[Placed]:
        """Offer the fixes in their order; they are marked as queued, for who calls sees to that."""

    def keep(self, records: Sequence[PositionRecord]) -> bool:
        """Hold records that the queue does not take at the moment; False when there is no room for them."""


class EnginePlace:
    """The engine of this process; `open` on its event loop."""

    def __init__(self, engine: Engine, live: LiveState, recorder: Recorder) -> None:
        self._engine = engine
        self._live = live
        self._recorder = recorder
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_open(self) -> bool:
        """Whether fixes are taken."""
        return self._loop is not None

    def open(self) -> None:
        """Take fixes from now on."""
        self._loop = asyncio.get_running_loop()
        place_set(self)

    async def close(self) -> None:
        """Take no more; what is offered meanwhile is stored only."""
        place_set(None)
        self._loop = None

    def place(self, *, vehicle_id: str, vehicle_pk: int, fleet: int, fixes: Sequence[Fix]) -> list[Placed]:
        """On the event loop's thread, as for a socket; `stored` for all when that has no time for them within 2 s."""
        answer: Future[list[Placed]] = Future()

        def offer() -> None:
            if not answer.set_running_or_notify_cancel():
                return  # who asked has given up
            try:
                answer.set_result(self.offer(vehicle_id, vehicle_pk, fleet, fixes))
            except Exception as error:  # goes to who asked
                answer.set_exception(error)

        loop = self._loop
        try:
            if loop is None:
                raise TooLate
            loop.call_soon_threadsafe(offer)
            return answer.result(_DEADLINE_S)
        except (TooLate, RuntimeError):  # the loop is busy, or closed
            answer.cancel()
            return [Placed(Outcome.STORED, None)] * len(fixes)

    def offer(self, vehicle_id: str, vehicle_pk: int, fleet: int, fixes: Sequence[Fix]) -> list[Placed]:
        """As `place`, for who is on the event loop's thread already."""
        clock = self._engine.clock
        now, now_ms = clock.monotonic(), clock.now_ms()
        track = self._live.track_of(vehicle_id=vehicle_id, vehicle_pk=vehicle_pk, fleet=fleet)
        placed = []
        for fix in fixes:
            fix.received_at = now
            fix.is_queued = True
            stood = track.newest
            placed.append(Placed(fix_offer(self._live, track, fix, now_ms=now_ms), stood))
        if any(each.outcome is Outcome.LIVE for each in placed):
            self._engine.presence.reported(vehicle_id, fleet=fleet, slot=track.slot)
        self._engine.tally.received += len(fixes)
        return placed

    def keep(self, records: Sequence[PositionRecord]) -> bool:
        """With those of the sockets, until the queue is back."""
        loop, storage = self._loop, self._recorder.storage
        if loop is None or storage.is_full:
            return False

        def add() -> None:
            for record in records:
                storage.add(record)

        loop.call_soon_threadsafe(add)
        return True


_place: Place | None = None


def place_set(place: Place | None) -> None:
    """Have `place` take this process's fixes from now on; None takes it away again."""
    global _place
    _place = place


def place_get() -> Place | None:
    """Where this process's fixes become live, if anywhere."""
    return _place
