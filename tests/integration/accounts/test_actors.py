"""From a Django user to the actor whom the policy knows."""

import pytest
from django.contrib.auth.models import AnonymousUser

from tests.integration.people import fleet_make, user_make
from v2v.fleets.models import Role
from v2v.fleets.policy import Action, actor_of_user, fleets_visible, fleets_where

pytestmark = pytest.mark.django_db


def test_a_member_has_its_roles_by_fleet() -> None:
    north = fleet_make("north")
    fleet_make("south")
    actor = actor_of_user(user_make("dora", fleet=north, role=Role.DISPATCHER))
    assert actor.roles == {north.pk: Role.DISPATCHER}
    assert fleets_visible(actor) == [north]


def test_a_superuser_sees_every_fleet() -> None:
    north, south = fleet_make("north"), fleet_make("south")
    actor = actor_of_user(user_make("root", is_superuser=True))
    assert fleets_where(actor, Action.MANAGE) is None
    assert fleets_visible(actor) == [north, south]


def test_an_inactive_user_has_no_rights_whatever_it_was() -> None:
    user = user_make("gone", fleet=fleet_make(), role=Role.FLEET_ADMIN, is_active=False, is_superuser=True)
    assert fleets_where(actor_of_user(user), Action.PRESENCE) == frozenset()


def test_nobody_has_no_rights() -> None:
    assert fleets_where(actor_of_user(AnonymousUser()), Action.PRESENCE) == frozenset()
