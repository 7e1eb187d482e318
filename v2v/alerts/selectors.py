"""What an actor may read of alerts, and what belongs into a snapshot."""

import statistics
import uuid
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from v2v.alerts.models import Alert, AlertEvent
from v2v.alerts.rules import ACTIVE, State
from v2v.fleets.policy import Action, Actor, can
from v2v.fleets.selectors import within
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.proximity.geometry import distance_m
from v2v.vehicles.live import Position

MAX_IN_SNAPSHOT = 200
MAX_ROWS = 100
MAX_MEASURED = 50_000
# NFPA 1221: 90 % of alarms answered within 64 s, 95 % within 106 s.
MARKS = ((64, 0.90), (106, 0.95))
_MAX_LOOKED_AT = 1000
_ACTIVE = [state.value for state in ACTIVE]
_UNTAKEN_FIRST = Case(When(state=State.OPEN.value, then=Value(0)), default=Value(1), output_field=IntegerField())


def alerts_where(actor: Actor, action: Action = Action.VIEW) -> QuerySet[Alert]:
    """The alerts of the fleets in which the actor may do it, newest first."""
    return Alert.objects.filter(within(actor, action)).select_related("fleet", "sender", "raised_by")


def alerts_active(actor: Actor) -> list[Alert]:
    """The active alerts that the actor may view: those that nobody has taken first, then the newest; at most 200."""
    active = alerts_where(actor).filter(state__in=_ACTIVE)
    return list(active.order_by(_UNTAKEN_FIRST, "-stored_at", "-id")[:MAX_IN_SNAPSHOT])


# Which alerts a list holds.
ACTIVE_ONLY, UNTAKEN_ONLY, ALL = "active", "untaken", "all"


@dataclass(frozen=True, slots=True)
class AlertChoice:
    """Which alerts: active, untaken or all; of one severity and type, or of any."""

    which: str = ACTIVE_ONLY
    severity: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class AlertRows:
    """The chosen alerts: those that nobody has taken, and the others; `more` when there are older ones."""

    untaken: list[Alert]
    others: list[Alert]
    more: bool


def alert_rows(*, actor: Actor, choice: AlertChoice) -> AlertRows:
    """The chosen alerts that the actor may view, the newest first; at most 100, those untaken before others."""
    chosen = alerts_where(actor)
    if choice.which == UNTAKEN_ONLY:
        chosen = chosen.filter(state=State.OPEN.value)
    elif choice.which == ACTIVE_ONLY:
        chosen = chosen.filter(state__in=_ACTIVE)
    for name in ("severity", "type"):
        if value := getattr(choice, name):
            chosen = chosen.filter(**{name: value})
    found = list(chosen.order_by(_UNTAKEN_FIRST, "-stored_at", "-id")[: MAX_ROWS + 1])
    shown = found[:MAX_ROWS]
    return AlertRows(
        untaken=[alert for alert in shown if alert.state == State.OPEN],
        others=[alert for alert in shown if alert.state != State.OPEN],
        more=len(found) > MAX_ROWS,
    )


def alerts_untaken(actor: Actor) -> int:
    """How many alerts that the actor may view nobody has taken."""
    return alerts_where(actor).filter(state=State.OPEN.value).count()


def waiting_since(alert: Alert) -> datetime | None:
    """Since when an open alert waits for an answer: since it was stored, or got worse than when it was taken."""
    if alert.state != State.OPEN:
        return None
    if alert.answered_at is None:
        return alert.stored_at
    worse = alert.history.filter(kind=AlertEvent.Kind.WORSENED).order_by("-at")
    return worse.values_list("at", flat=True).first() or alert.stored_at


def alerts_concerning(*, vehicle_pk: int, fleet_pk: int, position: Position | None) -> list[Alert]:
    """The active alerts that concern a vehicle, in the same order: its own, and those near enough to its position."""
    of_fleet = Alert.objects.filter(fleet=fleet_pk, state__in=_ACTIVE)
    if position is None:
        of_fleet = of_fleet.filter(Q(sender=vehicle_pk) | Q(radius_m=None) | Q(lat=None))
    ordered = of_fleet.select_related("fleet", "sender", "raised_by").order_by(_UNTAKEN_FIRST, "-stored_at", "-id")
    found = [
        alert
        for alert in ordered[:_MAX_LOOKED_AT]
        if alert.sender_id == vehicle_pk or alert.radius_m is None or is_within(alert, position)
    ]
    return found[:MAX_IN_SNAPSHOT]


def is_within(alert: Alert, position: Position | None) -> bool:
    """Whether the position is inside the alert's radius; one without a place concerns everybody."""
    distance = distance_to(alert, position)
    return alert.lat is None or (distance is not None and distance <= (alert.radius_m or 0))


def distance_to(alert: Alert, position: Position | None) -> float | None:
    """Meters from the position to the alert."""
    if position is None or alert.lat is None or alert.lng is None:
        return None
    return distance_m(position.lat, position.lng, alert.lat, alert.lng)


def alert_seen(actor: Actor, alert_id: str | uuid.UUID) -> Alert | None:
    """The alert, if there is one of this id that the actor may view."""
    try:
        return alerts_where(actor).filter(pk=_uuid(alert_id)).first()
    except Refusal:
        return None


def alert_to_work(actor: Actor, alert_id: str | uuid.UUID) -> Alert:
    """The alert, for a dispatcher of its fleet. Raises Refusal: `not_found`, or `forbidden` for who may only look."""
    alert = alert_seen(actor, alert_id)
    if alert is None:
        raise Refusal(ErrorCode.NOT_FOUND)
    if not can(actor, Action.DISPATCH, alert.fleet_id):
        raise Refusal(ErrorCode.FORBIDDEN)
    return alert


def alert_of_vehicle(vehicle_pk: int, alert_id: str) -> Alert:
    """The vehicle's own alert. Raises Refusal `not_found`."""
    alert = Alert.objects.filter(pk=_uuid(alert_id), sender=vehicle_pk).first()
    if alert is None:
        raise Refusal(ErrorCode.NOT_FOUND)
    return alert


def _uuid(value: Any) -> uuid.UUID:
    try:
        return value if isinstance(value, uuid.UUID) else uuid.UUID(value)
    except ValueError:
        raise Refusal(ErrorCode.NOT_FOUND) from None


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of NFPA 1221, and the share of alerts that met it; None while there is none to measure."""

    within_s: int
    wanted: float
    share: float | None

    @property
    def is_met(self) -> bool | None:
        """Whether the fleet is as fast as it should be."""
        return None if self.share is None else self.share >= self.wanted


@dataclass(frozen=True, slots=True)
class AnswerTimes:
    """How fast alerts were first taken, in seconds from when they were stored."""

    count: int
    answered: int
    median_s: float | None
    p95_s: float | None
    marks: tuple[Mark, ...]


def answer_times(alerts: QuerySet[Alert], *, now: datetime) -> AnswerTimes:
    """Of the newest 50,000 of these alerts, without drills and those that their sender took back unanswered."""
    measured = measurable(alerts.filter(drill=False)).order_by("-stored_at")
    times = measured.values_list("stored_at", "answered_at")[:MAX_MEASURED]
    return answer_times_of(wait_of(stored_at, answered_at, now) for stored_at, answered_at in times)


def measurable(alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    """Those that could be answered: without what its sender took back before anybody had taken it."""
    return alerts.exclude(state=State.CANCELLED.value, answered_at=None)


class Wait(NamedTuple):
    """How long an alert waited until it was first taken; or, while it is not over, how long it waits already."""

    seconds: float
    is_over: bool


def wait_of(stored_at: datetime, answered_at: datetime | None, now: datetime) -> Wait:
    """That of an alert that was stored then, and first taken then or not yet."""
    return Wait(((answered_at or now) - stored_at).total_seconds(), answered_at is not None)


def answer_times_of(waits: Iterable[Wait]) -> AnswerTimes:
    """One that waits still counts against a mark once it has waited for longer than that."""
    waits = list(waits)
    answered = sorted(seconds for seconds, is_over in waits if is_over)
    waiting = sorted(seconds for seconds, is_over in waits if not is_over)
    marks = []
    for within_s, wanted in MARKS:
        met = bisect_right(answered, within_s)
        missed = len(waiting) - bisect_right(waiting, within_s)
        total = len(answered) + missed
        marks.append(Mark(within_s, wanted, met / total if total else None))
    return AnswerTimes(
        count=len(waits),
        answered=len(answered),
        median_s=statistics.median(answered) if answered else None,
        p95_s=answered[max(0, -(-len(answered) * 95 // 100) - 1)] if answered else None,
        marks=tuple(marks),
    )
