"""Vehicles, devices and tokens: what is kept, what is refused."""

from datetime import timedelta

import pytest

from tests.integration.people import NOW, device_of, fleet_make, token_for, vehicle_make
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.vehicles import services
from v2v.vehicles.models import Device, DeviceToken, Vehicle

pytestmark = pytest.mark.django_db


def code_of(caught: pytest.ExceptionInfo[Refusal]) -> ErrorCode:
    return caught.value.code


def test_enrolling_twice_gives_the_same_vehicle_and_device() -> None:
    fleet = fleet_make()
    first = vehicle_make(fleet, plate="D 12345")
    assert vehicle_make(fleet).pk == first.pk
    assert Device.objects.count() == 1
    assert Vehicle.objects.get().plate == "D 12345"


def test_an_id_of_another_fleet_is_taken() -> None:
    vehicle_make(fleet_make("north"))
    with pytest.raises(Refusal) as caught:
        vehicle_make(fleet_make("south"))
    assert code_of(caught) == ErrorCode.CONFLICT


def test_an_id_of_a_deleted_vehicle_is_never_given_out_again() -> None:
    fleet = fleet_make()
    services.vehicle_delete(vehicle=vehicle_make(fleet), now=NOW)
    for attempt in (services.vehicle_enroll, services.vehicle_create):
        with pytest.raises(Refusal) as caught:
            attempt(vehicle_id="truck-1", fleet=fleet, now=NOW)
        assert code_of(caught) == ErrorCode.CONFLICT


@pytest.mark.parametrize("wrong", ["", "ab", "a" * 41, "truck 1", "truck-1\n", "trück-1"])
def test_what_is_no_vehicle_id_is_refused(wrong: str) -> None:
    with pytest.raises(Refusal) as caught:
        vehicle_make(fleet_make(), wrong)
    assert code_of(caught) == ErrorCode.VALIDATION_ERROR
    assert not Vehicle.objects.exists()


def test_only_the_digest_of_a_token_is_kept() -> None:
    token = token_for(vehicle_make(fleet_make()))
    row = DeviceToken.objects.get()
    assert token.startswith("v2v_")
    assert len(token) == 47
    assert len(row.digest) == 64
    assert token not in row.digest
    assert row.created_at == NOW


def test_a_device_that_is_revoked_gets_no_token_until_it_is_restored() -> None:
    vehicle = vehicle_make(fleet_make())
    services.device_revoke(device=device_of(vehicle), now=NOW)
    with pytest.raises(Refusal) as caught:
        token_for(vehicle)
    assert code_of(caught) == ErrorCode.CONFLICT
    services.device_restore(device=device_of(vehicle), now=NOW)
    assert token_for(vehicle)


def test_a_vehicle_has_at_most_twenty_devices_and_a_removed_one_makes_room() -> None:
    vehicle = vehicle_make(fleet_make())
    for n in range(services.MAX_DEVICES_PER_VEHICLE - 1):
        services.device_add(vehicle=vehicle, device_id=f"phone-{n}", now=NOW)
    with pytest.raises(Refusal) as caught:
        services.device_add(vehicle=vehicle, device_id="one-more", now=NOW)
    assert code_of(caught) == ErrorCode.CONFLICT
    services.device_delete(device=device_of(vehicle, "phone-0"), now=NOW)
    services.device_add(vehicle=vehicle, device_id="one-more", now=NOW)


def test_a_removed_device_does_not_come_back() -> None:
    vehicle = vehicle_make(fleet_make())
    services.device_delete(device=device_of(vehicle), now=NOW)
    with pytest.raises(Refusal) as caught:
        services.device_add(vehicle=vehicle, device_id="default", now=NOW)
    assert code_of(caught) == ErrorCode.CONFLICT


def test_a_stale_version_changes_nothing_and_names_both() -> None:
    vehicle = vehicle_make(fleet_make(), plate="old")
    services.vehicle_update(vehicle=vehicle, version=1, now=NOW, plate="first")
    with pytest.raises(Refusal) as caught:
        services.vehicle_update(vehicle=vehicle, version=1, now=NOW, plate="second")
    assert code_of(caught) == ErrorCode.CONFLICT
    assert caught.value.details == {"givenVersion": 1, "currentVersion": 2}
    vehicle.refresh_from_db()
    assert (vehicle.plate, vehicle.version) == ("first", 2)


def test_a_stale_delete_is_refused() -> None:
    vehicle = vehicle_make(fleet_make())
    services.vehicle_update(vehicle=vehicle, version=1, now=NOW, plate="new")
    with pytest.raises(Refusal) as caught:
        services.vehicle_delete(vehicle=vehicle, now=NOW, version=1)
    assert code_of(caught) == ErrorCode.CONFLICT
    assert services.vehicle_delete(vehicle=vehicle, now=NOW, version=2)


def test_what_a_vehicle_says_of_itself_is_kept_only_when_it_is_new() -> None:
    vehicle = vehicle_make(fleet_make(), plate="D 1")
    said = {"type": "truck", "plate": "", "make": "", "model": "", "color": ""}
    later = NOW + timedelta(minutes=1)
    assert services.vehicle_describe(vehicle_pk=vehicle.pk, driver_name="Amal", info=said, now=later)
    assert not services.vehicle_describe(vehicle_pk=vehicle.pk, driver_name="Amal", info=said, now=later)
    assert not services.vehicle_describe(vehicle_pk=vehicle.pk, driver_name=None, info=None, now=later)
    vehicle.refresh_from_db()
    assert (vehicle.driver_name, vehicle.type, vehicle.plate) == ("Amal", "truck", "D 1")
    assert (vehicle.version, vehicle.updated_at) == (2, later)


def test_tokens_in_bulk_make_vehicles_and_are_fresh_the_second_time() -> None:
    fleet = fleet_make()
    first = services.vehicle_tokens_issue(prefix="load-", count=3, fleet=fleet, now=NOW)
    second = services.vehicle_tokens_issue(prefix="load-", count=4, fleet=fleet, now=NOW)
    assert list(second) == ["load-00001", "load-00002", "load-00003", "load-00004"]
    assert not set(first.values()) & set(second.values())
    assert (Vehicle.objects.count(), Device.objects.count(), DeviceToken.objects.count()) == (4, 4, 7)


def test_tokens_in_bulk_do_not_touch_another_fleets_vehicles() -> None:
    vehicle_make(fleet_make("south"), "load-00002")
    with pytest.raises(Refusal) as caught:
        services.vehicle_tokens_issue(prefix="load-", count=3, fleet=fleet_make("north"), now=NOW)
    assert code_of(caught) == ErrorCode.CONFLICT
    assert Vehicle.objects.count() == 1
    assert not DeviceToken.objects.exists()


@pytest.mark.parametrize(("prefix", "count"), [("load-", 0), ("load-", 100_001), ("bad prefix ", 1), ("p" * 36, 1)])
def test_tokens_in_bulk_are_bounded(prefix: str, count: int) -> None:
    with pytest.raises(Refusal) as caught:
        services.vehicle_tokens_issue(prefix=prefix, count=count, fleet=fleet_make(), now=NOW)
    assert code_of(caught) == ErrorCode.VALIDATION_ERROR
