"""Token buckets: how often somebody may do something."""

from collections.abc import Callable
from typing import NamedTuple, Protocol
from weakref import WeakValueDictionary


class Limit(NamedTuple):
    """`rate` a second on average, `burst` at once."""

    rate: float
    burst: float


class Bucket:
    """One token bucket. Times are monotonic seconds."""

    __slots__ = ("__weakref__", "_at", "_burst", "_rate", "_tokens")

    def __init__(self, limit: Limit, now: float) -> None:
        self._rate, self._burst = limit
        self._tokens = self._burst
        self._at = now

    def wait(self, now: float) -> float:
        """Seconds until there is a token; 0 when there is one. Takes none."""
        tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        return 0.0 if tokens >= 1.0 else (1.0 - tokens) / self._rate

    def take(self, now: float) -> float:
        """Take one token: 0 when there was one, else the seconds until there is one."""
        tokens = self._tokens + (now - self._at) * self._rate
        self._at = now
        if tokens > self._burst:
            tokens = self._burst
        if tokens >= 1.0:
            self._tokens = tokens - 1.0
            return 0.0
        self._tokens = tokens
        return (1.0 - tokens) / self._rate

    def is_full(self, now: float) -> bool:
        """Whether forgetting the bucket would change nothing."""
        return self._tokens + (now - self._at) * self._rate >= self._burst


class Limiter(Protocol):
    """What a backend offers."""

    async def take(self, key: str, limit: Limit) -> float:
        """Take one token of the bucket `key`: 0, or the seconds to wait."""


class MemoryLimiter:
    """Buckets of this process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, Limit], Bucket] = {}
        # A full one is kept by whoever holds it: the devices of one vehicle must share it however long they were quiet.
        self._full: WeakValueDictionary[tuple[str, Limit], Bucket] = WeakValueDictionary()

    def bucket(self, key: str, limit: Limit) -> Bucket:
        """The bucket itself, for a hot path that asks it many times."""
        found = self._buckets.get((key, limit))
        if found is None:
            found = self._full.pop((key, limit), None) or Bucket(limit, self._clock())
            self._buckets[key, limit] = found
        return found

    def __len__(self) -> int:
        return len(self._buckets)

    async def take(self, key: str, limit: Limit) -> float:
        """Take one token of the bucket `key`: 0, or the seconds to wait."""
        return self.bucket(key, limit).take(self._clock())

    def sweep(self) -> None:
        """Forget the buckets that are full again and that nobody holds."""
        now = self._clock()
        self._buckets.update({key: bucket for key, bucket in self._full.items() if not bucket.is_full(now)})
        for key in [key for key, bucket in self._buckets.items() if bucket.is_full(now)]:
            self._full[key] = self._buckets.pop(key)
