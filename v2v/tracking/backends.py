"""Which queue the settings ask for."""

from functools import cache

from django.conf import settings

from v2v.tracking.queue import MemoryQueue, PositionQueue
from v2v.tracking.redis_queue import RedisQueue


@cache
def queue_get() -> PositionQueue:
    """This process's queue: a Redis Stream with REDIS_URL, else memory."""
    limit = settings.POSITIONS_QUEUE_LIMIT
    if settings.REDIS_URL:
        claim_after_s = settings.POSITIONS_CLAIM_MS / 1000
        return RedisQueue(settings.REDIS_URL, limit=limit, claim_after_s=claim_after_s, prefix=settings.REDIS_PREFIX)
    return MemoryQueue(limit=limit)
