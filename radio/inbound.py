"""What is heard: stored with all that follows from it in one transaction, so that an acknowledgement may follow that.

A sender that heard none sends again. The copy finds the first one's row, and is acknowledged without any effect.
"""

import unicodedata
from datetime import datetime
from functools import partial

import msgspec
import structlog
from django.db import InterfaceError, OperationalError, transaction

from radio import metrics
from radio.link.payloads import Control, Emergency, Hello, Position, Status, Text
from radio.link.traffic import Received
from radio.models import MAX_SUMMARY_CHARS, RadioBridge, RadioFrame, RadioNode
from radio.nodes import fleet_of, frames_try_again, node_heard, node_named, node_vehicle_make
from radio.payloads import kind_of, payload_of, payload_stored, summary_of, text_whole
from radio.positions import vehicle_reports
from radio.rules import DUPLICATE_WITHIN, EMERGENCY_EVERY, fix_time, is_off
from v2v.alerts.models import Alert
from v2v.alerts.rules import ACTIVE
from v2v.alerts.services import Origin, Report, alert_cancel, alert_raise
from v2v.fleets.policy import actor_of_vehicle
from v2v.messaging.models import Message
from v2v.messaging.services import message_send
from v2v.protocol import events
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import epoch_ms
from v2v.protocol.fields import DISPATCH, MAX_CONTENT_CHARS, Content
from v2v.realtime.relay import ToDispatchers, publish
from v2v.vehicles.models import Vehicle

log = structlog.get_logger(__name__)

State = RadioFrame.State
DATABASE_AWAY = (OperationalError, InterfaceError)
_NOT_NOW = (ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE)


def frame_take(*, bridge: RadioBridge, heard: Received, now: datetime) -> Status | None:
    """Take a frame in; what its sender may be told, or None for what it is to send again.

    Raises what the database raises while it is away: nothing is stored then.
    """
    try:
        with transaction.atomic():
            state = _take(bridge, heard, now)
    except Refusal as refusal:
        if refusal.code in _NOT_NOW:
            return None
        state = _keep_refused(bridge, heard, now, str(refusal.code))
    except DATABASE_AWAY:
        raise
    except Exception:
        # A frame that trips us up must not hold up those behind it. Its sender hears nothing: nobody has it.
        log.exception("radio frame failed", sender=heard.sender, sequence=heard.sequence)
        _keep_refused(bridge, heard, now, str(ErrorCode.INTERNAL_ERROR))
        return None
    metrics.FRAMES.labels("in", kind_of(heard.payload), state).inc()
    return Status.REFUSED if state == State.REFUSED else Status.ACCEPTED


def _take(bridge: RadioBridge, heard: Received, now: datetime) -> str:
    node = node_heard(bridge=bridge, address=heard.sender, now=now)
    if _is_known(bridge, heard, now):
        return "duplicate"
    frame = _frame(bridge, node, heard, now)
    match heard.payload:
        case Position():
            _position_take(node, heard.payload, now)
        case Hello():
            node_named(node=node, name=heard.payload.vehicle_id)
        case Control():
            _control_take(node, frame, heard.payload, now)
        case Emergency():
            frame.save(force_insert=True)
            _emergency_take(node, frame, heard.payload, now)
        case Text():
            frame.save(force_insert=True)
            _text_take(node, frame, heard.payload, now)
    frame.fleet_id = fleet_of(node)
    frame.save()
    _node_note(node, heard, now)
    return State.RECEIVED


def _frame(bridge: RadioBridge, node: RadioNode | None, heard: Received, now: datetime) -> RadioFrame:
    return RadioFrame(
        bridge=bridge,
        node=node,
        fleet_id=fleet_of(node) if node else bridge.fleet_id,
        direction=RadioFrame.Direction.IN,
        kind=kind_of(heard.payload),
        sender=heard.sender,
        recipient=heard.recipient,
        sequence=heard.sequence,
        checksum=heard.check,
        payload=payload_stored(heard.payload),
        parts=heard.payload.parts if isinstance(heard.payload, Text) else 1,
        summary=_plain(summary_of(heard.payload))[:MAX_SUMMARY_CHARS],
        state=State.RECEIVED,
        rssi=heard.rssi,
        snr=heard.snr,
        created_at=now,
        done_at=now,
    )


def _is_known(bridge: RadioBridge, heard: Received, now: datetime) -> bool:
    """Whether this very frame came already.

    Its checksum counts too: a node that began anew after a crash numbers its frames from the beginning again, and its
    call for help must not be taken for something that it said before.
    """
    same = RadioFrame.objects.filter(bridge=bridge, sender=heard.sender, sequence=heard.sequence)
    lately = same.filter(direction=RadioFrame.Direction.IN, created_at__gt=now - DUPLICATE_WITHIN)
    return lately.filter(checksum=heard.check).exclude(state=State.REFUSED).exists()


def _keep_refused(bridge: RadioBridge, heard: Received, now: datetime, code: str) -> str:
    with transaction.atomic():
        node = node_heard(bridge=bridge, address=heard.sender, now=now)
        same = RadioFrame.objects.filter(node=node, sequence=heard.sequence, checksum=heard.check, state=State.REFUSED)
        frame = same.filter(created_at__gt=now - DUPLICATE_WITHIN).first() or _frame(bridge, node, heard, now)
        frame.state, frame.error, frame.attempts = State.REFUSED, code, frame.attempts + 1
        frame.save()
        _node_note(node, heard, now)
    return State.REFUSED


def _node_note(node: RadioNode, heard: Received, now: datetime) -> None:
    """It was heard: what waited for that goes out again."""
    node.heard_at = now
    columns = ["heard_at"]
    if isinstance(heard.payload, Position):
        _, node.clock_offset_s = fix_time(said_s=heard.payload.at, now_ms=epoch_ms(now))
        columns.append("clock_offset_s")
    for name in ("rssi", "snr"):
        if (value := getattr(heard, name)) is not None:
            setattr(node, name, value)
            columns.append(name)
    node.save(update_fields=columns)
    frames_try_again(node, now=now)


# ---- What follows from each kind


def _position_take(node: RadioNode, position: Position, now: datetime) -> None:
    ts, offset_s = fix_time(said_s=position.at, now_ms=epoch_ms(now))
    if is_off(offset_s):
        log.warning("radio clock is off", node=node.label, seconds=offset_s)
    if node.vehicle is not None:
        vehicle_reports(_may_speak(node), position, ts=ts, radio=node.label, now=now)


def _emergency_take(node: RadioNode, frame: RadioFrame, emergency: Emergency, now: datetime) -> None:
    vehicle = _may_speak(node) if node.vehicle is not None else node_vehicle_make(node=node, now=now)
    if vehicle is None:
        log.error("an emergency of a radio that no fleet has", node=node.label, text=_plain(emergency.content))
        raise Refusal(ErrorCode.NOT_REGISTERED)
    before = RadioFrame.objects.filter(node=node, kind=RadioFrame.Kind.EMERGENCY, state=State.RECEIVED)
    if before.filter(created_at__gt=now - EMERGENCY_EVERY, direction="in").exclude(pk=frame.pk).exists():
        raise Refusal(ErrorCode.RATE_LIMITED)
    origin = Origin(
        fleet_pk=vehicle.fleet_id,
        via=Alert.Via.RADIO,
        client_id=f"radio-{frame.pk}",  # numbers on air come again after a while; the row of the frame does not
        vehicle_pk=vehicle.pk,
        vehicle_id=vehicle.vehicle_id,
    )
    report = Report(
        type=emergency.type,
        severity=emergency.severity,
        message=_content(emergency.content),
        lat=emergency.lat,
        lng=emergency.lng,
        drill=emergency.drill,
    )
    frame.alert_id, _ = alert_raise(origin=origin, report=report, now=now)


def _control_take(node: RadioNode, frame: RadioFrame, control: Control, now: datetime) -> None:
    """Who raised an alert may take it back."""
    raised = RadioFrame.objects.filter(node=node, kind=RadioFrame.Kind.EMERGENCY, sequence=control.sequence)
    if control.status is not Status.CANCELLED or (last := raised.exclude(alert=None).first()) is None:
        return
    frame.alert = last.alert
    if last.alert is not None and last.alert.state in ACTIVE:
        alert_cancel(alert=last.alert, by=last.alert.sender_name, now=now)


def _text_take(node: RadioNode, frame: RadioFrame, text: Text, now: datetime) -> None:
    parts = RadioFrame.objects.filter(node=node, direction=frame.direction, kind=frame.kind, parts=text.parts)
    waiting = parts.filter(message=None, created_at__gt=now - DUPLICATE_WITHIN, state=State.RECEIVED)
    whole = text_whole((payload_of(part) for part in waiting), of=text)  # type: ignore[misc]
    if whole is None:
        return
    content = _content(whole)
    if not content.strip():
        raise Refusal(ErrorCode.VALIDATION_ERROR)
    vehicle = _may_speak(node) if node.vehicle is not None else None
    if vehicle is not None:
        actor = actor_of_vehicle(vehicle_pk=vehicle.pk, vehicle_id=vehicle.vehicle_id, fleet_pk=vehicle.fleet_id)
        sent = message_send(
            actor=actor,
            content=content,
            recipient_id=_recipient_of(node, vehicle, frame.recipient),
            client_id=f"radio-{frame.pk}",
            via=Message.Via.RADIO,
            now=now,
        )
        frame.message = sent.message
        waiting.update(message=sent.message)
    if (fleet_pk := fleet_of(node)) is not None:
        data = events.RadioText.Data(
            sender_short=node.address,
            content=content,
            rssi=frame.rssi,
            vehicle_id=vehicle.vehicle_id if vehicle else None,
        )
        transaction.on_commit(partial(publish, ToDispatchers(fleet_pk), events.RadioText(data=data)), robust=True)


def _recipient_of(node: RadioNode, vehicle: Vehicle, address: int | None) -> str:
    """The vehicle whose radio was addressed; dispatch for everything else.

    What went to everybody was heard by those in range: dispatch decides who else should read it.
    """
    if address is None:
        return DISPATCH
    others = Vehicle.objects.filter(radio_nodes__bridge=node.bridge_id, radio_nodes__address=address)
    other = others.filter(fleet=vehicle.fleet_id, deleted_at=None).exclude(pk=vehicle.pk).first()
    return other.vehicle_id if other is not None else DISPATCH


def _may_speak(node: RadioNode) -> Vehicle:
    vehicle = node.vehicle
    if vehicle is None or vehicle.deleted_at is not None or vehicle.disabled_at is not None:
        raise Refusal(ErrorCode.FORBIDDEN)
    return vehicle


def _content(text: str) -> str:
    """As much of it as a message may hold."""
    text = text[:MAX_CONTENT_CHARS]
    try:
        return msgspec.convert(text, Content)
    except msgspec.ValidationError:
        return _plain(text)


def _plain(text: str) -> str:
    """Without control characters: what came by air must not break a log line or a page."""
    return "".join(character for character in text if unicodedata.category(character) != "Cc")
