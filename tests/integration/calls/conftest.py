"""A server on the database that this half of the run is for."""

import os
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from tests import databases
from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer


def own_database() -> str:
    """The address of an empty PostgreSQL database where the run has one, else nothing: SQLite."""
    url = os.environ.get(databases.VARIABLE, "")
    if not url:
        return ""
    name = f"calls_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@pytest.fixture(scope="session")
def server(run: Run) -> Iterator[V2VServer]:
    """Our own server for these tests."""
    running = v2v.start(run, database_url=own_database(), RUN_SCHEDULER="1")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def hasty(run: Run) -> Iterator[V2VServer]:
    """A server that rings, waits and lets talk for a short time only, so that the tests need not."""
    patience = {"CALL_RINGING_TIMEOUT_MS": "3000", "CALL_GRACE_MS": "800", "CALL_MAX_DURATION_MS": "3000"}
    running = v2v.start(run, database_url=own_database(), RUN_SCHEDULER="1", **patience)
    yield running
    running.stop()
