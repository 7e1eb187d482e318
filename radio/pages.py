"""The page of the radio, and that of one radio."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from radio.forms import AssignForm, FrameFilterForm, TextForm
from radio.models import RadioFrame, RadioNode
from radio.nodes import fleet_of, may_edit, may_send, node_assign
from radio.selectors import bridges_where, frames_where, nodes_shown, nodes_where, state_of, traffic_of
from radio.wanted import text_queue
from v2v.api.permissions import actor_of
from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action, Actor, fleets_visible
from v2v.pages import form_action, page
from v2v.protocol.decode import Refusal
from v2v.vehicles.selectors import vehicles_where

NODES_ON_A_PAGE = 25
FRAMES_ON_A_PAGE = 40
VEHICLES_TO_CHOOSE = 500


@page
def radio(request: HttpRequest) -> HttpResponse:
    """The bridges, the radios that were heard, what waits, and the last frames; asked for again every few seconds."""
    actor, now = actor_of(request), timezone.now()
    asked = FrameFilterForm(request.GET)
    nodes = Paginator(nodes_where(actor).order_by("-heard_at", "-id"), NODES_ON_A_PAGE)
    part = nodes.get_page(request.GET.get("page"))
    fleets = fleets_visible(actor)
    context = {
        "bridges": [(shown, state_of(shown.bridge, now)) for shown in bridges_where(actor)],
        "traffic": traffic_of(actor, now=now),
        "page": part,
        "nodes": nodes_shown(list(part.object_list), now=now),
        "frames": list(frames_where(actor).filter(**asked.wanted)[:FRAMES_ON_A_PAGE]),
        "wanted": asked.wanted,
        "kinds": RadioFrame.Kind.choices,
        "directions": RadioFrame.Direction.choices,
        "now": now,
        "zone": _zone(fleets),
    }
    with timezone.override(context["zone"]):
        return render(request, "radio/radio.html", context)


@page
def node(request: HttpRequest, node_pk: int) -> HttpResponse:
    """One radio with its signal and frames, whom it speaks for, and a text to it."""
    return _node_page(request, _node_of(request, node_pk))


@form_action
def node_text(request: HttpRequest, node_pk: int) -> HttpResponseBase:
    """Queue a text; then its page, where it shows as queued."""
    radio_node, form = _node_of(request, node_pk), TextForm(request.POST)
    problem = ""
    if form.is_valid():
        try:
            text_queue(node=radio_node, text=form.cleaned_data["content"], actor=actor_of(request), now=timezone.now())
        except Refusal as refusal:
            problem = refusal.message
        else:
            return redirect("radio-node", node_pk)
    return _node_page(request, radio_node, text_form=form, problem=problem, status=422)


@form_action
def node_to_vehicle(request: HttpRequest, node_pk: int) -> HttpResponseBase:
    """Assign the radio to a vehicle, or to none; then its page."""
    radio_node, form, actor = _node_of(request, node_pk), AssignForm(request.POST), actor_of(request)
    wanted = form.cleaned_data["vehicle"] if form.is_valid() else ""
    vehicle = vehicles_where(actor, Action.EDIT).filter(vehicle_id=wanted).first()
    if wanted and vehicle is None:
        form.add_error("vehicle", f"There is no vehicle {wanted} in your fleets.")
    if form.is_valid():
        try:
            node_assign(node=radio_node, vehicle=vehicle, actor=actor)
        except Refusal as refusal:
            return _node_page(request, radio_node, assign_form=form, problem=refusal.message, status=422)
        return redirect("radio-node", node_pk)
    return _node_page(request, radio_node, assign_form=form, status=422)


def _node_of(request: HttpRequest, node_pk: int) -> RadioNode:
    return get_object_or_404(nodes_where(actor_of(request)), pk=node_pk)


def _node_page(request: HttpRequest, radio_node: RadioNode, *, status: int = 200, **more: Any) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    (shown,) = nodes_shown([radio_node], now=now)
    fleet_pk = fleet_of(radio_node)
    frames = frames_where(actor).filter(node=radio_node)
    context = {
        "shown": shown,
        "node": radio_node,
        "frames": list(frames[:FRAMES_ON_A_PAGE]),
        "may_send": may_send(actor, fleet_pk),
        "may_edit": may_edit(actor, fleet_pk),
        "vehicles": _choices(actor) if may_edit(actor, fleet_pk) else [],
        "now": now,
        "zone": _zone(fleets_visible(actor)),
        **more,
    }
    with timezone.override(context["zone"]):
        return render(request, "radio/node.html", context, status=status)


def _choices(actor: Actor) -> list[str]:
    vehicles = vehicles_where(actor, Action.EDIT).filter(disabled_at=None).order_by("vehicle_id")
    return list(vehicles.values_list("vehicle_id", flat=True)[:VEHICLES_TO_CHOOSE])


def _zone(fleets: list[Fleet]) -> Any:
    return fleets[0].zone if fleets else timezone.get_default_timezone()
