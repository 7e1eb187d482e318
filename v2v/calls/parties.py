"""Who is who in a call, and who may ring whom."""

from dataclasses import dataclass
from typing import Literal

from v2v.calls.models import CallSession
from v2v.calls.rules import State
from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action, Actor, can
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.fields import DISPATCH
from v2v.vehicles.models import Vehicle
from v2v.vehicles.selectors import vehicles_where

Side = Literal["caller", "callee"]


@dataclass(frozen=True, slots=True)
class Party:
    """A vehicle with one of its devices, or a dispatcher with one of his pages."""

    actor: Actor
    device_id: str

    @property
    def vehicle_pk(self) -> int | None:
        """None for a dispatcher."""
        return self.actor.id if self.actor.kind == "vehicle" else None

    @property
    def user_pk(self) -> int | None:
        """None for a vehicle."""
        return self.actor.id if self.actor.kind == "user" else None

    @property
    def name(self) -> str:
        """Who did it, in the history."""
        return self.actor.name

    @property
    def sender_key(self) -> str:
        """Whose ids of commands are told apart. A dispatcher's page may have another name after a reload."""
        device = f":{self.device_id}" if self.vehicle_pk is not None else ""
        return f"{self.actor.kind}:{self.actor.id}{device}"


def side_of(call: CallSession, actor: Actor) -> Side | None:
    """What the vehicle or the dispatcher is in the call; of a call that rings at dispatch, every dispatcher of it."""
    if actor.kind == "vehicle":
        if call.caller_vehicle_id == actor.id:
            return "caller"
        return "callee" if call.callee_vehicle_id == actor.id else None
    if call.caller_user_id == actor.id:
        return "caller"
    is_for_dispatch = call.callee_vehicle_id is None
    rings_here = is_for_dispatch and call.state == State.RINGING and can(actor, Action.DISPATCH, call.fleet_id)
    return "callee" if rings_here or (is_for_dispatch and call.callee_user_id == actor.id) else None


def device_side_of(call: CallSession, party: Party) -> Side | None:
    """The same for the device: only the two that talk have a side, and the callee's devices while it rings."""
    side = side_of(call, party.actor)
    if side == "caller":
        return side if call.caller_device == party.device_id else None
    if side == "callee" and call.state == State.ACTIVE:
        return side if call.callee_device == party.device_id else None
    return side


def callee_of(party: Party, callee_id: str) -> tuple[Fleet, Vehicle | None]:
    """The fleet in which the call is, and the vehicle that it is to; None is dispatch.

    Raises Refusal: `validation_error` for oneself, `not_found` for a vehicle of no fleet of the caller's, `forbidden`
    for a viewer.
    """
    actor = party.actor
    is_vehicle = actor.kind == "vehicle"
    own_id = actor.name if is_vehicle else DISPATCH
    if callee_id == own_id:
        raise Refusal(ErrorCode.VALIDATION_ERROR, details={"field": "calleeId", "issue": "is the caller itself"})
    if callee_id == DISPATCH:
        return Fleet.objects.get(vehicles=actor.id), None
    sees = Action.PRESENCE if is_vehicle else Action.VIEW
    callee = vehicles_where(actor, sees).filter(vehicle_id=callee_id).first()
    if callee is None:
        raise Refusal(ErrorCode.NOT_FOUND, details={"calleeId": callee_id})
    if not is_vehicle and not can(actor, Action.DISPATCH, callee.fleet_id):
        raise Refusal(ErrorCode.FORBIDDEN)
    return callee.fleet, callee
