"""Servers for tests of the sockets."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest

from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database for a server: SQLite (no address), then PostgreSQL."""
    if request.param == "sqlite":
        return ""
    url: str = request.getfixturevalue("postgres_url")
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{url.rpartition('/')[0]}/{name}"


@pytest.fixture(scope="session")
def impatient(run: Run) -> Iterator[V2VServer]:
    """A server that waits seconds where others wait a minute."""
    server = v2v.start(
        run,
        HEARTBEAT_TIMEOUT_MS="2000",
        STALE_CONNECTION_MS="4000",
        SWEEP_INTERVAL_MS="200",
        RIGHTS_CHECK_MS="300",
        LAST_STATES_MS="300",
    )
    yield server
    server.stop()
