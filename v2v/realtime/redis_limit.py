"""Limits that all processes keep together: token buckets in Redis, each taken from by one atomic script.

The process's own bucket is asked first: whoever is over it is over the common one, too, and costs Redis nothing. While
Redis is away the own ones hold alone, for each process by itself.
"""

import asyncio
import time
from collections.abc import Callable

import redis
import redis.asyncio
import structlog

from v2v.realtime.ratelimit import Limit, MemoryLimiter
from v2v.realtime.redis import RedisAddress

_TIMEOUT_S = 0.25
_AWAY_S = 2.0  # nobody waits for Redis again so soon after it did not answer
_AWAY = (redis.RedisError, OSError, TimeoutError)
log = structlog.get_logger(__name__)

# Redis's clock counts, so that those of the machines need not agree. ARGV: rate a second, burst, tokens to take (-1
# gives one back). The answer is the seconds to wait, as a text: Redis cuts numbers to integers.
_TAKE = """
local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(kept[1]) or burst, tonumber(kept[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate)
local wait = 0
if tokens >= wanted then
  tokens = math.min(burst, tokens - wanted)
else
  wait = (wanted - tokens) / rate
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - tokens) / rate * 1000) + 1000)
return string.format('%.6f', wait)
"""


class _Absence:
    """Remembers for a while that Redis did not answer."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = 0.0

    def __bool__(self) -> bool:
        return self._clock() < self._until

    def note(self, error: Exception) -> None:
        log.warning("limits hold for each process by itself", error=str(error) or type(error).__name__)
        self._until = self._clock() + _AWAY_S


class RedisLimiter(MemoryLimiter):
    """For the event loop: `take` asks Redis, `bucket` is this process's own."""

    def __init__(self, address: RedisAddress, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._address = address
        self._client = address.async_client(timeout_s=_TIMEOUT_S)
        self._script = self._client.register_script(_TAKE)
        self._absence = _Absence(clock)

    async def take(self, key: str, limit: Limit) -> float:
        """Take one token of the common bucket `key`: 0, or the seconds to wait."""
        bucket = self.bucket(key, limit)
        if (wait_s := bucket.take(self._clock())) or self._absence:
            return wait_s
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                wait_s = float(await self._script(keys=[self._address.name("limit", key)], args=[*limit, 1]))
        except _AWAY as error:
            self._absence.note(error)
            return 0.0
        if wait_s:
            bucket.give_back()
        return wait_s

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()


class BlockingRedisLimiter:
    """For threads that have asked a bucket of their own already."""

    def __init__(self, address: RedisAddress, clock: Callable[[], float] = time.monotonic) -> None:
        self._address = address
        self._script = address.client(timeout_s=_TIMEOUT_S).register_script(_TAKE)
        self._absence = _Absence(clock)

    def take(self, key: str, limit: Limit) -> float:
        """Take one token: 0, or the seconds to wait."""
        return self._run(key, limit, 1)

    def give_back(self, key: str, limit: Limit) -> None:
        """Undo a take."""
        self._run(key, limit, -1)

    def _run(self, key: str, limit: Limit, tokens: int) -> float:
        if self._absence:
            return 0.0
        try:
            return float(self._script(keys=[self._address.name("limit", key)], args=[*limit, tokens]))
        except _AWAY as error:
            self._absence.note(error)
            return 0.0
