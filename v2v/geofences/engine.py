"""Who entered, left, stays or speeds: every vehicle that moved against every geofence, in columns. No Django.

A vehicle enters at the border and leaves beyond the margin round it (see `shapes.margin_of`); between the two
everything stays as it is. A crossing counts once it has lasted for the geofence's hold, by the clock: a vehicle that
enters and falls silent has entered. So two events of the same vehicle and geofence are never closer than the hold.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from v2v.geofences.index import INSIDE, NEVER_MS, OUTSIDE, FenceIndex, Fixes, Ints, Mask
from v2v.proximity.geometry import Floats

_LOW = (1 << 32) - 1

_UNSEEN = -1
_CALM_FACTOR = 0.9  # of the speed limit: below it the next time over it is another one
_FIRST_CAPACITY = 1024
_COLUMNS = ("inside", "since", "turned", "dwelt", "fast", "fast_since", "unsure")


class Change(NamedTuple):
    """What became of a vehicle and a geofence, `at` epoch milliseconds.

    `kind` is `enter`, `exit`, `dwell`, `speed`, or what only the stored state is about: `found` (it was inside when it
    was first seen) and `calm` (it no longer speeds). `value`: milliseconds stayed, or meters per second. `is_told`:
    the geofence is awake.
    """

    kind: str
    slot: int
    fence: int
    at: int
    value: float | None
    is_told: bool


class Standing(NamedTuple):
    """What is stored of a vehicle that is inside of a geofence."""

    slot: int
    fence: int
    since: int
    dwelt: bool
    fast: bool


@dataclass(slots=True)
class _Table:
    """The pairs of which there is anything to know, ascending by `keys`; all others are outside.

    `turned`: since when it looks as if the vehicle had crossed. `fast_since`: since when it is over the limit.
    `unsure`: it was only seen by fixes that were too coarse.
    """

    keys: Ints
    inside: Mask
    since: Ints
    turned: Ints
    dwelt: Mask
    fast: Mask
    fast_since: Ints
    unsure: Mask

    @classmethod
    def blank(cls, keys: Ints) -> "_Table":
        n = len(keys)
        no, never = np.zeros(n, np.bool_), np.full(n, NEVER_MS, np.int64)
        return cls(keys, no, never, never.copy(), no.copy(), no.copy(), never.copy(), no.copy())

    def where(self, mask: Mask) -> "_Table":
        if mask.all():
            return self
        return _Table(self.keys[mask], *(getattr(self, name)[mask] for name in _COLUMNS))

    def spread(self, keys: Ints) -> tuple["_Table", Mask]:
        """The table over these keys, among which are all of its own; and which are its own."""
        wide = _Table.blank(keys)
        places = np.searchsorted(keys, self.keys)
        for name in _COLUMNS:
            getattr(wide, name)[places] = getattr(self, name)
        is_old = np.zeros(len(keys), np.bool_)
        is_old[places] = True
        return wide, is_old


class GeofenceEngine:
    """Remembers who is where. One thread at a time may call it."""

    def __init__(self) -> None:
        self.index = FenceIndex([])
        self._table = _Table.blank(np.empty(0, np.int64))
        self._seen_at = np.full(_FIRST_CAPACITY, NEVER_MS, np.int64)  # by slot: when it was last judged

    def fences_set(self, index: FenceIndex) -> None:
        """Go by these geofences from now on. What is known of one whose shape has changed, or that is gone, is not."""
        places, there = index.position_of(self._table.keys & _LOW)
        before, was_there = self.index.position_of(self._table.keys & _LOW)
        if len(self._table.keys):
            same = there & was_there
            same[same] = index.armed_at[places[same]] == self.index.armed_at[before[same]]
            self._table = self._table.where(same)
        self.index = index

    def restore(self, seen_at: dict[int, int | None], standings: Sequence[Standing]) -> None:
        """Take up where the stored state ends: by slot, when the vehicle was last seen (None: never), and where."""
        self.forget(seen_at)
        for slot, at in seen_at.items():
            self._room_for(slot)
            self._seen_at[slot] = NEVER_MS if at is None else at
        rows = sorted({(each.slot << 32) | each.fence: each for each in standings}.items())
        if not rows:
            return
        new = _Table.blank(np.array([key for key, _ in rows], np.int64))
        new.inside[:] = True
        new.since[:] = [each.since for _, each in rows]
        new.dwelt[:] = [each.dwelt for _, each in rows]
        new.fast[:] = [each.fast for _, each in rows]
        _, there = self.index.position_of(new.keys & _LOW)
        new = new.where(there)
        keys = np.union1d(self._table.keys, new.keys)
        wide, _ = self._table.spread(keys)
        places = np.searchsorted(keys, new.keys)
        for name in _COLUMNS:
            getattr(wide, name)[places] = getattr(new, name)
        self._table = wide

    def forget(self, slots: Collection[int]) -> None:
        """Know nothing of these vehicles any more, until they are restored."""
        if slots and len(self._table.keys):
            gone = np.fromiter(slots, np.int64, len(slots))
            self._table = self._table.where(~np.isin(self._table.keys >> 32, gone))
        for slot in slots:
            if slot < len(self._seen_at):
                self._seen_at[slot] = NEVER_MS

    def inside(self) -> set[tuple[int, int]]:
        """The slots and geofences of which is known that the one is in the other."""
        keys = self._table.keys[self._table.inside]
        return set(zip((keys >> 32).tolist(), (keys & _LOW).tolist(), strict=True))

    def step(self, fixes: Fixes, *, now_ms: int) -> list[Change]:
        """Judge the vehicles with new fixes, and what has come to its time for all; `now_ms` never goes back."""
        if not len(self.index):
            return []
        if len(fixes.slots):
            self._room_for(int(fixes.slots.max()))
        looked = self._look(fixes, now_ms) if len(fixes.slots) else self._by_the_clock(now_ms)
        found = self._judge(looked, now_ms)
        changes = self._due(looked, now_ms)
        changes += _told(looked, "found", found, looked.table.since)
        table = looked.table
        self._table = table.where(table.inside | (table.turned >= 0) | table.unsure)
        self._seen_at[fixes.slots] = now_ms
        return changes

    def _look(self, fixes: Fixes, now_ms: int) -> "_Looked":
        """All pairs of which something is known or to be known now, and what the fixes say of them."""
        rows, places, levels = self.index.candidates(fixes)
        pairs = (fixes.slots[rows] << 32) | self.index.pks[places]
        keys = np.union1d(self._table.keys, pairs)
        table, is_old = self._table.spread(keys)
        slots = keys >> 32
        position, _ = self.index.position_of(keys & _LOW)
        by_slot = np.argsort(fixes.slots)
        row = by_slot[np.minimum(np.searchsorted(fixes.slots, slots, sorter=by_slot), len(by_slot) - 1)]
        has_fix = fixes.slots[row] == slots
        # NaN, which is not reported, is never more than anything.
        fine = has_fix & ~(fixes.accuracy[row] > self.index.accuracy_limit[position])
        level = np.full(len(keys), OUTSIDE)  # whatever is no candidate
        level[np.searchsorted(keys, pairs)] = levels
        level[~fine] = _UNSEEN
        speed = np.where(fine, fixes.speed[row], np.nan)
        was_known = self._seen_at[slots] > self.index.armed_at[position]
        unknown = np.where(is_old, table.unsure, ~was_known)
        return _Looked(table, position, level, speed, unknown, self.index.awake(now_ms)[position])

    def _by_the_clock(self, now_ms: int) -> "_Looked":
        """All pairs of which something is known, when nobody has moved."""
        table, n = self._table, len(self._table.keys)
        position, _ = self.index.position_of(table.keys & _LOW)
        awake = self.index.awake(now_ms)[position]
        return _Looked(table, position, np.full(n, _UNSEEN), np.full(n, np.nan), table.unsure.copy(), awake)

    def _judge(self, looked: "_Looked", now_ms: int) -> Mask:
        """Note which pairs look as if they had crossed; which were found inside, to begin with."""
        table, level, unknown = looked.table, looked.level, looked.unknown
        found: Mask = unknown & (level == INSIDE)
        seen = level != _UNSEEN
        table.unsure = unknown & ~seen
        contrary = np.where(table.inside, level == OUTSIDE, level == INSIDE) & ~unknown
        turned = np.where(table.turned < 0, now_ms, table.turned)
        table.turned = np.where(seen, np.where(contrary, turned, NEVER_MS), table.turned)
        table.inside |= found
        table.since[found] = now_ms
        return found

    def _due(self, looked: "_Looked", now_ms: int) -> list[Change]:
        """What has lasted for long enough."""
        table, index, place = looked.table, self.index, looked.position
        hold = index.hold_ms[place]
        due = (table.turned >= 0) & (now_ms - table.turned >= hold)
        entered, exited = due & ~table.inside, due & table.inside
        changes = _told(looked, "exit", exited, table.turned, values=table.turned - table.since)
        changes += _told(looked, "enter", entered, table.turned)
        table.since[entered] = table.turned[entered]
        table.inside ^= due
        table.turned[due] = table.fast_since[due] = NEVER_MS
        table.dwelt[due] = table.fast[due] = False
        stayed = now_ms - table.since
        dwelt = table.inside & ~table.dwelt & (index.dwell_ms[place] > 0) & (stayed >= index.dwell_ms[place])
        dwelt &= looked.awake
        table.dwelt |= dwelt
        at = np.full(len(stayed), now_ms, np.int64)
        return changes + _told(looked, "dwell", dwelt, at, values=stayed) + self._speeding(looked, now_ms)

    def _speeding(self, looked: "_Looked", now_ms: int) -> list[Change]:
        table, limit = looked.table, self.index.speed_limit[looked.position]
        over = table.inside & (looked.speed > limit)
        under = looked.speed <= limit
        calm = table.fast & (looked.speed <= limit * _CALM_FACTOR)
        table.fast_since = np.where(over & (table.fast_since < 0), now_ms, table.fast_since)
        table.fast_since[under & ~over] = NEVER_MS
        # Only a fix that is over the limit itself tells that it goes on: silence does not.
        held = now_ms - table.fast_since >= self.index.hold_ms[looked.position]
        told = over & ~table.fast & held & looked.awake
        changes = _told(looked, "speed", told, table.fast_since, values=looked.speed)
        changes += _told(looked, "calm", calm, np.full(len(calm), now_ms, np.int64))
        table.fast = (table.fast | told) & ~calm
        return changes

    def _room_for(self, slot: int) -> None:
        while slot >= len(self._seen_at):
            self._seen_at = np.concatenate((self._seen_at, np.full_like(self._seen_at, NEVER_MS)))


@dataclass(slots=True)
class _Looked:
    """The pairs of one step: their table, their geofences' positions, and what the fixes say."""

    table: _Table
    position: Ints
    level: Ints
    speed: Floats
    unknown: Mask
    awake: Mask


def _told(looked: _Looked, kind: str, mask: Mask, at: Ints, *, values: Ints | Floats | None = None) -> list[Change]:
    """The changes of the pairs that the mask picks."""
    picked = np.flatnonzero(mask)
    if not picked.size:
        return []
    keys = looked.table.keys[picked]
    measured = [None] * len(picked) if values is None else values[picked].tolist()
    at_ms, awake = at[picked].tolist(), looked.awake[picked].tolist()
    columns = ((keys >> 32).tolist(), (keys & _LOW).tolist(), at_ms, measured, awake)
    return [Change(kind, *row) for row in zip(*columns, strict=True)]
