"""`manage.py scheduler` beside a server, on PostgreSQL: whatever dies, alerts escalate in their time, and once."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import psycopg
import pytest

from tests.faults.conftest import RecordFigure
from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import ROOT, V2VServer
from tests.sockets import vehicle

pytestmark = pytest.mark.timeout(180)  # with the start of servers on two busy cores

ESCALATE_MS = 1_000
ALERTS = 6
ESCALATIONS = """
    SELECT alert.escalation_level, array_remove(array_agg(event.at ORDER BY event.at), NULL)
    FROM alerts_alert alert LEFT JOIN alerts_alertevent event ON event.alert_id = alert.id AND event.kind = 'escalated'
    GROUP BY alert.id
"""


@dataclass(frozen=True)
class Stage:
    """A server that does not do the work by the clock itself, and the name of its database."""

    server: V2VServer
    database: str
    admin_url: str

    def escalations(self) -> list[tuple[int, list[datetime]]]:
        """Of each alert: its level, and when it was escalated."""
        with psycopg.connect(self.server.environment["DATABASE_URL"]) as connection:
            return connection.execute(ESCALATIONS).fetchall()

    def levels(self) -> list[int]:
        return [level for level, _ in self.escalations()]

    def until(self, level: int, *, within_s: float = 20) -> float:
        """Wait until every alert has reached the level; how long that took."""
        began = time.monotonic()
        while min(self.levels()) < level:
            assert time.monotonic() - began < within_s, f"levels are {self.levels()}"
            time.sleep(0.2)
        return time.monotonic() - began

    @contextmanager
    def database_away(self) -> Iterator[None]:
        """Cut every connection to the database and let no new one in."""
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS false")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [self.database])
            try:
                yield
            finally:
                admin.execute(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS true")


@pytest.fixture(scope="module")
def stage(run: Run, postgres_url: str) -> Iterator[Stage]:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = f"{postgres_url.rpartition('/')[0]}/{name}"
    server = v2v.start(run, database_url=url, ALERT_ESCALATE_MS=str(ESCALATE_MS), RUN_SCHEDULER="0")
    yield Stage(server, name, postgres_url)
    server.stop()


@pytest.fixture
def schedulers(stage: Stage) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts a scheduler; those that still run at the end are killed."""
    with ExitStack() as stack:

        def start() -> subprocess.Popen[bytes]:
            log = stack.enter_context((stage.server.directory / f"scheduler-{uuid.uuid4().hex}.log").open("wb"))
            process = subprocess.Popen(
                [sys.executable, "manage.py", "scheduler"], cwd=ROOT, env=stage.server.environment, stderr=log
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield start


Schedulers = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def alerts(stage: Stage) -> None:
    """Alerts that nobody takes, and none of an earlier test."""

    async def raise_them() -> None:
        async with AsyncExitStack() as stack:
            for _ in range(ALERTS):
                socket, _ = await stack.enter_async_context(vehicle(stage.server))
                await socket.send("emergency_alert", {}, id="e")
                await socket.next("ack", id="e")

    with psycopg.connect(stage.server.environment["DATABASE_URL"]) as connection:
        connection.execute("TRUNCATE alerts_alert CASCADE")
    asyncio.run(raise_them())


def check_once_each(stage: Stage) -> int:
    """Each escalation of each alert happened once and in its time; how many there were."""
    found = stage.escalations()
    assert len(found) == ALERTS
    for level, moments in found:
        assert len(moments) == level
        waits = [(after - before).total_seconds() for before, after in pairwise(moments)]
        assert all(wait >= ESCALATE_MS / 1000 - 0.001 for wait in waits)
    return sum(level for level, _ in found)


@pytest.mark.usefixtures("alerts")
def test_two_schedulers_escalate_each_alert_once_at_each_of_its_times(
    stage: Stage, schedulers: Schedulers, record_figure: RecordFigure
) -> None:
    two = [schedulers(), schedulers()]
    stage.until(3)
    count = check_once_each(stage)
    assert [process.poll() for process in two] == [None, None]
    record_figure("two schedulers at once", "each escalation once", f"{count} escalations of {ALERTS} alerts, twice 0")


@pytest.mark.usefixtures("alerts")
def test_when_one_is_killed_another_goes_on_and_a_new_one_takes_up_what_waits(
    stage: Stage, schedulers: Schedulers, record_figure: RecordFigure
) -> None:
    first, second = schedulers(), schedulers()
    stage.until(1)
    first.kill()
    first.wait()
    took = stage.until(max(stage.levels()) + 2)
    assert second.poll() is None
    second.kill()
    second.wait()
    level = max(stage.levels())
    time.sleep(ESCALATE_MS / 1000)
    schedulers()
    stage.until(level + 1)
    check_once_each(stage)
    record_figure("kill -9 one of two schedulers", "the other goes on", f"two more levels after {took:.1f} s")


@pytest.mark.usefixtures("alerts")
def test_a_signal_ends_it_in_order(stage: Stage, schedulers: Schedulers) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        process = schedulers()
        stage.until(max(stage.levels()) + 1)  # it has come to its work
        os.kill(process.pid, number)
        assert process.wait(timeout=5) == 0


@pytest.mark.usefixtures("alerts")
def test_the_database_goes_away_and_comes_back(
    stage: Stage, schedulers: Schedulers, record_figure: RecordFigure
) -> None:
    process = schedulers()
    stage.until(1)
    with stage.database_away():
        time.sleep(2)
        assert process.poll() is None
    level = max(stage.levels())
    took = stage.until(level + 1)
    check_once_each(stage)
    assert process.poll() is None
    record_figure("the scheduler's database away for 2 s", "goes on when it is back", f"next level after {took:.1f} s")
