"""Whoever loses a right is reported once, after commit, and only if it really lost it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.integration.people import NOW, device_of, fleet_make, token_for, vehicle_make
from v2v.vehicles import notices, services
from v2v.vehicles.models import DeviceToken, Vehicle
from v2v.vehicles.notices import Reason

pytestmark = pytest.mark.django_db(transaction=True)

Told = list[tuple[int | None, int | None, Reason]]


@pytest.fixture
def told() -> Iterator[Told]:
    heard: Told = []

    def listener(*, vehicle_pk: int | None, device_pk: int | None, reason: Reason) -> None:
        heard.append((vehicle_pk, device_pk, reason))

    notices.listen(listener)
    yield heard
    notices.unlisten(listener)


@pytest.fixture
def vehicle() -> Vehicle:
    return vehicle_make(fleet_make())


CHANGES: list[tuple[Callable[..., Any], Callable[[Vehicle], dict[str, Any]], Reason]] = [
    (services.vehicle_disable, lambda vehicle: {"vehicle": vehicle}, Reason.VEHICLE_DISABLED),
    (services.vehicle_delete, lambda vehicle: {"vehicle": vehicle}, Reason.VEHICLE_DELETED),
    (services.device_revoke, lambda vehicle: {"device": device_of(vehicle)}, Reason.DEVICE_REVOKED),
    (services.device_delete, lambda vehicle: {"device": device_of(vehicle)}, Reason.DEVICE_DELETED),
    (services.device_token_revoke, lambda vehicle: {"token": DeviceToken.objects.get()}, Reason.TOKEN_REVOKED),
]


@pytest.mark.parametrize(("change", "of", "reason"), CHANGES, ids=[change.__name__ for change, _, _ in CHANGES])
def test_a_right_that_is_taken_away_is_reported_once(
    vehicle: Vehicle,
    told: Told,
    change: Callable[..., Any],
    of: Callable[[Vehicle], dict[str, Any]],
    reason: Reason,
) -> None:
    token_for(vehicle)
    what = of(vehicle)
    assert change(**what, now=NOW) is True
    assert change(**what, now=NOW) is False
    who = (vehicle.pk, None) if "vehicle" in what else (None, device_of(vehicle).pk)
    assert told == [(*who, reason)]


def test_nothing_is_reported_before_the_commit_or_after_a_rollback(vehicle: Vehicle, told: Told) -> None:
    with transaction.atomic():
        services.vehicle_disable(vehicle=vehicle, now=NOW)
        assert told == []
        transaction.set_rollback(True)
    assert told == []
    services.vehicle_disable(vehicle=vehicle, now=NOW)
    assert len(told) == 1


def test_a_vehicle_that_goes_to_another_fleet_or_owner_is_reported(vehicle: Vehicle, told: Told) -> None:
    services.vehicle_update(vehicle=vehicle, version=1, now=NOW, plate="D 1")
    assert told == []
    services.vehicle_update(vehicle=vehicle, version=2, now=NOW, fleet=fleet_make("south"))
    services.vehicle_update(vehicle=vehicle, version=3, now=NOW, owner_uid="somebody")
    assert told == [(vehicle.pk, None, Reason.VEHICLE_MOVED)] * 2


def test_a_listener_that_fails_undoes_nothing(vehicle: Vehicle, told: Told) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError("broken")

    notices.listen(broken)
    try:
        assert services.vehicle_disable(vehicle=vehicle, now=NOW)
    finally:
        notices.unlisten(broken)
    assert len(told) == 1
    vehicle.refresh_from_db()
    assert vehicle.disabled_at == NOW
