"""A server on the database that this half of the run is for, and the world of the tests of pages."""

import os
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from django.test import Client

from tests import databases
from tests.integration.messaging.world import World
from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer


@pytest.fixture(scope="session")
def server(run: Run) -> Iterator[V2VServer]:
    """Our own server for these tests: on a PostgreSQL database of its own where the run has one, else on SQLite."""
    url = os.environ.get(databases.VARIABLE, "")
    if url:
        name = f"messaging_{uuid.uuid4().hex}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = urlsplit(url)._replace(path=f"/{name}").geturl()
    running = v2v.start(run, database_url=url)
    yield running
    running.stop()


@pytest.fixture
def world(client: Client) -> World:
    """The world of the tests of pages; its dispatcher is signed in."""
    return World(client)
