"""Who connects: from a token to the vehicle that it owns. Everything wrong gets one answer, which teaches nobody."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from v2v.fleets.policy import Actor, actor_of_vehicle
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.vehicles.firebase import KeysUnavailable, TokenRefused, firebase_verify
from v2v.vehicles.models import Device, DeviceToken, Vehicle
from v2v.vehicles.services import DEFAULT_DEVICE_ID, device_add
from v2v.vehicles.tokens import is_device_token, token_digest

_log = structlog.get_logger(__name__)
_SEEN_EVERY = timedelta(minutes=5)  # a storm of reconnects must not become a storm of writes


class AuthRefusal(Refusal):
    """`auth_failed`. `reason` is the true one, one of few words: for the log and the metrics, never for the client."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(ErrorCode.AUTH_FAILED)


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A vehicle that has proved who it is, with the device that speaks for it.

    `granted_by` is the device that the token was issued to, which need not be the one that uses it: a session ends when
    either is revoked. `info` holds type, plate, make, model, color.
    """

    vehicle_pk: int
    vehicle_id: str
    fleet_pk: int
    fleet_slug: str
    device_pk: int
    device_id: str
    granted_by: int
    driver_name: str
    info: dict[str, str]
    token_expires_at: datetime | None
    actor: Actor


@dataclass(frozen=True, slots=True)
class _Grant:
    vehicle: Vehicle
    device: Device | None  # whom the token was issued to; Firebase knows users, not devices
    expires_at: datetime | None


def vehicle_authenticate(*, vehicle_id: str, device_id: str | None, token: str, now: datetime) -> Authenticated:
    """The vehicle `vehicle_id`, if the token owns it; `device_id` may be a new one, of which a vehicle has at most 20.

    Raises AuthRefusal for everything wrong with the token, the vehicle or the device, and Refusal `unavailable` when
    Firebase's keys cannot be had. Synchronous, with one query for a known device.
    """
    try:
        grant = _grant(token=token, vehicle_id=vehicle_id, now=now)
        if grant.vehicle.vehicle_id != vehicle_id:
            raise AuthRefusal("not_its_vehicle")
        _check_vehicle(grant.vehicle)
        device = _device(grant=grant, device_id=device_id, now=now)
    except AuthRefusal as refusal:
        _log.warning("authentication refused", vehicle_id=vehicle_id, device_id=device_id, reason=refusal.reason)
        raise
    return _authenticated(grant, device)


def token_authenticate(*, token: str, now: datetime) -> Authenticated:
    """The vehicle that the token owns, where the caller does not name it; of a Firebase user's the first by id.

    Raises as `vehicle_authenticate` does.
    """
    try:
        grant = _grant(token=token, vehicle_id=None, now=now)
        _check_vehicle(grant.vehicle)
        device = _device(grant=grant, device_id=None, now=now)
    except AuthRefusal as refusal:
        _log.warning("authentication refused", reason=refusal.reason)
        raise
    return _authenticated(grant, device)


def _grant(*, token: str, vehicle_id: str | None, now: datetime) -> _Grant:
    if is_device_token(token):
        return _device_grant(token, now=now)
    return _firebase_grant(token, vehicle_id=vehicle_id, now=now)


def _device_grant(token: str, *, now: datetime) -> _Grant:
    row = DeviceToken.objects.select_related("device__vehicle__fleet").filter(digest=token_digest(token)).first()
    if row is None:
        raise AuthRefusal("unknown_token")
    if row.revoked_at is not None:
        raise AuthRefusal("token_revoked")
    if row.expires_at is not None and row.expires_at <= now:
        raise AuthRefusal("token_expired")
    _check_device(row.device)
    return _Grant(vehicle=row.device.vehicle, device=row.device, expires_at=row.expires_at)


def _firebase_grant(token: str, *, vehicle_id: str | None, now: datetime) -> _Grant:
    try:
        identity = firebase_verify(token, now=now)
    except TokenRefused as error:
        raise AuthRefusal(error.reason) from None
    except KeysUnavailable as error:
        _log.error("Firebase cannot be asked", error=str(error))
        raise Refusal(ErrorCode.UNAVAILABLE) from error
    owned = Vehicle.objects.select_related("fleet").filter(owner_uid=identity.uid, deleted_at=None)
    vehicle = (owned if vehicle_id is None else owned.filter(vehicle_id=vehicle_id)).first()
    if vehicle is None:
        raise AuthRefusal("not_its_vehicle")
    return _Grant(vehicle=vehicle, device=None, expires_at=identity.expires_at)


def _check_vehicle(vehicle: Vehicle) -> None:
    if vehicle.deleted_at is not None:
        raise AuthRefusal("vehicle_deleted")
    if vehicle.disabled_at is not None:
        raise AuthRefusal("vehicle_disabled")


def _check_device(device: Device) -> None:
    if device.deleted_at is not None:
        raise AuthRefusal("device_deleted")
    if device.revoked_at is not None:
        raise AuthRefusal("device_revoked")


def _device(*, grant: _Grant, device_id: str | None, now: datetime) -> Device:
    """The device that speaks: the token's own, or another one of the vehicle."""
    device = grant.device
    if device is None or (device_id is not None and device_id != device.device_id):
        wanted = device_id or DEFAULT_DEVICE_ID
        device = Device.objects.filter(vehicle=grant.vehicle, device_id=wanted).first()
        if device is None:
            try:
                device = device_add(vehicle=grant.vehicle, device_id=wanted, now=now)
            except Refusal:
                raise AuthRefusal("too_many_devices") from None
        _check_device(device)
    if device.last_seen_at is None or now - device.last_seen_at > _SEEN_EVERY:
        Device.objects.filter(pk=device.pk).update(last_seen_at=now)
    return device


def _authenticated(grant: _Grant, device: Device) -> Authenticated:
    vehicle = grant.vehicle
    return Authenticated(
        vehicle_pk=vehicle.pk,
        vehicle_id=vehicle.vehicle_id,
        fleet_pk=vehicle.fleet_id,
        fleet_slug=vehicle.fleet.slug,
        device_pk=device.pk,
        device_id=device.device_id,
        granted_by=grant.device.pk if grant.device else device.pk,
        driver_name=vehicle.driver_name,
        info={name: getattr(vehicle, name) for name in ("type", "plate", "make", "model", "color")},
        token_expires_at=grant.expires_at,
        actor=actor_of_vehicle(vehicle_pk=vehicle.pk, vehicle_id=vehicle.vehicle_id, fleet_pk=vehicle.fleet_id),
    )
