"""What changes calls. Each service is one transaction, and tells the world after its commit.

A change is worked out by the rules from what was read, and stored only while the call is still at the version that was
read: of two devices that answer at once one wins, and the other is told who did. Who begins or takes a call is locked
first (vehicles, then users, in the order of their keys): nobody is in two calls, and of two that ring each other at the
same moment the one that gets the locks first has rung, and the other one answers it.
"""

from datetime import datetime

import structlog
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q, QuerySet

from v2v.calls import rules
from v2v.calls.deeds import Kind, call_change, call_limits, call_note, columns_of, history_add, standing_of
from v2v.calls.models import IS_LIVE, CallSession
from v2v.calls.parties import Party, callee_of, device_side_of, side_of
from v2v.calls.rules import Reason, State
from v2v.calls.selectors import WHOLE, call_for
from v2v.calls.telling import device, ringing
from v2v.fleets.models import Fleet
from v2v.protocol import events
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.realtime.relay import publish
from v2v.vehicles.live import live
from v2v.vehicles.models import Vehicle

log = structlog.get_logger(__name__)

# ---- Beginning


def call_initiate(*, party: Party, callee_id: str, media: str, client_id: str, now: datetime) -> CallSession:
    """Ring a vehicle (every device) or `dispatch` (every dispatcher of the fleet); the call as it stands then.

    The same `client_id` of the same sender again is the same call. A callee who is in another call makes it `rejected`
    (busy) at once. When the callee rings the caller at this moment, that call stands, and is answered by this. Raises
    Refusal: `target_offline` when nobody is connected there, with the `callId` of the missed call that is kept of it,
    `conflict` when the caller is in another call, and as `callee_of` does.
    """
    call = _known(party, client_id) or _initiate(party, callee_id, media, client_id, now)
    if call.end_reason == Reason.OFFLINE:
        raise Refusal(ErrorCode.TARGET_OFFLINE, details={"callId": str(call.pk)})
    return call


def _known(party: Party, client_id: str) -> CallSession | None:
    calls = CallSession.objects.select_related(*WHOLE)
    return calls.filter(history__sender_key=party.sender_key, history__client_id=client_id).first()


@transaction.atomic
def _initiate(party: Party, callee_id: str, media: str, client_id: str, now: datetime) -> CallSession:
    fleet, callee = callee_of(party, callee_id)
    _lock(party, callee)
    if (known := _known(party, client_id)) is not None:  # the same command came twice at once
        return known
    crossing = CallSession.objects.select_related(*WHOLE).filter(
        fleet=fleet, state=State.RINGING.value, caller_vehicle=callee, callee_vehicle=party.vehicle_pk
    )
    if (other := crossing.first()) is not None:
        return _answer(other, party, client_id, now)
    _check_free(party)
    call = _new(party, fleet, callee, media)
    # Stored as it is once it rings or does not: a callee who is in another call has no second one, not for a moment.
    begun = rules.after(rules.initiated(now=now, limits=call_limits()), _ring_or_not(call), now)
    for name, value in columns_of(begun).items():
        setattr(call, name, value)
    call.save(force_insert=True)
    history_add(call, Kind.INITIATED, by=party.name, now=now, sender_key=party.sender_key, client_id=client_id)
    call_note(call, now=now)
    log.info("call initiated", call=str(call.pk), caller=call.caller_id, callee=call.callee_id, state=str(call.state))
    return call


def _new(party: Party, fleet: Fleet, callee: Vehicle | None, media: str) -> CallSession:
    caller = Vehicle.objects.get(pk=party.vehicle_pk) if party.vehicle_pk is not None else None
    return CallSession(
        fleet=fleet,
        caller_vehicle=caller,
        caller_user_id=party.user_pk,
        caller_device=party.device_id,
        caller_name=caller.driver_name if caller is not None else party.name,
        callee_vehicle=callee,
        media=media,
    )


def _ring_or_not(call: CallSession) -> rules.Deed:
    if call.callee_vehicle is not None:
        if _live_calls(vehicle_pk=call.callee_vehicle.pk).exists():
            return rules.NotReached(Reason.BUSY)
        is_there = live().is_connected(call.callee_vehicle.vehicle_id)
    else:
        is_there = bool(live().dispatchers(call.fleet_id))
    return rules.Rang() if is_there else rules.NotReached(Reason.OFFLINE)


def _lock(party: Party, callee: Vehicle | None = None) -> None:
    """Have everybody else who begins or takes a call with one of these wait until the transaction's end."""
    pks = [pk for pk in (party.vehicle_pk, callee.pk if callee is not None else None) if pk is not None]
    list(Vehicle.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk").values("pk"))
    if party.user_pk is not None:
        list(get_user_model().objects.select_for_update(no_key=True).filter(pk=party.user_pk).values("pk"))


def _live_calls(*, vehicle_pk: int | None = None, user_pk: int | None = None) -> QuerySet[CallSession]:
    if vehicle_pk is not None:
        mine = Q(caller_vehicle=vehicle_pk) | Q(callee_vehicle=vehicle_pk)
    else:
        mine = Q(caller_user=user_pk) | Q(callee_user=user_pk)
    return CallSession.objects.filter(IS_LIVE, mine)


def _check_free(party: Party, but: CallSession | None = None) -> None:
    calls = _live_calls(vehicle_pk=party.vehicle_pk, user_pk=party.user_pk)
    other = next((call for call in calls if call != but), None)
    if other is not None:
        details = {"callId": str(other.pk), "state": str(other.state)}
        raise Refusal(ErrorCode.CONFLICT, "You are in another call.", details=details)


# ---- Answering and ending


@transaction.atomic
def call_answer(*, party: Party, call_id: str, now: datetime) -> CallSession:
    """Take a call that rings; the same device again has it already.

    Raises Refusal: `conflict`, with the state and who was first, when it no longer rings, and when a dispatcher is in
    another call; `forbidden` for whom it does not ring, `not_found`.
    """
    return _answer(call_for(party, call_id), party, "", now)


def _answer(call: CallSession, party: Party, client_id: str, now: datetime) -> CallSession:
    if call.callee_vehicle_id != party.vehicle_pk:  # both None: a dispatcher, and a call to dispatch
        raise Refusal(ErrorCode.FORBIDDEN)
    if party.user_pk is not None:
        _lock(party)
        _check_free(party, but=call)
    return call_change(call, _answered(party), now=now, by=party.name, sender_key=party.sender_key, client_id=client_id)


def _answered(party: Party) -> rules.Answered:
    name = party.name if party.user_pk is not None else party.device_id
    return rules.Answered(party.user_pk, party.device_id, name)


@transaction.atomic
def call_reject(*, party: Party, call_id: str, reason: str, now: datetime) -> CallSession:
    """Do not take a call. One to dispatch rings on while another dispatcher is there who has not rejected it.

    Of a call that is over already nothing changes. Raises Refusal: `conflict` when it was answered, `forbidden` for
    whom it does not ring, `not_found`.
    """
    call = call_for(party, call_id)
    if call.callee_vehicle_id != party.vehicle_pk:
        raise Refusal(ErrorCode.FORBIDDEN)
    if call.callee_vehicle_id is None and call.state == State.RINGING:
        # Of the last two dispatchers at once, one has to see that he is the last.
        list(CallSession.objects.select_for_update(no_key=True).filter(pk=call.pk).values("pk"))
        declined = set(call.history.filter(kind=Kind.DECLINED).values_list("by", flat=True))
        if party.name not in declined:
            history_add(call, Kind.DECLINED, by=party.name, now=now, reason=reason)
        if live().dispatchers(call.fleet_id) - declined - {party.name}:
            return call
    return call_change(call, rules.Rejected(party.name, Reason(reason)), now=now, by=party.name)


@transaction.atomic
def call_end(*, party: Party, call_id: str, reason: str, now: datetime) -> CallSession:
    """Hang up, from either side; from a vehicle with any of its devices. Of a call that is over nothing changes.

    Raises Refusal: `forbidden` for a dispatcher who is not in it, `not_found`.
    """
    call = call_for(party, call_id)
    if not call.is_live:
        return call
    side = side_of(call, party.actor)
    if side is None:
        raise Refusal(ErrorCode.FORBIDDEN)
    if side == "callee" and call.state == State.RINGING:  # and of several dispatchers one ends nobody else's ringing
        return call_reject(party=party, call_id=call_id, reason=Reason.DECLINED, now=now)
    return call_change(call, rules.HungUp(party.name, Reason(reason)), now=now, by=party.name)


def call_close(*, call: CallSession, by: str, now: datetime) -> bool:
    """End somebody else's call; whether it was live. Who may do so is decided by whoever asks."""
    with transaction.atomic():
        changed = call_change(call, rules.Closed(by), now=now, by=by)
    return changed.ended_at == now and changed.ended_by == by


# ---- Signalling


def call_signal(*, party: Party, call_id: str, event: events.Event) -> None:
    """Send an event to the other device of an active call; while it rings, from the caller to all that ring.

    Nothing of it is stored. Raises Refusal: `conflict` when it is over or has not been answered, `forbidden` for any
    other device, `not_found`.
    """
    call = call_for(party, call_id)
    side = device_side_of(call, party)
    if side is None:
        raise Refusal(ErrorCode.FORBIDDEN)
    if call.state == State.ACTIVE:
        publish(device(call, "callee" if side == "caller" else "caller"), event)
    elif call.state == State.RINGING and side == "caller":
        publish(ringing(call), event)
    else:
        raise rules.conflict(standing_of(call))


def call_rings(*, party: Party, call_id: str) -> bool:
    """Whether the call rings this party. Raises as `call_for` does."""
    call = call_for(party, call_id)
    return call.state == State.RINGING and side_of(call, party.actor) == "callee"
