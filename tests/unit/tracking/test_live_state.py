"""Where every vehicle is now: order, coalescing, what is never dropped."""

from typing import Any

import pytest

from tests.unit.world import NOW_MS
from v2v.tracking.live import Fix, LiveState, Outcome, Track


@pytest.fixture
def live() -> LiveState:
    return LiveState(coalesce_s=0.15)


def track_of(live: LiveState, vehicle_id: str = "truck-1", fleet: int = 1) -> Track:
    return live.track_of(vehicle_id=vehicle_id, vehicle_pk=7, fleet=fleet)


def offer(live: LiveState, track: Track, after_ms: int, **fix: Any) -> Outcome:
    values = {"lat": 1.0, "lng": 2.0, "ts": NOW_MS + after_ms, "received_at": 0.0, **fix}
    return live.offer(track, Fix(**values), now_ms=NOW_MS)


def test_the_newest_of_several_fixes_becomes_the_live_one_at_the_vehicles_turn(live: LiveState) -> None:
    track = track_of(live)
    outcomes = [offer(live, track, step, lat=float(step)) for step in range(4)]
    assert outcomes == [Outcome.LIVE] * 4
    assert track.fix is None  # not before its turn
    moved, kept = live.take(now=1.0)
    assert (moved, kept, live.coalesced) == ([track], [], 3)
    assert track.fix is not None
    assert track.fix.lat == 3.0


def test_late_duplicate_and_old_fixes_never_replace_a_newer_one(live: LiveState) -> None:
    track = track_of(live)
    offer(live, track, 0)
    assert offer(live, track, -1) is Outcome.LATE
    assert offer(live, track, 0) is Outcome.DUPLICATE
    live.take(now=1.0)
    assert offer(live, track, -1) is Outcome.LATE
    assert offer(live, track, 0) is Outcome.DUPLICATE
    assert offer(live, track_of(live, "truck-2"), -300_001) is Outcome.OLD
    assert offer(live, track_of(live, "truck-3"), -300_000) is Outcome.LIVE
    moved, _ = live.take(now=2.0)
    assert [track.vehicle_id for track in moved] == ["truck-3"]


def test_a_vehicle_has_its_turn_once_in_150_ms_at_the_most(live: LiveState) -> None:
    track = track_of(live)
    offer(live, track, 0)
    assert live.take(now=1.0)[0] == [track]
    offer(live, track, 1)
    assert live.take(now=1.14)[0] == []
    assert live.take(now=1.16)[0] == [track]
    assert live.take(now=1.40)[0] == []  # nothing new


def test_fixes_with_an_alarm_or_a_changed_ignition_are_kept_in_order_though_newer_ones_come(live: LiveState) -> None:
    track = track_of(live)
    offer(live, track, 0, ignition=True)  # a change: it was not known
    offer(live, track, 1, ignition=True)  # none
    offer(live, track, 2, alarm="crash")
    offer(live, track, 3)
    offer(live, track, 4, ignition=False)
    offer(live, track, 5)
    moved, kept = live.take(now=1.0)
    assert [fix.ts - NOW_MS for _, fix in kept] == [0, 2, 4]
    assert live.coalesced == 2
    assert moved[0].fix is not None
    assert moved[0].fix.ts == NOW_MS + 5
    assert live.take(now=2.0) == ([], [])  # handed out once


def test_more_than_1024_vehicles_fit_and_keep_their_places(live: LiveState) -> None:
    tracks = [track_of(live, f"truck-{number}", fleet=number % 3) for number in range(2_500)]
    for track in tracks:
        live.set_active(track, True)
        offer(live, track, 0, lat=track.slot / 100)
    live.take(now=1.0)
    columns = live.columns()
    assert columns.slots.tolist() == list(range(2_500))
    assert columns.fleets.tolist() == [number % 3 for number in range(2_500)]
    assert columns.lat.tolist() == [slot / 100 for slot in range(2_500)]
    assert columns.moved.all()
    live.take(now=2.0)
    assert not live.columns().moved.any()


def test_only_vehicles_that_are_online_and_have_a_position_are_in_the_columns(live: LiveState) -> None:
    silent, known, gone = (track_of(live, name) for name in ("silent", "known", "gone"))
    live.set_active(silent, True)
    for track in (known, gone):
        live.set_active(track, True)
        offer(live, track, 0)
    live.take(now=1.0)
    live.set_active(gone, False)
    assert live.columns().slots.tolist() == [known.slot]
    live.set_active(gone, True)
    assert live.columns().slots.tolist() == [known.slot, gone.slot]


def test_a_vehicle_that_changes_its_fleet_keeps_its_place_and_is_told_of_once(live: LiveState) -> None:
    told: list[tuple[int, int]] = []
    live.fleet_listeners.append(lambda track: told.append((track.slot, track.fleet)))
    track = track_of(live, fleet=1)
    live.set_active(track, True)
    offer(live, track, 0)
    live.take(now=1.0)
    assert track_of(live, fleet=1) is track
    assert told == []
    assert track_of(live, fleet=2) is track
    assert told == [(track.slot, 2)]
    assert live.columns().fleets.tolist() == [2]
    track_of(live, fleet=2)
    assert told == [(track.slot, 2)]


def test_telemetry_is_told_to_dispatchers_only_when_it_was_reported(live: LiveState) -> None:
    track = track_of(live)
    offer(live, track, 0)
    live.take(now=1.0)
    assert b"battery" not in track.tracked_part
    offer(live, track, 1, battery=40.0)
    live.take(now=2.0)
    assert b'"battery":40.0' in track.tracked_part
    assert b"signal" not in track.tracked_part
    assert b"battery" not in track.peer_part  # nobody's business but the dispatchers'
    assert (track.battery, track.signal) == (40.0, None)
