"""Presence, neighbors and counts: from the engine where there is one, else from what was stored."""

from datetime import timedelta
from math import cos, radians

import pytest
from django.conf import settings as django_settings

from tests.integration.api.conftest import ClientOf, FixedLive, World, problem_of
from tests.integration.people import NOW
from v2v.protocol.events import NearbyPeer
from v2v.vehicles.live import Presence, StoredLive
from v2v.vehicles.models import Vehicle, VehicleStatus

NOW_MS = int(NOW.timestamp() * 1000)
DEGREE_M = 111_195.08  # of latitude, on the sphere of mean radius
PEER = NearbyPeer(vehicle_id="truck-2", lat=25.1, lng=55.2, ts=NOW_MS, distance_m=120.5, bearing=90.0, last_seen=NOW_MS)


def place(vehicle: Vehicle, lat: float, lng: float) -> None:
    VehicleStatus.objects.create(vehicle=vehicle, status="online", last_seen=NOW, lat=lat, lng=lng, fix_at=NOW)


def test_presence_comes_from_the_engine(client_of: ClientOf, world: World, engine: FixedLive) -> None:
    engine.states = {world.truck_1.pk: Presence("online", NOW), world.van_1.pk: Presence("online", NOW)}
    assert client_of("viewer@north").get("presence")["results"] == [
        {"vehicleId": "truck-1", "fleet": "north", "status": "online", "lastSeen": NOW_MS},
        {"vehicleId": "truck-2", "fleet": "north", "status": "offline", "lastSeen": None},
    ]


def test_presence_is_filtered(client_of: ClientOf, world: World, engine: FixedLive) -> None:
    engine.states = {world.truck_1.pk: Presence("online", NOW), world.van_1.pk: Presence("timeout", NOW)}
    client = client_of("root")
    for query, expected in (
        ({"status": "online"}, ["truck-1"]),
        ({"status": "offline"}, ["truck-2"]),
        ({"fleet": "south"}, ["van-1"]),
        ({"vehicleId": "van-1"}, ["van-1"]),
        ({"search": "truck", "ordering": "-vehicleId"}, ["truck-2", "truck-1"]),
    ):
        assert [row["vehicleId"] for row in client.get("presence", **query)["results"]] == expected
    problem_of(client("GET", "presence", status="asleep"), 400, "validation_error")


def test_a_vehicle_sees_the_presence_of_its_own_fleet(client_of: ClientOf) -> None:
    assert [row["vehicleId"] for row in client_of("van-1").get("presence")["results"]] == ["van-1"]


def test_without_an_engine_presence_is_what_was_stored(client_of: ClientOf, world: World) -> None:
    VehicleStatus.objects.create(vehicle=world.truck_1, status="timeout", last_seen=NOW)
    rows = client_of("viewer@north").get("presence")["results"]
    assert [(row["status"], row["lastSeen"]) for row in rows] == [("timeout", NOW_MS), ("offline", None)]


def test_neighbors_come_from_the_engine(client_of: ClientOf, engine: FixedLive) -> None:
    engine.peers = [PEER]
    page = client_of("viewer@north").get("nearby", vehicleId="truck-1", radiusM="750.5")
    assert engine.asked == [("truck-1", 750.5)]
    assert page["results"] == [
        {"vehicleId": "truck-2", "lat": 25.1, "lng": 55.2, "ts": NOW_MS, "speed": None, "heading": None}
        | {"distanceM": 120.5, "bearing": 90.0, "lastSeen": NOW_MS}
    ]


def test_a_vehicle_asks_for_its_own_neighbors_only(client_of: ClientOf, engine: FixedLive) -> None:
    client = client_of("truck-1")
    client.get("nearby")
    client.get("nearby", vehicleId="truck-1")
    assert engine.asked == [("truck-1", django_settings.NEARBY_RADIUS_M)] * 2
    for other in ("truck-2", "van-1", "nothing"):
        problem_of(client("GET", "nearby", vehicleId=other), 403, "forbidden")


def test_neighbors_of_another_fleets_vehicle_do_not_exist(client_of: ClientOf, engine: FixedLive) -> None:
    problem_of(client_of("viewer@north")("GET", "nearby", vehicleId="van-1"), 404, "not_found")
    assert engine.asked == []


@pytest.mark.parametrize("radius", ["0", "-1", "100001", "nan", "inf", "1e999", "far", ""])
def test_a_radius_is_checked(client_of: ClientOf, engine: FixedLive, radius: str) -> None:
    response = client_of("viewer@north")("GET", "nearby", vehicleId="truck-1", radiusM=radius)
    assert problem_of(response, 400, "validation_error")["details"]["field"] == "radiusM"


def test_a_user_has_to_say_round_whom(client_of: ClientOf) -> None:
    problem_of(client_of("viewer@north")("GET", "nearby"), 400, "validation_error")


@pytest.mark.parametrize(
    ("lat", "lng", "to_lat", "to_lng", "bearing"),
    [
        (25.0, 55.0, 25.0 + 100 / DEGREE_M, 55.0, 0.0),
        (25.0, 55.0, 25.0, 55.0 + 100 / DEGREE_M / cos(radians(25.0)), 90.0),
        (0.0, 179.9996, 0.0, 179.9996 + 100 / DEGREE_M - 360, 90.0),
        (89.9999, 0.0, 180 - 89.9999 - 100 / DEGREE_M, 180.0, 0.0),
    ],
    ids=["north", "east", "over the date line", "over the pole"],
)
def test_stored_neighbors_have_distance_and_bearing(
    world: World, lat: float, lng: float, to_lat: float, to_lng: float, bearing: float
) -> None:
    place(world.truck_1, lat, lng)
    place(world.truck_2, to_lat, to_lng)
    (peer,) = StoredLive().nearby("truck-1", 130)
    assert peer.vehicle_id == "truck-2"
    expected = 100 if lat < 80 else (90 - lat + 90 - to_lat) * DEGREE_M
    assert peer.distance_m == pytest.approx(expected, abs=0.2)
    assert peer.bearing == pytest.approx(bearing, abs=0.1)
    assert StoredLive().nearby("truck-1", expected - 1) == []


def test_stored_neighbors_are_of_the_same_fleet_and_not_deleted(world: World) -> None:
    for vehicle in (world.truck_1, world.truck_2, world.van_1):
        place(vehicle, 25.0, 55.0)
    assert [peer.vehicle_id for peer in StoredLive().nearby("truck-1", 500)] == ["truck-2"]
    Vehicle.objects.filter(pk=world.truck_2.pk).update(deleted_at=NOW + timedelta(seconds=1))
    assert StoredLive().nearby("truck-1", 500) == []


def test_counts_come_from_the_engine(client_of: ClientOf, engine: FixedLive) -> None:
    assert client_of("viewer@north").get("websocket/stats") == {
        "totalConnections": 7,
        "uniqueVehicles": 4,
        "uniqueUsers": 2,
        "staleConnections": 1,
        "byTransport": {"websocket": 7},
    }
    problem_of(client_of("stranger")("GET", "websocket/stats"), 403, "forbidden")


def test_without_an_engine_the_counts_are_of_what_was_stored(client_of: ClientOf, world: World) -> None:
    place(world.truck_1, 25.0, 55.0)
    assert client_of("viewer@north").get("websocket/stats")["uniqueVehicles"] == 1
