"""What an actor may read of calls."""

import uuid

from django.db.models import Q, QuerySet

from v2v.calls.models import IS_LIVE, CallSession
from v2v.calls.parties import Party
from v2v.fleets.policy import Action, Actor, can
from v2v.fleets.selectors import within
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal

MAX_IN_SNAPSHOT = 200
WHOLE = ("fleet", "caller_vehicle", "caller_user", "callee_vehicle", "callee_user")


def calls_where(actor: Actor) -> QuerySet[CallSession]:
    """A user's: those of the fleets that he may view. A vehicle's: its own. Newest first."""
    calls = CallSession.objects.select_related(*WHOLE)
    if actor.kind == "user":
        return calls.filter(within(actor, Action.VIEW))
    return calls.filter(Q(caller_vehicle=actor.id) | Q(callee_vehicle=actor.id))


def calls_live(actor: Actor) -> list[CallSession]:
    """Those that are not over, the newest first, at most 200."""
    return list(calls_where(actor).filter(IS_LIVE)[:MAX_IN_SNAPSHOT])


def call_for(party: Party, call_id: str) -> CallSession:
    """The call, for who takes part or may work in its fleet. Raises Refusal: `not_found`, `forbidden` for a viewer."""
    try:
        key = uuid.UUID(call_id)
    except ValueError:
        raise Refusal(ErrorCode.NOT_FOUND) from None
    call = calls_where(party.actor).filter(pk=key).first()
    if call is None:
        raise Refusal(ErrorCode.NOT_FOUND)
    if party.actor.kind == "user" and not can(party.actor, Action.DISPATCH, call.fleet_id):
        raise Refusal(ErrorCode.FORBIDDEN)
    return call
