"""What the drawer may hold: one thing at a time, named by the query of the page or of the part."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from v2v.alerts import views as alerts
from v2v.calls.views import call_drawer
from v2v.console.selectors import vehicle_listed
from v2v.fleets.policy import Action, Actor, can
from v2v.messaging.views import conversation_drawer

Context = dict[str, Any]
_MAX_NAME_CHARS = 200


def drawer_of(request: HttpRequest, actor: Actor) -> Context | None:
    """The template, as `drawer`, and the context of what the query names; None for nothing that the actor may see."""
    for kind, (contents, template) in DRAWERS.items():
        name = request.GET.get(kind, "")
        is_name = 0 < len(name) <= _MAX_NAME_CHARS and name.isprintable()
        if is_name and (context := contents(actor, name)) is not None:
            return {"drawer": template, **context}
    return None


def _vehicle(actor: Actor, vehicle_id: str) -> Context | None:
    listed = vehicle_listed(actor=actor, vehicle_id=vehicle_id)
    if listed is None:
        return None
    fleet = listed.vehicle.fleet_id
    return {
        "listed": listed,
        "may_call": can(actor, Action.DISPATCH, fleet),
        "may_edit": can(actor, Action.EDIT, fleet),
    }


# By the name in the query: what gives the context (None: no such thing for this actor), and the template.
DRAWERS: dict[str, tuple[Callable[[Actor, str], Context | None], str]] = {
    "vehicle": (_vehicle, "console/vehicle_drawer.html"),
    "alert": (alerts.drawer_context, "alerts/drawer.html"),
    "conversation": (conversation_drawer, "messaging/conversation.html"),
    "call": (call_drawer, "calls/drawer.html"),
}
