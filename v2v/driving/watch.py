"""The rules on the live positions: each tick, on the event loop, so that it takes next to no time."""

import asyncio
from collections.abc import Callable, Sequence

from v2v.driving.models import Action
from v2v.driving.rules import Drive, Found, crash_by_silence, look
from v2v.driving.selectors import RuleBook
from v2v.driving.services import Event
from v2v.realtime.batch import BatchWriter
from v2v.realtime.engine import Engine
from v2v.tracking.live import Fix, LiveState, Track


class DrivingWatch:
    """Follows how each vehicle is driven; what it finds is stored by `events`, what deserves an alert goes to `alerts`.

    `load` reads the rules of all fleets from the database. Nothing is looked at before they were read once.
    """

    def __init__(
        self,
        engine: Engine,
        live: LiveState,
        events: BatchWriter[Event],
        alerts: BatchWriter[Event],
        *,
        load: Callable[[], RuleBook],
    ) -> None:
        self._engine = engine
        self._events = events
        self._alerts = alerts
        self._load = load
        self._book: RuleBook | None = None
        self._drives: list[Drive] = []  # by slot
        self._suspected: dict[int, Track] = {}
        self._raising: asyncio.Task[None] | None = None
        live.fleet_listeners.append(self.fleet_changed)

    def start(self) -> None:
        """Read the rules for the first time."""
        self._raising = asyncio.get_running_loop().create_task(self.rules_read())

    async def rules_read(self) -> None:
        """Read the rules again. Raises Refusal `unavailable` while the database is away: the old ones stay."""
        self._book = await self._engine.pool.run(self._load)

    def moved(self, moved: Sequence[Track], kept: Sequence[tuple[Track, Fix]]) -> None:
        """A `MovedListener`. Most fixes come before the next look is due, and cost a comparison."""
        book = self._book
        if book is None:
            return
        for track, fix in kept:
            self._look(book, track, fix)
        drives, count = self._drives, len(self._drives)
        for track in moved:
            fix_now, slot = track.fix, track.slot
            if fix_now is None or (slot < count and fix_now.ts < drives[slot].due and not fix_now.kept):
                continue
            self._look(book, track, fix_now)

    def _look(self, book: RuleBook, track: Track, fix: Fix) -> None:
        slot = track.slot
        while slot >= len(self._drives):
            self._drives.append(Drive())
        drive = self._drives[slot]
        for found in look(drive, fix, book.limits(track.fleet, track.vehicle_pk)):
            self._tell(book, track, found)
        if drive.suspicion is not None:
            self._suspected[slot] = track

    def _tell(self, book: RuleBook, track: Track, found: Found) -> None:
        action = book.action_on(found.type, track.fleet)
        if action == Action.OFF:
            return
        event = Event(track.fleet, track.vehicle_pk, track.vehicle_id, found)
        self._events.add(event)
        if action == Action.ALERT:
            self._alerts.add(event)
            self._raising = asyncio.get_running_loop().create_task(self._alerts.flush())  # not with the next second

    def silence_check(self) -> None:
        """Whether a vehicle that may have crashed has fallen silent."""
        book, now_ms = self._book, self._engine.clock.now_ms()
        for slot, track in list(self._suspected.items()):
            drive = self._drives[slot]
            found = crash_by_silence(drive, now_ms=now_ms)
            if found is not None and book is not None:
                self._tell(book, track, found)
            if drive.suspicion is None:
                del self._suspected[slot]

    def fleet_changed(self, track: Track) -> None:
        """What was seen in the old fleet is nothing of the new one's."""
        if track.slot < len(self._drives):
            self._drives[track.slot] = Drive()
            self._suspected.pop(track.slot, None)
