"""Comings and goings over REST."""

from base64 import b64encode
from datetime import timedelta

import pytest

from tests.integration.api.conftest import ClientOf, World, problem_of
from tests.integration.people import NOW, vehicle_make
from v2v.proximity.models import ProximityEvent
from v2v.vehicles.models import Vehicle

NOW_MS = int(NOW.timestamp() * 1000)


def meet(vehicle: Vehicle, peer: Vehicle, kind: str, seconds: int) -> ProximityEvent:
    return ProximityEvent.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        peer=peer,
        type=kind,
        distance_m=12.5 if kind == "enter" else None,
        occurred_at=NOW + timedelta(seconds=seconds),
    )


@pytest.fixture
def events(world: World) -> list[int]:
    """An enter at 0 s and an exit at 10 s in the north, an enter at 5 s in the south."""
    van_2 = vehicle_make(world.south, "van-2")
    made = [
        meet(world.truck_1, world.truck_2, "enter", 0),
        meet(world.truck_1, world.truck_2, "exit", 10),
        meet(world.van_1, van_2, "enter", 5),
    ]
    return [event.pk for event in made]


def test_one_sees_those_of_ones_own_fleets_newest_first(client_of: ClientOf, events: list[int]) -> None:
    rows = client_of("viewer@north").get("proximity-events")["results"]
    assert rows == [
        {"id": events[1], "fleet": "north", "vehicleId": "truck-1", "peerVehicleId": "truck-2"}
        | {"type": "exit", "distanceM": None, "ts": NOW_MS + 10_000},
        {"id": events[0], "fleet": "north", "vehicleId": "truck-1", "peerVehicleId": "truck-2"}
        | {"type": "enter", "distanceM": 12.5, "ts": NOW_MS},
    ]
    assert len(client_of("root").get("proximity-events")["results"]) == 3


def test_they_are_filtered_by_either_vehicle_type_and_time(client_of: ClientOf, events: list[int]) -> None:
    client = client_of("root")
    for query, expected in (
        ({"vehicleId": "truck-1"}, [1, 0]),
        ({"vehicleId": "truck-2"}, [1, 0]),
        ({"vehicleId": "nothing"}, []),
        ({"type": "exit"}, [1]),
        ({"fleet": "south"}, [2]),
        ({"since": NOW_MS + 5000}, [1, 2]),
        ({"until": NOW_MS + 5000}, [0]),
        ({"since": NOW_MS, "until": NOW_MS + 1}, [0]),
    ):
        rows = client.get("proximity-events", **query)["results"]
        assert [row["id"] for row in rows] == [events[index] for index in expected], query


def test_another_fleets_vehicle_gives_nothing(client_of: ClientOf, events: list[int]) -> None:
    assert client_of("viewer@north").get("proximity-events", vehicleId="van-1")["results"] == []
    assert client_of("viewer@north").get("proximity-events", fleet="south")["results"] == []


@pytest.mark.parametrize(
    "query", [{"type": "near"}, {"since": "yesterday"}, {"since": "-1"}, {"until": "9" * 20}, {"since": "1.5"}], ids=str
)
def test_a_wrong_filter_is_refused(client_of: ClientOf, query: dict[str, str]) -> None:
    problem_of(client_of("viewer@north")("GET", "proximity-events", **query), 400, "validation_error")


def test_pages_follow_each_other_without_a_gap_while_new_events_come(client_of: ClientOf, world: World) -> None:
    made = [meet(world.truck_1, world.truck_2, "enter", n // 2).pk for n in range(5)]
    client = client_of("viewer@north")
    page = client.get("proximity-events", pageSize=2)
    seen = [row["id"] for row in page["results"]]
    meet(world.truck_1, world.truck_2, "exit", 100)
    while page["next"]:
        page = client.get(page["next"].split("/api/v1/")[1])
        seen += [row["id"] for row in page["results"]]
    assert seen == made[::-1]


@pytest.mark.parametrize("position", [b"p=yesterday", b"o=-1", b"o=x", b"p=\x00", b"\xff"])
def test_a_wrong_cursor_is_no_page(client_of: ClientOf, events: list[int], position: bytes) -> None:
    cursor = b64encode(position).decode()
    problem_of(client_of("viewer@north")("GET", "proximity-events", cursor=cursor), 404, "not_found")
