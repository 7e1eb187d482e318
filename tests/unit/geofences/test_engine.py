"""Who is in which geofence, and what is told of it when."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.geofences.reference import PlainLoop
from v2v.geofences.engine import Change, GeofenceEngine, Standing
from v2v.geofences.index import Fence, FenceIndex, Fixes
from v2v.geofences.shapes import Area, Circle

LAT, LNG = 25.2, 55.27
DEGREE_M = 111_195.0
EAST_M = DEGREE_M * math.cos(math.radians(LAT))


def square(half_m: float, *, east_m: float = 0.0) -> Area:
    lng, x, y = LNG + east_m / EAST_M, half_m / EAST_M, half_m / DEGREE_M
    return Area(((lng - x, LAT - y), (lng + x, LAT - y), (lng + x, LAT + y), (lng - x, LAT + y), (lng - x, LAT - y)))


def fence(shape: Area | Circle | None = None, **more) -> Fence:
    values = {"pk": 7, "fleet": 1, "armed_at": 0, "hold_ms": 10_000, **more}
    return Fence(shape=shape or Circle(LNG, LAT, 100.0), **values)


def fixes(rows: list[tuple[int, float, float, float, float]], *, fleet: int = 1, kind: int = -1) -> Fixes:
    """Slot, latitude, longitude, accuracy, speed."""
    n = len(rows)
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    lat, lng, accuracy, speed = (np.array(column, np.float64) for column in columns[1:])
    slots = np.array(columns[0], np.int64)
    return Fixes(slots, np.full(n, fleet), lat, lng, accuracy, speed, np.full(n, kind))


class Drive:
    """One vehicle east of a geofence's middle, and what the engine says of it."""

    def __init__(self, *fences: Fence) -> None:
        self.engine = GeofenceEngine()
        self.engine.fences_set(FenceIndex(fences))
        self.told: list[Change] = []

    def at(self, second: float, east_m: float, *, accuracy=math.nan, speed=math.nan, slot=0, **more) -> list[Change]:
        return self.step(second, fixes([(slot, LAT, LNG + east_m / EAST_M, accuracy, speed)], **more))

    def step(self, second: float, moved: Fixes | None = None) -> list[Change]:
        changes = self.engine.step(moved or Fixes.none(), now_ms=round(second * 1000))
        self.told += changes
        return changes

    @property
    def kinds(self) -> list[str]:
        return [change.kind for change in self.told]


def test_a_vehicle_enters_once_it_has_been_inside_for_the_hold() -> None:
    drive = Drive(fence())
    drive.at(1, 500)
    drive.at(5, 50)
    assert drive.at(14, 40) == []
    assert drive.at(15, 30) == [Change("enter", 0, 7, 5_000, None, True)]
    assert drive.at(30, 30) == []


def test_a_vehicle_that_enters_and_falls_silent_has_entered() -> None:
    drive = Drive(fence())
    drive.at(1, 500)
    drive.at(5, 50)
    assert drive.step(15) == [Change("enter", 0, 7, 5_000, None, True)]


def test_a_vehicle_leaves_beyond_the_margin_only_and_says_how_long_it_stayed() -> None:
    drive = Drive(fence())
    drive.at(1, 500)
    drive.at(5, 50)
    drive.at(15, 50)
    drive.at(20, 118)
    assert drive.at(40, 119) == []
    drive.at(45, 121)
    assert drive.at(55, 121) == [Change("exit", 0, 7, 45_000, 40_000, True)]


def test_a_polygon_has_a_margin_too() -> None:
    drive = Drive(fence(square(100)))
    margin = 0.2 * math.sqrt(200 * 200 / math.pi)
    drive.at(1, 99)
    drive.at(5, 100 + margin - 1)
    assert drive.at(40, 100 + margin - 1) == []
    drive.at(45, 100 + margin + 1)
    assert [change.kind for change in drive.at(55, 200)] == ["exit"]


def test_who_comes_back_within_the_hold_has_not_left() -> None:
    drive = Drive(fence())
    drive.at(1, 0)
    drive.at(5, 500)
    drive.at(14, 0)
    drive.at(16, 500)
    drive.at(25, 500)
    assert drive.kinds == ["found"]
    drive.at(26, 500)
    assert drive.kinds == ["found", "exit"]


def test_a_vehicle_that_is_inside_when_it_is_first_seen_has_not_entered() -> None:
    drive = Drive(fence())
    assert [change.kind for change in drive.at(1, 0)] == ["found"]
    drive.at(30, 0)
    assert drive.kinds == ["found"]


def test_a_geofence_that_is_drawn_round_a_vehicle_was_not_entered() -> None:
    drive = Drive()
    drive.engine.fences_set(FenceIndex([fence(armed_at=0)]))
    drive.at(1, 0)
    drive.engine.fences_set(FenceIndex([fence(armed_at=0), fence(pk=8, armed_at=1_500)]))
    drive.at(2, 0)
    drive.at(30, 0)
    assert [(change.kind, change.fence) for change in drive.told] == [("found", 7), ("found", 8)]


def test_a_geofence_whose_shape_is_another_begins_anew_and_one_with_other_rules_goes_on() -> None:
    drive = Drive(fence())
    drive.at(1, 0)
    drive.engine.fences_set(FenceIndex([fence(hold_ms=5_000)]))
    assert drive.at(2, 0) == []
    drive.engine.fences_set(FenceIndex([fence(Circle(LNG, LAT, 1_000.0), armed_at=2_500)]))
    assert [change.kind for change in drive.at(3, 0)] == ["found"]


def test_coarse_fixes_say_nothing() -> None:
    drive = Drive(fence())
    drive.at(1, 0)
    for second in range(2, 40):
        drive.at(second, 5_000, accuracy=51)
    assert drive.kinds == ["found"]
    drive.at(41, 5_000, accuracy=50)
    drive.at(51, 5_000, accuracy=50)
    assert drive.kinds == ["found", "exit"]


def test_a_vehicle_that_was_only_seen_coarsely_is_found_inside_and_has_not_entered() -> None:
    drive = Drive(fence())
    drive.at(1, 0, accuracy=400)
    drive.at(2, 0, accuracy=400)
    drive.step(3)
    assert [change.kind for change in drive.at(4, 0, accuracy=5)] == ["found"]


def test_dwelling_is_told_once_a_stay() -> None:
    drive = Drive(fence(dwell_ms=60_000))
    drive.at(1, 500)
    drive.at(2, 0)
    drive.step(12)
    drive.step(61)
    assert drive.kinds == ["enter"]
    assert drive.step(62) == [Change("dwell", 0, 7, 62_000, 60_000, True)]
    assert drive.step(200) == []


def test_speed_is_told_when_it_lasts_and_again_only_after_it_was_calm() -> None:
    drive = Drive(fence(speed_limit=20.0))
    drive.at(1, 0, speed=25)
    drive.at(6, 0, speed=25)
    assert drive.step(12) == []  # nothing new was heard: it may have slowed down
    told = drive.at(13, 0, speed=24)
    assert told == [Change("speed", 0, 7, 1_000, 24.0, True)]
    drive.at(14, 0, speed=19)
    for second in range(15, 40):
        drive.at(second, 0, speed=21)
    assert drive.kinds == ["found", "speed"]
    drive.at(40, 0, speed=17)
    for second in range(41, 52):
        drive.at(second, 0, speed=21)
    assert drive.kinds == ["found", "speed", "calm", "speed"]


def test_fleets_do_not_meet() -> None:
    drive = Drive(fence(fleet=2))
    drive.at(1, 500)
    drive.at(2, 0)
    drive.at(20, 0)
    assert drive.told == []


def test_only_the_types_that_a_geofence_names_are_looked_at() -> None:
    drive = Drive(fence(types=frozenset({"van"})), fence(pk=8))
    van = drive.engine.index.type_numbers["van"]
    drive.at(1, 0, kind=-1, slot=0)
    drive.at(1, 0, kind=van, slot=1)
    assert {(change.slot, change.fence) for change in drive.told} == {(0, 8), (1, 7), (1, 8)}


@pytest.mark.parametrize("lng", [179.999, -179.999])
def test_a_circle_on_the_date_line_reaches_over_it(lng: float) -> None:
    engine = GeofenceEngine()
    engine.fences_set(FenceIndex([fence(Circle(lng, 10.0, 1_000.0))]))
    for other in (179.995, -179.995):
        engine.step(fixes([(int(other > 0), 10.0, other, math.nan, math.nan)]), now_ms=1_000)
    assert engine.inside() == {(0, 7), (1, 7)}


def test_what_was_stored_goes_on_after_a_restart() -> None:
    drive = Drive(fence(dwell_ms=60_000), fence(pk=8))
    drive.engine.restore({0: 90_000, 1: 90_000}, [Standing(0, 7, 50_000, True, False)])
    drive.at(100, 0, slot=0)
    assert drive.kinds == []  # it was in 7 before; and in 8 it may have come only now
    drive.at(111, 0, slot=0)
    assert [(change.kind, change.fence) for change in drive.told] == [("enter", 8)]


def test_a_vehicle_that_was_never_seen_before_the_restart_is_found() -> None:
    drive = Drive(fence())
    drive.engine.restore({0: None}, [])
    assert [change.kind for change in drive.at(100, 0)] == ["found"]


def test_a_forgotten_vehicle_is_found_again_and_the_others_stay() -> None:
    drive = Drive(fence())
    drive.at(1, 0, slot=0)
    drive.at(1, 0, slot=1)
    drive.engine.forget([0])
    assert drive.engine.inside() == {(1, 7)}
    assert [change.kind for change in drive.at(2, 0, slot=0)] == ["found"]


@settings(max_examples=60, deadline=None)
@given(
    jitter=st.lists(st.floats(60, 160), min_size=2, max_size=120),
    gaps=st.lists(st.sampled_from([0.2, 1.0, 3.0, 7.0]), min_size=120, max_size=120),
    hold=st.sampled_from([1_000, 10_000]),
)
def test_jitter_on_the_border_never_gives_two_events_within_the_hold(
    jitter: list[float], gaps: list[float], hold: int
) -> None:
    drive = Drive(fence(hold_ms=hold))
    second, told_at = 0.0, []
    for east_m, gap in zip(jitter, gaps, strict=False):
        second += gap
        told_at += [second for change in drive.at(second, east_m) if change.kind in ("enter", "exit")]
    assert all(later - earlier >= hold / 1000 - 1e-6 for earlier, later in pairwise(told_at))
    crossings = [change.kind for change in drive.told if change.kind in ("enter", "exit")]
    assert all(one != other for one, other in pairwise(crossings))


@pytest.mark.parametrize("seed", range(4))
def test_columns_say_what_the_plain_loop_says(seed: int) -> None:
    random = np.random.default_rng(seed)
    shapes: list[Circle | Area] = [
        *(Circle(LNG + random.uniform(-0.01, 0.01), LAT + random.uniform(-0.01, 0.01), r) for r in (80, 300, 900)),
        *(square(half, east_m=east) for half, east in ((60, -300), (200, 100), (500, 400))),
    ]
    fences = [
        fence(shape, pk=3 * number + 1, hold_ms=4_000, dwell_ms=20_000, speed_limit=12.0)
        for number, shape in enumerate(shapes)
    ]
    engine, plain = GeofenceEngine(), PlainLoop(fences)
    engine.fences_set(FenceIndex(fences))
    count = 30
    lat, lng = LAT + random.uniform(-0.01, 0.01, count), LNG + random.uniform(-0.01, 0.01, count)
    kinds: set[str] = set()
    for second in range(1, 90):
        lat += random.normal(0, 0.0008, count)
        lng += random.normal(0, 0.0008, count)
        moved = np.flatnonzero(random.random(count) < 0.7)
        accuracy = np.where(random.random(count) < 0.2, 120.0, 5.0)
        speed = np.where(random.random(count) < 0.1, math.nan, random.uniform(0, 20, count))
        rows = [(int(i), float(lat[i]), float(lng[i]), float(accuracy[i]), float(speed[i])) for i in moved]
        expected = plain.step(rows, second * 1_000)
        found = engine.step(fixes(rows), now_ms=second * 1_000)
        assert {change[:5] for change in found} == expected
        kinds |= {change.kind for change in found}
    assert kinds == {"found", "enter", "exit", "dwell", "speed", "calm"}
