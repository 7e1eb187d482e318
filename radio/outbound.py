"""What goes out: rows, claimed by priority, and what became of each.

The rows are the queue: it survives any process. A message counts as delivered when the node itself has acknowledged
it; that another radio passed it on proves nothing.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from radio import metrics
from radio.models import RadioBridge, RadioFrame
from radio.rules import DUPLICATE_WITHIN, pause_after
from v2v.alerts.services import Delivery as AlertDelivery
from v2v.alerts.services import alert_recipients_store
from v2v.messaging.models import Message, MessageRecipient
from v2v.messaging.rules import Status
from v2v.messaging.services import Delivery, messages_delivered
from v2v.protocol.epoch import epoch_ms

State = RadioFrame.State
_UNDER_WAY = (State.SENT, State.RELAYED)
_WHOLE = ("node__vehicle", "alert", "message")


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


def _withdrawn(reason: str, now: datetime) -> dict[str, Any]:
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
        others = RadioFrame.objects.filter(message=frame.message, node=frame.node).exclude(state=State.ACKED)
        if vehicle is not None and frame.message is not None and not others.exists():
            key = str(frame.message.message_id)
            messages_delivered([Delivery(key, epoch_ms(now), vehicle.pk, via=Message.Via.RADIO)])
        if vehicle is not None and frame.alert_id is not None:
            alert_recipients_store([AlertDelivery(str(frame.alert_id), (vehicle.vehicle_id,), now)])
    metrics.FRAMES.labels("out", frame.kind, State.ACKED).inc()


def frame_back(*, pk: int) -> None:
    """The link had no room for it after all."""
    RadioFrame.objects.filter(pk=pk, state=State.SENT).update(state=State.QUEUED)


def sequence_again(frame: RadioFrame, *, now: datetime) -> int | None:
    """The number that it went out under before, as long as its recipient knows it by that."""
    before = frame.done_at or frame.created_at
    return frame.sequence if now - before < DUPLICATE_WITHIN else None


def frame_failed(*, pk: int, reason: str, now: datetime, for_good: bool = False) -> None:
    """The link gave it up: it goes out again when the node is heard after a pause, as long as it is worth it."""
    with transaction.atomic():
        frame = _under_way(pk).first()
        if frame is None:
            return
        rounds = frame.rounds + 1
        retry_at = now + pause_after(rounds)
        is_over = for_good or (frame.expires_at is not None and retry_at >= frame.expires_at)
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
