"""Clients of Redis on which every wait has an end.

Names begin with the deployment's prefix: channels know no database numbers.
"""

from dataclasses import dataclass

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is, and what every key and channel of this deployment begins with."""

    url: str
    prefix: str

    def name(self, *parts: object) -> str:
        """A key's or channel's full name."""
        return self.prefix + ":".join(str(part) for part in parts)

    def client(self, *, timeout_s: float = TIMEOUT_S) -> redis.Redis:
        """For threads. Any call raises redis.ConnectionError or TimeoutError within about `timeout_s`.

        A call that blocks in Redis needs a longer time here than there. Nothing is tried again: the caller decides.
        """
        return redis.Redis.from_url(
            self.url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
        )

    def async_client(self, *, timeout_s: float = TIMEOUT_S) -> redis.asyncio.Redis:
        """As above, for the event loop."""
        return redis.asyncio.Redis.from_url(
            self.url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            socket_keepalive=True,
            retry=AsyncRetry(NoBackoff(), 0),
        )
