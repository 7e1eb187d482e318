"""Calls as events, and who is told of them."""

from datetime import datetime
from functools import partial
from typing import cast

from django.db import transaction

from v2v.calls.ice import ice_servers
from v2v.calls.models import CallSession
from v2v.calls.parties import Side
from v2v.calls.rules import State
from v2v.protocol import events
from v2v.protocol.epoch import epoch_ms
from v2v.protocol.events import CallStateName
from v2v.realtime.relay import Audience, ToDevice, ToDispatchers, ToVehicles, ToWorkers, publish


def call_part(call: CallSession) -> events.CallPart:
    """A call as the wire shows it; what `selectors.WHOLE` names must have been read with it."""
    return events.CallPart(
        call_id=str(call.pk),
        fleet=call.fleet.slug,
        caller_id=call.caller_id,
        callee_id=call.callee_id,
        media=call.media,
        state=cast("CallStateName", str(call.state)),
        started_at=epoch_ms(call.started_at),
        caller_name=call.caller_name or None,
        ring_until=epoch_ms(call.ring_until) if call.state == State.RINGING else None,
        answered_by=call.callee_name or None,
        answered_at=None if call.answered_at is None else epoch_ms(call.answered_at),
        ended_at=None if call.ended_at is None else epoch_ms(call.ended_at),
        end_reason=call.end_reason or None,
    )


def tell_incoming(call: CallSession, *, now: datetime) -> None:
    """Let it ring, after the commit."""
    data = events.CallIncoming.Data(
        call_id=str(call.pk),
        fleet=call.fleet.slug,
        caller_id=call.caller_id,
        callee_id=call.callee_id,
        caller_name=call.caller_name or None,
        media=call.media,
        started_at=epoch_ms(call.started_at),
        ring_until=epoch_ms(call.ring_until),
        ice_servers=ice_servers(identity=call.callee_id, now=now),
    )
    _after_commit(ringing(call), events.CallIncoming(data=data))


def tell_state(call: CallSession) -> None:
    """Tell both sides, on all their devices, and the fleet's dispatchers how it stands, after the commit."""
    event = events.CallState(data=call_part(call))
    vehicles = [vehicle.vehicle_id for vehicle in (call.caller_vehicle, call.callee_vehicle) if vehicle is not None]
    _after_commit(ToVehicles(tuple(vehicles)), event)
    _after_commit(ToDispatchers(call.fleet_id), event)


def ringing(call: CallSession) -> Audience:
    """All devices that the call rings."""
    if call.callee_vehicle is not None:
        return ToVehicles((call.callee_vehicle.vehicle_id,))
    return ToWorkers(call.fleet_id)


def device(call: CallSession, side: Side) -> ToDevice:
    """The one device of a side that talks."""
    if side == "caller":
        vehicle, user, device_id = call.caller_vehicle, call.caller_user, call.caller_device
    else:
        vehicle, user, device_id = call.callee_vehicle, call.callee_user, call.callee_device
    if vehicle is not None:
        return ToDevice(is_vehicle=True, name=vehicle.vehicle_id, device_id=device_id)
    return ToDevice(is_vehicle=False, name=user.get_username() if user is not None else "", device_id=device_id)


def _after_commit(audience: Audience, event: events.Event) -> None:
    transaction.on_commit(partial(publish, audience, event), robust=True)
