"""What changes alerts. Each service is one transaction, and tells the world after its commit.

A change is worked out by the rules from what was read, and stored only while the alert is still at the version that
was read: of two dispatchers at once one wins, and the other is told who did.
"""

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from v2v.alerts import metrics, rules
from v2v.alerts.models import Alert, AlertEvent, AlertRecipient
from v2v.alerts.telling import Change, tell_alert, tell_change
from v2v.fleets.models import Fleet
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.vehicles.live import live
from v2v.vehicles.models import Vehicle

log = structlog.get_logger(__name__)

Kind = AlertEvent.Kind
_TRIES = 10  # as many changes of one alert at the same moment as one more can wait for
_ESCALATED_AT_ONCE = 100
_BATCH = 200  # a transaction: on SQLite the next alert waits for no more than one of them
_STANDING = [field.name for field in fields(rules.Standing)]

# Called after the commit with each real alert (no drill) that nobody has taken in time.
escalation_listeners: list[Callable[[Alert], None]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a sender says. In an update, what is None stays as it is; `fix_at` is when `lat`, `lng` was."""

    type: str | None = None
    severity: str | None = None
    message: str | None = None
    lat: float | None = None
    lng: float | None = None
    fix_at: datetime | None = None
    radius_m: float | None = None
    drill: bool = False
    detected_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who raises an alert, which way, under which id of its own. Users and rules may raise one for no vehicle."""

    fleet_pk: int
    via: Alert.Via
    client_id: str
    vehicle_pk: int | None = None
    vehicle_id: str = ""
    user_pk: int | None = None
    user_name: str = ""

    @property
    def name(self) -> str:
        """Who did it, in the history."""
        return self.user_name or self.vehicle_id


def escalate_after() -> timedelta:
    """How long an alert may wait for an answer."""
    return timedelta(milliseconds=settings.ALERT_ESCALATE_MS)


def alert_stored(origin: Origin) -> uuid.UUID | None:
    """The alert that this origin raised under this id already."""
    mine = Alert.objects.filter(client_id=origin.client_id, raised_by=origin.user_pk)
    if origin.user_pk is None:
        mine = mine.filter(sender=origin.vehicle_pk)
    if origin.user_pk is None and origin.vehicle_pk is None:
        mine = mine.filter(fleet=origin.fleet_pk)
    return mine.values_list("pk", flat=True).first()


def alert_raise(*, origin: Origin, report: Report, now: datetime) -> tuple[uuid.UUID, bool]:
    """Store an alert and tell all whom it concerns; its id, and whether it is new.

    A second one of the same origin with the same client id is the first one, whatever it says.
    """
    try:
        with transaction.atomic():
            return _alert_create(origin, report, now).pk, True
    except IntegrityError:
        stored = alert_stored(origin)
        if stored is None:
            raise
        return stored, False


def _alert_create(origin: Origin, report: Report, now: datetime) -> Alert:
    lat, lng, fix_at = report.lat, report.lng, report.fix_at or now
    if lat is None and origin.vehicle_pk is not None and (known := live().position(origin.vehicle_id)) is not None:
        lat, lng, fix_at = known.lat, known.lng, known.at
    kind = report.type or "other"
    standing = rules.opened(severity=report.severity or "critical", now=now, escalate_after=escalate_after())
    alert = Alert(
        fleet=Fleet.objects.get(pk=origin.fleet_pk),
        sender=Vehicle.objects.get(pk=origin.vehicle_pk) if origin.vehicle_pk is not None else None,
        raised_by_id=origin.user_pk,
        client_id=origin.client_id,
        via=origin.via,
        type=kind,
        cause_code=rules.CAUSE_CODES[kind],
        message=report.message or "",
        lat=lat,
        lng=lng,
        fix_at=None if lat is None else fix_at,
        radius_m=report.radius_m,
        drill=report.drill,
        detected_at=report.detected_at or now,
        stored_at=now,
        **asdict(standing),
    )
    alert.save(force_insert=True)
    AlertEvent.objects.create(alert=alert, kind=Kind.RAISED, at=now, by=origin.name)
    tell_alert(alert, now=now)
    transaction.on_commit(lambda: _note_raised(alert), robust=True)
    return alert


def _note_raised(alert: Alert) -> None:
    if not alert.drill:
        metrics.EMERGENCIES.labels(alert.type, alert.severity, str(alert.via)).inc()
    log.warning(
        "alert raised",
        alert=str(alert.pk),
        sender=alert.sender_name,
        type=alert.type,
        severity=alert.severity,
        via=str(alert.via),
        drill=alert.drill,
    )


def alert_update(*, alert: Alert, by: str, report: Report, client_id: str, now: datetime) -> Alert:
    """Bring an active alert up to date on its sender's word; one that got worse is open again.

    Raises Refusal `conflict` when it is over. The same client id again does nothing.
    """
    deed = rules.Updated(severity=report.severity, escalate_after=escalate_after())
    said: dict[str, object] = {
        "type": report.type,
        "cause_code": rules.CAUSE_CODES[report.type] if report.type else None,
        "message": report.message,
        "radius_m": report.radius_m,
        "lat": report.lat,
        "lng": report.lng,
        "fix_at": None if report.lat is None else report.fix_at or now,
    }
    columns = {name: value for name, value in said.items() if value is not None}
    return _change(alert, deed, Kind.UPDATED, by=by, now=now, client_id=client_id, columns=columns)


def alert_cancel(*, alert: Alert, by: str, now: datetime) -> Alert:
    """Its sender takes it back. Raises Refusal `conflict` when it is over otherwise."""
    return _change(alert, rules.Cancelled(by), Kind.CANCELLED, by=by, now=now)


def alert_display(*, alert: Alert, by: str, now: datetime) -> Alert:
    """A dispatcher's screen shows it; the first one counts."""
    return _change(alert, rules.Displayed(by), Kind.DISPLAYED, by=by, now=now)


def alert_ack(*, alert: Alert, by: str, now: datetime) -> Alert:
    """A dispatcher takes it. Raises Refusal `conflict`, with who has it, for the second one."""
    return _change(alert, rules.Acknowledged(by), Kind.ACKNOWLEDGED, by=by, now=now)


def alert_assign(*, alert: Alert, by: str, assignee: str, now: datetime, replaces: str = "") -> Alert:
    """A dispatcher gives it to somebody. Raises Refusal `conflict` when it is another's than `replaces`."""
    deed = rules.Assigned(by, assignee, replaces)
    return _change(alert, deed, Kind.ASSIGNED, by=by, now=now, note=assignee)


def alert_resolve(*, alert: Alert, by: str, disposition: str, now: datetime, note: str = "") -> Alert:
    """A dispatcher closes it. Raises Refusal `conflict` when it is over, `validation_error` for false without note."""
    return _change(alert, rules.Resolved(by, disposition, note), Kind.RESOLVED, by=by, now=now, note=note)


def alert_negate(*, alert: Alert, by: str, now: datetime, note: str = "") -> Alert:
    """A dispatcher declares it over on a third party's word. Raises Refusal `conflict` when it is over."""
    return _change(alert, rules.Negated(by), Kind.NEGATED, by=by, now=now, note=note)


@transaction.atomic
def alert_note(*, alert: Alert, by: str, note: str, now: datetime, client_id: str = "") -> Alert:
    """Note something, also after the end. The same client id again notes nothing."""
    _history_add(alert, Change(Kind.NOTED, by, now, note), client_id)
    return alert


def alerts_escalate(*, now: datetime) -> bool:
    """Tell again, louder, of what nobody has taken in time; whether there was anything. Any number may run at once."""
    due = Alert.objects.filter(escalate_at__lte=now, state=rules.State.OPEN.value).order_by("escalate_at")
    alerts = list(due.select_related("fleet", "sender", "raised_by")[:_ESCALATED_AT_ONCE])
    for alert in alerts:
        _escalate(alert, now)
    return bool(alerts)


def _escalate(alert: Alert, now: datetime) -> None:
    changed = _change(alert, rules.Escalated(escalate_after()), Kind.ESCALATED, by="", now=now)
    if changed.escalation_level == alert.escalation_level:
        return  # another process got there first, or somebody has taken it
    metrics.ESCALATIONS.labels(str(changed.escalation_level)).inc()
    log.warning("alert escalated", alert=str(alert.pk), level=changed.escalation_level, drill=alert.drill)
    if not alert.drill:
        for listener in escalation_listeners:
            try:
                listener(changed)
            except Exception:
                log.exception("escalation listener failed", alert=str(alert.pk))


def _change(
    alert: Alert,
    deed: rules.Deed,
    kind: AlertEvent.Kind,
    *,
    by: str,
    now: datetime,
    note: str = "",
    client_id: str = "",
    columns: dict[str, object] | None = None,
) -> Alert:
    """Apply a deed to the alert as it is now; the alert after it. `columns` are changed besides."""
    for _ in range(_TRIES):
        current = Alert.objects.select_related("fleet", "sender", "raised_by").get(pk=alert.pk)
        standing = standing_of(current)
        if client_id and AlertEvent.objects.filter(alert=alert, by=by, client_id=client_id).exists():
            return current
        after = rules.after(standing, deed, now)
        if after == standing and not isinstance(deed, rules.Updated):
            return current
        if kind is Kind.UPDATED and rules.is_worse(after.severity, standing.severity):
            kind = Kind.WORSENED
        changed = {**asdict(after), **(columns or {}), "version": current.version + 1}
        with transaction.atomic():
            if not Alert.objects.filter(pk=alert.pk, version=current.version).update(**changed):
                continue  # somebody else was between: look again
            for name, value in changed.items():
                setattr(current, name, value)
            change = Change(kind, by, now, note)
            _history_add(current, change, client_id)
            if kind in (Kind.UPDATED, Kind.WORSENED):
                tell_alert(current, now=now)
            log.info("alert changed", alert=str(alert.pk), change=str(kind), state=str(current.state), by=by)
            return current
    raise Refusal(ErrorCode.UNAVAILABLE)


def standing_of(alert: Alert) -> rules.Standing:
    """The part of an alert that the rules decide on."""
    values = {name: getattr(alert, name) for name in _STANDING}
    return rules.Standing(**{**values, "state": rules.State(alert.state)})


def _history_add(alert: Alert, change: Change, client_id: str) -> None:
    """Add to the history, and tell; a client id that is there already changes nothing."""
    event = AlertEvent(alert=alert, kind=change.kind, at=change.at, by=change.by, note=change.note, client_id=client_id)
    try:
        with transaction.atomic():
            event.save()
    except IntegrityError:
        return
    if change.kind not in (Kind.UPDATED, Kind.WORSENED):  # of these the alert itself tells
        tell_change(alert, change)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Vehicles (their ids) that were told of an alert, and when."""

    alert_id: str
    vehicle_ids: tuple[str, ...]
    at: datetime


def alert_recipients_store(deliveries: list[Delivery]) -> None:
    """Store who was told; of one that was told twice the first time counts."""
    named = {name for delivery in deliveries for name in delivery.vehicle_ids}
    pks = dict(Vehicle.objects.filter(vehicle_id__in=named).values_list("vehicle_id", "pk"))
    rows = [
        AlertRecipient(alert_id=uuid.UUID(delivery.alert_id), vehicle_id=pks[name], delivered_at=delivery.at)
        for delivery in deliveries
        for name in delivery.vehicle_ids
    ]
    for begin in range(0, len(rows), _BATCH):
        AlertRecipient.objects.bulk_create(rows[begin : begin + _BATCH], ignore_conflicts=True)
