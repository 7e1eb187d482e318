"""What changes geofences. Each service is one transaction, and tells the world after its commit.

A change of the shape, of whom it concerns, or of whether it is active begins anew: who is inside then is found there,
and not said to enter.
"""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from v2v.fleets.models import Fleet
from v2v.geofences.models import Geofence, GeofencePresence
from v2v.geofences.shapes import ShapeError, geometry_of, shape_of
from v2v.geofences.telling import tell_removed, tell_updated
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal

MAX_PER_FLEET = 1_000
EDITABLE = (
    *("name", "note", "color", "kind", "geometry", "radius_m", "is_active", "vehicle_types"),
    *("weekdays", "begins", "ends", "hold_s", "on_enter", "on_exit", "on_dwell", "dwell_minutes"),
    *("on_speed", "speed_limit", "on_too_few", "minimum_inside", "too_few_minutes"),
)
_ARMS = ("kind", "geometry", "radius_m", "is_active", "vehicle_types")
_COUNTS = (*_ARMS, "on_too_few", "minimum_inside", "too_few_minutes", "weekdays", "begins", "ends")


@transaction.atomic
def geofence_create(*, fleet: Fleet, by: str, now: datetime, **values: Any) -> Geofence:
    """A new geofence with `values` of EDITABLE. Raises Refusal: `validation_error`, `conflict` past 1,000 a fleet."""
    geofence = Geofence(fleet=fleet, created_at=now, updated_at=now, armed_at=now, updated_by=by, **_normalized(values))
    _check(geofence)
    _make_room(fleet)
    geofence.save(force_insert=True)
    tell_updated(geofence)
    return geofence


@transaction.atomic
def geofence_update(*, geofence: Geofence, version: int, by: str, now: datetime, **changes: Any) -> Geofence:
    """The geofence with `changes`, if it is still at `version`; else raises Refusal `conflict` with both versions."""
    current = _current(geofence)
    if current is None or current.version != version:
        raise _conflict(geofence, version)
    before = {name: getattr(current, name) for name in EDITABLE}
    given = {name: before[name] for name in ("kind", "geometry", "radius_m")} | changes
    for name, value in _normalized(given).items():
        setattr(current, name, value)
    _check(current)
    changed = {name: getattr(current, name) for name in EDITABLE if getattr(current, name) != before[name]}
    stored: dict[str, Any] = {**changed, "updated_at": now, "updated_by": by}
    if any(name in changed for name in _ARMS):
        stored["armed_at"] = now
    if any(name in changed for name in _COUNTS):
        stored |= {"too_few_since": None, "too_few_told_at": None}
    same = Geofence.objects.filter(pk=geofence.pk, version=version, deleted_at=None)
    if not same.update(**stored, version=F("version") + 1):  # somebody else was between
        raise _conflict(geofence, version)
    if "armed_at" in stored:
        GeofencePresence.objects.filter(geofence=geofence.pk).delete()
    after = Geofence.objects.select_related("fleet").get(pk=geofence.pk)
    tell_updated(after)
    return after


@transaction.atomic
def geofence_delete(*, geofence: Geofence, by: str, now: datetime, version: int | None = None) -> bool:
    """Take it away; whether it was there. Its row and events stay, and `geofence_restore` brings it back.

    With a `version` that is no longer the geofence's, raises Refusal `conflict` with both.
    """
    current = _current(geofence)
    if current is not None and version is not None and current.version != version:
        raise _conflict(geofence, version)
    there = Geofence.objects.filter(pk=geofence.pk, deleted_at=None)
    gone = bool(there.update(deleted_at=now, updated_at=now, updated_by=by, version=F("version") + 1))
    if gone:
        GeofencePresence.objects.filter(geofence=geofence.pk).delete()
        tell_removed(geofence)
    return gone


@transaction.atomic
def geofence_restore(*, geofence: Geofence, by: str, now: datetime) -> Geofence:
    """Bring a deleted one back as it was; one that is there stays as it is. Raises Refusal `conflict` when full."""
    gone = Geofence.objects.filter(pk=geofence.pk).exclude(deleted_at=None)
    _make_room(geofence.fleet, unless=geofence.pk)
    brought_back = gone.update(
        deleted_at=None,
        armed_at=now,
        too_few_since=None,
        too_few_told_at=None,
        updated_at=now,
        updated_by=by,
        version=F("version") + 1,
    )
    after = Geofence.objects.select_related("fleet").get(pk=geofence.pk)
    if brought_back:
        tell_updated(after)
    return after


def _current(geofence: Geofence) -> Geofence | None:
    return Geofence.objects.select_related("fleet").filter(pk=geofence.pk, deleted_at=None).first()


def _conflict(geofence: Geofence, version: int) -> Refusal:
    current = Geofence.objects.values_list("version", flat=True).get(pk=geofence.pk)
    return Refusal(ErrorCode.CONFLICT, details={"givenVersion": version, "currentVersion": current})


def _make_room(fleet: Fleet, *, unless: int = 0) -> None:
    # The lock makes the count true: two that come at once cannot both be the last one.
    Fleet.objects.select_for_update().get(pk=fleet.pk)
    if Geofence.objects.filter(fleet=fleet, deleted_at=None).exclude(pk=unless).count() >= MAX_PER_FLEET:
        raise Refusal(ErrorCode.CONFLICT, f"A fleet has at most {MAX_PER_FLEET:,} geofences; delete one first.")


def _normalized(values: dict[str, Any]) -> dict[str, Any]:
    """With the shape as it is stored, whatever else was said in it. Raises Refusal."""
    unknown = values.keys() - set(EDITABLE)
    if unknown:
        raise TypeError(f"no fields to edit: {sorted(unknown)}")
    if values.get("kind") == Geofence.Kind.POLYGON:
        values = {**values, "radius_m": None}
    try:
        shape = shape_of(values.get("kind", ""), values.get("geometry"), values.get("radius_m"))
    except ShapeError as error:
        details = {"field": error.field, "issue": error.issue}
        raise Refusal(
            ErrorCode.VALIDATION_ERROR, f"{error.issue[0].upper()}{error.issue[1:]}.", details=details
        ) from None
    values = {**values, "geometry": geometry_of(shape)}
    if "vehicle_types" in values and isinstance(values["vehicle_types"], list):
        names = [each.strip() if isinstance(each, str) else each for each in values["vehicle_types"]]
        values["vehicle_types"] = list(dict.fromkeys(names))
    return values


def _check(geofence: Geofence) -> None:
    try:
        geofence.full_clean(exclude=["fleet"], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        field, issues = next(iter(error.message_dict.items()))
        details = {"field": field, "issue": issues[0]}
        raise Refusal(ErrorCode.VALIDATION_ERROR, issues[0], details=details) from None
