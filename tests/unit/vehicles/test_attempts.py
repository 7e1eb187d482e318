"""Attempts to register from one address, side by side."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.unit.realtime.parts import Time
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.realtime.config import EngineConfig
from v2v.realtime.engine import Engine
from v2v.realtime.ratelimit import Limit
from v2v.vehicles.attempts import Attempts
from v2v.vehicles.identity import AuthRefusal

HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"
FIVE_FAILURES = Limit(rate=1 / 6, burst=5)

Look = Callable[[], Awaitable[None]]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def attempts(time: Time) -> Attempts:
    return attempts_of(time, deadline_s=30.0)


def attempts_of(time: Time, *, deadline_s: float) -> Attempts:
    config = EngineConfig(failed_auth=FIVE_FAILURES, command_deadline_s=deadline_s)
    return Attempts(Engine(config, release=lambda: None, clock=time.clock))


async def good() -> None:
    await asyncio.sleep(0)


async def bad() -> None:
    await asyncio.sleep(0)
    raise AuthRefusal("unknown_token")


async def outcome(attempts: Attempts, look: Look, network: str = HERE) -> str:
    try:
        async with attempts.one(network):
            await look()
    except Refusal as refusal:
        return refusal.code
    return "in"


async def outcomes(attempts: Attempts, *looks: Look) -> list[str]:
    return await asyncio.gather(*(outcome(attempts, look) for look in looks))


async def test_of_guesses_side_by_side_no_more_are_looked_at_than_the_limit_allows(attempts: Attempts) -> None:
    looked_at = 0

    async def guess() -> None:
        nonlocal looked_at
        looked_at += 1
        await bad()

    codes = await outcomes(attempts, *[guess] * 50)
    assert codes == [ErrorCode.AUTH_FAILED] * 5 + [ErrorCode.RATE_LIMITED] * 45
    assert looked_at == 5


async def test_good_ones_side_by_side_are_all_let_in(attempts: Attempts) -> None:
    assert await outcomes(attempts, *[good] * 200) == ["in"] * 200
    assert await outcomes(attempts, *[bad] * 5) == [ErrorCode.AUTH_FAILED] * 5  # they have cost nothing


async def test_good_ones_among_bad_ones_are_let_in_as_long_as_anything_is_left(attempts: Attempts) -> None:
    codes = await outcomes(attempts, *([bad] + [good] * 9) * 4)
    assert (codes.count("in"), codes.count(ErrorCode.AUTH_FAILED)) == (36, 4)


async def test_after_too_many_failures_an_address_has_to_wait_and_another_has_not(
    attempts: Attempts, time: Time
) -> None:
    await outcomes(attempts, *[bad] * 5)
    assert await outcome(attempts, good) == ErrorCode.RATE_LIMITED
    assert await outcome(attempts, good, ELSEWHERE) == "in"
    time.forward(6.0)
    assert await outcome(attempts, good) == "in"


async def test_what_fails_for_another_reason_costs_nothing(attempts: Attempts) -> None:
    async def away() -> None:
        raise Refusal(ErrorCode.UNAVAILABLE)

    assert await outcomes(attempts, *[away] * 20) == [ErrorCode.UNAVAILABLE] * 20
    assert await outcome(attempts, good) == "in"


async def test_whose_turn_does_not_come_in_time_is_told_and_the_next_one_is_not_held_up(time: Time) -> None:
    attempts = attempts_of(time, deadline_s=1.0)
    go_on = asyncio.Event()

    async def slow() -> None:
        await go_on.wait()

    slow_ones = [asyncio.create_task(outcome(attempts, slow)) for _ in range(5)]
    await asyncio.sleep(0)
    assert await outcome(attempts, good) == ErrorCode.UNAVAILABLE
    waiting = asyncio.create_task(outcome(attempts, good))
    await asyncio.sleep(0)
    go_on.set()
    assert await asyncio.gather(*slow_ones, waiting) == ["in"] * 6


async def test_nothing_is_kept_of_an_address_whose_attempts_are_over(attempts: Attempts) -> None:
    await outcomes(attempts, *[good, bad] * 20)
    assert not attempts._under_way
    assert not attempts._waiting
