"""Two fleets with their people, and clients that speak JSON."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.integration.people import fleet_make, token_for, user_make, vehicle_make
from v2v.fleets.models import Fleet, Role
from v2v.protocol.events import NearbyPeer
from v2v.vehicles import live
from v2v.vehicles.models import Vehicle


class ApiClient:
    """Sends and takes JSON at /api/v1/, for a user's session or with a token."""

    def __init__(self, *, user: User | None = None, token: str | None = None) -> None:
        self._client = Client(raise_request_exception=False)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if user is not None:
            self._client.force_login(user)

    def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        url = f"/api/v1/{path}"
        if method == "GET":
            return self._client.get(url, query, headers=self._headers)
        send = {"POST": self._client.post, "PATCH": self._client.patch, "DELETE": self._client.delete}[method]
        return send(url, body, content_type="application/json", headers=self._headers, query_params=query)

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a 200."""
        response = self("GET", path, **query)
        assert response.status_code == 200, response.content
        return response.json()


@dataclass
class World:
    """Fleet north with truck-1 and truck-2, fleet south with van-1; each with a viewer and an admin."""

    north: Fleet
    south: Fleet
    truck_1: Vehicle
    truck_2: Vehicle
    van_1: Vehicle


@pytest.fixture
def world(db: None) -> World:
    north, south = fleet_make("north"), fleet_make("south")
    for fleet in (north, south):
        for role in Role:
            user_make(f"{role}@{fleet.slug}", fleet=fleet, role=role)
    user_make("root", is_superuser=True)
    user_make("stranger")
    truck_1, truck_2 = (vehicle_make(north, f"truck-{n}", plate=f"N {n}", driver_name="Amal") for n in (1, 2))
    return World(north, south, truck_1, truck_2, vehicle_make(south, "van-1"))


@pytest.fixture
def client_of(world: World) -> Callable[[str], ApiClient]:
    """The client of a user such as `viewer@north`, or of a vehicle such as `truck-1`."""

    def of(name: str) -> ApiClient:
        vehicle = Vehicle.objects.filter(vehicle_id=name).first()
        if vehicle is not None:
            return ApiClient(token=token_for(vehicle))
        return ApiClient(user=User.objects.get(username=name))

    return of


ClientOf = Callable[[str], ApiClient]


def problem_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document of a response, which must have that status and code."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert (document["status"], document["code"]) == (status, code)
    assert document["title"]
    assert document["detail"]
    return document


class FixedLive:
    """An engine with fixed answers, as `config.realtime` registers its own."""

    def __init__(self) -> None:
        self.states: dict[int, live.Presence] = {}
        self.peers: list[NearbyPeer] = []
        self.positions: dict[str, live.Position] = {}
        self.asked: list[tuple[str, float]] = []

    def presence(self, vehicle_pks: Any) -> dict[int, live.Presence]:
        return {pk: state for pk, state in self.states.items() if pk in set(vehicle_pks)}

    def nearby(self, vehicle_id: str, radius_m: float) -> list[NearbyPeer]:
        self.asked.append((vehicle_id, radius_m))
        return self.peers

    def position(self, vehicle_id: str) -> live.Position | None:
        return self.positions.get(vehicle_id)

    def is_connected(self, vehicle_id: str) -> bool:
        return vehicle_id in self.positions

    def dispatchers(self, fleet_pk: int) -> frozenset[str]:
        return frozenset()

    def stats(self) -> live.Stats:
        return live.Stats(connections=7, vehicles=4, users=2, stale=1, by_transport={"websocket": 7})


@pytest.fixture
def engine() -> Iterator[FixedLive]:
    before = live.engine_get()
    fixed = FixedLive()
    live.engine_set(fixed)
    yield fixed
    live.engine_set(before)
