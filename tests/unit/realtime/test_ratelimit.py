"""Token buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.realtime.parts import Time
from v2v.realtime.ratelimit import Bucket, Limit, MemoryLimiter

FIVE = Limit(rate=5.0, burst=10)


def test_a_burst_passes_and_the_next_one_is_told_how_long_to_wait() -> None:
    bucket = Bucket(FIVE, 0.0)
    assert [bucket.take(0.0) for _ in range(10)] == [0.0] * 10
    assert bucket.take(0.0) == pytest.approx(0.2)
    assert bucket.take(0.2) == 0.0


def test_a_client_at_exactly_the_rate_is_never_refused() -> None:
    bucket = Bucket(FIVE, 0.0)
    assert all(bucket.take(step * 0.2) == 0.0 for step in range(1_000))


def test_what_is_given_back_can_be_taken_again_and_never_more_than_the_burst() -> None:
    bucket = Bucket(Limit(rate=1.0, burst=2), 0.0)
    assert [bucket.take(0.0) for _ in range(2)] == [0.0, 0.0]
    bucket.give_back()
    assert bucket.take(0.0) == 0.0
    assert bucket.take(0.0) > 0
    for _ in range(5):
        bucket.give_back()
    assert [bucket.take(0.0) == 0.0 for _ in range(3)] == [True, True, False]


def test_a_refused_message_costs_no_token() -> None:
    bucket = Bucket(Limit(rate=1.0, burst=1), 0.0)
    bucket.take(0.0)
    for step in range(100):
        bucket.take(step * 0.009)
    assert bucket.take(1.0) == 0.0


LIMITS = st.builds(Limit, rate=st.floats(0.1, 50.0), burst=st.floats(1.0, 50.0))


@given(LIMITS, st.lists(st.floats(0.0, 5.0), max_size=200))
def test_never_more_pass_than_the_burst_and_the_rate_allow(limit: Limit, gaps: list[float]) -> None:
    bucket, now, passed = Bucket(limit, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        passed += bucket.take(now) == 0.0
        assert passed <= limit.burst + now * limit.rate + 1e-6


@given(LIMITS, st.lists(st.floats(0.0, 1.0), max_size=100))
def test_who_waits_as_long_as_told_is_let_through(limit: Limit, gaps: list[float]) -> None:
    bucket, now = Bucket(limit, 0.0), 0.0
    for gap in gaps:
        now += gap
        if wait := bucket.take(now):
            now += wait + 1e-9
            assert bucket.take(now) == 0.0


def test_full_buckets_are_forgotten_and_others_are_not() -> None:
    time = Time()
    limiter = MemoryLimiter(time)
    limiter.bucket("quiet", FIVE).take(time())
    for _ in range(10):
        limiter.bucket("busy", FIVE).take(time())
    time.forward(1.0)
    limiter.sweep()
    assert len(limiter) == 1
    assert [limiter.bucket("busy", FIVE).take(time()) == 0.0 for _ in range(6)] == [True] * 5 + [False]


async def test_limits_of_different_keys_and_rates_are_apart() -> None:
    limiter = MemoryLimiter(Time())
    one = Limit(rate=1.0, burst=1)
    assert await limiter.take("a", one) == 0.0
    assert await limiter.take("a", one) > 0.0
    assert await limiter.take("b", one) == 0.0
    assert await limiter.take("a", FIVE) == 0.0
