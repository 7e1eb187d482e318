"""The feed of vehicle positions, read with the official bindings."""

from datetime import timedelta

import pytest
from django.utils import timezone
from google.transit import gtfs_realtime_pb2

from tests.integration.api.conftest import ClientOf, World, problem_of
from v2v.vehicles.models import Vehicle, VehicleStatus

FEED = "gtfs-realtime/vehicle-positions"


def seen(vehicle: Vehicle, *, seconds_ago: float = 5, **fields: float) -> VehicleStatus:
    given = {"lat": 25.25, "lng": 55.5, **fields}
    fix_at = timezone.now() - timedelta(seconds=seconds_ago)
    return VehicleStatus.objects.create(vehicle=vehicle, status="online", last_seen=fix_at, fix_at=fix_at, **given)


def feed(client: object, **query: object) -> gtfs_realtime_pb2.FeedMessage:
    response = client("GET", FEED, **query)  # type: ignore[operator]
    assert response.status_code == 200
    assert response["Content-Type"] == "application/x-protobuf"
    message = gtfs_realtime_pb2.FeedMessage()
    message.ParseFromString(response.content)
    return message


def test_the_feed_holds_where_each_vehicle_is(world: World, client_of: ClientOf) -> None:
    status = seen(world.truck_1, speed=12.5, heading=90.0)
    seen(world.truck_2)
    message = feed(client_of("viewer@north"))
    assert message.IsInitialized()
    assert message.header.gtfs_realtime_version == "2.0"
    assert abs(message.header.timestamp - timezone.now().timestamp()) < 60
    first, second = message.entity
    assert (first.id, first.vehicle.vehicle.id, first.vehicle.vehicle.license_plate) == ("truck-1", "truck-1", "N 1")
    position = first.vehicle.position
    assert (position.latitude, position.longitude, position.speed, position.bearing) == (25.25, 55.5, 12.5, 90)
    assert status.fix_at is not None
    assert first.vehicle.timestamp == int(status.fix_at.timestamp())
    assert not second.vehicle.position.HasField("speed")


def test_the_feed_keeps_the_fleets_apart(world: World, client_of: ClientOf) -> None:
    seen(world.truck_1)
    seen(world.van_1)
    assert [entity.id for entity in feed(client_of("viewer@north")).entity] == ["truck-1"]
    assert [entity.id for entity in feed(client_of("viewer@south")).entity] == ["van-1"]
    assert len(feed(client_of("root")).entity) == 2
    assert [entity.id for entity in feed(client_of("root"), fleet="south").entity] == ["van-1"]
    assert len(feed(client_of("viewer@north"), fleet="south").entity) == 0
    problem_of(client_of("truck-1")("GET", FEED), 403, "forbidden")


def test_a_vehicle_that_was_not_heard_for_long_is_left_out(world: World, client_of: ClientOf) -> None:
    seen(world.truck_1, seconds_ago=600)
    assert len(feed(client_of("viewer@north")).entity) == 0
    assert len(feed(client_of("viewer@north"), maxAgeS=3600).entity) == 1


@pytest.mark.parametrize("gone", ["deleted_at", "disabled_at"])
def test_a_vehicle_that_is_gone_is_left_out(world: World, client_of: ClientOf, gone: str) -> None:
    seen(world.truck_1)
    Vehicle.objects.filter(pk=world.truck_1.pk).update(**{gone: timezone.now()})
    assert len(feed(client_of("viewer@north")).entity) == 0


def test_people_may_read_it_as_json(world: World, client_of: ClientOf) -> None:
    seen(world.truck_1)
    document = client_of("viewer@north").get(FEED, format="json")
    assert document["header"]["gtfsRealtimeVersion"] == "2.0"
    assert document["entity"][0]["vehicle"]["position"] == {"latitude": 25.25, "longitude": 55.5}
