"""Token buckets: how often somebody may do something."""

from collections.abc import Callable
from typing import NamedTuple, Protocol


class Limit(NamedTuple):
    """`rate` a second on average, `burst` at once."""

    rate: float
    burst: float


class Bucket:
    """One token bucket. Times are monotonic seconds."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, limit: Limit, now: float) -> None:
        self._rate, self._burst = limit
        self._tokens = self._burst
        self._at = now

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

    def give_back(self) -> None:
        """Undo a take."""
        self._tokens = min(self._burst, self._tokens + 1.0)

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

    def bucket(self, key: str, limit: Limit) -> Bucket:
        """The bucket itself, for who asks it now; it is not to be kept: the sweep forgets it once it is full."""
        found = self._buckets.get((key, limit))
        if found is None:
            found = self._buckets[key, limit] = Bucket(limit, self._clock())
        return found

    def __len__(self) -> int:
        return len(self._buckets)

    async def take(self, key: str, limit: Limit) -> float:
        """Take one token of the bucket `key`: 0, or the seconds to wait."""
        return self.bucket(key, limit).take(self._clock())

    def sweep(self) -> None:
        """Forget the buckets that are full again."""
        now = self._clock()
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now)}
