"""What waits for vehicles that only their radio reaches: found in what is stored for them, and queued as frames."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from radio.link.payloads import (
    MAX_EMERGENCY_TEXT_BYTES,
    Control,
    Emergency,
    Payload,
    Text,
    text_parts,
)
from radio.link.traffic import Priority
from radio.models import MAX_SUMMARY_CHARS, RadioBridge, RadioFrame, RadioNode
from radio.nodes import fleet_of, may_send, reachable
from radio.payloads import kind_of, payload_stored, summary_of
from radio.rules import ALERT_TTL, FALLBACK_AFTER, NEWS_TTL, NEWS_WORDS, TEXT_TTL, alert_news
from v2v.alerts.models import Alert, AlertEvent, AlertRecipient
from v2v.alerts.rules import ACTIVE
from v2v.alerts.selectors import is_within
from v2v.fleets.policy import Actor
from v2v.messaging.models import MessageRecipient
from v2v.messaging.rules import Status
from v2v.messaging.services import messages_take_by_radio
from v2v.protocol.codes import ErrorCode
from v2v.protocol.commands import AlertType, Severity
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import epoch_ms
from v2v.vehicles.live import live

log = structlog.get_logger(__name__)

Kind = AlertEvent.Kind
FILL_AT_ONCE = 200
MAX_ALERTS = 100  # that are looked at: the newest
_NEWS = (Kind.DISPLAYED, Kind.ACKNOWLEDGED, Kind.ASSIGNED, Kind.RESOLVED, Kind.NEGATED)
_ACTIVE = [state.value for state in ACTIVE]


def queue_fill(*, bridge: RadioBridge, now: datetime) -> int:
    """Queue what waits for the vehicles that this bridge reaches and no socket does; how many frames that made."""
    nodes = {node.vehicle_id or 0: node for node in reachable(bridge, now=now)}
    if not nodes:
        return 0
    made = _messages_queue(nodes, now) + _alerts_queue(nodes, now) + _news_queue(nodes, now)
    if made:
        log.info("queued for the radio", bridge=bridge.name, frames=made)
    return made


def _messages_queue(nodes: dict[int, RadioNode], now: datetime) -> int:
    queued = RadioFrame.objects.filter(message=OuterRef("message"), node__vehicle=OuterRef("vehicle"))
    rows = MessageRecipient.objects.filter(fleet__in=_fleets(nodes), vehicle__in=list(nodes), status=Status.QUEUED)
    rows = (
        rows.filter(message__expires_at__gt=now)
        .exclude(Exists(queued))
        .select_related("message__sender_vehicle", "vehicle")
        .order_by("id")
    )
    frames, pks = [], []
    for row in rows[:FILL_AT_ONCE]:
        if row.vehicle is None or _socket_has_it(row.vehicle.vehicle_id, row.message.stored_at, now):
            continue
        priority = Priority.DEFAULT if row.message.is_broadcast else Priority.RELIABLE
        sender = row.message.sender_vehicle
        text = row.message.content if sender is None else f"{sender.vehicle_id}: {row.message.content}"
        for part in text_parts(text, group=row.message.pk % 256):
            frame = _frame(nodes[row.vehicle.pk], part, priority, now=now, until=row.message.expires_at)
            frame.message = row.message
            frames.append(frame)
        pks.append(row.pk)
    with transaction.atomic():
        RadioFrame.objects.bulk_create(frames)
        messages_take_by_radio(pks=pks, now=now)
    return len(frames)


def _fleets(nodes: dict[int, RadioNode]) -> set[int]:
    return {node.vehicle.fleet_id for node in nodes.values() if node.vehicle is not None}


def _alerts_queue(nodes: dict[int, RadioNode], now: datetime) -> int:
    alerts = Alert.objects.filter(fleet__in=_fleets(nodes), state__in=_ACTIVE, stored_at__gt=now - ALERT_TTL)
    alerts = alerts.select_related("sender", "raised_by", "fleet").order_by("-stored_at")
    frames = [frame for alert in alerts[:MAX_ALERTS] for frame in _alert_frames(alert, nodes, now) if frame is not None]
    RadioFrame.objects.bulk_create(frames)
    return len(frames)


def _alert_frames(alert: Alert, nodes: dict[int, RadioNode], now: datetime) -> Iterable[RadioFrame]:
    sent = RadioFrame.objects.filter(alert=alert, direction=RadioFrame.Direction.OUT, node__vehicle__in=list(nodes))
    told = {frame.node.vehicle_id for frame in sent.select_related("node") if frame.node is not None}
    told |= {row.vehicle_id for row in AlertRecipient.objects.filter(alert=alert, vehicle__in=list(nodes))}
    for pk, node in nodes.items():
        vehicle = node.vehicle
        if vehicle is None or vehicle.fleet_id != alert.fleet_id or pk in told or pk == alert.sender_id:
            continue
        if _socket_has_it(vehicle.vehicle_id, alert.stored_at, now):
            continue
        if alert.radius_m is None or is_within(alert, live().position(vehicle.vehicle_id)):
            frame = _frame(node, _emergency_of(alert), Priority.ALERT, now=now, until=alert.stored_at + ALERT_TTL)
            frame.alert = alert
            yield frame


def _emergency_of(alert: Alert) -> Emergency:
    text = f"{alert.sender_name}: {alert.message}" if alert.message else alert.sender_name
    return Emergency(
        type=cast("AlertType", str(alert.type)),
        severity=cast("Severity", str(alert.severity)),
        lat=alert.lat,
        lng=alert.lng,
        content=_short(text),
        drill=alert.drill,
    )


def _news_queue(nodes: dict[int, RadioNode], now: datetime) -> int:
    """What became of an alert that came by radio, to its sender."""
    queued = RadioFrame.objects.filter(alert_event=OuterRef("pk"))
    events = AlertEvent.objects.filter(alert__via=Alert.Via.RADIO, alert__sender__in=list(nodes), kind__in=_NEWS)
    events = events.filter(at__gt=now - NEWS_TTL).exclude(Exists(queued)).select_related("alert").order_by("at")
    frames = []
    for event in events[:FILL_AT_ONCE]:
        payload = _news_of(event)
        if payload is not None and event.alert.sender_id is not None:
            node = nodes[event.alert.sender_id]
            frame = _frame(node, payload, Priority.ALERT, now=now, until=event.at + NEWS_TTL)
            frame.alert_event = event
            frames.append(frame)
    RadioFrame.objects.bulk_create(frames)
    return len(frames)


def _news_of(event: AlertEvent) -> Payload | None:
    """By the number of the frame that raised the alert; in words for Meshtastic, which knows no such thing."""
    status = alert_news(event.kind)
    raised = RadioFrame.objects.filter(alert=event.alert_id, direction="in", kind="emergency").first()
    if status is None or raised is None or raised.sequence is None:
        return None
    if raised.bridge.link == RadioBridge.Link.MESHTASTIC:
        return Text(content=NEWS_WORDS[status])
    return Control(sequence=raised.sequence, status=status)


def _short(text: str) -> str:
    """As much as an emergency's frame holds."""
    return text.encode()[:MAX_EMERGENCY_TEXT_BYTES].decode(errors="ignore")


def _socket_has_it(vehicle_id: str, since: datetime, now: datetime) -> bool:
    """Whether a socket is there to bring it. One that has not brought it for a while is not really there."""
    return now - since < FALLBACK_AFTER and live().is_connected(vehicle_id)


def text_queue(*, node: RadioNode, text: str, actor: Actor, now: datetime) -> list[RadioFrame]:
    """Queue a text for a node, whether a vehicle has it or not. Raises Refusal `forbidden`, `validation_error`."""
    if not may_send(actor, fleet_of(node)):
        raise Refusal(ErrorCode.FORBIDDEN)
    if not text.strip():
        raise Refusal(ErrorCode.VALIDATION_ERROR, details={"field": "content", "issue": "Say something"})
    parts = text_parts(text, group=epoch_ms(now) // 1000 % 256)
    frames = [_frame(node, part, Priority.RELIABLE, now=now, until=now + TEXT_TTL) for part in parts]
    RadioFrame.objects.bulk_create(frames)
    log.info("text queued for the radio", node=node.label, by=actor.name, frames=len(frames))
    return frames


def _frame(node: RadioNode, payload: Payload, priority: Priority, *, now: datetime, until: datetime) -> RadioFrame:
    return RadioFrame(
        bridge=node.bridge,
        node=node,
        fleet_id=fleet_of(node),
        direction=RadioFrame.Direction.OUT,
        kind=kind_of(payload),
        sender=0,
        recipient=node.address,
        payload=payload_stored(payload),
        parts=payload.parts if isinstance(payload, Text) else 1,
        summary=summary_of(payload)[:MAX_SUMMARY_CHARS],
        state=RadioFrame.State.QUEUED,
        priority=priority.value,
        created_at=now,
        expires_at=until,
    )
