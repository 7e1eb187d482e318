"""The pages of driving: the figures of days, trips, events, and each fleet's rules."""

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from v2v.api.permissions import actor_of
from v2v.driving.figures import HEADER, PERIODS, USUAL_DAYS, Analytics, analytics_of, daily_rows
from v2v.driving.forms import RulesForm, SpeedLimits
from v2v.driving.listing import (
    EVENT_COLUMNS,
    TRIP_COLUMNS,
    DrivingFilter,
    EventFilter,
    TripFilter,
    event_cells,
    part_of,
    parts_of,
    trip_cells,
    vehicles_named,
)
from v2v.driving.models import FleetRules
from v2v.driving.selectors import daily_where, driving_events_where, trips_where
from v2v.driving.services import driving_rules_change
from v2v.exports import MAX_EXPORTED_ROWS, csv_streamed
from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action, can, fleets_visible
from v2v.pages import form_action, page

_MAX_NAME_CHARS = 64


# ---- Days


@page
def analytics(request: HttpRequest) -> HttpResponse:
    """The figures of a fleet or a vehicle, or of all that the viewer may see."""
    figures, _, context = _analytics(request)
    context |= {"analytics": figures, "chart": json.dumps(_chart(figures))}
    with timezone.override(context["zone"]):
        return render(request, "driving/analytics.html", context)


@page
def analytics_csv(request: HttpRequest) -> HttpResponseBase:
    """The same period for a spreadsheet, each day of each vehicle."""
    figures, daily, _ = _analytics(request)
    return csv_streamed("analytics.csv", HEADER, iter(daily_rows(daily, analytics=figures, most=MAX_EXPORTED_ROWS)))


def _analytics(request: HttpRequest) -> tuple[Analytics, Any, dict[str, Any]]:
    actor = actor_of(request)
    fleets = fleets_visible(actor)
    chosen = next((fleet for fleet in fleets if fleet.slug == request.GET.get("fleet")), None)
    days = next((days for days in PERIODS if str(days) == request.GET.get("days")), USUAL_DAYS)
    vehicle = request.GET.get("vehicle", "")[:_MAX_NAME_CHARS].replace("\x00", "")
    daily = daily_where(actor)
    if chosen is not None:
        daily = daily.filter(fleet=chosen)
    if vehicle:
        daily = daily.filter(vehicles_named(vehicle))
    known = chosen or (fleets[0] if fleets else None)
    zone = known.zone if known else timezone.get_default_timezone()
    figures = analytics_of(daily, days=days, until=timezone.now().astimezone(zone).date())
    context = {
        "fleets": fleets,
        "chosen": chosen,
        "vehicle": vehicle,
        "periods": PERIODS,
        "zone": zone,
        "has_rules": _fleet_managed(request) is not None,
    }
    return figures, daily, context


def _chart(figures: Analytics) -> dict[str, list[Any]]:
    """What the charts draw, oldest first: days, meters, hours, counts."""
    rows = figures.by_day[::-1]
    return {
        "days": [row.day.isoformat() for row in rows],
        "meters": [round(row.figures.distance_m) for row in rows],
        "movingHours": [round(row.figures.moving_s / 3600, 2) for row in rows],
        "idleHours": [round(row.figures.idle_s / 3600, 2) for row in rows],
        "harsh": [row.figures.harsh_events for row in rows],
        "overspeeds": [row.figures.overspeeds for row in rows],
        "others": [row.figures.events - row.figures.harsh_events - row.figures.overspeeds for row in rows],
    }


# ---- Trips and events


@page
def trips(request: HttpRequest) -> HttpResponse:
    """Trips and the stops between them, by filter and page, as the address says."""
    among = trips_where(actor_of(request))
    asked = TripFilter(request.GET, queryset=among, request=request)
    part = part_of(asked.qs, moment="started_at", among=among, after=_after(request))
    return _list(request, "driving/trips.html", asked, part)


@page
def trips_csv(request: HttpRequest) -> HttpResponseBase:
    """The same trips for a spreadsheet, at most 50,000."""
    among = trips_where(actor_of(request))
    asked = TripFilter(request.GET, queryset=among, request=request)
    parts = parts_of(asked.qs, moment="started_at", among=among, cells=trip_cells, zone=asked.zone)
    return csv_streamed("trips.csv", TRIP_COLUMNS, parts)


@page
def events(request: HttpRequest) -> HttpResponse:
    """Driving events, by filter and page, as the address says."""
    among = driving_events_where(actor_of(request))
    asked = EventFilter(request.GET, queryset=among, request=request)
    part = part_of(asked.qs, moment="occurred_at", among=among, after=_after(request))
    return _list(request, "driving/events.html", asked, part)


@page
def events_csv(request: HttpRequest) -> HttpResponseBase:
    """The same events for a spreadsheet, at most 50,000."""
    among = driving_events_where(actor_of(request))
    asked = EventFilter(request.GET, queryset=among, request=request)
    parts = parts_of(asked.qs, moment="occurred_at", among=among, cells=event_cells, zone=asked.zone)
    return csv_streamed("driving-events.csv", EVENT_COLUMNS, parts)


def _list(request: HttpRequest, template: str, asked: DrivingFilter, part: Any) -> HttpResponse:
    after = _after(request)
    context = {
        "page": part,
        "form": asked.form,
        "is_filtered": bool(asked.asked),
        "is_later_part": after is not None,
        "vehicle": asked.asked.get("vehicle", ""),
        "fleets": fleets_visible(actor_of(request)),
        "zone": asked.zone,
        "now": timezone.now(),
        "has_rules": _fleet_managed(request) is not None,
    }
    with timezone.override(asked.zone):
        return render(request, template, context)


def _after(request: HttpRequest) -> int | None:
    text = request.GET.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


# ---- Rules


@page
def rules(request: HttpRequest) -> HttpResponse:
    """The rules of a fleet that the viewer may manage."""
    fleet = _fleet_managed(request)
    if fleet is None:
        raise Http404
    stored = FleetRules.objects.filter(pk=fleet.pk).first() or FleetRules(fleet=fleet)
    return _rules_page(request, fleet, RulesForm(instance=stored), SpeedLimits(instance=stored))


@form_action
def rules_change(request: HttpRequest) -> HttpResponseBase:
    """Change them; what is not valid comes back with its words."""
    fleet = _fleet_managed(request)
    if fleet is None:
        raise Http404
    stored = FleetRules.objects.filter(pk=fleet.pk).first() or FleetRules(fleet=fleet)
    form, limits = RulesForm(request.POST, instance=stored), SpeedLimits(request.POST, instance=stored)
    if not (form.is_valid() and limits.is_valid()):
        return _rules_page(request, fleet, form, limits, status=422)
    driving_rules_change(form=form, limits=limits)
    return HttpResponseRedirect(f"{reverse('driving-rules')}?fleet={fleet.slug}&saved=1")


def _rules_page(request: HttpRequest, fleet: Fleet, form: RulesForm, limits: Any, status: int = 200) -> HttpResponse:
    actor = actor_of(request)
    managed = [each for each in fleets_visible(actor) if can(actor, Action.MANAGE, each.pk)]
    context = {
        "fleet": fleet,
        "managed": managed,
        "form": form,
        "limits": limits,
        "saved": "saved" in request.GET,
        "has_rules": True,
    }
    return render(request, "driving/rules.html", context, status=status)


def _fleet_managed(request: HttpRequest) -> Fleet | None:
    """The fleet that the address names, or the first one, among those that the viewer may manage."""
    actor = actor_of(request)
    managed = [fleet for fleet in fleets_visible(actor) if can(actor, Action.MANAGE, fleet.pk)]
    slug = request.GET.get("fleet")
    return next((fleet for fleet in managed if fleet.slug == slug), managed[0] if managed and not slug else None)
