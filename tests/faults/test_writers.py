"""Writers that die, a database that restarts, a queue that is full: what was in the queue is stored, and once.

Puts go straight into Redis, as a server's do, and are noted; the database must hold the same in the end.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psycopg
import pytest

from tests.faults.conftest import LONG, RecordFigure
from tests.integration.tracking.records import record
from tests.servers import postgres, redis
from tests.servers.run import Run, Server
from tests.servers.v2v import ROOT
from v2v.tracking.queue import QueueFull
from v2v.tracking.records import PositionRecord, chunks_of
from v2v.tracking.redis_queue import RedisQueue

pytestmark = pytest.mark.timeout(240)

T0 = 1_795_608_000_000
KILLS = 20 if os.environ.get(LONG) else 5
CLAIM_MS = 1_000
LIMIT = 1_000_000


@dataclass
class Stage:
    """A database, a Redis, and what was put into its queue so far."""

    environment: dict[str, str]
    queue: RedisQueue
    ledger: set[tuple[int, int]] = field(default_factory=set)

    def put(self, records: list[PositionRecord]) -> None:
        """Put and note; what the queue does not take is not noted."""
        self.queue.put(chunks_of(records))
        self.ledger |= {(record.vehicle, record.ts) for record in records}

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.environment["DATABASE_URL"], connect_timeout=5) as connection:
            return connection.execute(sql.encode()).fetchall()

    def until_drained(self, within_s: float = 60) -> float:
        """Wait until nothing waits; how long that took."""
        began = time.monotonic()
        while depth := self.queue.depth():
            assert time.monotonic() - began < within_s, f"{depth} positions still wait"
            time.sleep(0.1)
        return time.monotonic() - began

    def lost_and_twice(self) -> tuple[int, int]:
        """How many of the noted ones are not stored; and how many rows are too many."""
        kept = "SELECT vehicle_id, round(extract(epoch FROM recorded_at) * 1000)::bigint FROM tracking_position"
        stored = self.query(kept)
        return len(self.ledger - set(stored)), len(stored) - len(set(stored))


@pytest.fixture(scope="module")
def database(run: Run) -> Iterator[Server]:
    """A PostgreSQL that keeps what it has committed, whatever befalls it."""
    server = postgres.start(run, durable=True)
    yield server
    with suppress(ProcessLookupError):
        os.kill(server.keeper_pid, 15)


@pytest.fixture(scope="module")
def environment(run: Run, database: Server) -> dict[str, str]:
    directory = run.directory / f"writers-{uuid.uuid4().hex}"
    directory.mkdir()
    keeps = redis.start(run)
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"} | {
        "ENV_FILE": "",
        "VAR_DIR": str(directory),
        "DATABASE_URL": database.url,
        "REDIS_URL": keeps.url,
        "SECRET_KEY": "of-a-writer-under-test-0123456789-0123456789-0123456789",
        "POSITIONS_CLAIM_MS": str(CLAIM_MS),
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True, timeout=120)
    return environment


@pytest.fixture
def stage(environment: dict[str, str]) -> Stage:
    queue = RedisQueue(environment["REDIS_URL"], limit=LIMIT, claim_after_s=CLAIM_MS / 1000)
    queue._client.flushdb()
    stage = Stage(environment, queue)
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        connection.execute("TRUNCATE tracking_position, tracking_deadletter")
    return stage


Writers = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def writers(stage: Stage) -> Iterator[Writers]:
    """Starts a writer; those that still run at the end are killed."""
    with ExitStack() as stack:

        def start() -> subprocess.Popen[bytes]:
            log = stack.enter_context((Path(stage.environment["VAR_DIR"]) / f"{uuid.uuid4().hex}.log").open("wb"))
            command = [sys.executable, "manage.py", "writer"]
            process = subprocess.Popen(command, cwd=ROOT, env=stage.environment, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield start


class Traffic(threading.Thread):
    """Puts up to 2,000 positions a second, 100 at a time, until it is told to end."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(daemon=True)
        self._stage = stage
        self._end = threading.Event()

    def run(self) -> None:
        for number in range(1_000_000):
            self._stage.put([record(vehicle, T0 + number * 1_000) for vehicle in range(100)])
            if self._end.wait(0.05):
                return

    def __enter__(self) -> "Traffic":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self.join()


def until_it_stores(stage: Stage) -> None:
    """Wait until somebody has stored something from now on."""
    count = "SELECT count(*) FROM tracking_position"
    before = stage.query(count)
    deadline = time.monotonic() + 30
    while stage.query(count) == before:
        assert time.monotonic() < deadline, "nobody stores anything"
        time.sleep(0.02)


def test_writers_killed_at_random_points_lose_nothing_and_store_nothing_twice(
    stage: Stage, writers: Writers, record_figure: RecordFigure
) -> None:
    pick = random.Random(4)
    with Traffic(stage):
        for _ in range(KILLS):
            victim = writers()
            until_it_stores(stage)
            time.sleep(pick.uniform(0.0, 0.4))
            victim.kill()
            victim.wait()
    writers()
    took = stage.until_drained()
    lost, twice = stage.lost_and_twice()
    record_figure(
        f"kill -9 the writer at {KILLS} random points",
        "lost 0, twice 0",
        f"of {len(stage.ledger):,} lost {lost}, twice {twice}; drained {took:.1f} s after the next one started",
    )
    assert (lost, twice) == (0, 0)
    assert stage.query("SELECT count(*) FROM tracking_deadletter") == [(0,)]


def test_a_database_that_crashes_and_recovers_loses_nothing(
    stage: Stage, writers: Writers, record_figure: RecordFigure
) -> None:
    with Traffic(stage):
        writer = writers()
        for _ in range(3):
            until_it_stores(stage)
            # One backend killed: PostgreSQL ends all others and recovers from its log, as after a crash.
            connection = psycopg.connect(stage.environment["DATABASE_URL"])
            os.kill(connection.info.backend_pid, signal.SIGKILL)
            deadline = time.monotonic() + 20
            while True:
                with suppress(psycopg.OperationalError):
                    stage.query("SELECT 1")
                    break
                assert time.monotonic() < deadline, "PostgreSQL did not come back"
                time.sleep(0.1)
        until_it_stores(stage)
    took = stage.until_drained()
    lost, twice = stage.lost_and_twice()
    record_figure(
        "PostgreSQL crashes three times under a writer",
        "lost 0, twice 0",
        f"of {len(stage.ledger):,} lost {lost}, twice {twice}; drained {took:.1f} s after the last position",
    )
    assert (lost, twice) == (0, 0)
    assert writer.poll() is None


def test_poison_among_good_positions_is_laid_aside_and_blocks_none(
    stage: Stage, writers: Writers, record_figure: RecordFigure
) -> None:
    good = [record(vehicle, T0 + second * 1_000) for vehicle in range(50) for second in range(60)]
    for start in range(0, len(good), 300):
        bad = msgspec.structs.replace(good[start], vehicle=900, lat=float("nan"))
        stage.queue.put(chunks_of([bad]))
        stage.put(good[start : start + 300])
        stage.queue.put([(b"\xc1 not a position", 1)])
    writers()
    deadline = time.monotonic() + 30
    while stage.query("SELECT count(*) FROM tracking_position") != [(len(good),)]:
        assert time.monotonic() < deadline, "the good ones are held up"
        time.sleep(0.05)
    assert stage.queue.depth() > 0  # the bad ones still have tries
    took = stage.until_drained()
    tries = stage.query("SELECT tries, count(*) FROM tracking_deadletter GROUP BY tries ORDER BY tries")
    record_figure(
        "20 poisoned entries among 10 good ones",
        "blocked 0, dead after 5",
        f"all {len(good):,} good ones stored first; dead by tries {dict(tries)} {took:.1f} s later",  # type: ignore[arg-type]
    )
    assert tries == [(1, 10), (5, 10)]
    assert stage.lost_and_twice() == (0, 0)


def test_a_full_stream_takes_no_more_and_what_it_took_is_stored(stage: Stage, writers: Writers) -> None:
    small = RedisQueue(stage.environment["REDIS_URL"], limit=2_000, claim_after_s=1)
    refused = 0
    for number in range(50):
        batch = [record(vehicle, T0 + number) for vehicle in range(100)]
        try:
            small.put(chunks_of(batch))
            stage.ledger |= {(each.vehicle, each.ts) for each in batch}
        except QueueFull:
            refused += 1
    assert (len(stage.ledger), refused) == (2_000, 30)
    writers()
    stage.until_drained()
    assert stage.lost_and_twice() == (0, 0)


def test_a_year_of_backlog_without_a_partition_is_stored_and_then_finds_its_months(
    stage: Stage, writers: Writers, record_figure: RecordFigure
) -> None:
    hour_ms = 3_600_000
    for day in range(365):
        stage.put([record(day % 3, T0 - (day * 24 + hour) * hour_ms) for hour in range(24)])
    writers()
    stage.until_drained()
    by_hand = [sys.executable, "manage.py", "partitions"]
    subprocess.run(by_hand, cwd=ROOT, env=stage.environment, check=True, capture_output=True, timeout=60)
    left = stage.query("SELECT count(*) FROM tracking_position_default")
    assert left == [(0,)]
    assert stage.lost_and_twice() == (0, 0)
    stage.put([record(1, T0 - 100 * 24 * hour_ms + 1)])
    stage.until_drained()
    assert stage.lost_and_twice() == (0, 0)
    record_figure("a year of backlog, no month made", "lost 0", f"{len(stage.ledger):,} stored, then moved into months")
