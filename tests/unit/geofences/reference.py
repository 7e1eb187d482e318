"""The rules of geofences once more, in plain words: one vehicle, one geofence, one fix at a time."""

import math
from dataclasses import dataclass

import shapely

from v2v.geofences.index import Fence
from v2v.geofences.shapes import Circle, margin_of, radius_of
from v2v.proximity.geometry import distance_m


@dataclass
class Pair:
    """What the plain loop knows of a vehicle and a geofence."""

    inside: bool | None = None  # None: nobody knows
    since: int = -1
    turned: int = -1
    dwelt: bool = False
    fast: bool = False
    fast_since: int = -1


class PlainLoop:
    """`step` gives what `GeofenceEngine.step` gives, without an index and without columns."""

    def __init__(self, fences: list[Fence]) -> None:
        self.fences = fences
        self.pairs: dict[tuple[int, int], Pair] = {}

    def step(self, fixes: list[tuple[int, float, float, float, float]], now: int) -> set[tuple]:
        """`fixes`: slot, lat, lng, accuracy, speed."""
        changes: set[tuple] = set()
        seen = {fix[0]: fix for fix in fixes}
        for slot in {*seen, *(slot for slot, _ in self.pairs)}:
            for fence in self.fences:
                pair = self.pairs.setdefault((slot, fence.pk), Pair())
                self._judge(pair, fence, seen.get(slot), slot, now, changes)
        return changes

    def _judge(self, pair: Pair, fence: Fence, fix, slot: int, now: int, changes: set[tuple]) -> None:
        speed = math.nan
        if fix is not None and not fix[3] > radius_of(fence.shape) / 2:
            speed = fix[4]
            where = place_of(fence, fix[1], fix[2])
            if pair.inside is None:
                pair.inside = where == "inside"
                if pair.inside:
                    pair.since = now
                    changes.add(("found", slot, fence.pk, now, None))
            elif (where == "outside" and pair.inside) or (where == "inside" and not pair.inside):
                pair.turned = now if pair.turned < 0 else pair.turned
            else:
                pair.turned = -1
        if pair.turned >= 0 and now - pair.turned >= fence.hold_ms:
            kind = "exit" if pair.inside else "enter"
            stayed = pair.turned - pair.since if pair.inside else None
            changes.add((kind, slot, fence.pk, pair.turned, stayed))
            pair.inside, pair.since, pair.turned = not pair.inside, pair.turned, -1
            pair.dwelt = pair.fast = False
            pair.fast_since = -1
        if pair.inside:
            self._stay(pair, fence, speed, slot, now, changes)

    @staticmethod
    def _stay(pair: Pair, fence: Fence, speed: float, slot: int, now: int, changes: set[tuple]) -> None:
        if not pair.dwelt and fence.dwell_ms and now - pair.since >= fence.dwell_ms:
            pair.dwelt = True
            changes.add(("dwell", slot, fence.pk, now, now - pair.since))
        if speed > fence.speed_limit:
            pair.fast_since = now if pair.fast_since < 0 else pair.fast_since
            if not pair.fast and now - pair.fast_since >= fence.hold_ms:
                pair.fast = True
                changes.add(("speed", slot, fence.pk, pair.fast_since, speed))
        elif speed <= fence.speed_limit:
            pair.fast_since = -1
            if pair.fast and speed <= 0.9 * fence.speed_limit:
                pair.fast = False
                changes.add(("calm", slot, fence.pk, now, None))


def place_of(fence: Fence, lat: float, lng: float) -> str:
    """`inside`, `margin` or `outside`."""
    margin = margin_of(radius_of(fence.shape))
    if isinstance(fence.shape, Circle):
        away = distance_m(fence.shape.lat, fence.shape.lng, lat, lng)
        if away <= fence.shape.radius_m:
            return "inside"
        return "margin" if away <= fence.shape.radius_m + margin else "outside"
    point = shapely.Point(lng, lat)
    if fence.shape.polygon.intersects(point):
        return "inside"
    return "margin" if fence.shape.widened(margin).intersects(point) else "outside"
