"""Server processes that share a database and a Redis."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for three servers to start."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(180))


@pytest.fixture(scope="package")
def three(run: Run, redis_url: str) -> Iterator[list[V2VServer]]:
    """Three processes that every test of the package may use: take fresh vehicles from them."""
    first = v2v.start(run, REDIS_URL=redis_url, REDIS_PREFIX=f"test-{uuid.uuid4().hex}:")
    with ThreadPoolExecutor() as threads:  # each takes seconds to start
        servers = [first, *threads.map(lambda _: v2v.start_beside(run, first), range(2))]
    yield servers
    for server in reversed(servers):
        server.stop()


@pytest.fixture
def two(three: list[V2VServer]) -> list[V2VServer]:
    """Two of them."""
    return three[:2]
