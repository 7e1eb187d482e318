"""Positions over REST: reports of vehicles; history in pages and as downloads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from v2v.api.parsers import UndecodedJSONParser
from v2v.api.permissions import actor_of
from v2v.exports import csv_streamed, text_streamed
from v2v.fleets.policy import Action, Actor, fleets_visible
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal, decode_locations
from v2v.protocol.epoch import moment
from v2v.tracking.area import Area
from v2v.tracking.formats import CSV_HEADER, csv_rows, geojson_parts, gpx_parts, row_fields
from v2v.tracking.history import (
    MAX_AREA_SPAN,
    MAX_SPAN,
    MAX_WIDE_AREA_SPAN,
    Place,
    Row,
    area_page,
    positions_in,
    positions_of,
    rows_in_parts,
    rows_within,
    vehicles_page,
)
from v2v.tracking.models import Position, Source
from v2v.tracking.reports import reports_take
from v2v.tracking.serializers import (
    HistoryPageSerializer,
    HistoryQuery,
    ReportSerializer,
    ReportsTakenSerializer,
    cursor_of,
)
from v2v.tracking.simplify import track_simplify
from v2v.vehicles.identity import Authenticated
from v2v.vehicles.models import Vehicle

MAX_EXPORTED = 1_000_000
_MAX_EXPORTED_VEHICLES = 1_000
_DEFAULT_SPAN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for; `vehicle_pks` is None for all that were in the area."""

    positions: QuerySet[Position]
    start: datetime
    end: datetime
    vehicle_pks: Sequence[int] | None
    area: Area | None


class LocationsView(APIView):
    """Where vehicles are and were."""

    action_to_write = Action.PRESENCE
    parser_classes = [UndecodedJSONParser]

    @property
    def action_to_read(self) -> Action:
        """A vehicle may read its own positions, which is no right in its fleet."""
        return Action.PRESENCE if actor_of(self.request).kind == "vehicle" else Action.VIEW

    @extend_schema(
        summary="Positions of vehicles, or within an area",
        parameters=[HistoryQuery],
        responses={
            (200, "application/json"): HistoryPageSerializer,
            (200, "application/geo+json"): OpenApiTypes.OBJECT,
            (200, "application/gpx+xml"): OpenApiTypes.STR,
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request) -> Response | HttpResponseBase:
        """Vehicle by vehicle in order of time; of an area without vehicles in order of time alone."""
        given = HistoryQuery(data=request.query_params)
        given.is_valid(raise_exception=True)
        query: dict[str, Any] = given.validated_data
        asked = _asked(actor_of(request), query, now=timezone.now())
        if query["format"] != "json":
            return _download(asked, query["format"])
        rows = _page(asked, after=query.get("cursor"), size=query["page_size"])
        shown = rows_within(rows, asked.area)
        if (zoom := query.get("simplify")) is not None:
            shown = _simplified(shown, zoom)
        page: dict[str, Any] = {"results": [row_fields(row) for row in shown]}
        if len(rows) == query["page_size"]:
            cursor = cursor_of(Place(rows[-1].recorded_at, rows[-1].vehicle_pk))
            page["next"] = replace_query_param(request.build_absolute_uri(), "cursor", cursor)
        return Response(page)

    @extend_schema(
        summary="Report positions",
        request=PolymorphicProxySerializer(
            component_name="Reports",
            serializers=[ReportSerializer, ReportSerializer(many=True)],
            resource_type_field_name=None,
            many=False,
        ),
        responses={202: ReportsTakenSerializer},
    )
    def post(self, request: Request) -> Response:
        """One position of the vehicle whose token asks, or a list of up to 1,000, oldest first.

        Of a list, what is not valid is refused by itself and the rest is taken.
        """
        who = request.auth
        if not isinstance(who, Authenticated):
            raise Refusal(ErrorCode.FORBIDDEN, "Only a vehicle reports positions, with its own token.")
        reports = decode_locations(cast("bytes", request.data) or b"")
        taken = reports_take(who=who, source=Source.HTTP, reports=reports, now=timezone.now())
        if len(taken.results) == 1 and isinstance(refusal := taken.results[0], Refusal):
            raise refusal
        return Response(taken.as_json(), status=status.HTTP_202_ACCEPTED)


def _asked(actor: Actor, query: dict[str, Any], *, now: datetime) -> Asked:
    """The positions that the query is about. Raises Refusal or ValidationError for too much, or for nothing."""
    area: Area | None = query.get("bbox") or query.get("polygon")
    vehicle_ids = _vehicle_ids(actor, query.get("vehicle_id"))
    start, end = _span(query, now=now)
    _check_span(end - start, vehicle_ids, area)
    if vehicle_ids:
        positions = positions_of(actor=actor, vehicle_ids=vehicle_ids, start=start, end=end, area=area)
        pks = list(Vehicle.objects.filter(vehicle_id__in=vehicle_ids).order_by("pk").values_list("pk", flat=True))
        return Asked(_in_fleet(positions, actor, query.get("fleet")), start, end, pks, area)
    if area is None:
        raise ValidationError({"vehicleId": "name vehicles, or an area"})
    positions = positions_in(actor=actor, area=area, start=start, end=end)
    return Asked(_in_fleet(positions, actor, query.get("fleet")), start, end, None, area)


def _vehicle_ids(actor: Actor, named: list[str] | None) -> list[str]:
    if actor.kind == "vehicle":
        if named and set(named) != {actor.name}:
            raise Refusal(ErrorCode.FORBIDDEN, "A vehicle may read its own positions only.")
        return [actor.name]
    return named or []


def _span(query: dict[str, Any], *, now: datetime) -> tuple[datetime, datetime]:
    end = moment(query["until"]) if "until" in query else now
    start = moment(query["since"]) if "since" in query else max(end, moment(0) + _DEFAULT_SPAN) - _DEFAULT_SPAN
    return start, end


def _check_span(span: timedelta, vehicle_ids: list[str], area: Area | None) -> None:
    longest = MAX_SPAN
    if not vehicle_ids and area is not None:
        longest = MAX_AREA_SPAN if area.cells is not None else MAX_WIDE_AREA_SPAN
    if span > longest:
        raise ValidationError({"since": f"more than {longest.days} days before `until`, for an area of this size"})


def _in_fleet(positions: QuerySet[Position], actor: Actor, slug: str | None) -> QuerySet[Position]:
    if slug is None:
        return positions
    return positions.filter(fleet__in=[fleet.pk for fleet in fleets_visible(actor) if fleet.slug == slug])


def _page(asked: Asked, *, after: Place | None, size: int) -> list[Row]:
    if asked.vehicle_pks is not None:
        return vehicles_page(asked.positions, asked.vehicle_pks, after=after, size=size)
    return area_page(asked.positions, start=asked.start, end=asked.end, after=after, size=size)


def _simplified(rows: list[Row], zoom: int) -> list[Row]:
    """Each vehicle's track with fewer positions, in the order of the rows."""
    kept: set[Row] = {row for row in rows if row.alarm}
    for _, group in groupby(sorted(rows, key=lambda row: row.vehicle_pk), key=lambda row: row.vehicle_pk):
        track = list(group)
        places = track_simplify([row.lat for row in track], [row.lng for row in track], zoom=zoom)
        kept.update(track[place] for place in places)
    return [row for row in rows if row in kept]


def _download(asked: Asked, kind: str) -> HttpResponseBase:
    """All of it, made while it is sent. Raises ValidationError when that is more than 1,000,000 positions."""
    pks = asked.vehicle_pks
    if pks is None:
        found = asked.positions.order_by("vehicle").values_list("vehicle").distinct()
        pks = [int(pk) for (pk,) in found[: _MAX_EXPORTED_VEHICLES + 1]]
    # One row beyond the limit, unordered: counted by the index, and never cut without a word.
    is_too_much = asked.positions.order_by().values_list("vehicle")[MAX_EXPORTED : MAX_EXPORTED + 1].exists()
    if is_too_much or len(pks) > _MAX_EXPORTED_VEHICLES:
        raise ValidationError({"since": f"more than {MAX_EXPORTED} positions, or too many vehicles: ask for less"})
    parts = rows_in_parts(asked.positions, pks, area=asked.area)
    if kind == "csv":
        return csv_streamed("positions.csv", CSV_HEADER, csv_rows(parts))
    if kind == "gpx":
        return text_streamed("positions.gpx", gpx_parts(parts), content_type="application/gpx+xml")
    return text_streamed("positions.geojson", geojson_parts(parts), content_type="application/geo+json")
