"""The dispatcher's pages. They read through selectors; what changes by the second comes over the socket."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from v2v.alerts.views import list_context
from v2v.console.drawers import drawer_of
from v2v.console.forms import VehicleFilter, tab_chosen
from v2v.console.selectors import vehicle_counts, vehicle_page
from v2v.fleets.policy import Action, actor_of_user, can, fleets_visible
from v2v.messaging.views import messages_tab
from v2v.pages import fragment
from v2v.protocol.codes import ERRORS


@require_safe
@never_cache
@login_required
def console(request: HttpRequest) -> HttpResponse:
    """The map with its lists, and the drawer of what the address names."""
    actor = actor_of_user(request.user)
    choice = VehicleFilter(request.GET).chosen()
    fleets = fleets_visible(actor)
    tab = tab_chosen(request.GET)
    context = {
        "tab": tab,
        "page": vehicle_page(actor=actor, choice=choice),
        "chosen": choice,
        "counts": vehicle_counts(actor=actor),
        "fleets": fleets,
        "error_texts": {code: {"title": text.title, "advice": text.advice} for code, text in ERRORS.items()},
        "tile_url": settings.TILE_URL,
        "radius_m": settings.NEARBY_RADIUS_M,
        "works": [fleet.slug for fleet in fleets if can(actor, Action.DISPATCH, fleet.pk)],
    }
    context |= list_context(actor, request.GET)
    context |= messages_tab(request, actor, fleets=fleets, is_shown=tab == "messages")
    context |= drawer_of(request, actor) or {}
    return render(request, "console/console.html", context)


@fragment
def drawer(request: HttpRequest) -> HttpResponse:
    """The details of what the query names."""
    context = drawer_of(request, actor_of_user(request.user))
    if context is None:
        raise Http404
    return render(request, context["drawer"], context)


@fragment
def vehicle_list(request: HttpRequest) -> HttpResponse:
    """The rows of the list that match the filter, a page of them."""
    choice = VehicleFilter(request.GET).chosen()
    page = vehicle_page(actor=actor_of_user(request.user), choice=choice)
    return render(request, "console/vehicle_rows.html", {"page": page, "chosen": choice})
