"""The page of geofences: the map, the list, and the drawer with the details or the form of one.

What a form does is answered to HTMX with the drawer as it is to be then, to a browser without scripts with the page.
The other pages, and the map of this one, hear of it over the socket.
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import trigger_client_event

from v2v.api.permissions import actor_of
from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action, Actor, can, fleets_visible
from v2v.geofences import services
from v2v.geofences.crowd import INSIDE
from v2v.geofences.forms import GeofenceForm, initial_of
from v2v.geofences.models import Geofence
from v2v.geofences.selectors import geofence_to_edit, geofences_where, presences_of
from v2v.geofences.telling import geofence_part
from v2v.pages import form_action, fragment, is_part, page
from v2v.protocol.codes import ERRORS, ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.events import encode_part

Context = dict[str, Any]
_ROWS = 100
_EVENTS = 20
_INSIDE = 50
_MAX_SEARCH_CHARS = 64


@page
def geofences(request: HttpRequest) -> HttpResponse:
    """The map with the list, and the drawer of what the address names."""
    actor = actor_of(request)
    return render(request, "geofences/page.html", {**_page(request, actor), **(_drawer(request, actor) or {})})


@fragment
def rows(request: HttpRequest) -> HttpResponse:
    """The rows of the list that match the search, a page of them."""
    return render(request, "geofences/rows.html", _rows(request, actor_of(request)))


@fragment
def drawer(request: HttpRequest) -> HttpResponse:
    """The details or the form of what the query names."""
    context = _drawer(request, actor_of(request))
    if context is None:
        raise Http404
    return render(request, context["drawer"], context)


@fragment
def shapes(request: HttpRequest) -> HttpResponse:
    """What the map draws: every geofence that the viewer may see, as `geofence_updated` tells of one."""
    parts = [encode_part(geofence_part(geofence)) for geofence in geofences_where(actor_of(request)).iterator()]
    return HttpResponse(b'{"geofences":[' + b",".join(parts) + b"]}", content_type="application/json")


def _page(request: HttpRequest, actor: Actor) -> Context:
    """What is round the drawer."""
    return {
        "may_edit": bool(_fleets_to_edit(actor)),
        "error_texts": {code: {"title": text.title, "advice": text.advice} for code, text in ERRORS.items()},
        "tile_url": settings.TILE_URL,
        **_rows(request, actor),
    }


def _rows(request: HttpRequest, actor: Actor) -> Context:
    search = request.GET.get("q", "").replace("\0", "")[:_MAX_SEARCH_CHARS]
    found: QuerySet[Geofence] = (
        geofences_where(actor).annotate(inside=Count("presences", filter=INSIDE)).order_by("name", "pk")
    )
    if search:
        found = found.filter(name__icontains=search)
    listed = Paginator(found, _ROWS).get_page(request.GET.get("page"))
    return {"page": listed, "search": search, "fleets": fleets_visible(actor)}


def _fleets_to_edit(actor: Actor) -> list[Fleet]:
    return [fleet for fleet in fleets_visible(actor) if can(actor, Action.DISPATCH, fleet.pk)]


def _drawer(request: HttpRequest, actor: Actor) -> Context | None:
    """The template, as `drawer`, and its context; None for nothing that the actor may see or do."""
    if "new" in request.GET:
        return _form_new(actor, request.GET["new"])
    name = "edit" if "edit" in request.GET else "geofence"
    text = request.GET.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return None
    geofence = geofences_where(actor).filter(pk=int(text)).first()
    if geofence is None:
        return None
    if name == "geofence" or not can(actor, Action.DISPATCH, geofence.fleet_id):
        return _details(actor, geofence)
    fleets = [geofence.fleet]
    return _form_context(GeofenceForm(initial=initial_of(geofence), fleets=fleets), fleets, geofence)


def _form_new(actor: Actor, kind: str) -> Context | None:
    fleets = _fleets_to_edit(actor)
    if not fleets:
        return None
    blank = Geofence(fleet=fleets[0], kind=kind if kind in Geofence.Kind.values else Geofence.Kind.CIRCLE)
    blank.geometry = {"coordinates": ["", ""] if blank.kind == Geofence.Kind.CIRCLE else [[]]}
    return _form_context(GeofenceForm(initial=initial_of(blank), fleets=fleets), fleets, None)


def _form_context(form: GeofenceForm, fleets: list[Fleet], geofence: Geofence | None) -> Context:
    return {
        "drawer": "geofences/form.html",
        "form": form,
        "fleets_to_edit": fleets,
        "geofence": geofence,
        "reactions": Geofence.ReactionChoice.choices,
    }


def _details(actor: Actor, geofence: Geofence) -> Context:
    schedule, inside = geofence.schedule, presences_of(geofence)
    return {
        "drawer": "geofences/detail.html",
        "geofence": geofence,
        "is_awake": schedule is None or schedule.is_awake(timezone.now()),
        "inside": inside[:_INSIDE],
        "inside_count": inside.count(),
        "events": geofence.events.select_related("vehicle")[:_EVENTS],
        "can_edit": can(actor, Action.DISPATCH, geofence.fleet_id),
        "zone": geofence.fleet.zone,
    }


# ---- What forms do


@form_action
def save(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make a geofence, or change one; what is wrong stands at its field, and who was faster in words."""
    actor, now = actor_of(request), timezone.now()
    geofence = None if pk is None else _edited(actor, pk)
    fleets = _fleets_to_edit(actor) if geofence is None else [geofence.fleet]
    if not fleets:
        raise PermissionDenied
    form = GeofenceForm(request.POST, fleets=fleets)
    context = _form_context(form, fleets, geofence)
    if form.is_valid():
        try:
            if geofence is None:
                fleet = form.cleaned_data["fleet"]
                geofence = services.geofence_create(fleet=fleet, by=actor.name, now=now, **form.values)
            else:
                version = form.cleaned_data["version"] or 0
                geofence = services.geofence_update(
                    geofence=geofence, version=version, by=actor.name, now=now, **form.values
                )
        except Refusal as refusal:
            context |= _refused(form, refusal, geofence)
        else:
            return _done(request, actor, geofence)
    return _form_again(request, context)


def _form_again(request: HttpRequest, context: Context) -> HttpResponse:
    """The form with what is wrong: its part for HTMX, or the whole page round it."""
    if is_part(request):
        return render(request, "geofences/form.html", context)
    actor = actor_of(request)
    return render(request, "geofences/page.html", {**_page(request, actor), **context})


def _refused(form: GeofenceForm, refusal: Refusal, geofence: Geofence | None) -> Context:
    details = refusal.details or {}
    if "currentVersion" in details and geofence is not None:
        current = Geofence.objects.select_related("fleet").get(pk=geofence.pk)
        return {"conflict": current, "geofence": current}
    if refusal.code is ErrorCode.VALIDATION_ERROR:
        form.refuse(details.get("field", ""), refusal.message)
        return {}
    return {"problem": refusal.message}


def _done(request: HttpRequest, actor: Actor, geofence: Geofence) -> HttpResponse:
    """The details of what was saved."""
    if not is_part(request):
        return redirect(f"{reverse('geofences')}?geofence={geofence.pk}")
    answer = render(request, "geofences/detail.html", _details(actor, geofence))
    return trigger_client_event(answer, "geofenceSaved", {"id": str(geofence.pk)})


@form_action
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it away; the page offers to bring it back."""
    actor = actor_of(request)
    geofence = _edited(actor, pk)
    services.geofence_delete(geofence=geofence, by=actor.name, now=timezone.now())
    if not is_part(request):
        messages.info(request, f"{geofence.name} is deleted.", extra_tags=str(pk))
        return redirect("geofences")
    answer = HttpResponse()
    return trigger_client_event(answer, "geofenceDeleted", {"id": str(pk), "name": geofence.name})


@form_action
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring it back."""
    actor = actor_of(request)
    geofence = _edited(actor, pk, deleted=True)
    try:
        geofence = services.geofence_restore(geofence=geofence, by=actor.name, now=timezone.now())
    except Refusal as refusal:
        return JsonResponse({"code": str(refusal.code), "message": refusal.message}, status=409)
    return _done(request, actor, geofence)


def _edited(actor: Actor, pk: int, *, deleted: bool = False) -> Geofence:
    """The geofence, for who may edit it; else the page that says what is missing."""
    try:
        return geofence_to_edit(actor, pk, deleted=deleted)
    except Refusal as refusal:
        raise (PermissionDenied if refusal.code is ErrorCode.FORBIDDEN else Http404) from None
