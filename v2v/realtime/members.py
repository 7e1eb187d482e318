"""Which server processes live: each renews a lease in Redis, and who does not is gone."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import redis
import structlog

from v2v.realtime.notices import Left, Pulse
from v2v.realtime.redis_relay import RedisRelay

LEASE_MS = 4_000
_MISSED = 3  # looks in a row: after a stop of Redis all leases have run out, and each is renewed within a second
_TIMEOUT_S = 1.0
log = structlog.get_logger(__name__)

# Redis's own clock decides, so that those of the machines need not agree. What the process holds has the same lease;
# the answer says whether it was still there.
_RENEW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local is_kept = redis.call('PEXPIRE', KEYS[2], ARGV[2])
if is_kept == 0 then
  redis.call('HSET', KEYS[2], '', '')
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
return {is_kept, redis.call('ZRANGE', KEYS[1], 0, -1)}
"""


class Members:
    """The other processes. `step` once a second; all listeners are called on the event loop."""

    def __init__(self, relay: RedisRelay) -> None:
        self.relay = relay
        self.process = relay.process
        self.others: frozenset[str] = frozenset()
        self.pulses: dict[str, Pulse] = {}
        self.came_listeners: list[Callable[[str], None]] = []
        self.gone_listeners: list[Callable[[str], None]] = []
        self.emptied_listeners: list[Callable[[], None]] = []  # Redis has nothing of what we hold: store it again
        self.client = relay.address.async_client(timeout_s=_TIMEOUT_S)
        self._renew = self.client.register_script(_RENEW)
        self._missed: Counter[str] = Counter()
        relay.on(Left, lambda notice: self._gone(notice.process))
        relay.on(Pulse, self._pulse)

    def held_key(self, process: str) -> str:
        """The hash of what a process holds."""
        return self.relay.address.name("held", process)

    @property
    def is_first(self) -> bool:
        """Whether what one process is enough for falls to this one."""
        return all(self.process < other for other in self.others)

    async def step(self) -> None:
        """Renew our lease, and see who else has one. While Redis is away nobody counts as gone."""
        keys = [self.relay.address.name("processes"), self.held_key(self.process)]
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                is_kept, found = await self._renew(keys=keys, args=[self.process, LEASE_MS])
        except (redis.RedisError, OSError, TimeoutError):
            return  # the relay says that Redis is away
        self._look_at({name.decode() for name in found} - {self.process})
        if not is_kept:
            for listener in self.emptied_listeners:
                listener()

    def _look_at(self, living: set[str]) -> None:
        for process in living:
            self._came(process)
        self._missed = Counter({process: self._missed[process] + 1 for process in self.others - living})
        for process in [process for process, times in self._missed.items() if times >= _MISSED]:
            self._gone(process)

    def _pulse(self, notice: Pulse) -> None:
        """The first word of each process: what else it tells is forgotten again once it is gone."""
        self._came(notice.process)
        self.pulses[notice.process] = notice

    def _came(self, process: str) -> None:
        if process in self.others:
            return
        log.info("another process is there", process=process)
        self.others |= {process}
        for listener in self.came_listeners:
            listener(process)

    def _gone(self, process: str) -> None:
        if process not in self.others:
            return
        log.warning("another process is gone", process=process)
        self.others -= {process}
        self.pulses.pop(process, None)
        del self._missed[process]
        for listener in self.gone_listeners:
            listener(process)

    async def close(self) -> None:
        """Give the lease back."""
        with suppress(redis.RedisError, OSError, TimeoutError):
            async with asyncio.timeout(_TIMEOUT_S):
                await self.client.zrem(self.relay.address.name("processes"), self.process)
                await self.client.delete(self.held_key(self.process))
        await self.client.aclose()
