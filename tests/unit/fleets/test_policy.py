"""The whole matrix of roles, actions and fleets."""

import itertools

import pytest

from v2v.fleets.models import Role
from v2v.fleets.policy import VEHICLE_ROLE, Action, Actor, actor_of_vehicle, can, fleets_where

OWN, OTHER = 1, 2

ALLOWED = {
    "nobody": set(),
    VEHICLE_ROLE: {Action.PRESENCE},
    Role.VIEWER: {Action.PRESENCE, Action.VIEW},
    Role.DISPATCHER: {Action.PRESENCE, Action.VIEW, Action.DISPATCH},
    Role.FLEET_ADMIN: {Action.PRESENCE, Action.VIEW, Action.DISPATCH, Action.EDIT, Action.MANAGE},
}


def actor_with(role: str) -> Actor:
    if role == "nobody":
        return Actor(kind="user", id=0, name="")
    if role == VEHICLE_ROLE:
        return actor_of_vehicle(vehicle_pk=7, vehicle_id="truck-7", fleet_pk=OWN)
    return Actor(kind="user", id=1, name="somebody", roles={OWN: Role(role)})


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_allows_exactly_its_actions_in_its_own_fleet_and_none_in_another(role: str, action: Action) -> None:
    actor = actor_with(role)
    assert can(actor, action, OWN) is (action in ALLOWED[role])
    assert can(actor, action, OTHER) is False
    assert fleets_where(actor, action) == frozenset({OWN} if action in ALLOWED[role] else ())


@pytest.mark.parametrize("action", Action)
def test_a_system_admin_may_do_everything_everywhere(action: Action) -> None:
    admin = Actor(kind="user", id=1, name="admin", is_system_admin=True)
    assert can(admin, action, OWN)
    assert can(admin, action, OTHER)
    assert fleets_where(admin, action) is None


def test_each_role_may_do_what_those_before_it_may() -> None:
    ladder = [ALLOWED["nobody"], ALLOWED[VEHICLE_ROLE], *(ALLOWED[role] for role in Role)]
    for lower, higher in itertools.pairwise(ladder):
        assert lower < higher


def test_roles_in_two_fleets_do_not_mix() -> None:
    actor = Actor(kind="user", id=1, name="both", roles={OWN: Role.FLEET_ADMIN, OTHER: Role.VIEWER})
    assert fleets_where(actor, Action.EDIT) == frozenset({OWN})
    assert fleets_where(actor, Action.VIEW) == frozenset({OWN, OTHER})
