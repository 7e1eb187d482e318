"""Which vehicles are in which geofences: all at once, by an R-tree over the shapes. No Django."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from v2v.geofences.rules import Schedule
from v2v.geofences.shapes import Circle, Shape, margin_of, radius_of
from v2v.proximity.geometry import Floats, chord_of, unit_vectors

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

OUTSIDE, MARGIN, INSIDE = 0, 1, 2
NEVER_MS = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A geofence as the engine needs it; `pk` below 2**31, times in milliseconds.

    `armed_at`: since when its shape has been as it is (epoch). `hold_ms`: how long a crossing must last to count.
    `dwell_ms` 0: no rule; `speed_limit` infinite: no rule. `types`: the types of vehicle that it concerns, in lower
    case; none stands for all. `schedule` None: always awake.
    """

    pk: int
    fleet: int
    shape: Shape
    armed_at: int
    hold_ms: int
    dwell_ms: int = 0
    speed_limit: float = math.inf
    types: frozenset[str] = frozenset()
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True)
class Fixes:
    """Vehicles with a new fix, column by column; slots are unique. Degrees, meters, m/s; NaN where not reported.

    `types` are numbers of the index's `type_numbers`; -1 for a type that no geofence names.
    """

    slots: Ints
    fleets: Ints
    lat: Floats
    lng: Floats
    accuracy: Floats
    speed: Floats
    types: Ints

    @classmethod
    def none(cls) -> "Fixes":
        """Nobody."""
        ints, floats = np.empty(0, np.int64), np.empty(0)
        return cls(ints, ints, floats, floats, floats, floats, ints)


class FenceIndex:
    """The geofences by position in columns that ascend by `pks`, and the tree over their outer borders."""

    def __init__(self, fences: Sequence[Fence]) -> None:
        fences = sorted(fences, key=lambda fence: fence.pk)
        self.pks = np.array([fence.pk for fence in fences], np.int64)
        self.fleets = np.array([fence.fleet for fence in fences], np.int64)
        self.armed_at = np.array([fence.armed_at for fence in fences], np.int64)
        self.hold_ms = np.array([fence.hold_ms for fence in fences], np.int64)
        self.dwell_ms = np.array([fence.dwell_ms for fence in fences], np.int64)
        self.speed_limit = np.array([fence.speed_limit for fence in fences], np.float64)
        self._schedules = [fence.schedule for fence in fences]
        self._awake: tuple[int, Mask] = (NEVER_MS, np.ones(len(fences), np.bool_))
        names = sorted(frozenset[str]().union(*(fence.types for fence in fences)))
        self.type_numbers = {name: number for number, name in enumerate(names)}
        # One column more than there are types: -1, the type that none of them names.
        self._concerns = np.array(
            [[not fence.types or name in fence.types for name in [*names, None]] for fence in fences], np.bool_
        ).reshape(len(fences), len(names) + 1)
        self._add_shapes([fence.shape for fence in fences])

    def __len__(self) -> int:
        return len(self.pks)

    def _add_shapes(self, shapes: list[Shape]) -> None:
        radii = np.array([radius_of(shape) for shape in shapes], np.float64)
        # A fix whose accuracy is worse than half of the radius says nothing about which side it is on.
        self.accuracy_limit = radii / 2
        margins = [margin_of(radius) for radius in radii.tolist()]
        self._is_circle = np.array([isinstance(shape, Circle) for shape in shapes], np.bool_)
        circles = [shape if isinstance(shape, Circle) else Circle(0, 0, 1) for shape in shapes]
        self._centers = unit_vectors(np.array([each.lat for each in circles]), np.array([each.lng for each in circles]))
        self._enter_chord2 = np.array([chord_of(each.radius_m) ** 2 for each in circles])
        wide = [each.radius_m + margin for each, margin in zip(circles, margins, strict=True)]
        self._exit_chord2 = np.array([chord_of(radius) ** 2 for radius in wide])
        boxes, owners = [], []
        inner: list[Any] = [None] * len(shapes)
        outer: list[Any] = [None] * len(shapes)
        for position, (shape, margin) in enumerate(zip(shapes, margins, strict=True)):
            if isinstance(shape, Circle):
                found = _round_the_world(shape.box_of(wide[position]))
            else:
                inner[position], outer[position] = shape.polygon, shape.widened(margin)
                found = _round_the_world(outer[position].bounds)
            boxes += found
            owners += [position] * len(found)
        self._inner, self._outer = np.array(inner, object), np.array(outer, object)
        shapely.prepare(self._inner)
        shapely.prepare(self._outer)
        self._owners = np.array(owners, np.int64)
        self._tree = shapely.STRtree([shapely.box(*box) for box in boxes])

    def position_of(self, pks: Ints) -> tuple[Ints, Mask]:
        """Where these pks are in the columns, and whether they are there at all."""
        if not len(self):
            return np.zeros(len(pks), np.int64), np.zeros(len(pks), np.bool_)
        places = np.minimum(np.searchsorted(self.pks, pks), len(self) - 1)
        return places, self.pks[places] == pks

    def awake(self, now_ms: int) -> Mask:
        """Which geofences are awake; looked at once a minute."""
        minute = now_ms // 60_000
        if self._awake[0] != minute:
            at = datetime.fromtimestamp(now_ms / 1000, UTC)
            awake = [schedule is None or schedule.is_awake(at) for schedule in self._schedules]
            self._awake = (minute, np.array(awake, np.bool_))
        return self._awake[1]

    def candidates(self, fixes: Fixes) -> tuple[Ints, Ints, Ints]:
        """The pairs that may be near each other: row in `fixes`, position here, and OUTSIDE to INSIDE.

        A vehicle and a geofence that are not among them are apart, or do not concern each other.
        """
        rows, boxes = self._tree.query(shapely.points(fixes.lng, fixes.lat))
        places = self._owners[boxes]
        concerned = (self.fleets[places] == fixes.fleets[rows]) & self._concerns[places, fixes.types[rows]]
        rows, places = rows[concerned], places[concerned]
        return rows, places, self._levels(fixes, rows, places)

    def _levels(self, fixes: Fixes, rows: Ints, places: Ints) -> Ints:
        levels = np.zeros(len(rows), np.int64)
        round_ = self._is_circle[places]
        vectors = unit_vectors(fixes.lat[rows[round_]], fixes.lng[rows[round_]])
        apart = vectors - self._centers[places[round_]]
        chord2 = np.einsum("ij,ij->i", apart, apart)
        near = places[round_]
        levels[round_] = (chord2 <= self._enter_chord2[near]) + (chord2 <= self._exit_chord2[near]).astype(np.int64)
        flat = np.flatnonzero(~round_)
        lng, lat = fixes.lng[rows[flat]], fixes.lat[rows[flat]]
        inside = shapely.intersects_xy(self._inner[places[flat]], lng, lat)
        levels[flat[inside]] = INSIDE
        rest = flat[~inside]
        margin = shapely.intersects_xy(self._outer[places[rest]], lng[~inside], lat[~inside])
        levels[rest[margin]] = MARGIN
        return levels


def _round_the_world(box: tuple[float, float, float, float]) -> list[tuple[float, float, float, float]]:
    """The box, and its copies on the other side of the date line where it reaches over that."""
    west, south, east, north = box
    copies = [box]
    if west < -180:
        copies.append((west + 360, south, east + 360, north))
    if east > 180:
        copies.append((west - 360, south, east - 360, north))
    return copies
