"""Which rows an actor may read."""

from django.db.models import Q

from v2v.fleets.policy import Action, Actor, fleets_where


def within(actor: Actor, action: Action, *, fleet: str = "fleet") -> Q:
    """The condition on rows whose fleet is at the path `fleet`: only those in which the actor may do it."""
    fleets = fleets_where(actor, action)
    return Q() if fleets is None else Q(**{f"{fleet}__in": fleets})
