"""What the world is told of an alert, once it is stored."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import cast

from django.db import transaction

from v2v.alerts.models import Alert, AlertEvent
from v2v.alerts.rules import ACTIVE, State, position_is_stale
from v2v.alerts.selectors import waiting_since
from v2v.protocol import events
from v2v.protocol.epoch import epoch_ms
from v2v.protocol.events import AlertChange, AlertPart, AlertState, AlertVia
from v2v.realtime.relay import Audience, ToAround, ToDispatchers, ToFollowers, ToVehicles, publish

_INFO = ("type", "plate", "make", "model", "color")
Kind = AlertEvent.Kind
_FOR_DISPATCHERS = (Kind.NOTED,)
_FOR_THE_SENDER_TOO = (Kind.DISPLAYED,)


@dataclass(frozen=True, slots=True)
class Change:
    """What was done, by whom; a note goes to dispatchers only."""

    kind: AlertEvent.Kind
    by: str
    at: datetime
    note: str = ""


def alert_part(alert: Alert, *, now: datetime) -> AlertPart:
    """The alert as the wire shows it; its `sender`, `fleet` and `raised_by` must have been read with it."""
    sender, waits = alert.sender, waiting_since(alert)
    info = {name: getattr(sender, name) for name in _INFO} if sender is not None else {}
    return AlertPart(
        alert_id=str(alert.pk),
        fleet=alert.fleet.slug,
        sender_id=alert.sender_name,
        type=alert.type,
        severity=alert.severity,
        ts=epoch_ms(alert.detected_at),
        via=cast("AlertVia", str(alert.via)),
        state=cast("AlertState", str(alert.state)),
        acknowledged=alert.state != State.OPEN,
        cause_code=alert.cause_code,
        vehicle_info={name: value for name, value in info.items() if value},
        message=alert.message or None,
        lat=alert.lat,
        lng=alert.lng,
        position_ts=None if alert.fix_at is None else epoch_ms(alert.fix_at),
        position_stale=position_is_stale(alert.fix_at, now),
        radius_m=alert.radius_m,
        drill=alert.drill,
        acknowledged_by=alert.acked_by or None,
        assignee=alert.assigned_to or None,
        escalation_level=alert.escalation_level,
        displayed=alert.displayed_at is not None,
        waiting_since=None if waits is None else epoch_ms(waits),
    )


def tell_alert(alert: Alert, *, now: datetime) -> None:
    """Tell all whom it concerns of the alert itself, after the commit."""
    audience = ToAround(
        fleet=alert.fleet_id,
        topic=str(alert.pk),
        center=alert.sender.vehicle_id if alert.sender is not None else "",
        lat=alert.lat,
        lng=alert.lng,
        radius_m=alert.radius_m,
    )
    event = events.EmergencyAlert(data=alert_part(alert, now=now))
    transaction.on_commit(partial(publish, audience, event), robust=True)


def tell_change(alert: Alert, change: Change) -> None:
    """Tell what was done about it, after the commit."""
    event = events.AlertUpdated(
        data=events.AlertUpdated.Data(
            alert_id=str(alert.pk),
            state=cast("AlertState", str(alert.state)),
            change=cast("AlertChange", str(change.kind)),
            ts=epoch_ms(change.at),
            by=change.by or None,
            assignee=alert.assigned_to or None,
            disposition=alert.disposition or None,
            note=(change.note or None) if change.kind in _FOR_DISPATCHERS else None,
            escalation_level=alert.escalation_level,
        )
    )
    for audience in _audiences(alert, change.kind):
        transaction.on_commit(partial(publish, audience, event), robust=True)


def _audiences(alert: Alert, kind: AlertEvent.Kind) -> list[Audience]:
    if kind in _FOR_DISPATCHERS:
        return [ToDispatchers(alert.fleet_id)]
    if kind in _FOR_THE_SENDER_TOO:
        sender: list[Audience] = [ToVehicles((alert.sender.vehicle_id,))] if alert.sender is not None else []
        return [ToDispatchers(alert.fleet_id), *sender]
    return [ToFollowers(alert.fleet_id, str(alert.pk), is_last=alert.state not in ACTIVE)]
