import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.unit.client.peer import Peer, running_peer
from v2v.client import VehicleClient
from v2v.client.backoff import Backoff


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with running_peer() as running:
        yield running
    assert asyncio.all_tasks() == {asyncio.current_task()}, "a task was left behind"


@pytest.fixture
def vehicle(peer: Peer) -> Callable[..., VehicleClient]:
    """Makes a client of the peer that tries again at once."""

    def make(**more: Any) -> VehicleClient:
        options: dict[str, Any] = {"vehicle_id": "truck-1", "token": "secret", "backoff": Backoff(draw=lambda: 0.0)}
        return VehicleClient(peer.url, **(options | more))

    return make
