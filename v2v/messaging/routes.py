"""Where a message goes: who it is from and to, and in which fleet."""

from dataclasses import dataclass

from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action, Actor, can, fleets_where
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.fields import DISPATCH
from v2v.vehicles.models import Vehicle
from v2v.vehicles.selectors import vehicles_where


@dataclass(frozen=True, slots=True)
class Route:
    """Without a vehicle, sender or recipient is dispatch; a broadcast has no recipient."""

    fleet: Fleet
    sender: Vehicle | None
    recipient: Vehicle | None


def route_of(actor: Actor, *, recipient_id: str | None, broadcast: bool, fleet: str | None) -> Route:
    """The route, if there is one. Raises Refusal as `message_send` does."""
    if broadcast == (recipient_id is not None):
        raise _invalid("recipientId", "name a recipientId, or set broadcast to true")
    if actor.kind == "vehicle":
        return _from_vehicle(actor, recipient_id, fleet)
    return _from_dispatch(actor, recipient_id, fleet)


def _from_vehicle(actor: Actor, recipient_id: str | None, fleet: str | None) -> Route:
    sender = Vehicle.objects.select_related("fleet").get(pk=actor.id)
    if sender.fleet_id not in actor.roles or fleet not in (None, sender.fleet.slug):
        raise Refusal(ErrorCode.NOT_FOUND, details={"fleet": fleet})
    if recipient_id in (None, DISPATCH):
        return Route(sender.fleet, sender, None)
    if recipient_id == sender.vehicle_id:
        raise _invalid("recipientId", "is the sender itself")
    recipient = Vehicle.objects.filter(vehicle_id=recipient_id, fleet=sender.fleet, deleted_at=None).first()
    if recipient is None:
        raise Refusal(ErrorCode.NOT_FOUND, details={"recipientId": recipient_id})
    return Route(sender.fleet, sender, recipient)


def _from_dispatch(actor: Actor, recipient_id: str | None, fleet: str | None) -> Route:
    if recipient_id == DISPATCH:
        raise _invalid("recipientId", "is the sender itself")
    if recipient_id is None:
        return Route(_fleet_for_all(actor, fleet), None, None)
    recipient = vehicles_where(actor, Action.VIEW).filter(vehicle_id=recipient_id).first()
    if recipient is None or fleet not in (None, recipient.fleet.slug):
        raise Refusal(ErrorCode.NOT_FOUND, details={"recipientId": recipient_id})
    if not can(actor, Action.DISPATCH, recipient.fleet_id):
        raise Refusal(ErrorCode.FORBIDDEN)
    return Route(recipient.fleet, None, recipient)


def _fleet_for_all(actor: Actor, slug: str | None) -> Fleet:
    """The fleet that is named, or the only one that the dispatcher has."""
    mine = fleets_where(actor, Action.DISPATCH)
    seen = fleets_where(actor, Action.VIEW)
    fleets = Fleet.objects.all() if seen is None else Fleet.objects.filter(pk__in=seen)
    if slug is not None:
        fleets = fleets.filter(slug=slug)
        if not fleets:
            raise Refusal(ErrorCode.NOT_FOUND, details={"fleet": slug})
    found = [fleet for fleet in fleets if mine is None or fleet.pk in mine][:2]
    if not found:
        raise Refusal(ErrorCode.FORBIDDEN)
    if len(found) > 1:
        raise _invalid("fleet", "name one of your fleets")
    return found[0]


def _invalid(field: str, issue: str) -> Refusal:
    return Refusal(ErrorCode.VALIDATION_ERROR, details={"field": field, "issue": issue})
