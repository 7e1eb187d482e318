"""Limits that several processes keep together, on a real Redis."""

import asyncio
import time

import pytest

from v2v.realtime.ratelimit import Limit
from v2v.realtime.redis import RedisAddress
from v2v.realtime.redis_limit import BlockingRedisLimiter, RedisLimiter

SLOW = Limit(rate=0.01, burst=5)
NOWHERE = "redis://127.0.0.1:9/0"


@pytest.fixture
def address(redis_url: str, redis_prefix: str) -> RedisAddress:
    return RedisAddress(redis_url, redis_prefix)


async def test_two_processes_share_one_limit(address: RedisAddress) -> None:
    one, other = RedisLimiter(address, time.monotonic), RedisLimiter(address, time.monotonic)
    waits = await asyncio.gather(*(limiter.take("message:a", SLOW) for limiter in (one, other) for _ in range(5)))
    assert sum(wait == 0 for wait in waits) == 5
    assert all(wait == 0 or 90 < wait <= 100 for wait in waits)
    assert await one.take("message:b", SLOW) == 0
    await one.close()
    await other.close()


async def test_a_refusal_by_the_others_costs_nothing_here(address: RedisAddress) -> None:
    one, other = RedisLimiter(address, time.monotonic), RedisLimiter(address, time.monotonic)
    quick = Limit(rate=20, burst=1)
    assert await other.take("k", quick) == 0
    wait_s = await one.take("k", quick)
    assert 0 < wait_s <= 0.05
    await asyncio.sleep(wait_s)
    assert await one.take("k", quick) == 0
    await one.close()
    await other.close()


async def test_without_redis_each_process_has_its_own_limit_and_nobody_waits(redis_prefix: str) -> None:
    limiter = RedisLimiter(RedisAddress(NOWHERE, redis_prefix), time.monotonic)
    waits = [await limiter.take("k", SLOW) for _ in range(6)]
    assert waits[:5] == [0] * 5
    assert waits[5] > 0
    await limiter.close()


def test_a_token_that_is_given_back_may_be_taken_again(address: RedisAddress) -> None:
    limiter = BlockingRedisLimiter(address)
    only = Limit(rate=0.01, burst=1)
    assert limiter.take("k", only) == 0
    assert limiter.take("k", only) > 90
    limiter.give_back("k", only)
    assert limiter.take("k", only) == 0
