"""How many requests somebody may make: a device, a user, or an address from which nobody has said who he is.

REST framework's views import this module: so it imports none of them.
"""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from v2v.realtime.address import network_of
from v2v.realtime.ratelimit import Bucket, Limit, MemoryLimiter
from v2v.realtime.redis import RedisAddress
from v2v.realtime.redis_limit import BlockingRedisLimiter
from v2v.realtime.session import rate_limited

_SWEEP_EVERY_S = 60.0


class ThreadLimiter:
    """The limits for the threads that requests run on: of this process, and of all together where there is a Redis."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, common: BlockingRedisLimiter | None = None
    ) -> None:
        self._clock = clock
        self._common = common
        self._lock = Lock()
        self._limiter = MemoryLimiter(clock)
        self._swept_at = clock()

    def take(self, key: str, per_minute: int) -> None:
        """Take one of so many a minute, all of them at once if need be. Raises Refusal `rate_limited`."""
        with self._lock:
            now = self._clock()
            if now - self._swept_at > _SWEEP_EVERY_S:
                self._limiter.sweep()
                self._swept_at = now
            wait_s = self._bucket(key, per_minute).take(now)
        if not wait_s and self._common is not None and (wait_s := self._common.take(key, _limit(per_minute))):
            with self._lock:
                self._bucket(key, per_minute).give_back()
        if wait_s:
            raise rate_limited("api", wait_s)

    def give_back(self, key: str, per_minute: int) -> None:
        """Undo a take."""
        with self._lock:
            self._bucket(key, per_minute).give_back()
        if self._common is not None:
            self._common.give_back(key, _limit(per_minute))

    def _bucket(self, key: str, per_minute: int) -> Bucket:
        return self._limiter.bucket(key, _limit(per_minute))


def _limit(per_minute: int) -> Limit:
    return Limit(rate=per_minute / 60, burst=per_minute)


def _common() -> BlockingRedisLimiter | None:
    if not settings.REDIS_URL:
        return None
    return BlockingRedisLimiter(RedisAddress(settings.REDIS_URL, settings.REDIS_PREFIX))


limits = ThreadLimiter(common=_common())


class ActorThrottle(BaseThrottle):
    """Limits each device and each user; whoever is neither is limited by `v2v.api.middleware` already."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """True; raises Refusal `rate_limited`."""
        device_pk = getattr(request.auth, "device_pk", None)
        if device_pk is not None:
            limits.take(f"device:{device_pk}", settings.API_REQUESTS_PER_MINUTE)
        elif request.user.is_authenticated:
            limits.take(f"user:{request.user.pk}", settings.API_REQUESTS_PER_MINUTE)
        return True


def client_network(request: HttpRequest) -> str:
    """The network that a request comes from: what limits by address, and the lock of log-ins, go by."""
    return network_of(request.META.get("REMOTE_ADDR", ""))
