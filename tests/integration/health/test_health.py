"""The health addresses, with servers that are there, gone and stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.servers import postgres, redis
from tests.servers.run import Run, Server

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.django_db
def test_with_everything_there_all_is_well(settings: Any, redis_url: str) -> None:
    settings.REDIS_URL = redis_url
    settings.VERSION, settings.BUILD_TIMESTAMP = "1.2.3", "2026-11-25T12:00:00Z"
    body = Client().get("/health").json()
    assert (body["status"], body["vehicles"], body["radioEnabled"]) == ("ok", 0, False)
    assert (body["version"], body["buildTimestamp"]) == ("1.2.3", "2026-11-25T12:00:00Z")
    for part in ("database", "redis"):
        assert body[part]["status"] == "up"
        assert body[part]["latencyMs"] > 0


@pytest.mark.django_db
def test_without_a_redis_url_redis_is_off_and_all_is_well() -> None:
    body = Client().get("/health").json()
    assert (body["status"], body["redis"]["status"]) == ("ok", "off")


@pytest.mark.django_db
def test_without_redis_it_is_degraded_and_still_ready(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    response = Client().get("/health")
    assert response.status_code == 200
    assert (response.json()["status"], response.json()["redis"]["status"]) == ("degraded", "down")
    assert Client().get("/health/ready").status_code == 200


@pytest.fixture
def own_redis(run: Run) -> Iterator[Server]:
    server = redis.start(run)
    yield server
    os.kill(server.pid, signal.SIGCONT)
    os.kill(server.pid, signal.SIGTERM)


@pytest.mark.django_db
def test_a_redis_that_was_stopped_does_not_hold_the_answer_up(settings: Any, own_redis: Server) -> None:
    settings.REDIS_URL = own_redis.url
    os.kill(own_redis.pid, signal.SIGSTOP)
    start = time.monotonic()
    assert Client().get("/health").json()["redis"]["status"] == "down"
    assert time.monotonic() - start < 3
    os.kill(own_redis.pid, signal.SIGCONT)
    assert _becomes(lambda: Client().get("/health").json()["redis"]["status"], "up")


def test_it_is_alive_without_asking_for_anything() -> None:
    response = Client().get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]
    assert Client().post("/health/live").status_code == 405


@pytest.mark.django_db
def test_metrics_are_in_the_text_format_of_prometheus() -> None:
    response = Client().get("/metrics")
    assert response["Content-Type"].startswith("text/plain")
    assert b"# TYPE process_cpu_seconds_total counter" in response.content


_ANSWERS = """
import json, sys, django
django.setup()
from django.test import Client
for line in sys.stdin:
    response = Client().get(line.strip())
    print(json.dumps([response.status_code, response.json()]), flush=True)
"""


class AnotherProcess:
    """The site in a process of its own, with a database of its own."""

    def __init__(self, database_url: str, directory: Path) -> None:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.base",
            "DATABASE_URL": database_url,
            "SECRET_KEY": "only-for-tests-0123456789-0123456789-0123456789-0123456789",
            "ALLOWED_HOSTS": "testserver",
            "VAR_DIR": str(directory),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", _ANSWERS],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def get(self, address: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(address, file=self.process.stdin, flush=True)
        status, body = json.loads(self.process.stdout.readline())
        return status, body


def _with_children(pid: int) -> list[int]:
    parents = {int(stat.parent.name): int(stat.read_text().rsplit(")", 1)[1].split()[1]) for stat in _stats()}
    return [pid, *(child for child, parent in parents.items() if parent == pid)]


def _stats() -> Iterator[Path]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        if stat.exists():
            yield stat


def _becomes(ask: Any, wanted: str, within_s: float = 10) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if ask() == wanted:
            return True
        time.sleep(0.05)
    return False


def test_a_database_that_was_stopped_does_not_hold_the_answer_up_nor_the_process(run: Run, tmp_path: Path) -> None:
    server = postgres.start(run)
    site = AnotherProcess(server.url, tmp_path)
    try:
        status, body = site.get("/health/ready")
        assert (status, body["database"]["status"]) == (200, "up")
        stopped = _with_children(server.pid)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        start = time.monotonic()
        assert site.get("/health/ready")[0] == 503
        assert time.monotonic() - start < 3
        status, body = site.get("/health")
        assert (status, body["status"], body["database"]["status"]) == (200, "degraded", "down")
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        assert _becomes(lambda: site.get("/health")[1]["status"], "ok")
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        assert site.get("/health/ready")[0] == 503
        site.process.stdin.close()  # type: ignore[union-attr]
        assert site.process.wait(10) == 0
    finally:
        site.process.kill()
        site.process.wait()
        for pid in _with_children(server.pid):
            os.kill(pid, signal.SIGCONT)
        os.kill(server.pid, signal.SIGINT)
