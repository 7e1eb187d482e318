"""The page on which a fleet admin edits a vehicle. Two who do it at once never overwrite each other."""

from http import HTTPStatus

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from v2v.api.permissions import actor_of
from v2v.fleets.policy import Action, can
from v2v.protocol.decode import Refusal
from v2v.vehicles import services
from v2v.vehicles.forms import EDITED, VehicleEditForm, differences
from v2v.vehicles.models import Vehicle
from v2v.vehicles.selectors import vehicles_where


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def edit(request: HttpRequest, vehicle_id: str) -> HttpResponse:
    """The form; what was sent from an older version than the vehicle's is a 409 with both to choose from."""
    actor = actor_of(request)
    vehicle = get_object_or_404(vehicles_where(actor, Action.VIEW), vehicle_id=vehicle_id)
    if not can(actor, Action.EDIT, vehicle.fleet_id):
        raise PermissionDenied
    if request.method != "POST":
        return _page(request, vehicle, VehicleEditForm(instance=vehicle))
    # The form writes what was sent into its vehicle, valid or not: it gets one of its own.
    form = VehicleEditForm(request.POST, instance=Vehicle.objects.get(pk=vehicle.pk))
    if not form.is_valid():
        return _page(request, vehicle, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    changes = {name: form.cleaned_data[name] for name in (*EDITED, "version")}
    try:
        services.vehicle_update(vehicle=vehicle, now=timezone.now(), by=actor.name, **changes)
    except Refusal:
        return _conflict(request, vehicle, form)
    return redirect(f"{reverse('console')}?{urlencode({'vehicle': vehicle.vehicle_id})}")


def _page(request: HttpRequest, vehicle: Vehicle, form: VehicleEditForm, status: int = HTTPStatus.OK) -> HttpResponse:
    context = {"vehicle": vehicle, "form": form, "now": timezone.now(), "zone": vehicle.fleet.zone}
    with timezone.override(vehicle.fleet.zone):
        return render(request, "vehicles/edit.html", context, status=status)


def _conflict(request: HttpRequest, vehicle: Vehicle, form: VehicleEditForm) -> HttpResponse:
    current = get_object_or_404(vehicles_where(actor_of(request), Action.EDIT), pk=vehicle.pk)
    found = list(differences(form, current))
    differing = {difference.name for difference in found}
    context = {
        "vehicle": current,
        "given_version": form.cleaned_data["version"],
        "differences": found,
        "same": [(name, getattr(current, name)) for name in EDITED if name not in differing],
        "initial": [(form.add_initial_prefix(name), getattr(current, name)) for name in EDITED],
        "now": timezone.now(),
        "zone": current.fleet.zone,
    }
    with timezone.override(current.fleet.zone):
        return render(request, "vehicles/conflict.html", context, status=HTTPStatus.CONFLICT)
