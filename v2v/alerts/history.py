"""Finding alerts of long ago: what may be asked for, in which order, and pages of what was found."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Case, Expression, F, IntegerField, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.forms import DateInput, Select, TextInput
from django_filters import CharFilter, ChoiceFilter, DateFilter, FilterSet, ModelChoiceFilter

from v2v.alerts.models import Alert, AlertEvent
from v2v.alerts.rules import ACTIVE
from v2v.api.permissions import actor_of
from v2v.exports import MAX_EXPORTED_ROWS
from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action
from v2v.fleets.selectors import within

PAGE_SIZE = 50
_EXPORTED_AT_ONCE = 500
_ACTIVE = [state.value for state in ACTIVE]
_STATES = [("active", "Active"), ("over", "Over"), *Alert.StateChoice.choices]
_DRILLS = [("no", "Without drills"), ("yes", "Drills only")]
_INPUT = {"class": "input"}
_IN_CENTURY = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2100, 1, 1))]


def _fleets(request: Any) -> QuerySet[Fleet]:
    return Fleet.objects.filter(within(actor_of(request), Action.VIEW, fleet="pk"))


def _choice(label: str, empty: str, choices: list[tuple[str, Any]], **more: Any) -> ChoiceFilter:
    return ChoiceFilter(label=label, empty_label=empty, choices=choices, widget=Select(_INPUT), **more)


def _day(label: str, method: str) -> DateFilter:
    widget = DateInput(_INPUT | {"type": "date"}, format="%Y-%m-%d")
    return DateFilter(method=method, label=label, widget=widget, input_formats=["%Y-%m-%d"], validators=_IN_CENTURY)


class HistoryFilter(FilterSet):
    """What the address may ask for. Days are those of `zone`; what is not valid counts as not given."""

    q = CharFilter(
        method="search",
        label="Search",
        max_length=64,
        widget=TextInput(_INPUT | {"type": "search", "placeholder": "Vehicle, message, note, who took it"}),
    )
    fleet = ModelChoiceFilter(
        queryset=_fleets, to_field_name="slug", label="Fleet", empty_label="All fleets", widget=Select(_INPUT)
    )
    state = _choice("State", "Any state", _STATES, method="in_state")
    severity = _choice("Severity", "Any severity", Alert.Severity.choices)
    type = _choice("Type", "Any type", Alert.Type.choices)
    via = _choice("Came by", "Any way", Alert.Via.choices)
    drill = _choice("Drills", "With drills", _DRILLS, method="in_drill")
    since = _day("From", "from_day")
    until = _day("To", "to_day")

    @property
    def asked(self) -> dict[str, Any]:
        """What was asked for, and is valid."""
        self.form.is_valid()
        return {name: value for name, value in self.form.cleaned_data.items() if value}

    @property
    def zone(self) -> ZoneInfo:
        """That of the fleet that was asked for, or of the first one that the viewer may see."""
        fleet = self.asked.get("fleet") or _fleets(self.request).first()
        return fleet.zone if fleet else ZoneInfo("UTC")

    def search(self, alerts: QuerySet[Alert], name: str, text: str) -> QuerySet[Alert]:
        """By sender, driver, plate, message, and by notes and people of the time line."""
        deeds = AlertEvent.objects.filter(Q(by__icontains=text) | Q(note__icontains=text))
        sender = Q(sender__vehicle_id__icontains=text) | Q(sender__driver_name__icontains=text)
        in_words = sender | Q(sender__plate__icontains=text) | Q(message__icontains=text)
        return alerts.filter(in_words | Q(pk__in=deeds.values("alert")))

    def in_state(self, alerts: QuerySet[Alert], name: str, state: str) -> QuerySet[Alert]:
        """In one state, or in those that are active or over."""
        if state == "over":
            return alerts.exclude(state__in=_ACTIVE)
        return alerts.filter(state__in=_ACTIVE if state == "active" else [state])

    def in_drill(self, alerts: QuerySet[Alert], name: str, wanted: str) -> QuerySet[Alert]:
        """Drills, or what is none."""
        return alerts.filter(drill=wanted == "yes")

    def from_day(self, alerts: QuerySet[Alert], name: str, day: date) -> QuerySet[Alert]:
        """From the beginning of the day."""
        return alerts.filter(stored_at__gte=datetime.combine(day, time_of_day.min, self.zone))

    def to_day(self, alerts: QuerySet[Alert], name: str, day: date) -> QuerySet[Alert]:
        """To the end of the day."""
        return alerts.filter(stored_at__lt=datetime.combine(day + timedelta(days=1), time_of_day.min, self.zone))


# ---- Order and pages

_RANK = Case(
    *(When(severity=value, then=Value(rank)) for rank, value in enumerate(reversed(Alert.Severity.values))),
    default=Value(-1),
    output_field=IntegerField(),
)
_WAITED = F("answered_at") - F("stored_at")
_AGES = timedelta(days=36_500)
# What each order goes by before the time, never NULL, and whether the largest comes first. What was never answered
# always comes last.
SORTS: dict[str, tuple[Expression | None, bool]] = {
    "-raised": (None, True),
    "raised": (None, False),
    "-severity": (_RANK, True),
    "severity": (_RANK, False),
    "-answer": (Coalesce(_WAITED, Value(-_AGES)), True),
    "answer": (Coalesce(_WAITED, Value(_AGES)), False),
}
NEWEST_FIRST = "-raised"


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A part of what was found; `before` and `after` name its first and last alert where more lies beyond them."""

    alerts: list[Alert]
    before: uuid.UUID | None
    after: uuid.UUID | None


def history_page(
    found: QuerySet[Alert],
    *,
    among: QuerySet[Alert],
    sort: str = NEWEST_FIRST,
    after: uuid.UUID | None = None,
    before: uuid.UUID | None = None,
    size: int = PAGE_SIZE,
) -> HistoryPage:
    """The alerts that follow `after`, or those that lead to `before`, in the order `sort`.

    The place in the order is that of the named alert as it is now; it is looked for `among` all that may be seen,
    for it may no longer be one of those `found`. Without such an alert the list begins anew.
    """
    key, is_descending = SORTS[sort]
    fields = ["stored_at", "id"]
    if key is not None:
        fields.insert(0, "key")
        found, among = found.annotate(key=key), among.annotate(key=key)
    goes_down = is_descending != (before is not None)
    place = before or after
    mark = among.filter(pk=place).values_list(*fields).first() if place else None
    if mark is not None:
        found = found.filter(_beyond(fields, mark, "lt" if goes_down else "gt"))
    rows = list(found.order_by(*(f"-{field}" if goes_down else field for field in fields))[: size + 1])
    has_more, rows = len(rows) > size, rows[:size]
    if before is not None:
        rows.reverse()
    came_from = bool(rows) and mark is not None
    has_before, has_after = (has_more, came_from) if before is not None else (came_from, has_more)
    return HistoryPage(rows, rows[0].pk if has_before else None, rows[-1].pk if has_after else None)


def _beyond(fields: list[str], mark: tuple[Any, ...], than: str) -> Q:
    """Further on than the mark, in the order of the fields.

    The first condition says nothing new, but lets the database begin in its index.
    """
    beyond = Q(**{f"{fields[-1]}__{than}": mark[-1]})
    for field, value in reversed(list(zip(fields[:-1], mark[:-1], strict=True))):
        beyond = Q(**{f"{field}__{than}": value}) | Q(**{field: value}) & beyond
    return Q(**{f"{fields[0]}__{than}e": mark[0]}) & beyond


# ---- Export

COLUMNS = (
    *("alert", "fleet", "sender", "driver", "type", "severity", "state", "drill", "came by", "message", "lat", "lng"),
    *("radius m", "detected at", "stored at", "displayed at", "answered at", "answer s", "taken by", "assigned to"),
    *("closed at", "closed by", "disposition", "escalation level", "notes"),
)


def history_parts(
    found: QuerySet[Alert], *, among: QuerySet[Alert], sort: str, zone: ZoneInfo
) -> Iterator[list[list[Any]]]:
    """What was found as rows of cells, at most 50,000 alerts in parts of 500; times with the offset of the zone."""
    found = found.prefetch_related(Prefetch("history", AlertEvent.objects.exclude(note=""), to_attr="noted"))
    after: uuid.UUID | None = None
    for _ in range(MAX_EXPORTED_ROWS // _EXPORTED_AT_ONCE):
        page = history_page(found, among=among, sort=sort, after=after, size=_EXPORTED_AT_ONCE)
        yield [_cells(alert, zone) for alert in page.alerts]
        after = page.after
        if after is None:
            return


def _cells(alert: Alert, zone: ZoneInfo) -> list[Any]:
    def moment(at: datetime | None) -> str:
        return "" if at is None else at.astimezone(zone).isoformat(timespec="seconds")

    waited = alert.answer_time
    driver = alert.sender.driver_name if alert.sender is not None else ""
    noted: list[AlertEvent] = alert.noted  # type: ignore[attr-defined]
    return [
        *(alert.pk, alert.fleet.slug, alert.sender_name, driver, alert.type, alert.severity, alert.state),
        *("yes" if alert.drill else "no", alert.via, alert.message, alert.lat, alert.lng, alert.radius_m),
        *(moment(alert.detected_at), moment(alert.stored_at), moment(alert.displayed_at), moment(alert.answered_at)),
        *("" if waited is None else round(waited.total_seconds(), 1), alert.acked_by, alert.assigned_to),
        *(moment(alert.closed_at), alert.closed_by, alert.disposition, alert.escalation_level),
        " | ".join(f"{entry.by}: {entry.note}" for entry in noted),
    ]
