"""The engine of geofences in the running server: what moves goes in, what it finds is stored and told."""

import asyncio
from collections.abc import Sequence

import numpy as np
import structlog
from django.utils import timezone

from v2v.geofences import metrics
from v2v.geofences.engine import Change, GeofenceEngine
from v2v.geofences.index import FenceIndex, Fixes
from v2v.geofences.selectors import Known, Mark, fences_read, vehicle_types_of, vehicles_known
from v2v.geofences.store import Found, changes_store
from v2v.geofences.telling import CHANGED
from v2v.protocol.decode import Refusal
from v2v.realtime.batch import BatchWriter
from v2v.realtime.engine import Engine
from v2v.realtime.notices import Changed
from v2v.realtime.presence import Entry
from v2v.tracking.live import Fix, LiveState, Track

TURNS = 5
STEP_EVERY_S = 0.2  # a fifth of the vehicles each time: 50,000 of them take 7 ms, not 36 ms once a second
REFRESH_EVERY_S = 0.25
_LOOK_AGAIN_S = 30.0  # for changes of which no notice came
_RESTORED_AT_ONCE = 1_000
MAX_FOUND = 100_000

log = structlog.get_logger(__name__)


class GeofenceWatch:
    """Judges each vehicle that moves about once a second; all on the event loop, but for the database.

    A vehicle is judged once what is stored of it has been read, and forgotten when it goes offline: it may come back to
    another server. Before it is read again, what was found here is stored.
    """

    def __init__(self, engine: Engine, live: LiveState, storage: BatchWriter[Found]) -> None:
        self._engine = engine
        self._live = live
        self._storage = storage
        self._geofences = GeofenceEngine()
        self._turn = 0
        self._waiting: list[set[int]] = [set() for _ in range(TURNS)]  # slots with a new fix, by turn
        self._types: dict[int, str] = {}  # of the vehicles that are known
        self._strangers: set[int] = set()
        self._has_fences = False
        self._notice = asyncio.Event()
        self._mark: Mark | None = None
        self._looked_at = float("-inf")

    def changed(self, notice: Changed) -> None:
        """Look at the geofences again, soon, when they are what has changed."""
        if notice.what == CHANGED:
            self._notice.set()

    def moved(self, moved: Sequence[Track], kept: Sequence[tuple[Track, Fix]]) -> None:
        """These vehicles have a new fix. The last one of each turn counts: a crossing has to last anyway."""
        if self._has_fences:
            for track in moved:
                self._waiting[track.slot % TURNS].add(track.slot)

    def presence_changed(self, entry: Entry) -> None:
        """A vehicle that is gone is forgotten; what it had begun to cross begins anew when it is back."""
        if entry.status == "offline":
            self._forget((entry.slot,))

    def _forget(self, slots: Sequence[int]) -> None:
        self._geofences.forget(slots)
        for slot in slots:
            self._types.pop(slot, None)
            self._strangers.discard(slot)

    # ---- By the clock

    def step(self) -> None:
        """Judge a fifth of the vehicles, and whatever has come to its time."""
        if not self._has_fences:
            return
        self._turn = (self._turn + 1) % TURNS
        slots, self._waiting[self._turn] = self._waiting[self._turn], set()
        known = [slot for slot in slots if slot in self._types]
        if len(known) < len(slots):
            self._strangers |= slots - self._types.keys()
        with metrics.STEP.time():
            self._judge(known)

    def _judge(self, slots: list[int]) -> None:
        for change in self._geofences.step(self._fixes(slots), now_ms=self._engine.clock.now_ms()):
            self._found(change)
        metrics.JUDGED.inc(len(slots))

    def _fixes(self, slots: list[int]) -> Fixes:
        tracks = [self._live.tracks[slot] for slot in slots]
        fixes = [(track, track.fix) for track in tracks if track.fix is not None]
        if not fixes:
            return Fixes.none()
        numbers = self._geofences.index.type_numbers
        return Fixes(
            slots=np.array([track.slot for track, _ in fixes], np.int64),
            fleets=np.array([track.fleet for track, _ in fixes], np.int64),
            lat=np.array([fix.lat for _, fix in fixes]),
            lng=np.array([fix.lng for _, fix in fixes]),
            accuracy=np.array([fix.accuracy for _, fix in fixes], np.float64),  # None becomes NaN
            speed=np.array([fix.speed for _, fix in fixes], np.float64),
            types=np.array([numbers.get(self._types[track.slot], -1) for track, _ in fixes], np.int64),
        )

    def _found(self, change: Change) -> None:
        track = self._live.tracks[change.slot]
        if track.fix is not None:
            self._storage.add(Found(change, track.vehicle_pk, track.fix.lat, track.fix.lng))

    async def refresh(self) -> None:
        """Read the geofences when they have changed, and what is stored of the vehicles that have come."""
        try:
            await self._read_fences()
            if self._strangers and self._mark is not None:
                await self._restore()
        except Refusal:
            return  # the database is away: those who are known are judged meanwhile, and the next time tries again

    async def _read_fences(self) -> None:
        now = self._engine.clock.monotonic()
        is_due = now - self._looked_at >= _LOOK_AGAIN_S
        if not (self._notice.is_set() or is_due):
            return
        self._notice.clear()
        try:
            read = await self._engine.pool.run(_index_read, self._mark)
            if is_due and self._types:
                await self._read_types()
        except Refusal:
            self._notice.set()
            raise
        self._looked_at = now
        if read is not None:
            self._mark, index = read
            self._geofences.fences_set(index)
            self._has_fences = len(index) > 0
            self._look_at_all()

    async def _read_types(self) -> None:
        """A vehicle may have become another type of vehicle."""
        tracks = self._live.tracks
        by_pk = {tracks[slot].vehicle_pk: slot for slot in self._types}
        for pk, kind in (await self._engine.pool.run(vehicle_types_of, list(by_pk))).items():
            if by_pk[pk] in self._types:
                self._types[by_pk[pk]] = kind

    def _look_at_all(self) -> None:
        """The geofences are other ones: who stands still is judged, too."""
        for slot in self._live.columns().slots.tolist():
            if slot in self._types:
                self._waiting[slot % TURNS].add(slot)
            else:
                self._strangers.add(slot)

    async def _restore(self) -> None:
        slots = list(self._strangers)[:_RESTORED_AT_ONCE]
        tracks = self._live.tracks
        await self._storage.flush()
        if len(self._storage):
            return  # what was found of them is not stored yet
        known = await self._engine.pool.run(vehicles_known, {tracks[slot].vehicle_pk: slot for slot in slots})
        self._restored(known)

    def _restored(self, known: Known) -> None:
        # Who has gone offline meanwhile is no stranger any more, and what was read of it may soon be wrong.
        seen_at = {slot: at for slot, at in known.seen_at.items() if slot in self._strangers}
        self._geofences.restore(seen_at, [each for each in known.standings if each.slot in seen_at])
        for slot in seen_at:
            self._types[slot] = known.types.get(slot, "")
        self._strangers -= seen_at.keys()
        self._judge(list(seen_at))


def _index_read(known: Mark | None) -> tuple[Mark, FenceIndex] | None:
    """The mark and the index of the geofences, unless nothing has changed since `known`; on a thread."""
    read = fences_read(known)
    return None if read is None else (read[0], FenceIndex(read[1]))


def found_store(found: list[Found]) -> None:
    """What the batch writer calls."""
    changes_store(found, now=timezone.now())
