"""Finding driving events and trips: what a page may ask for, and a part of what was found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model, Q, QuerySet
from django.forms import DateInput, Select, TextInput
from django_filters import CharFilter, ChoiceFilter, DateFilter, FilterSet, ModelChoiceFilter

from v2v.api.permissions import actor_of
from v2v.driving.models import DrivingEvent, Trip
from v2v.exports import MAX_EXPORTED_ROWS
from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action
from v2v.fleets.selectors import within
from v2v.vehicles.models import Vehicle

PAGE_SIZE = 50
_EXPORTED_AT_ONCE = 500
_INPUT = {"class": "input"}
_IN_CENTURY = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2100, 1, 1))]
RowT = TypeVar("RowT", bound=Model)


def _fleets(request: Any) -> QuerySet[Fleet]:
    return Fleet.objects.filter(within(actor_of(request), Action.VIEW, fleet="pk"))


def vehicles_named(text: str) -> Q:
    """The condition on rows of a vehicle: the one with this callsign, or those that the text finds."""
    vehicle_pk = Vehicle.objects.filter(vehicle_id=text).values_list("pk", flat=True).first()
    if vehicle_pk is not None:
        return Q(vehicle=vehicle_pk)
    return Q(vehicle__vehicle_id__icontains=text) | Q(vehicle__driver_name__icontains=text)


def _day(label: str, method: str) -> DateFilter:
    widget = DateInput(_INPUT | {"type": "date"}, format="%Y-%m-%d")
    return DateFilter(method=method, label=label, widget=widget, input_formats=["%Y-%m-%d"], validators=_IN_CENTURY)


class DrivingFilter(FilterSet):
    """What the address may ask for. Days are those of `zone`; what is not valid counts as not given."""

    moment = ""  # the column whose days are meant

    vehicle = CharFilter(
        method="of_vehicle",
        label="Vehicle",
        max_length=64,
        widget=TextInput(_INPUT | {"type": "search", "placeholder": "Callsign or driver"}),
    )
    fleet = ModelChoiceFilter(
        queryset=_fleets, to_field_name="slug", label="Fleet", empty_label="All fleets", widget=Select(_INPUT)
    )
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

    def of_vehicle(self, rows: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        """Of the vehicle with this callsign; without one, of those whose callsign or driver holds the text."""
        return rows.filter(vehicles_named(text))

    def from_day(self, rows: QuerySet[Any], name: str, day: date) -> QuerySet[Any]:
        """From the beginning of the day."""
        return rows.filter(**{f"{self.moment}__gte": datetime.combine(day, time_of_day.min, self.zone)})

    def to_day(self, rows: QuerySet[Any], name: str, day: date) -> QuerySet[Any]:
        """To the end of the day."""
        end = datetime.combine(day + timedelta(days=1), time_of_day.min, self.zone)
        return rows.filter(**{f"{self.moment}__lt": end})


class EventFilter(DrivingFilter):
    """Of driving events."""

    moment = "occurred_at"
    type = ChoiceFilter(
        label="Event", empty_label="Any event", choices=DrivingEvent.Type.choices, widget=Select(_INPUT)
    )


class TripFilter(DrivingFilter):
    """Of trips."""

    moment = "started_at"


@dataclass(frozen=True, slots=True)
class Part(Generic[RowT]):
    """A part of what was found, newest first; `after` is the key of its last row where older ones lie beyond it."""

    rows: list[RowT]
    after: int | None


def part_of(
    found: QuerySet[RowT], *, moment: str, among: QuerySet[RowT], after: int | None, size: int = PAGE_SIZE
) -> Part[RowT]:
    """The rows that follow `after`, which is looked for `among` all that may be seen; without it, the newest."""
    mark = among.filter(pk=after).values_list(moment, "pk").first() if after is not None else None
    if mark is not None:
        at, pk = mark
        older = Q(**{f"{moment}__lt": at}) | Q(**{moment: at, "pk__lt": pk})
        found = found.filter(Q(**{f"{moment}__lte": at}) & older)  # the first says nothing new, but uses the index
    rows = list(found.order_by(f"-{moment}", "-pk")[: size + 1])
    return Part(rows[:size], rows[size - 1].pk if len(rows) > size else None)


# ---- Export

EVENT_COLUMNS = ("time", "fleet", "vehicle", "event", "value", "limit", "unit", "lat", "lng")
TRIP_COLUMNS = (
    *("start", "end", "fleet", "vehicle", "distance km", "average km/h", "top km/h", "moving min", "idle min"),
    *("start lat", "start lng", "end lat", "end lng", "under way"),
)


def event_cells(event: DrivingEvent, zone: ZoneInfo) -> Sequence[Any]:
    """As cells of a spreadsheet."""
    figures = event.shown
    return [
        *(_moment(event.occurred_at, zone), event.fleet.slug, event.vehicle.vehicle_id, event.type),
        *(figures.value, figures.limit, figures.unit, event.lat, event.lng),
    ]


def trip_cells(trip: Trip, zone: ZoneInfo) -> Sequence[Any]:
    """As cells of a spreadsheet."""
    return [
        *(_moment(trip.started_at, zone), _moment(trip.ended_at, zone), trip.fleet.slug, trip.vehicle.vehicle_id),
        *(round(trip.distance_m / 1000, 2), round(trip.average_mps * 3.6, 1), round(trip.top_mps * 3.6, 1)),
        *(round(trip.moving_s / 60, 1), round(trip.idle_s / 60, 1)),
        *(trip.start_lat, trip.start_lng, trip.end_lat, trip.end_lng, "yes" if trip.is_open else "no"),
    ]


def parts_of(
    found: QuerySet[RowT], *, moment: str, among: QuerySet[RowT], cells: Any, zone: ZoneInfo
) -> Iterator[list[Sequence[Any]]]:
    """What was found as rows of cells, at most 50,000 in parts of 500."""
    after: int | None = None
    for _ in range(MAX_EXPORTED_ROWS // _EXPORTED_AT_ONCE):
        part = part_of(found, moment=moment, among=among, after=after, size=_EXPORTED_AT_ONCE)
        yield [cells(row, zone) for row in part.rows]
        after = part.after
        if after is None:
            return


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")
