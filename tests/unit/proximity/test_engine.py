"""The engine's rules one by one: reach, hysteresis, hold, what is forgotten."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.unit.proximity.oracle import Place, pairs_of, positions_of, told_by
from v2v.proximity.engine import MAX_SLOT, Positions, ProximityEngine, Tick

METRE_DEG = 360 / (2 * math.pi * 6_371_008.8)


def at_m(distance_m: float | None) -> dict[int, Place]:
    """Vehicle 1 at a corner, and vehicle 2 so many metres to the north, or nowhere."""
    world = {1: Place(48.0, 11.0)}
    if distance_m is not None:
        world[2] = Place(48.0 + distance_m * METRE_DEG, 11.0)
    return world


def step(engine: ProximityEngine, world: dict[int, Place], now: float) -> Tick:
    return engine.tick(positions_of(world), now=now)


def crossing(tick: Tick) -> str:
    """What became of the one pair of a world of two."""
    entered, exited = pairs_of(tick.entered), pairs_of(tick.exited)
    assert (entered, exited) in [([], []), ([(1, 2)], []), ([], [(1, 2)])]
    return "enter" if entered else "exit" if exited else ""


TIMELINES = {
    "enters at the radius, once": [(0, 501, ""), (1, 499, "enter"), (2, 300, ""), (3, 499, "")],
    "stays near up to the exit radius": [(0, 400, "enter"), (20, 599, ""), (40, 501, ""), (60, 599, "")],
    "exits beyond the exit radius": [(0, 400, "enter"), (20, 601, "exit"), (21, 700, "")],
    "exits only when the hold is over": [(0, 400, "enter"), (9.5, 700, ""), (10, 700, "exit")],
    "does not exit when back before the hold is over": [(0, 400, "enter"), (5, 700, ""), (10, 590, "")],
    "exits without any new fix once the hold is over": [(0, 400, "enter"), (1, 700, ""), (11, 700, "exit")],
    "enters again only when the hold since the exit is over": [
        (0, 400, "enter"),
        (10, 700, "exit"),
        (11, 400, ""),
        (19.5, 400, ""),
        (20, 400, "enter"),
    ],
    "a jump to the other side of the exit radius is one exit": [(0, 0, "enter"), (15, 1e6, "exit")],
    "a vehicle that vanished exits when the hold is over": [
        (0, 400, "enter"),
        (5, None, ""),
        (10, None, "exit"),
    ],
    "a vehicle that came back in time never left": [(0, 400, "enter"), (5, None, ""), (11, 550, "")],
}


@pytest.mark.parametrize("timeline", TIMELINES.values(), ids=TIMELINES.keys())
def test_timeline(timeline: list[tuple[float, float | None, str]]) -> None:
    engine = ProximityEngine(radius_m=500, exit_factor=1.2, hold_s=10)
    seen = [crossing(step(engine, at_m(distance), now)) for now, distance, _ in timeline]
    assert seen == [expected for *_, expected in timeline]


def test_without_a_hold_every_crossing_counts() -> None:
    engine = ProximityEngine(hold_s=0)
    assert [crossing(step(engine, at_m(d), 5)) for d in (400, 700, 400, 700)] == ["enter", "exit"] * 2


def test_deliveries_are_never_held() -> None:
    engine = ProximityEngine()
    ticks = [step(engine, at_m(d), now) for now, d in enumerate([400, 700, 499, 501, 499])]
    near = {1: [2], 2: [1]}
    assert [told_by(tick.deliveries) for tick in ticks] == [near, {}, near, {}, near]


def test_only_who_moved_is_told_and_the_one_who_stands_hears_it() -> None:
    world = {1: Place(48, 11, moved=False), 2: Place(48, 11), 5: Place(48, 11, moved=False)}
    assert told_by(step(ProximityEngine(), world, 0).deliveries) == {1: [2], 5: [2]}


def test_crossings_carry_their_distance() -> None:
    engine = ProximityEngine()
    assert step(engine, at_m(123.456), 0).entered.distance_m == pytest.approx([123.456], abs=1e-5)
    assert step(engine, at_m(4567.8), 10).exited.distance_m == pytest.approx([4567.8], abs=1e-5)


def test_a_pair_that_lost_a_vehicle_exits_without_a_distance() -> None:
    engine = ProximityEngine()
    step(engine, at_m(10), 0)
    assert np.isnan(step(engine, {}, 10).exited.distance_m).tolist() == [True]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param((52, 179.999), (52, -179.999), id="date line"),
        pytest.param((10, 180), (10, -180), id="one meridian by two names"),
        pytest.param((90, 0), (90, 120), id="north pole by two longitudes"),
        pytest.param((89.999, 20), (89.999, -160), id="across the north pole"),
        pytest.param((-89.999, 90), (-89.999, -90), id="across the south pole"),
        pytest.param((48, 11), (48, 11), id="one place"),
    ],
)
def test_near_in_awkward_places(a: tuple[float, float], b: tuple[float, float]) -> None:
    tick = step(ProximityEngine(), {1: Place(*a), 2: Place(*b)}, 0)
    assert crossing(tick) == "enter"
    assert told_by(tick.deliveries) == {1: [2], 2: [1]}


def test_fleets_at_one_place_do_not_see_each_other() -> None:
    world = {slot: Place(48, 11, fleet) for slot, fleet in enumerate([7, -3, 7, 10**12, -3])}
    tick = step(ProximityEngine(), world, 0)
    assert told_by(tick.deliveries) == {0: [2], 1: [4], 2: [0], 4: [1]}
    assert pairs_of(tick.entered) == [(0, 2), (1, 4)]


def test_a_vehicle_that_changed_its_fleet_parts_like_one_that_vanished() -> None:
    engine = ProximityEngine()
    step(engine, at_m(10), 0)
    exited = step(engine, {1: Place(48, 11), 2: Place(48, 11, fleet=1)}, 10).exited
    assert pairs_of(exited) == [(1, 2)]
    assert np.isnan(exited.distance_m).all()


@pytest.mark.parametrize("world", [{}, {4: Place(1, 2)}], ids=["nobody", "one"])
def test_a_world_without_pairs_tells_nothing(world: dict[int, Place]) -> None:
    engine = ProximityEngine()
    tick = step(engine, world, 0)
    assert (tick.deliveries.receivers.size, tick.deliveries.senders.size) == (0, 0)
    assert tick.deliveries.starts.tolist() == [0]
    assert (tick.entered.first.size, tick.exited.first.size) == (0, 0)
    assert engine.peers_of(4).tolist() == []


def test_many_at_one_place_all_hear_each_other() -> None:
    world = {slot: Place(48, 11) for slot in range(60)}
    told = told_by(step(ProximityEngine(), world, 0).deliveries)
    assert told == {slot: [other for other in range(60) if other != slot] for slot in range(60)}


def row_of(vehicles: int, spacing_m: float) -> dict[int, Place]:
    return {slot: Place(48 + slot * spacing_m * METRE_DEG, 11) for slot in range(vehicles)}


def test_in_a_crowd_the_radius_shrinks_until_the_pairs_fit() -> None:
    tick = step(ProximityEngine(max_pairs=200), row_of(60, spacing_m=10), 0)
    assert tick.radius_m == 500 / 16
    told = told_by(tick.deliveries)
    assert told[30] == [27, 28, 29, 31, 32, 33]
    assert sum(map(len, told.values())) == 2 * tick.entered.first.size == 2 * (57 + 58 + 59)


def test_a_crowd_at_one_place_hears_nothing_and_parts_nobody() -> None:
    engine = ProximityEngine(max_pairs=200)
    assert step(engine, row_of(20, spacing_m=0), 0).entered.first.size == 190
    crowded = step(engine, row_of(60, spacing_m=0), 20)
    assert crowded.radius_m == 0
    assert crowded.deliveries.receivers.size == 0
    assert (crowded.entered.first.size, crowded.exited.first.size) == (0, 0)
    assert engine.peers_of(0).tolist() == list(range(1, 20))


def test_no_more_pairs_are_near_at_once_than_the_limit() -> None:
    engine = ProximityEngine(max_pairs=200, hold_s=10)
    first = {slot: Place(48, 11) for slot in range(20)}
    second = {slot: Place(49, 11) for slot in range(20, 40)}
    entered = [step(engine, world, now).entered.first.size for world, now in [(first, 0), (second, 1)]]
    assert entered == [190, 10]
    later = step(engine, second, 10)
    assert (later.exited.first.size, later.entered.first.size) == (190, 180)


@pytest.mark.parametrize(("max_pairs", "radius_m", "pairs"), [(4500, 500, 2999), (2000, 250, 0)])
def test_a_sample_tells_whether_the_pairs_of_many_fit(max_pairs: int, radius_m: float, pairs: int) -> None:
    tick = step(ProximityEngine(max_pairs=max_pairs), row_of(3000, spacing_m=400), 0)
    assert tick.radius_m == radius_m
    assert tick.entered.first.size == pairs


def test_peers_are_those_of_the_near_state() -> None:
    engine = ProximityEngine()
    world = {slot: Place(48, 11) for slot in (3, 5, 9)}
    step(engine, world, 0)
    step(engine, world | {5: Place(49, 11)}, 1)
    assert [engine.peers_of(slot).tolist() for slot in (3, 4, 5, 9)] == [[5, 9], [], [3, 9], [3, 5]]


def test_a_forgotten_slot_parts_silently_and_its_next_vehicle_starts_anew() -> None:
    engine = ProximityEngine()
    step(engine, at_m(10), 0)
    engine.forget(2)
    assert [engine.peers_of(slot).tolist() for slot in (1, 2)] == [[], []]
    assert crossing(step(engine, at_m(20), 0.2)) == "enter"
    engine.forget(2)
    assert crossing(step(engine, at_m(None), 30)) == ""


def test_a_forgotten_slot_is_not_held_apart() -> None:
    engine = ProximityEngine()
    assert [crossing(step(engine, at_m(d), now)) for now, d in [(0, 10), (10, 700)]] == ["enter", "exit"]
    engine.forget(1)
    assert crossing(step(engine, at_m(10), 11)) == "enter"


def test_what_is_forgotten_while_ticks_run_in_another_thread_stays_forgotten() -> None:
    engine = ProximityEngine(hold_s=1000)
    world = {slot: Place(48, 11) for slot in range(80)}
    step(engine, world, 0)
    remaining = positions_of({slot: world[slot] for slot in range(40, 80)})

    with ThreadPoolExecutor(max_workers=1) as pool:
        ticks = pool.map(lambda k: engine.tick(remaining, now=k), range(1, 200))
        for slot in range(40):
            engine.forget(slot)
            assert engine.peers_of(slot).size == 0
            assert engine.peers_of(79).tolist() == list(range(slot + 1, 79))
        assert [tick.exited.first.size for tick in ticks] == [0] * 199
    assert [engine.peers_of(slot).size for slot in range(80)] == [0] * 40 + [39] * 40


def test_the_greatest_slots_pair_up() -> None:
    engine = ProximityEngine()
    tick = step(engine, {0: Place(0, 0), MAX_SLOT - 1: Place(0, 0), MAX_SLOT: Place(0, 0)}, 0)
    assert pairs_of(tick.entered) == [(0, MAX_SLOT - 1), (0, MAX_SLOT), (MAX_SLOT - 1, MAX_SLOT)]
    assert engine.peers_of(MAX_SLOT).tolist() == [0, MAX_SLOT - 1]


def test_a_coordinate_that_is_no_number_is_refused_and_changes_nothing() -> None:
    engine = ProximityEngine()
    step(engine, at_m(10), 0)
    with pytest.raises(ValueError, match="finite"):
        step(engine, {1: Place(math.nan, 0), 2: Place(0, 0)}, 60)
    assert engine.peers_of(1).tolist() == [2]
    assert crossing(step(engine, at_m(10), 61)) == ""


@pytest.mark.parametrize("slots", [[2, 1], [1, 1], [-1, 1], [1, MAX_SLOT + 1], [1], [[1, 2]]])
def test_columns_that_do_not_fit_are_refused(slots: list[int]) -> None:
    two = np.zeros(2)
    with pytest.raises(ValueError, match=r"slots|columns"):
        Positions(np.array(slots), np.zeros(2, np.int64), two, two, np.ones(2, np.bool_))


def test_a_limit_of_no_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match="max_pairs"):
        ProximityEngine(max_pairs=0)


@pytest.mark.parametrize(
    ("radius_m", "exit_factor", "hold_s"),
    [
        (0, 1.2, 10),
        (-1, 1.2, 10),
        (9e6, 1.2, 10),
        (math.nan, 1.2, 10),
        (500, 0.9, 10),
        (500, math.nan, 10),
        (500, 1.2, -1),
        (500, 1.2, math.nan),
    ],
)
def test_limits_that_make_no_sense_are_refused(radius_m: float, exit_factor: float, hold_s: float) -> None:
    with pytest.raises(ValueError, match=r"radius_m|hold_s"):
        ProximityEngine(radius_m=radius_m, exit_factor=exit_factor, hold_s=hold_s)


def test_a_crowd_enters_and_exits_in_parts_until_all_have() -> None:
    engine = ProximityEngine(hold_s=0, max_crossings=4)
    world = {slot: Place(48, 11) for slot in range(5)}  # 10 pairs
    entered = [pairs_of(step(engine, world, now).entered) for now in range(4)]
    assert [len(pairs) for pairs in entered] == [4, 4, 2, 0]
    assert len({pair for pairs in entered for pair in pairs}) == 10
    exited = [pairs_of(step(engine, {}, now).exited) for now in range(4, 8)]
    assert [len(pairs) for pairs in exited] == [4, 4, 2, 0]
    assert {pair for pairs in exited for pair in pairs} == {pair for pairs in entered for pair in pairs}
