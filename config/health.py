"""Whether the server is alive, and whether what it needs is there.

`/health/live`, `/health/ready`, `/health` and `/metrics` ask for no credentials: keep them inside by the proxy.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from radio.selectors import radio_health
from v2v.vehicles.live import engine_get

DEADLINE_S = 1.0
_log = structlog.get_logger(__name__)


class Check:
    """One thing that the server needs, asked with a deadline and in one thread at a time.

    A database that was stopped holds its thread for as long as it is stopped. Until that thread comes back the answer
    is "down", at once, and no second thread is spent on it. Requests that come together share one question.
    """

    def __init__(self, name: str, probe: Callable[[], str], *, deadline_s: float = DEADLINE_S) -> None:
        self._name = name
        self._probe = probe
        self._deadline_s = deadline_s
        self._lock = Lock()
        self._asked: Future[tuple[str, float]] | None = None
        self._asked_at = 0.0

    def __call__(self) -> dict[str, Any]:
        """`status` is what the probe says, with `latencyMs`; `down` when it fails or is late."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked, self._asked_at = Future(), time.monotonic()
                # A daemon, which no executor has: a stuck one must not keep the process from ending.
                Thread(target=self._ask, args=(self._asked,), name=f"health-{self._name}", daemon=True).start()
            asked, deadline = self._asked, self._asked_at + self._deadline_s
        try:
            status, latency_ms = asked.result(max(0.0, deadline - time.monotonic()))
        except Exception as error:  # whatever it is, the answer is the same
            _log.warning("health check failed", check=self._name, error=str(error) or type(error).__name__)
            return {"status": "down", "latencyMs": None}
        return {"status": status, "latencyMs": latency_ms}

    def _ask(self, answer: Future[tuple[str, float]]) -> None:
        start = time.perf_counter()
        try:
            status = self._probe()
        except Exception as error:  # goes to who asked
            answer.set_exception(error)
        else:
            answer.set_result((status, round((time.perf_counter() - start) * 1000, 2)))


def _database_probe() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return "up"
    finally:
        connection.close()  # this thread's own: it goes back to the pool


def _radio_probe() -> str:
    try:
        return radio_health(now=timezone.now())
    finally:
        connection.close()


def _redis_probe() -> str:
    timeouts = {"socket_connect_timeout": DEADLINE_S, "socket_timeout": DEADLINE_S}
    with redis.Redis.from_url(settings.REDIS_URL, **timeouts) as client:
        client.ping()
    return "up"


def _radio_state() -> str:
    answer = _radio()
    return _radio_unknown() if answer["latencyMs"] is None else str(answer["status"])


def _radio_unknown() -> str:
    """The bridges' states are in the database: without it nothing is known of one of another process."""
    return "down" if settings.RADIO_PORT else "off"


_database = Check("database", _database_probe)
_redis = Check("redis", _redis_probe)
_radio = Check("radio", _radio_probe)
_OFF = {"status": "off", "latencyMs": None}


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers: no reason to start it anew."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """It can serve: 503 while the database is away. Without Redis it goes on, degraded."""
    database = _database()
    is_ready = database["status"] == "up"
    body = {"status": "ok" if is_ready else "down", "database": database}
    return JsonResponse(body, status=200 if is_ready else 503)


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Everything, always with 200: `status` is `ok`, or `degraded` while a part is away and live traffic goes on."""
    database = _database()
    redis_state = _redis() if settings.REDIS_URL else _OFF
    radio = _radio_state() if database["status"] == "up" else _radio_unknown()
    is_degraded = "down" in (database["status"], redis_state["status"], radio)
    engine = engine_get()
    return JsonResponse(
        {
            "status": "degraded" if is_degraded else "ok",
            "vehicles": engine.stats().vehicles if engine else 0,
            "radioEnabled": radio != "off",
            "radio": {"status": radio},
            "redis": redis_state,
            "database": database,
            "version": settings.VERSION,
            "buildTimestamp": settings.BUILD_TIMESTAMP,
        }
    )
