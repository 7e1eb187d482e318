"""What goes out: found in what waits for vehicles that only their radio reaches, queued as rows, sent by priority.

The rows are the queue: it survives any process. A message counts as delivered when the node itself has acknowledged
it; that another radio passed it on proves nothing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from radio import metrics
from radio.models import MAX_SUMMARY_CHARS, RadioBridge, RadioFrame, RadioNode
from radio.nodes import fleet_of, may_send, reachable
from radio.payloads import Emergency, Payload, Text, kind_of, payload_encode, summary_of
from radio.rules import (
    ALERT_TTL,
    FALLBACK_AFTER,
    NEWS_TTL,
    TEXT_TTL,
    Priority,
    alert_news,
    pause_after,
)
from v2v.alerts.models import Alert, AlertEvent, AlertRecipient
from v2v.alerts.rules import ACTIVE
from v2v.alerts.selectors import is_within
from v2v.alerts.services import Delivery as AlertDelivery
from v2v.alerts.services import alert_recipients_store
from v2v.fleets.policy import Actor
from v2v.messaging.models import Message, MessageRecipient
from v2v.messaging.rules import Status
from v2v.messaging.services import Delivery, messages_delivered, messages_take_by_radio
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import epoch_ms
from v2v.vehicles.live import live

log = structlog.get_logger(__name__)

State = RadioFrame.State
Kind = AlertEvent.Kind
FILL_AT_ONCE = 200
MAX_ALERTS = 100  # that are looked at: the newest
_UNDER_WAY = (State.SENT, State.RELAYED)
_NEWS = (Kind.ACKNOWLEDGED, Kind.ASSIGNED, Kind.RESOLVED, Kind.NEGATED)
_ACTIVE = [state.value for state in ACTIVE]
_WHOLE = ("node__vehicle", "alert", "message")


# ---- Into the queue


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
    rows = MessageRecipient.objects.filter(status=Status.QUEUED, vehicle__in=list(nodes), message__expires_at__gt=now)
    rows = rows.exclude(Exists(queued)).select_related("message", "vehicle").order_by("-id")
    frames, pks = [], []
    for row in rows[:FILL_AT_ONCE]:
        if row.vehicle is None or _socket_has_it(row.vehicle.vehicle_id, row.message.stored_at, now):
            continue
        priority = Priority.DEFAULT if row.message.is_broadcast else Priority.RELIABLE
        sender = row.message.sender_vehicle
        text = row.message.content if sender is None else f"{sender.vehicle_id}: {row.message.content}"
        frame = _frame(nodes[row.vehicle.pk], Text(text), priority, now=now, until=row.message.expires_at)
        frame.message = row.message
        frames.append(frame)
        pks.append(row.pk)
    with transaction.atomic():
        RadioFrame.objects.bulk_create(frames)
        messages_take_by_radio(pks=pks, now=now)
    return len(frames)


def _alerts_queue(nodes: dict[int, RadioNode], now: datetime) -> int:
    fleets = {node.vehicle.fleet_id for node in nodes.values() if node.vehicle is not None}
    alerts = Alert.objects.filter(fleet__in=fleets, state__in=_ACTIVE, stored_at__gt=now - ALERT_TTL)
    alerts = alerts.select_related("sender", "raised_by", "fleet").order_by("-stored_at")
    frames = [
        frame for alert in alerts[:MAX_ALERTS] for frame in _alert_frames(alert, nodes, now) if frame is not None
    ]
    RadioFrame.objects.bulk_create(frames)
    return len(frames)


def _alert_frames(alert: Alert, nodes: dict[int, RadioNode], now: datetime) -> Iterable[RadioFrame]:
    told = set(AlertRecipient.objects.filter(alert=alert).values_list("vehicle", flat=True))
    told |= set(RadioFrame.objects.filter(alert=alert, direction="out").values_list("node__vehicle", flat=True))
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
        kind=alert.type, severity=alert.severity, lat=alert.lat, lng=alert.lng, text=text, is_drill=alert.drill
    )


def _news_queue(nodes: dict[int, RadioNode], now: datetime) -> int:
    """What became of an alert that came by radio, to its sender."""
    queued = RadioFrame.objects.filter(alert_event=OuterRef("pk"))
    events = AlertEvent.objects.filter(alert__via=Alert.Via.RADIO, alert__sender__in=list(nodes), kind__in=_NEWS)
    events = events.filter(at__gt=now - NEWS_TTL).exclude(Exists(queued)).select_related("alert").order_by("at")
    frames = []
    for event in events[:FILL_AT_ONCE]:
        words = alert_news(event.kind, event.by, disposition=event.alert.disposition)
        if words is not None and event.alert.sender_id is not None:
            node = nodes[event.alert.sender_id]
            frame = _frame(node, Text(words), Priority.RELIABLE, now=now, until=event.at + NEWS_TTL)
            frame.alert_event = event
            frames.append(frame)
    RadioFrame.objects.bulk_create(frames)
    return len(frames)


def _socket_has_it(vehicle_id: str, since: datetime, now: datetime) -> bool:
    """Whether a socket is there to bring it. One that has not brought it for a while is not really there."""
    return now - since < FALLBACK_AFTER and live().is_connected(vehicle_id)


def text_queue(*, node: RadioNode, text: str, actor: Actor, now: datetime) -> RadioFrame:
    """Queue a text for a node, whether a vehicle has it or not. Raises Refusal `forbidden`, `validation_error`."""
    if not may_send(actor, fleet_of(node)):
        raise Refusal(ErrorCode.FORBIDDEN)
    if not text.strip():
        raise Refusal(ErrorCode.VALIDATION_ERROR, details={"field": "content", "issue": "Say something"})
    frame = _frame(node, Text(text), Priority.RELIABLE, now=now, until=now + TEXT_TTL)
    frame.save(force_insert=True)
    log.info("text queued for the radio", node=node.label, by=actor.name, frame=frame.pk)
    return frame


def _frame(node: RadioNode, payload: Payload, priority: Priority, *, now: datetime, until: datetime) -> RadioFrame:
    return RadioFrame(
        bridge=node.bridge,
        node=node,
        fleet_id=fleet_of(node),
        direction=RadioFrame.Direction.OUT,
        kind=kind_of(payload),
        sender=0,
        recipient=node.address,
        payload=payload_encode(payload),
        summary=summary_of(payload)[:MAX_SUMMARY_CHARS],
        state=State.QUEUED,
        priority=priority.value,
        created_at=now,
        expires_at=until,
    )


# ---- Out of the queue


def frames_recover(*, bridge: RadioBridge) -> int:
    """What was on its way when the bridge died is queued again; the other side drops what it has already."""
    return RadioFrame.objects.filter(bridge=bridge, state__in=_UNDER_WAY).update(state=State.QUEUED)


def frames_claim(*, bridge: RadioBridge, count: int, over: int, now: datetime) -> list[RadioFrame]:
    """Up to `count` frames of a priority greater than `over`, the greatest first, that are sent from now on."""
    queued = RadioFrame.objects.filter(bridge=bridge, state=State.QUEUED, priority__gt=over)
    frames: list[RadioFrame] = []
    with transaction.atomic():
        for frame in queued.select_related(*_WHOLE).order_by("-priority", "id")[: count * 4]:
            if len(frames) == count:
                break
            reason = _no_longer_wanted(frame, now)
            change = {"state": State.SENT, "sent_at": now} if reason is None else _withdrawn(reason, now)
            if RadioFrame.objects.filter(pk=frame.pk, state=State.QUEUED).update(**change) and reason is None:
                frames.append(frame)
    return frames


def _no_longer_wanted(frame: RadioFrame, now: datetime) -> str | None:
    """Why it need not go out any more: its time is over, or it has come another way."""
    if frame.expires_at is not None and frame.expires_at <= now:
        return "expired"
    if frame.alert is not None and not frame.alert.is_active:
        return "the alert is over"
    if frame.message is not None and frame.node is not None:
        row = MessageRecipient.objects.filter(message=frame.message, vehicle=frame.node.vehicle_id).first()
        if row is not None and row.status != Status.QUEUED:
            return "came another way" if row.status != Status.EXPIRED else "expired"
    return None


def _withdrawn(reason: str, now: datetime) -> dict[str, object]:
    return {"state": State.WITHDRAWN, "error": reason, "done_at": now}


def frame_numbered(*, pk: int, sequence: int, attempts: int) -> None:
    """It was given to the modem under this number, for so many times in this round."""
    RadioFrame.objects.filter(pk=pk).update(sequence=sequence, attempts=attempts)


def frame_relayed(*, pk: int) -> None:
    """A radio passed it on: no word yet of the recipient."""
    RadioFrame.objects.filter(pk=pk, state=State.SENT).update(state=State.RELAYED)


def frame_acked(*, pk: int, now: datetime) -> None:
    """The recipient has it: so whoever waits for that is told."""
    with transaction.atomic():
        frame = _under_way(pk, done=(State.FAILED, State.QUEUED)).first()
        if frame is None:
            return
        RadioFrame.objects.filter(pk=pk).update(state=State.ACKED, done_at=now, retry_at=None, error="")
        vehicle = frame.node.vehicle if frame.node is not None else None
        if vehicle is not None and frame.message is not None:
            key = str(frame.message.message_id)
            messages_delivered([Delivery(key, epoch_ms(now), vehicle.pk, via=Message.Via.RADIO)])
        if vehicle is not None and frame.alert_id is not None:
            alert_recipients_store([AlertDelivery(str(frame.alert_id), (vehicle.vehicle_id,), now)])
    metrics.FRAMES.labels("out", frame.kind, State.ACKED).inc()


def frame_sent_blind(*, pk: int, now: datetime) -> None:
    """It is out, and no answer was asked for."""
    RadioFrame.objects.filter(pk=pk, state__in=_UNDER_WAY).update(done_at=now)


def frame_failed(*, pk: int, reason: str, now: datetime) -> None:
    """The link gave it up: it goes out again when the node is heard after a pause, as long as it is worth it."""
    with transaction.atomic():
        frame = _under_way(pk).first()
        if frame is None:
            return
        rounds = frame.rounds + 1
        retry_at = now + pause_after(rounds)
        is_over = frame.expires_at is not None and retry_at >= frame.expires_at
        RadioFrame.objects.filter(pk=pk).update(
            state=State.FAILED,
            rounds=rounds,
            error=reason[:100],
            done_at=now,
            retry_at=None if is_over else retry_at,
        )
    metrics.FRAMES.labels("out", frame.kind, State.FAILED).inc()


def _under_way(pk: int, done: tuple[str, ...] = ()) -> QuerySet[RadioFrame]:
    frames = RadioFrame.objects.select_for_update(of=("self",)).select_related(*_WHOLE)
    return frames.filter(Q(state__in=[*_UNDER_WAY, *done]), pk=pk)


# ---- By the clock


def frames_expire(now: datetime) -> bool:
    """Withdraw up to 500 of those whose time is over; whether there were any."""
    due = RadioFrame.objects.filter(state=State.QUEUED, expires_at__lte=now).values("pk")[:500]
    late = RadioFrame.objects.filter(retry_at__isnull=False, expires_at__lte=now).values("pk")[:500]
    RadioFrame.objects.filter(pk__in=list(late.values_list("pk", flat=True))).update(retry_at=None)
    pks = list(due.values_list("pk", flat=True))
    return bool(RadioFrame.objects.filter(pk__in=pks, state=State.QUEUED).update(**_withdrawn("expired", now)))


def frames_prune(now: datetime, *, keep: timedelta) -> bool:
    """Delete up to 1,000 frames older than `keep` that wait for nothing; whether there were any."""
    old = RadioFrame.objects.filter(created_at__lt=now - keep).exclude(state__in=[State.QUEUED, *_UNDER_WAY])
    pks = list(old.order_by("created_at").values_list("pk", flat=True)[:1_000])
    return bool(RadioFrame.objects.filter(pk__in=pks).delete()[0])
