"""The policy, asked for each request. Objects of fleets that the actor may not see do not exist for it."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from v2v.fleets.policy import Action, Actor, actor_of_user, can, fleets_where


def actor_of(request: Request) -> Actor:
    """Who asks: a vehicle by its token, or a signed-in user; looked up once a request."""
    if not hasattr(request, "v2v_actor"):
        actor = getattr(request.user, "actor", None)
        request.v2v_actor = actor or actor_of_user(request.user)  # type: ignore[attr-defined]
    return request.v2v_actor  # type: ignore[attr-defined,no-any-return]


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
