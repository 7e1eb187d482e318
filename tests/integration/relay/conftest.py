"""Server processes that share a database and a Redis."""

import uuid
from collections.abc import Callable, Iterator

import pytest

from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer

Start = Callable[..., list[V2VServer]]


@pytest.fixture(scope="package")
def three(run: Run, redis_url: str) -> Iterator[list[V2VServer]]:
    """Three processes that every test of the package may use: take fresh vehicles from them."""
    first = v2v.start(run, REDIS_URL=redis_url, REDIS_PREFIX=f"test-{uuid.uuid4().hex}:")
    servers = [first, v2v.start_beside(run, first), v2v.start_beside(run, first)]
    yield servers
    for server in reversed(servers):
        server.stop()


@pytest.fixture
def two(three: list[V2VServer]) -> list[V2VServer]:
    """Two of them."""
    return three[:2]
