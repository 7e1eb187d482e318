"""History: which positions an actor may read, by vehicle and by area, and pages of them.

Whatever reads positions reads them here, so that the rights of fleets are kept in one place. A position belongs to the
fleet that its vehicle was in at that time.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet

from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action, Actor, fleets_where
from v2v.fleets.selectors import within
from v2v.tracking.area import Area, Box
from v2v.tracking.models import Position
from v2v.vehicles.models import Vehicle

MAX_VEHICLES = 20
MAX_SPAN = timedelta(days=366)  # of vehicles that are named
MAX_AREA_SPAN = timedelta(days=31)
MAX_WIDE_AREA_SPAN = timedelta(days=1)  # of an area of too many cells, which is read by time
_FIRST_WINDOW, _GROWTH = timedelta(minutes=10), 4
_PART = 2_000  # rows of an export that are read at a time


class Row(NamedTuple):
    """A position as pages, exports and the API show it; units as in `Position`."""

    vehicle_pk: int
    vehicle_id: str
    fleet: str
    recorded_at: datetime
    received_at: datetime
    lat: float
    lng: float
    speed: float | None
    heading: float | None
    accuracy: float | None
    altitude: float | None
    battery: float | None
    signal: float | None
    ignition: bool | None
    alarm: str
    source: str


_COLUMNS = ("vehicle", "vehicle__vehicle_id", "fleet__slug", *Row._fields[3:])


class Place(NamedTuple):
    """A place in a list of positions: the last one that was read."""

    recorded_at: datetime
    vehicle_pk: int


# ---- Selectors


def positions_where(actor: Actor) -> QuerySet[Position]:
    """The positions that the actor may read: those of the fleets that a user may view, or a vehicle's own."""
    if actor.kind == "vehicle":
        return Position.objects.filter(vehicle=actor.id)
    return Position.objects.filter(within(actor, Action.VIEW))


def positions_of(
    *, actor: Actor, vehicle_ids: Collection[str], start: datetime, end: datetime, area: Area | None = None
) -> QuerySet[Position]:
    """Those of these vehicles, also of ones that were deleted since, by vehicle and time; `end` exclusive.

    With an area, those in the boxes round it: `area.contains` says which lie in it exactly.
    """
    # By primary key: it is the first column of the table's key, which a join over vehicles would not use.
    pks = list(Vehicle.objects.filter(vehicle_id__in=vehicle_ids).values_list("pk", flat=True))
    found = positions_where(actor).filter(vehicle__in=pks, recorded_at__gte=start, recorded_at__lt=end)
    if area is not None:
        found = found.filter(_in_boxes(area.boxes))
    return found.order_by("vehicle", "recorded_at")


def positions_in(*, actor: Actor, area: Area, start: datetime, end: datetime) -> QuerySet[Position]:
    """Those in the boxes round the area, by time; `end` exclusive. `area.contains` says which lie in it exactly.

    An area of up to 2,000 cells is looked up by cells. A wider one is read by time alone: keep the time short.
    """
    found = positions_where(actor).filter(_in_boxes(area.boxes), recorded_at__gte=start, recorded_at__lt=end)
    if area.cells is not None:
        found = found.filter(fleet__in=_fleets(actor), cell__in=area.cells)
    return found.order_by("recorded_at", "vehicle")


def _fleets(actor: Actor) -> list[int]:
    """All that may matter, by number: the index of cells begins with the fleet, also for who may see them all."""
    fleets = fleets_where(actor, Action.VIEW)
    if actor.kind == "vehicle" or fleets is None:
        return list(Fleet.objects.values_list("pk", flat=True))
    return sorted(fleets)


def _in_boxes(boxes: Sequence[Box]) -> Q:
    condition = Q()
    for box in boxes:
        condition |= Q(lat__range=(box.south, box.north), lng__range=(box.west, box.east))
    return condition


# ---- Pages and parts


def rows_within(rows: list[Row], area: Area | None) -> list[Row]:
    """Those that lie in the area exactly."""
    if area is None or not rows:
        return rows
    inside = area.contains([row.lat for row in rows], [row.lng for row in rows])
    return [row for row, is_inside in zip(rows, inside, strict=True) if is_inside]


def vehicles_page(
    positions: QuerySet[Position], vehicle_pks: Sequence[int], *, after: Place | None, size: int
) -> list[Row]:
    """The next rows, vehicle by vehicle and each in order of time.

    One look-up a vehicle: of several at once the database would sort all that they have before it takes a page.
    """
    rows: list[Row] = []
    for pk in sorted(vehicle_pks):
        if after is not None and pk < after.vehicle_pk:
            continue
        since = after.recorded_at if after is not None and pk == after.vehicle_pk else None
        rows += _rows_of_vehicle(positions, pk, since, size - len(rows))
        if len(rows) == size:
            break
    return rows


def area_page(
    positions: QuerySet[Position], *, start: datetime, end: datetime, after: Place | None, size: int
) -> list[Row]:
    """The next rows in order of time, of those between `start` and `end`.

    Read in windows that grow: in a busy area the first minutes fill the page, where the database would otherwise sort
    a month before it takes the first rows of it.
    """
    rows: list[Row] = []
    if after is not None:
        start = after.recorded_at
        # Those of the same moment are the rest of a tie; the window's own bounds are what an index serves.
        positions = positions.exclude(recorded_at=after.recorded_at, vehicle__lte=after.vehicle_pk)
    window = _FIRST_WINDOW
    while start < end and len(rows) < size:
        until = min(start + window, end)
        found = positions.filter(recorded_at__gte=start, recorded_at__lt=until).order_by("recorded_at", "vehicle")
        rows += [Row(*row) for row in found.values_list(*_COLUMNS)[: size - len(rows)]]
        start, window = until, window * _GROWTH
    return rows


def rows_in_parts(
    positions: QuerySet[Position], vehicle_pks: Sequence[int], *, area: Area | None, part: int = _PART
) -> Iterator[list[Row]]:
    """All rows, vehicle by vehicle and each in order of time; each part is read when it is asked for."""
    for pk in vehicle_pks:
        since = None
        while rows := _rows_of_vehicle(positions, pk, since, part):
            since = rows[-1].recorded_at
            yield rows_within(rows, area)
            if len(rows) < part:
                break


def _rows_of_vehicle(positions: QuerySet[Position], pk: int, since: datetime | None, size: int) -> list[Row]:
    found = positions.filter(vehicle=pk)
    if since is not None:
        found = found.filter(recorded_at__gt=since)
    return [Row(*row) for row in found.order_by("recorded_at").values_list(*_COLUMNS)[:size]]
