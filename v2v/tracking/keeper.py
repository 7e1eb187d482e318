"""Which vehicles' last states have changed since they were stored."""

from collections.abc import Callable

from v2v.realtime.batch import BatchWriter
from v2v.realtime.engine import Engine
from v2v.realtime.presence import Entry
from v2v.tracking.live import Fix, LiveState, Track
from v2v.tracking.services import LastState

_Mark = tuple[str, int | None, float | None, float | None]  # status, time of the fix, battery, signal


class LastStateKeeper:
    """Hands the changed states to the writer, each vehicle once a step however often it moved.

    `begin` is run on the database once, before anything is stored. `keeps` says which vehicles are this process's.
    """

    def __init__(
        self,
        engine: Engine,
        live: LiveState,
        storage: BatchWriter[LastState],
        *,
        begin: Callable[[], None],
        keeps: Callable[[Entry], bool] = lambda entry: True,
    ) -> None:
        self._engine = engine
        self._live = live
        self._storage = storage
        self._begin = begin
        self._keeps = keeps
        self._stored: dict[int, _Mark] = {}  # by slot
        self._has_begun = False

    async def step(self) -> None:
        """Store what has changed. Raises Refusal `unavailable` while the database is away from the very beginning."""
        if not self._has_begun:
            await self._engine.pool.run(self._begin)
            self._has_begun = True
        for track in self._live.tracks:
            entry = self._engine.presence.entries.get(track.vehicle_id)
            if entry is None or not self._keeps(entry):
                continue
            fix = _fix_of(track)
            mark = (entry.status, fix.ts if fix else None, track.battery, track.signal)
            if self._stored.get(track.slot) != mark:
                self._stored[track.slot] = mark
                self._storage.add(_state(track, entry.status, entry.last_seen))
        await self._storage.flush()


def _fix_of(track: Track) -> Fix | None:
    """The live fix, if it came to this process: what came to another one is its to store."""
    return None if track.fix is None or track.fix.remote else track.fix


def _state(track: Track, status: str, last_seen: int) -> LastState:
    fix = _fix_of(track)
    return LastState(
        vehicle_pk=track.vehicle_pk,
        status=status,
        last_seen=last_seen,
        lat=fix.lat if fix else None,
        lng=fix.lng if fix else None,
        heading=fix.heading if fix else None,
        speed=fix.speed if fix else None,
        fix_at=fix.ts if fix else None,
        battery=track.battery,
        signal=track.signal,
    )
