"""The dispatcher's pages. They read through selectors; what changes by the second comes over the socket."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from v2v.console.forms import VehicleFilter
from v2v.console.selectors import vehicle_counts, vehicle_page, vehicles_visible
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
    asked = VehicleFilter(request.GET)
    chosen = asked.chosen()
    selected = vehicles_visible(actor=actor).filter(vehicle_id=asked.value("vehicle")).first()
    context = {
        "page": vehicle_page(actor=actor, search=chosen["search"], state=chosen["state"]),
        "chosen": chosen,
        "counts": vehicle_counts(actor=actor),
        "fleets": fleets_visible(actor),
        "vehicle": selected,
        "error_texts": {code: {"title": text.title, "advice": text.advice} for code, text in ERRORS.items()},
        "tile_url": settings.TILE_URL,
        "radius_m": settings.NEARBY_RADIUS_M,
    }
    return render(request, "console/console.html", context)


@fragment
def vehicle_list(request: HttpRequest) -> HttpResponse:
    """The rows of the list that match the filter, a page of them."""
    chosen = VehicleFilter(request.GET).chosen()
    page = vehicle_page(actor=actor_of_user(request.user), **chosen)
    return render(request, "console/vehicle_rows.html", {"page": page, "chosen": chosen})


@fragment
def vehicle_detail(request: HttpRequest, vehicle_id: str) -> HttpResponse:
    """The drawer of one vehicle."""
    vehicles = vehicles_visible(actor=actor_of_user(request.user))
    vehicle = get_object_or_404(vehicles, vehicle_id=vehicle_id)
    return render(request, "console/vehicle_drawer.html", {"vehicle": vehicle, "radius_m": settings.NEARBY_RADIUS_M})
