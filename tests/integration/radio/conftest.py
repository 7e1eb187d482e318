"""A bridge's world in the database, and a real server with a modem on a simulated air."""

import os
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from tests import databases
from tests.integration.radio.air import Air
from tests.integration.radio.stations import Waves
from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer


@pytest.fixture
def air(transactional_db: None) -> Air:
    return Air()


@pytest.fixture(scope="session")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waves]:
    """The air, for all tests of this process; each puts radios of its own on it."""
    waves = Waves(tmp_path_factory.mktemp("radio") / "modem")
    yield waves
    waves.close()


@pytest.fixture(scope="session")
def radio_server(run: Run, waves: Waves) -> Iterator[V2VServer]:
    """A server that serves the modem itself, on a database as the run has it; its radios are fleet alpha's."""
    url = os.environ.get(databases.VARIABLE, "")
    if url:
        name = f"radio_{uuid.uuid4().hex}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = urlsplit(url)._replace(path=f"/{name}").geturl()
    settings = {"RADIO_PORT": str(waves.modem.path), "RADIO_FLEET": "alpha", "RADIO_AIR_BPS": "100000"}
    running = v2v.start(run, database_url=url, **settings)
    yield running
    running.stop()
