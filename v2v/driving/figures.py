"""The figures of a period: altogether, beside the period before, by day and by vehicle."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Max, QuerySet, Sum

from v2v.driving.models import DailyFigures

PERIODS = (7, 30, 90, 365)  # days
USUAL_DAYS = 7
MAX_VEHICLES = 200
_SUMS = ("distance_m", "moving_s", "idle_s", "trips", "stops", "overspeeds", "harsh_events", "events")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Meters, seconds, m/s, counts."""

    distance_m: float = 0.0
    moving_s: float = 0.0
    idle_s: float = 0.0
    top_mps: float = 0.0
    trips: int = 0
    stops: int = 0
    overspeeds: int = 0
    harsh_events: int = 0
    events: int = 0

    @property
    def average_mps(self) -> float | None:
        """Of the time in which it moved; None when nothing did."""
        return self.distance_m / self.moving_s if self.moving_s else None

    @property
    def idle_share(self) -> float | None:
        """Of the time on trips that was stood."""
        on_trips = self.moving_s + self.idle_s
        return self.idle_s / on_trips if on_trips else None

    @property
    def events_per_100_km(self) -> float | None:
        """None under a kilometer, where it would say nothing."""
        return self.events / self.distance_m * 100_000 if self.distance_m >= 1_000 else None


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day."""

    day: date
    figures: Figures


@dataclass(frozen=True, slots=True)
class VehicleRow:
    """One vehicle in the whole period."""

    vehicle_id: str
    driver_name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Analytics:
    """The figures of the `days` days until `until`; days the newest first, vehicles by their distance.

    `before` are those of as many days before. `is_cut` when there are more vehicles than are listed.
    """

    days: int
    since: date
    until: date
    total: Figures
    before: Figures
    by_day: list[DayRow]
    by_vehicle: list[VehicleRow]
    is_cut: bool


def analytics_of(daily: QuerySet[DailyFigures], *, days: int, until: date) -> Analytics:
    """The figures of these days and vehicles."""
    since = until - timedelta(days=days - 1)
    period = daily.filter(day__gte=since, day__lte=until).order_by()
    earlier = daily.filter(day__gte=since - timedelta(days=days), day__lt=since)
    found = {row["day"]: _figures(row) for row in _summed(period.values("day"))}
    named = period.values(name=F("vehicle__vehicle_id"), driver=F("vehicle__driver_name"))
    vehicles = list(_summed(named).order_by("-all_distance_m", "name")[: MAX_VEHICLES + 1])
    return Analytics(
        days=days,
        since=since,
        until=until,
        total=_total(found.values()),
        before=_figures(earlier.aggregate(**_aggregates())),
        by_day=[DayRow(day, found.get(day, Figures())) for day in (until - timedelta(days=n) for n in range(days))],
        by_vehicle=[VehicleRow(row["name"], row["driver"], _figures(row)) for row in vehicles[:MAX_VEHICLES]],
        is_cut=len(vehicles) > MAX_VEHICLES,
    )


def change(now: float | None, before: float | None) -> float | None:
    """By how many percent it has changed; None where there is nothing to compare with."""
    return None if now is None or not before else (now / before - 1) * 100


def _aggregates() -> dict[str, Any]:
    return {f"all_{name}": Sum(name) for name in _SUMS} | {"all_top_mps": Max("top_mps")}


def _summed(rows: Any) -> Any:
    return rows.annotate(**_aggregates())


def _figures(row: dict[str, Any]) -> Figures:
    return Figures(**{field.name: row[f"all_{field.name}"] or 0 for field in fields(Figures)})


def _total(rows: Iterable[Figures]) -> Figures:
    rows = list(rows)
    sums = {name: sum(getattr(row, name) for row in rows) for name in _SUMS}
    return Figures(**sums, top_mps=max((row.top_mps for row in rows), default=0.0))


# ---- Export

HEADER = (
    *("day", "fleet", "vehicle", "distance km", "average km/h", "top km/h", "moving h", "idle h"),
    *("trips", "stops", "overspeeds", "harsh events", "events"),
)
_AT_ONCE = 500


def daily_rows(daily: QuerySet[DailyFigures], *, analytics: Analytics, most: int) -> Iterable[list[Sequence[Any]]]:
    """Each day of each vehicle as rows of cells, in parts."""
    found = daily.filter(day__gte=analytics.since, day__lte=analytics.until).order_by("-day", "vehicle", "fleet")
    for begin in range(0, most, _AT_ONCE):
        part = list(found[begin : begin + _AT_ONCE])
        yield [_cells(row) for row in part]
        if len(part) < _AT_ONCE:
            return


def _cells(row: DailyFigures) -> Sequence[Any]:
    average = row.distance_m / row.moving_s * 3.6 if row.moving_s else None
    return [
        *(row.day, row.fleet.slug, row.vehicle.vehicle_id, round(row.distance_m / 1000, 2)),
        *("" if average is None else round(average, 1), round(row.top_mps * 3.6, 1)),
        *(round(row.moving_s / 3600, 2), round(row.idle_s / 3600, 2)),
        *(row.trips, row.stops, row.overspeeds, row.harsh_events, row.events),
    ]
