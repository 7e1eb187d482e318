"""The policy, asked for each request. Objects of fleets that the actor may not see do not exist for it."""

from typing import Any

from django.http import HttpRequest
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from v2v.fleets.policy import Action, Actor, actor_of_user, can, fleets_where


def actor_of(request: Request | HttpRequest) -> Actor:
    """Who asks: a vehicle by its token, or a signed-in user; looked up once a request."""
    actor: Actor | None = getattr(request, "v2v_actor", None)
    if actor is None:
        actor = getattr(request.user, "actor", None) or actor_of_user(request.user)
        request.v2v_actor = actor  # type: ignore[union-attr]
    return actor


class PolicyPermission(BasePermission):
    """Asks for the view's `action_for[method]` in at least one fleet, and for objects in theirs."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the actor may do it anywhere."""
        if not request.user or not request.user.is_authenticated:
            return False
        fleets = fleets_where(actor_of(request), _action(request, view))
        return fleets is None or bool(fleets)

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        """Whether the actor may do it there; `view.fleet_of(obj)` says where that is."""
        return can(actor_of(request), _action(request, view), view.fleet_of(obj))


def _action(request: Request, view: Any) -> Action:
    reading = request.method in ("GET", "HEAD", "OPTIONS")
    return view.action_to_read if reading else view.action_to_write  # type: ignore[no-any-return]
