"""What an actor may read of comings and goings."""

from django.db.models import QuerySet

from v2v.fleets.policy import Action, Actor
from v2v.fleets.selectors import within
from v2v.proximity.models import ProximityEvent


def proximity_events_where(actor: Actor, action: Action) -> QuerySet[ProximityEvent]:
    """Those in the fleets in which the actor may do it, newest first."""
    return ProximityEvent.objects.filter(within(actor, action)).select_related("fleet", "vehicle", "peer")
