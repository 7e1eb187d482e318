"""The dispatcher's pages. They read through selectors; what changes by the second comes over the socket."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from v2v.console.forms import VehicleFilter
from v2v.console.selectors import vehicle_counts, vehicle_listed, vehicle_page
from v2v.fleets.policy import actor_of_user, fleets_visible
from v2v.protocol.codes import ERRORS

View = Callable[..., HttpResponse]


def fragment(view: View) -> View:
    """A part of a page: whoever's session is over is sent to the login with the whole page, not with the part."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        if not request.user.is_authenticated:
            return HttpResponseClientRedirect(resolve_url(settings.LOGIN_URL))
        return view(request, *args, **kwargs)

    return require_safe(never_cache(guarded))


@require_safe
@never_cache
@login_required
def console(request: HttpRequest) -> HttpResponse:
    """The map with the list of vehicles, and the drawer of the vehicle that the address names."""
    actor = actor_of_user(request.user)
    choice = VehicleFilter(request.GET).chosen()
    context = {
        "page": vehicle_page(actor=actor, choice=choice),
        "chosen": choice,
        "counts": vehicle_counts(actor=actor),
        "fleets": fleets_visible(actor),
        "listed": vehicle_listed(actor=actor, vehicle_id=choice.selected),
        "error_texts": {code: {"title": text.title, "advice": text.advice} for code, text in ERRORS.items()},
        "tile_url": settings.TILE_URL,
        "radius_m": settings.NEARBY_RADIUS_M,
    }
    return render(request, "console/console.html", context)


@fragment
def vehicle_list(request: HttpRequest) -> HttpResponse:
    """The rows of the list that match the filter, a page of them."""
    choice = VehicleFilter(request.GET).chosen()
    page = vehicle_page(actor=actor_of_user(request.user), choice=choice)
    return render(request, "console/vehicle_rows.html", {"page": page, "chosen": choice})


@fragment
def vehicle_detail(request: HttpRequest, vehicle_id: str) -> HttpResponse:
    """The drawer of one vehicle."""
    listed = vehicle_listed(actor=actor_of_user(request.user), vehicle_id=vehicle_id)
    if listed is None:
        raise Http404
    return render(request, "console/vehicle_drawer.html", {"listed": listed})
