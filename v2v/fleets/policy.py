"""Who may do what, in one table. Sockets, API, pages and admin all ask `can`; nothing else decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from v2v.fleets.models import Fleet, Membership, Role


class Action(StrEnum):
    """What can be done in a fleet."""

    PRESENCE = "presence"  # who is online, and who is near oneself
    VIEW = "view"  # its vehicles, their positions, presence, history
    DISPATCH = "dispatch"  # work alerts, send messages, call
    EDIT = "edit"  # its vehicles and devices; revoke tokens
    MANAGE = "manage"  # its members and settings


VehicleRole = Literal["vehicle"]
VEHICLE_ROLE: VehicleRole = "vehicle"  # what a vehicle is in its own fleet; no user has it

_ALLOWED: dict[Role | VehicleRole, frozenset[Action]] = {
    VEHICLE_ROLE: frozenset({Action.PRESENCE}),
    Role.VIEWER: frozenset({Action.PRESENCE, Action.VIEW}),
    Role.DISPATCHER: frozenset({Action.PRESENCE, Action.VIEW, Action.DISPATCH}),
    Role.FLEET_ADMIN: frozenset(Action),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who wants something: a user with roles by fleet, or a vehicle, which sees its own fleet's neighbors.

    `id` is the primary key of the user or of the vehicle.
    """

    kind: Literal["user", "vehicle"]
    id: int
    name: str
    roles: Mapping[int, Role | VehicleRole] = field(default_factory=dict)  # by the fleet's primary key
    is_system_admin: bool = False


def can(actor: Actor, action: Action, fleet_pk: int) -> bool:
    """Whether the actor may do it in that fleet."""
    if actor.is_system_admin:
        return True
    role = actor.roles.get(fleet_pk)
    return role is not None and action in _ALLOWED[role]


def fleets_where(actor: Actor, action: Action) -> frozenset[int] | None:
    """The primary keys of the fleets in which the actor may do it; None stands for all of them."""
    if actor.is_system_admin:
        return None
    return frozenset(pk for pk in actor.roles if can(actor, action, pk))


def actor_of_user(user: Any) -> Actor:
    """The actor that a Django user is; an anonymous or inactive one has no rights."""
    if not user.is_authenticated or not user.is_active:
        return Actor(kind="user", id=0, name="")
    roles = {fleet: Role(role) for fleet, role in Membership.objects.filter(user=user).values_list("fleet", "role")}
    return Actor(
        kind="user", id=user.pk, name=user.get_username(), roles=roles, is_system_admin=bool(user.is_superuser)
    )


def actor_of_vehicle(*, vehicle_pk: int, vehicle_id: str, fleet_pk: int) -> Actor:
    """The actor that a vehicle is once it has proved who it is."""
    return Actor(kind="vehicle", id=vehicle_pk, name=vehicle_id, roles={fleet_pk: VEHICLE_ROLE})


def fleets_visible(actor: Actor) -> list[Fleet]:
    """The fleets that the actor may view, by slug."""
    visible = fleets_where(actor, Action.VIEW)
    fleets = Fleet.objects.all()
    return list(fleets if visible is None else fleets.filter(pk__in=visible))
