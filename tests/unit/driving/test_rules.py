"""How a vehicle is driven, from its fixes."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2v.driving.rules import (
    ALARM_AGAIN_MS,
    CRASH_WITHIN_MS,
    MAX_BY_TIRES,
    Drive,
    EventType,
    Found,
    Limits,
    crash_by_silence,
    look,
)

METERS = 1 / 111_195  # in degrees of latitude
LIMITS = Limits()
START = 1_800_000_000_000


class Fix(NamedTuple):
    ts: int
    lat: float
    lng: float = 55.0
    speed: float | None = None
    heading: float | None = None
    accuracy: float | None = None
    ignition: bool | None = None
    alarm: str | None = None


def driven(speeds: Iterable[float | None], *, every_s: float = 1.0, **more: Any) -> list[Fix]:
    """The fixes of a vehicle that drives north at these speeds, each a mean of its second."""
    north, fixes = 0.0, []
    for number, speed in enumerate(speeds):
        north += (speed or 0.0) * every_s
        ts = START + round(number * every_s * 1000)
        fixes.append(Fix(ts, 25.0 + north * METERS, speed=speed, **more))
    return fixes


def found_in(fixes: Iterable[Fix], limits: Limits = LIMITS, drive: Drive | None = None) -> list[Found]:
    drive = drive or Drive()
    return [event for fix in fixes for event in look(drive, fix, limits)]


def types(found: Sequence[Found]) -> list[str]:
    return [event.type.value for event in found]


# ---- Braking and accelerating


def test_braking_fires_once_when_the_limit_is_crossed_and_again_after_it_was_kept() -> None:
    found = found_in(driven([20, 20, 15, 10, 9, 9, 9, 4]))
    assert types(found) == ["harsh_braking", "harsh_braking"]
    assert (found[0].value, found[0].limit, found[0].ts) == (5.0, 4.4, START + 2000)


@pytest.mark.parametrize(("rate", "expected"), [(4.39, []), (4.41, ["harsh_acceleration"])])
def test_accelerating_fires_at_its_limit(rate: float, expected: list[str]) -> None:
    assert types(found_in(driven([5, 5 + rate]))) == expected


def test_at_five_fixes_a_second_the_noise_of_the_speeds_is_not_taken_for_driving() -> None:
    """Between two fixes 0.2 s apart a noise of 0.5 m/s looks like 5 m/s2."""
    noisy = [20 + (0.5 if number % 2 else -0.5) for number in range(100)]
    assert found_in(driven(noisy, every_s=0.2)) == []


def test_braking_is_found_at_five_fixes_a_second() -> None:
    braking = [20.0] * 10 + [20 - 6 * 0.2 * number for number in range(12)]
    assert types(found_in(driven(braking, every_s=0.2))) == ["harsh_braking"]


def test_a_fix_of_poor_accuracy_and_one_without_speed_tell_nothing() -> None:
    fixes = driven([20, 20, 10, 20, 20])
    fixes[2] = fixes[2]._replace(accuracy=80.0)
    assert found_in(fixes) == []
    assert found_in(driven([20, 20, None, 20])) == []


def test_speeds_on_both_sides_of_a_long_gap_are_not_compared() -> None:
    fixes = driven([60, 0], every_s=10.5)
    assert found_in(fixes, Limits(speed=100)) == []


def test_what_no_tire_could_do_is_no_driving() -> None:
    assert found_in(driven([5, 5, 30, 5, 5]), Limits(speed=100)) == []


@given(st.lists(st.floats(0, 60), min_size=2, max_size=60), st.sampled_from([0.2, 0.5, 1.0, 2.0, 5.0]))
def test_an_event_of_speed_lies_between_its_limit_and_what_tires_can_do(speeds: list[float], every_s: float) -> None:
    for event in found_in(driven(speeds, every_s=every_s)):
        if event.type in (EventType.HARSH_BRAKING, EventType.HARSH_ACCELERATION):
            assert event.value is not None
            assert event.limit <= event.value <= MAX_BY_TIRES


@given(st.lists(st.floats(-4.3, 4.3), min_size=2, max_size=60), st.sampled_from([0.2, 1.0, 3.0]))
def test_whoever_keeps_the_limits_has_no_event(rates: list[float], every_s: float) -> None:
    speeds, speed = [], 15.0
    for rate in rates:
        speed = min(30.0, max(0.0, speed + rate * every_s))
        speeds.append(speed)
    assert found_in(driven(speeds, every_s=every_s)) == []


# ---- Cornering


def turning(speed: float, degrees_a_second: float, seconds: int = 4) -> list[Fix]:
    headings = [350 + degrees_a_second * number for number in range(seconds)]
    return [
        fix._replace(heading=heading % 360) for fix, heading in zip(driven([speed] * seconds), headings, strict=True)
    ]


def test_cornering_is_speed_times_turn_across_north() -> None:
    found = found_in(turning(15, 24))
    assert types(found) == ["harsh_cornering"]
    assert found[0].value == pytest.approx(15 * math.radians(24))


@pytest.mark.parametrize(("speed", "turn"), [(15, 20), (4, 90), (15, 60)], ids=["mild", "slow", "impossible"])
def test_other_turns_are_no_event(speed: float, turn: float) -> None:
    assert found_in(turning(speed, turn)) == []


# ---- Overspeed


def test_overspeed_is_told_once_it_has_held_and_with_its_beginning_and_peak() -> None:
    fast = [34, *([37] * 5), 39, *([37] * 8), *([36] * 3), *([37] * 20), *([34] * 3), *([37] * 12)]
    found = found_in(driven(fast))
    assert types(found) == ["overspeed", "overspeed"]
    assert (found[0].ts, found[0].value) == (START + 1000, 39)
    assert found[1].ts > START + 38_000


def test_a_short_burst_is_no_overspeed() -> None:
    assert found_in(driven([34, *([37] * 10), 34, *([37] * 10), 34])) == []


def test_fixes_far_apart_do_not_hold_a_speed() -> None:
    assert found_in(driven([37, 37, 37], every_s=20)) == []
    assert types(found_in(driven([37, 37, 37], every_s=8))) == ["overspeed"]


# ---- Idle


def test_standing_with_the_engine_on_is_idle_after_five_minutes_once() -> None:
    found = found_in(driven([10, *([0.0] * 40)], every_s=15, ignition=True))
    assert types(found) == ["idle"]
    assert found[0].ts == START + 15_000
    assert found[0].value == 300


def test_a_vehicle_that_does_not_report_its_ignition_is_never_idle() -> None:
    assert found_in(driven([0.0] * 100, every_s=15)) == []
    assert found_in(driven([0.0] * 100, every_s=15, ignition=False)) == []


# ---- Crash

CRASHED = [20.0] * 5 + [0.0] * 8


def test_a_severe_deceleration_to_a_stop_is_a_crash_when_the_vehicle_stays() -> None:
    found = found_in(driven(CRASHED))
    assert types(found) == ["crash"]
    assert (found[0].ts, found[0].value) == (START + 5000, 20.0)


def test_two_and_a_half_g_need_not_end_in_standing_at_once() -> None:
    found = found_in(driven([33.0] * 5 + [6.0, 4.0] + [0.0] * 8))
    assert [(event.type, event.limit) for event in found if event.type == "crash"] == [("crash", LIMITS.crash)]


@pytest.mark.parametrize(
    "speeds",
    [
        [20.0] * 5 + [0.0] + [20.0] * 8,
        [20.0] * 5 + [0.0] * 3 + [20.0] * 8,
        [0.0] * 5 + [40.0] + [0.0] * 8,
        [20.0] * 5 + [13.0, 6.0] + [0.0] * 10,
        [8.0] * 5 + [0.0] * 10,
    ],
    ids=["one wrong zero", "three wrong zeros", "one wrong speed while parked", "hard braking", "slow"],
)
def test_faults_of_a_receiver_and_hard_braking_are_no_crash(speeds: list[float]) -> None:
    assert "crash" not in types(found_in(driven(speeds)))


def test_a_speed_that_the_positions_do_not_show_is_not_believed() -> None:
    parked = [fix._replace(lat=25.0) for fix in driven(CRASHED)]
    assert "crash" not in types(found_in(parked))


def test_a_vehicle_that_says_it_stands_but_goes_on_has_not_crashed() -> None:
    moving = [fix._replace(lat=25.0 + 20 * number * METERS) for number, fix in enumerate(driven(CRASHED))]
    assert "crash" not in types(found_in(moving))


@given(st.lists(st.floats(-0.6, 0.6), min_size=30, max_size=200), st.floats(0, 35), st.sampled_from([0.2, 1.0, 5.0]))
def test_noise_of_the_speed_never_raises_a_crash(noise: list[float], speed: float, every_s: float) -> None:
    speeds = [max(0.0, speed + each) for each in noise]
    assert "crash" not in types(found_in(driven(speeds, every_s=every_s)))


@given(st.integers(0, 40), st.integers(1, 4), st.floats(9, 35))
def test_wrong_zeros_while_driving_never_raise_a_crash(begin: int, count: int, speed: float) -> None:
    fixes = driven([speed] * 60)
    fixes[begin : begin + count] = [fix._replace(speed=0.0) for fix in fixes[begin : begin + count]]
    assert "crash" not in types(found_in(fixes))


def test_what_falls_silent_after_a_severe_deceleration_is_a_crash_after_a_minute() -> None:
    drive = Drive()
    assert found_in(driven(CRASHED[:6]), drive=drive) == []
    last = START + 5_000
    assert crash_by_silence(drive, now_ms=last + CRASH_WITHIN_MS - 1) is None
    found = crash_by_silence(drive, now_ms=last + CRASH_WITHIN_MS)
    assert found is not None
    assert found.type is EventType.CRASH
    assert crash_by_silence(drive, now_ms=last + 2 * CRASH_WITHIN_MS) is None


def test_a_device_that_feels_a_crash_is_believed_at_once_and_once() -> None:
    fixes = driven([10.0] * 5)
    fixes[1:] = [fix._replace(alarm="crash") for fix in fixes[1:]]
    later = fixes[4]._replace(ts=fixes[4].ts + ALARM_AGAIN_MS)
    found = found_in([*fixes, later])
    assert [(event.type.value, event.ts) for event in found] == [("crash", fixes[1].ts), ("crash", later.ts)]
    assert found_in([fix._replace(alarm="hazard") for fix in fixes]) == []


# ---- Order


@given(st.lists(st.tuples(st.integers(0, 30_000), st.floats(0, 40), st.floats(0, 359)), max_size=50))
def test_fixes_in_any_order_do_no_harm(rows: list[tuple[int, float, float]]) -> None:
    drive = Drive()
    for ts, speed, heading in rows:
        look(drive, Fix(START + ts, 25.0, speed=speed, heading=heading), LIMITS)
        assert drive.ts == 0 or START <= drive.ts <= START + 30_000
