"""Geofences through a running server, on SQLite and on PostgreSQL."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest

from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, run: Run) -> Iterator[V2VServer]:
    """One server for the tests of a module."""
    database_url = ""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        database_url = f"{url.rpartition('/')[0]}/{name}"
    running = v2v.start(run, database_url=database_url, RUN_SCHEDULER="1", LAST_STATES_MS="300")
    yield running
    running.stop()
