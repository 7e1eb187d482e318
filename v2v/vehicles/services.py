"""What changes vehicles, devices and tokens. Each right that is taken away ends the sessions that it had let in.

A change is one conditional UPDATE: of two that do the same at once, one finds nothing left to do.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from os.path import commonprefix
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from v2v.fleets.models import Fleet
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.fields import DISPATCH, VEHICLE_ID_PATTERN
from v2v.vehicles.models import Device, DeviceToken, Vehicle
from v2v.vehicles.notices import Reason, sessions_end
from v2v.vehicles.telling import tell_removed, tell_updated
from v2v.vehicles.tokens import token_digest, token_make

DEFAULT_DEVICE_ID = "default"
MAX_DEVICES_PER_VEHICLE = 20
MAX_TOKENS_AT_ONCE = 100_000
_BATCH = 1000


# ---- Vehicles


@transaction.atomic
def vehicle_enroll(
    *, vehicle_id: str, fleet: Fleet, now: datetime, device_id: str = DEFAULT_DEVICE_ID, **info: str
) -> Vehicle:
    """The fleet's vehicle of that id with that device; made with `info` where it does not exist yet.

    `info` may hold type, plate, make, model, color, driver_name and owner_uid. Raises Refusal: `conflict` when the id
    belongs to another fleet or to a deleted vehicle, `validation_error` when it is no vehicle id.
    """
    vehicle = Vehicle.objects.filter(vehicle_id=vehicle_id).first()
    if vehicle is None:
        vehicle = vehicle_create(vehicle_id=vehicle_id, fleet=fleet, now=now, **info)
    elif vehicle.fleet_id != fleet.pk or vehicle.deleted_at is not None:
        raise _id_taken(vehicle_id)
    device_add(vehicle=vehicle, device_id=device_id, now=now)
    return vehicle


def vehicle_create(*, vehicle_id: str, fleet: Fleet, now: datetime, **info: str) -> Vehicle:
    """A new vehicle. Raises Refusal: `conflict` when the id is taken, `validation_error` when it is no vehicle id."""
    _check_vehicle_id(vehicle_id)
    try:
        with transaction.atomic():
            vehicle = Vehicle(vehicle_id=vehicle_id, fleet=fleet, created_at=now, updated_at=now, **info)
            vehicle.save(force_insert=True)
    except IntegrityError:
        raise _id_taken(vehicle_id) from None
    tell_updated(vehicle)
    return vehicle


@transaction.atomic
def vehicle_update(*, vehicle: Vehicle, version: int, now: datetime, by: str = "", **changes: Any) -> Vehicle:
    """The vehicle with `changes`, if it is still at `version`; else raises Refusal `conflict` with both versions.

    `by` is the name of who changes it; empty for the server.
    A vehicle that goes to another fleet or owner has its sessions ended: what they may see has changed.
    """
    before = Vehicle.objects.get(pk=vehicle.pk)
    same = Vehicle.objects.filter(pk=vehicle.pk, version=version, deleted_at=None)
    if not same.update(**changes, version=F("version") + 1, updated_at=now, updated_by=by):
        current = Vehicle.objects.values_list("version", flat=True).get(pk=vehicle.pk)
        raise Refusal(ErrorCode.CONFLICT, details={"givenVersion": version, "currentVersion": current})
    after = Vehicle.objects.select_related("fleet").get(pk=vehicle.pk)
    if (before.fleet_id, before.owner_uid) != (after.fleet_id, after.owner_uid):
        sessions_end(vehicle_pk=vehicle.pk, reason=Reason.VEHICLE_MOVED)
    if before.fleet_id != after.fleet_id:
        tell_removed(before)
    if after.disabled_at is None:
        tell_updated(after)
    return after


def vehicle_describe(*, vehicle_pk: int, driver_name: str | None, info: dict[str, str] | None, now: datetime) -> bool:
    """Keep what a vehicle says of itself when it registers; whether anything was new.

    `info` holds type, plate, make, model, color; what is missing or empty leaves what is known as it is.
    """
    said = {**(info or {}), "driver_name": driver_name}
    said = {name: value for name, value in said.items() if value}
    if not said or Vehicle.objects.filter(pk=vehicle_pk, **said).exists():
        return False
    change = {**said, "version": F("version") + 1, "updated_at": now, "updated_by": F("vehicle_id")}
    Vehicle.objects.filter(pk=vehicle_pk).update(**change)
    tell_updated(Vehicle.objects.select_related("fleet").get(pk=vehicle_pk))
    return True


@transaction.atomic
def vehicle_disable(*, vehicle: Vehicle, now: datetime, by: str = "") -> bool:
    """Shut a vehicle out until it is enabled again; whether it was in."""
    open_ = Vehicle.objects.filter(pk=vehicle.pk, disabled_at=None, deleted_at=None)
    changed = bool(open_.update(disabled_at=now, version=F("version") + 1, updated_at=now, updated_by=by))
    if changed:
        sessions_end(vehicle_pk=vehicle.pk, reason=Reason.VEHICLE_DISABLED)
        tell_removed(vehicle)
    return changed


def vehicle_enable(*, vehicle: Vehicle, now: datetime, by: str = "") -> bool:
    """Let a disabled vehicle in again; whether it was disabled."""
    shut = Vehicle.objects.filter(pk=vehicle.pk, deleted_at=None).exclude(disabled_at=None)
    changed = bool(shut.update(disabled_at=None, version=F("version") + 1, updated_at=now, updated_by=by))
    if changed:
        tell_updated(vehicle)
    return changed


@transaction.atomic
def vehicle_delete(*, vehicle: Vehicle, now: datetime, version: int | None = None) -> bool:
    """Take a vehicle away; its row stays, so that history keeps its name, and its id is never given out again.

    Whether it was there. With a `version` that is no longer the vehicle's, raises Refusal `conflict` with both.
    """
    there = Vehicle.objects.filter(pk=vehicle.pk, deleted_at=None)
    if version is not None and (current := there.values_list("version", flat=True).first()) not in (None, version):
        raise Refusal(ErrorCode.CONFLICT, details={"givenVersion": version, "currentVersion": current})
    changed = bool(there.update(deleted_at=now, version=F("version") + 1, updated_at=now))
    if changed:
        sessions_end(vehicle_pk=vehicle.pk, reason=Reason.VEHICLE_DELETED)
        tell_removed(vehicle)
    return changed


# ---- Devices and their tokens


@transaction.atomic
def device_add(*, vehicle: Vehicle, device_id: str, now: datetime, name: str = "") -> Device:
    """The vehicle's device of that id, made where there is none.

    Raises Refusal: `conflict` when the device was removed, or when the vehicle has 20 already.
    """
    # The lock makes the count below true: two devices that come at once cannot both be the twentieth.
    Vehicle.objects.select_for_update().get(pk=vehicle.pk)
    device = Device.objects.filter(vehicle=vehicle, device_id=device_id).first()
    if device is None:
        if Device.objects.filter(vehicle=vehicle, deleted_at=None).count() >= MAX_DEVICES_PER_VEHICLE:
            raise Refusal(ErrorCode.CONFLICT, "The vehicle has as many devices as it may have; remove one first.")
        return Device.objects.create(vehicle=vehicle, device_id=device_id, name=name, created_at=now)
    if device.deleted_at is not None:
        raise Refusal(ErrorCode.CONFLICT, "The vehicle had this device before, and it was removed; give it a new id.")
    return device


@transaction.atomic
def device_revoke(*, device: Device, now: datetime) -> bool:
    """Shut a device out with all its tokens; whether it was in."""
    changed = bool(Device.objects.filter(pk=device.pk, revoked_at=None).update(revoked_at=now))
    if changed:
        DeviceToken.objects.filter(device=device, revoked_at=None).update(revoked_at=now)
        sessions_end(device_pk=device.pk, reason=Reason.DEVICE_REVOKED)
    return changed


def device_restore(*, device: Device, now: datetime) -> bool:
    """Let a revoked device in again, with a new token: those that it had stay revoked. Whether it was revoked."""
    return bool(Device.objects.filter(pk=device.pk, deleted_at=None).exclude(revoked_at=None).update(revoked_at=None))


@transaction.atomic
def device_delete(*, device: Device, now: datetime) -> bool:
    """Take a device away with all its tokens; its row stays. Whether it was there."""
    changed = bool(Device.objects.filter(pk=device.pk, deleted_at=None).update(deleted_at=now))
    if changed:
        DeviceToken.objects.filter(device=device, revoked_at=None).update(revoked_at=now)
        sessions_end(device_pk=device.pk, reason=Reason.DEVICE_DELETED)
    return changed


def device_token_issue(*, device: Device, now: datetime, ttl: timedelta | None = None) -> str:
    """A new token for the device, good for `ttl` or until it is revoked. This is the only time it can be seen.

    Raises Refusal `conflict` when the device is revoked or removed.
    """
    if device.revoked_at is not None or device.deleted_at is not None:
        raise Refusal(ErrorCode.CONFLICT, "The device is revoked: restore it first.")
    token = token_make()
    expires_at = None if ttl is None else now + ttl
    DeviceToken.objects.create(device=device, digest=token_digest(token), created_at=now, expires_at=expires_at)
    return token


@transaction.atomic
def device_token_revoke(*, token: DeviceToken, now: datetime) -> bool:
    """Make a token worthless and end what it had let in; whether it was good."""
    changed = bool(DeviceToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now))
    if changed:
        sessions_end(device_pk=token.device_id, reason=Reason.TOKEN_REVOKED)
    return changed


def vehicle_tokens_issue(*, prefix: str, count: int, fleet: Fleet, now: datetime) -> dict[str, str]:
    """A new token for each of the vehicles `prefix00001` to `count`, by vehicle id; makes those that do not exist.

    Raises Refusal: `conflict` when one of the ids belongs to another fleet or to a deleted vehicle,
    `validation_error` when the prefix makes no vehicle id or the count is out of 1 to 100,000.
    """
    if not 1 <= count <= MAX_TOKENS_AT_ONCE:
        details = {"field": "count", "issue": f"not in 1 to {MAX_TOKENS_AT_ONCE}"}
        raise Refusal(ErrorCode.VALIDATION_ERROR, details=details)
    vehicles = [Vehicle(vehicle_id=f"{prefix}{n:05d}") for n in range(1, count + 1)]
    _check_vehicle_id(vehicles[-1].vehicle_id)
    return vehicles_enroll(vehicles=vehicles, fleet=fleet, now=now)


@transaction.atomic
def vehicles_enroll(*, vehicles: Sequence[Vehicle], fleet: Fleet, now: datetime) -> dict[str, str]:
    """Make those of the unsaved `vehicles` that do not exist, and issue a new token for each, by vehicle id.

    A few statements a thousand vehicles. Raises Refusal `conflict` as `vehicle_enroll` does.
    """
    for vehicle in vehicles:
        vehicle.fleet, vehicle.created_at, vehicle.updated_at = fleet, now, now
    Vehicle.objects.bulk_create(vehicles, batch_size=_BATCH, ignore_conflicts=True)
    ids = [vehicle.vehicle_id for vehicle in vehicles]
    prefix = commonprefix(ids)  # noqa: RUF071 - one condition on letters in place of thousands
    stored = {vehicle.vehicle_id: vehicle for vehicle in Vehicle.objects.filter(vehicle_id__startswith=prefix)}
    enrolled = [stored[vehicle_id] for vehicle_id in ids]
    for vehicle in enrolled:
        if vehicle.fleet_id != fleet.pk or vehicle.deleted_at is not None:
            raise _id_taken(vehicle.vehicle_id)
    devices = [Device(vehicle=vehicle, device_id=DEFAULT_DEVICE_ID, created_at=now) for vehicle in enrolled]
    Device.objects.bulk_create(devices, batch_size=_BATCH, ignore_conflicts=True)
    mine = Device.objects.filter(device_id=DEFAULT_DEVICE_ID, vehicle__vehicle_id__startswith=prefix)
    device_pks = dict(mine.values_list("vehicle_id", "pk"))
    tokens = {vehicle_id: token_make() for vehicle_id in ids}
    rows = [
        DeviceToken(device_id=device_pks[vehicle.pk], digest=token_digest(tokens[vehicle.vehicle_id]), created_at=now)
        for vehicle in enrolled
    ]
    DeviceToken.objects.bulk_create(rows, batch_size=_BATCH)
    return tokens


def _check_vehicle_id(vehicle_id: str) -> None:
    if vehicle_id == DISPATCH:
        raise Refusal(ErrorCode.VALIDATION_ERROR, details={"field": "vehicleId", "issue": "means the dispatchers"})
    if not re.match(VEHICLE_ID_PATTERN, vehicle_id):
        details = {"field": "vehicleId", "issue": "not 3 to 40 of A-Z a-z 0-9 . _ -"}
        raise Refusal(ErrorCode.VALIDATION_ERROR, details=details)


def _id_taken(vehicle_id: str) -> Refusal:
    return Refusal(ErrorCode.CONFLICT, f"The vehicle id {vehicle_id} is taken.", details={"vehicleId": vehicle_id})
