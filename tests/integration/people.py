"""Fleets, people and vehicles to test with."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User

from v2v.fleets.models import Fleet, Membership, Role
from v2v.vehicles.models import Device, Vehicle
from v2v.vehicles.services import device_token_issue, vehicle_enroll

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def fleet_make(slug: str = "north") -> Fleet:
    return Fleet.objects.create(slug=slug, name=slug.title())


def user_make(name: str, *, fleet: Fleet | None = None, role: Role = Role.VIEWER, **kwargs: Any) -> User:
    user = User.objects.create_user(name, password="a good password", **kwargs)
    if fleet is not None:
        Membership.objects.create(user=user, fleet=fleet, role=role)
    return user


def vehicle_make(fleet: Fleet, vehicle_id: str = "truck-1", **info: str) -> Vehicle:
    return vehicle_enroll(vehicle_id=vehicle_id, fleet=fleet, now=NOW, **info)


def device_of(vehicle: Vehicle, device_id: str = "default") -> Device:
    return Device.objects.get(vehicle=vehicle, device_id=device_id)


def token_for(vehicle: Vehicle) -> str:
    return device_token_issue(device=device_of(vehicle), now=NOW)
