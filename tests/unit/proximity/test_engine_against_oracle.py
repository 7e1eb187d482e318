"""The engine and the plain all-pairs rules agree in random worlds."""

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.proximity.oracle import Oracle, Place, distances_of, pairs_of, positions_of, told_by
from v2v.proximity.engine import ProximityEngine

# An ordinary town, the date line, both poles, the equator's date line, near a pole on the date line.
CENTERS = [(48.1, 11.6), (52.0, 180.0), (90.0, 0.0), (-90.0, 45.0), (0.0, -180.0), (89.997, 179.9)]
METRE_DEG = 360 / (2 * math.pi * 6_371_008.8)


def place_near(center: tuple[float, float], north_m: float, east_m: float, fleet: int, moved: bool) -> Place:
    """A place by metres from a center; over a pole the way goes on down the other side."""
    lat, lng = center[0] + north_m * METRE_DEG, center[1]
    if abs(lat) > 90:
        lat, lng = math.copysign(180, lat) - lat, lng + 180
    # Near a pole, metres to the east become a full turn: any longitude will do there.
    lng += east_m * METRE_DEG / max(math.cos(math.radians(lat)), 1e-6)
    return Place(lat, (lng + 180) % 360 - 180, fleet, moved)


places = st.builds(
    place_near,
    st.sampled_from(CENTERS),
    st.integers(-7, 7).map(lambda k: k * 100.5),
    st.integers(-7, 7).map(lambda k: k * 100.5),
    st.integers(3, 5),
    st.booleans(),
)
SLOTS = range(12)
slots = st.sampled_from(SLOTS)
Step = tuple[int, list[int], dict[int, Place]]
steps = st.tuples(st.integers(0, 12), st.lists(slots, max_size=2), st.dictionaries(slots, places, max_size=10))


def is_clear(world: dict[int, Place]) -> bool:
    """No pair is so close to a limit that two formulas may round to either side of it."""
    return all(abs(d - limit) > 1e-3 for d in distances_of(world).values() for limit in (500.0, 600.0))


def check_step(engine: ProximityEngine, oracle: Oracle, world: dict[int, Place], now: float) -> None:
    """One tick of both, which must tell the same."""
    tick = engine.tick(positions_of(world), now=now)
    told, entered, exited = oracle.tick(world, now)
    assert told_by(tick.deliveries) == told
    assert tick.deliveries.receivers.tolist() == sorted(told)
    assert pairs_of(tick.entered) == sorted(entered)
    assert pairs_of(tick.exited) == sorted(exited)
    distances = distances_of(world)
    for crossings in (tick.entered, tick.exited):
        expected = [distances.get(pair, math.nan) for pair in pairs_of(crossings)]
        assert crossings.distance_m.tolist() == pytest.approx(expected, abs=1e-3, nan_ok=True)


def check_peers(engine: ProximityEngine, oracle: Oracle, among: Iterable[int]) -> None:
    """Both know the same near pairs."""
    for slot in among:
        assert engine.peers_of(slot).tolist() == oracle.peers_of(slot)


@given(st.lists(steps, min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_engine_tells_what_the_plain_loop_tells(history: list[Step]) -> None:
    engine = ProximityEngine(radius_m=500.0, exit_factor=1.2, hold_s=10.0)
    oracle = Oracle(radius_m=500.0, exit_radius_m=600.0, hold_s=10.0)
    now = 1000.0
    for wait, forgotten, world in history:
        assume(is_clear(world))
        now += wait
        for slot in forgotten:
            engine.forget(slot)
            oracle.forget(slot)
        check_peers(engine, oracle, SLOTS)
        check_step(engine, oracle, world, now)
        check_peers(engine, oracle, SLOTS)


def test_a_town_of_vehicles_in_motion_is_told_as_by_the_plain_loop() -> None:
    """More than the leaves of the tree hold, so that the pairs come in its order and not in ours."""
    rng = np.random.default_rng(20)
    spots = {slot: (float(north), float(east)) for slot, (north, east) in enumerate(rng.uniform(-1500, 1500, (200, 2)))}
    engine = ProximityEngine(hold_s=2.0)
    oracle = Oracle(radius_m=500.0, exit_radius_m=600.0, hold_s=2.0)
    for now in range(6):
        spots = {slot: (north + rng.normal(0, 60), east + rng.normal(0, 60)) for slot, (north, east) in spots.items()}
        world = {
            slot: place_near((52.0, 180.0), north, east, fleet=slot % 3, moved=bool(rng.random() < 0.7))
            for slot, (north, east) in spots.items()
            if rng.random() < 0.95
        }
        assert is_clear(world)
        check_step(engine, oracle, world, now)
    check_peers(engine, oracle, spots)
