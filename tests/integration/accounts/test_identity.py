"""Which tokens let which vehicle in, and what those outside are told."""

from datetime import timedelta

import pytest

from tests.integration.people import NOW, device_of, fleet_make, token_for, vehicle_make
from v2v.fleets.policy import Action, can
from v2v.protocol.codes import ERRORS, ErrorCode
from v2v.vehicles import services
from v2v.vehicles.identity import Authenticated, AuthRefusal, vehicle_authenticate
from v2v.vehicles.models import Device, DeviceToken, Vehicle

pytestmark = pytest.mark.django_db


@pytest.fixture
def vehicle() -> Vehicle:
    return vehicle_make(fleet_make(), driver_name="Amal", plate="D 12345")


def authenticate(token: str, vehicle_id: str = "truck-1", device_id: str | None = None) -> Authenticated:
    return vehicle_authenticate(vehicle_id=vehicle_id, device_id=device_id, token=token, now=NOW)


def refusal_of(token: str, vehicle_id: str = "truck-1", device_id: str | None = None) -> str:
    """The true reason; that nobody is told is checked on the way."""
    with pytest.raises(AuthRefusal) as caught:
        authenticate(token, vehicle_id, device_id)
    assert caught.value.code == ErrorCode.AUTH_FAILED
    assert caught.value.message == ERRORS[ErrorCode.AUTH_FAILED].title
    assert caught.value.details is None
    return caught.value.reason


def test_a_good_token_says_who_it_is(vehicle: Vehicle) -> None:
    who = authenticate(token_for(vehicle))
    device = device_of(vehicle)
    assert (who.vehicle_pk, who.vehicle_id) == (vehicle.pk, "truck-1")
    assert (who.fleet_pk, who.fleet_slug) == (vehicle.fleet_id, "north")
    assert (who.device_pk, who.device_id, who.granted_by) == (device.pk, "default", device.pk)
    assert (who.driver_name, who.info["plate"], who.token_expires_at) == ("Amal", "D 12345", None)
    assert can(who.actor, Action.PRESENCE, vehicle.fleet_id)
    assert not can(who.actor, Action.VIEW, vehicle.fleet_id)


def test_a_known_device_costs_one_query(vehicle: Vehicle, django_assert_num_queries) -> None:
    token = token_for(vehicle)
    authenticate(token)
    with django_assert_num_queries(1):
        authenticate(token)


def test_another_device_of_the_vehicle_may_use_the_token_and_gets_a_row(vehicle: Vehicle) -> None:
    who = authenticate(token_for(vehicle), device_id="phone")
    assert who.device_pk == device_of(vehicle, "phone").pk
    assert who.granted_by == device_of(vehicle).pk


def test_when_a_device_was_seen_is_kept_but_not_written_each_time(vehicle: Vehicle) -> None:
    token = token_for(vehicle)
    for minutes in (0, 1, 6):
        vehicle_authenticate(vehicle_id="truck-1", device_id=None, token=token, now=NOW + timedelta(minutes=minutes))
        expected = NOW if minutes < 5 else NOW + timedelta(minutes=minutes)
        assert device_of(vehicle).last_seen_at == expected


def test_a_token_that_was_never_issued_is_refused(vehicle: Vehicle) -> None:
    assert refusal_of("v2v_" + "x" * 43) == "unknown_token"


def test_a_vehicle_that_does_not_exist_is_refused_alike(vehicle: Vehicle) -> None:
    assert refusal_of(token_for(vehicle), "truck-2") == "not_its_vehicle"


def test_another_vehicles_token_is_refused(vehicle: Vehicle) -> None:
    other = vehicle_make(vehicle.fleet, "truck-2")
    assert refusal_of(token_for(other)) == "not_its_vehicle"


def test_a_token_works_until_it_expires(vehicle: Vehicle) -> None:
    device = device_of(vehicle)
    token = services.device_token_issue(device=device, now=NOW - timedelta(hours=1), ttl=timedelta(hours=1, seconds=1))
    assert authenticate(token).token_expires_at == NOW + timedelta(seconds=1)
    expired = services.device_token_issue(device=device, now=NOW - timedelta(hours=1), ttl=timedelta(hours=1))
    assert refusal_of(expired) == "token_expired"


def test_a_revoked_token_is_refused_and_its_sister_is_not(vehicle: Vehicle) -> None:
    revoked, good = token_for(vehicle), token_for(vehicle)
    services.device_token_revoke(token=DeviceToken.objects.earliest("pk"), now=NOW)
    assert refusal_of(revoked) == "token_revoked"
    assert authenticate(good)


def test_a_revoked_device_is_refused(vehicle: Vehicle) -> None:
    token = token_for(vehicle)
    services.device_revoke(device=device_of(vehicle), now=NOW)
    assert refusal_of(token) == "token_revoked"
    services.device_restore(device=device_of(vehicle), now=NOW)
    assert refusal_of(token) == "token_revoked"


def test_a_revoked_device_cannot_come_in_with_anothers_token(vehicle: Vehicle) -> None:
    services.device_add(vehicle=vehicle, device_id="phone", now=NOW)
    services.device_revoke(device=device_of(vehicle, "phone"), now=NOW)
    assert refusal_of(token_for(vehicle), device_id="phone") == "device_revoked"


def test_a_disabled_vehicle_is_refused_until_it_is_enabled(vehicle: Vehicle) -> None:
    token = token_for(vehicle)
    services.vehicle_disable(vehicle=vehicle, now=NOW)
    assert refusal_of(token) == "vehicle_disabled"
    services.vehicle_enable(vehicle=vehicle, now=NOW)
    assert authenticate(token)


def test_a_deleted_vehicle_is_refused(vehicle: Vehicle) -> None:
    token = token_for(vehicle)
    services.vehicle_delete(vehicle=vehicle, now=NOW)
    assert refusal_of(token) == "vehicle_deleted"


def test_a_twenty_first_device_is_refused(vehicle: Vehicle) -> None:
    token = token_for(vehicle)
    for n in range(services.MAX_DEVICES_PER_VEHICLE - 1):
        authenticate(token, device_id=f"phone-{n}")
    assert refusal_of(token, device_id="one-more") == "too_many_devices"
    assert Device.objects.count() == services.MAX_DEVICES_PER_VEHICLE


def test_a_firebase_token_is_refused_where_firebase_is_not_configured(vehicle: Vehicle) -> None:
    assert refusal_of("header.payload.signature") == "firebase_not_configured"
