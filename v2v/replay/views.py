"""The replay page, and its parts: tracks chunk by chunk, and moments."""

import uuid
from typing import Any

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.gzip import gzip_page

from v2v.alerts.selectors import alert_seen
from v2v.api.permissions import actor_of
from v2v.api.problems import problem_response
from v2v.fleets.policy import fleets_visible
from v2v.pages import fragment, page
from v2v.protocol.codes import ErrorCode
from v2v.protocol.epoch import epoch_ms
from v2v.replay.columns import columns_of
from v2v.replay.forms import Refused, ReplayForm, span_of
from v2v.replay.moment import Asked
from v2v.replay.moments import SOURCES, moments_of
from v2v.replay.selectors import (
    AFTER_ALERT,
    BEFORE_ALERT,
    MAX_VEHICLES,
    chunk_of,
    vehicles_replayed,
    vehicles_round,
    vehicles_suggested,
)

SPEEDS = (1, 2, 5, 10, 30, 60, 120)  # as in player.js
FORMATS = (("gpx", "GPX"), ("csv", "CSV"), ("geojson", "GeoJSON"))
_MAX_NAMES_CHARS = 1_000  # 20 callsigns with their commas fit well


@page
def replay(request: HttpRequest) -> HttpResponse:
    """Vehicles and a span to choose, and what the address asks to replay."""
    actor, now = actor_of(request), timezone.now()
    fleets = fleets_visible(actor)
    zone = fleets[0].zone if fleets else timezone.get_default_timezone()
    form = ReplayForm(request.GET, zone=zone, now=now)
    form.is_valid()
    asked = form.callsigns
    found = {vehicle.vehicle_id: vehicle for vehicle in vehicles_replayed(actor).filter(vehicle_id__in=asked)}
    vehicles = [found[name] for name in asked if name in found]
    context: dict[str, Any] = {
        "form": form,
        "chosen": vehicles,
        "unknown": [name for name in asked if name not in found],
        "zone": zone,
        "tile_url": settings.TILE_URL,
        "max_vehicles": MAX_VEHICLES,
        "sources": SOURCES,
        "speeds": SPEEDS,
        "formats": FORMATS,
    }
    if form.is_valid() and vehicles:
        start, end = form.cleaned_data["start"], form.cleaned_data["end"]
        context["replay"] = {
            "vehicles": [_described(vehicle.vehicle_id, vehicle.driver_name) for vehicle in vehicles],
            "start": epoch_ms(start),
            "end": epoch_ms(end),
            "zone": str(zone),
            "kinds": {kind: {"name": one.name, "icon": one.icon} for kind, one in SOURCES.items()},
            "momentsUrl": reverse("replay-moments"),
        }
        context |= {"start": start, "end": end}
    with timezone.override(zone):
        return render(request, "replay/replay.html", context)


def _described(vehicle_id: str, driver_name: str) -> dict[str, str]:
    return {"vehicleId": vehicle_id, "driverName": driver_name, "url": reverse("replay-track", args=[vehicle_id])}


@page
def round_alert(request: HttpRequest, alert_id: uuid.UUID) -> HttpResponse:
    """Leads to the 15 minutes round an alert, with the clock where it happened."""
    alert = alert_seen(actor_of(request), alert_id)
    if alert is None:
        raise Http404
    at = alert.detected_at
    query = {
        "vehicles": ",".join(vehicles_round(alert)),
        "from": (at - BEFORE_ALERT).isoformat(),
        "to": (at + AFTER_ALERT).isoformat(),
    }
    return redirect(f"{reverse('replay')}?{urlencode(query)}#at={epoch_ms(at)}")


@fragment
def suggestions(request: HttpRequest) -> HttpResponse:
    """Options for the field in which a vehicle is looked for."""
    text = request.GET.get("vehicles", "")[:40]
    vehicles = vehicles_suggested(actor=actor_of(request), text=text) if text.isprintable() else []
    return render(request, "replay/suggestions.html", {"suggested": vehicles})


@fragment
@gzip_page
def track(request: HttpRequest, vehicle_id: str) -> HttpResponse:
    """A chunk of a vehicle's fixes as columns, from `from` on, before `to` (epoch ms); `next` is where more begins."""
    actor = actor_of(request)
    try:
        start, end = span_of(request.GET)
    except Refused as refused:
        return problem_response(ErrorCode.VALIDATION_ERROR, details=refused.details)
    vehicle = get_object_or_404(vehicles_replayed(actor), vehicle_id=vehicle_id)
    chunk = chunk_of(actor=actor, vehicle_id=vehicle.vehicle_id, start=start, end=end)
    following = None if chunk.next_start is None else epoch_ms(chunk.next_start)
    return _json({"start": epoch_ms(start), "next": following, **columns_of(chunk.fixes, start=start)})


@fragment
@gzip_page
def moments(request: HttpRequest) -> HttpResponse:
    """What happened to `vehicles` (callsigns with commas between them) from `from` on, before `to` (epoch ms)."""
    actor = actor_of(request)
    try:
        start, end = span_of(request.GET)
    except Refused as refused:
        return problem_response(ErrorCode.VALIDATION_ERROR, details=refused.details)
    names = request.GET.get("vehicles", "")[:_MAX_NAMES_CHARS].split(",")[:MAX_VEHICLES]
    vehicles = list(vehicles_replayed(actor).filter(vehicle_id__in=names))
    asked = Asked(actor=actor, vehicles=vehicles, start=start, end=end)
    found, more = [], []
    for kind, moments, has_more in moments_of(asked) if vehicles else ():
        more += [kind] if has_more else []
        found += [
            {
                "kind": kind,
                "ts": epoch_ms(moment.at),
                "vehicleId": moment.vehicle_id,
                "words": moment.words,
                "link": moment.link,
                "place": moment.place,
                "tone": moment.tone,
            }
            for moment in moments
        ]
    return _json({"moments": sorted(found, key=lambda one: one["ts"]), "more": more})


def _json(document: dict[str, Any]) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(document), content_type="application/json")
