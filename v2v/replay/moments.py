"""What happened while vehicles drove: the sources of the marks on a replay's time line, one entry each in `SOURCES`."""

from collections.abc import Iterator
from itertools import islice

from django.db.models import Q
from django.urls import reverse
from django.utils.http import urlencode

from v2v.alerts.models import Alert
from v2v.alerts.selectors import alerts_where
from v2v.calls.models import CallSession
from v2v.calls.selectors import calls_where
from v2v.driving.models import DrivingEvent
from v2v.driving.selectors import driving_events_where
from v2v.geofences.selectors import geofence_events_where
from v2v.messaging.models import Message
from v2v.messaging.selectors import messages_where
from v2v.replay.moment import MAX_MOMENTS, Asked, Moment, Source

_MAX_WORDS = 160


def moments_of(asked: Asked) -> Iterator[tuple[str, list[Moment], bool]]:
    """For each source its kind, its moments, at most 500, and whether there are more."""
    for kind, source in SOURCES.items():
        found = list(islice(source.find(asked), MAX_MOMENTS + 1))
        yield kind, found[:MAX_MOMENTS], len(found) > MAX_MOMENTS


def _alerts(asked: Asked) -> Iterator[Moment]:
    found = alerts_where(asked.actor).filter(
        sender__in=asked.vehicles, detected_at__gte=asked.start, detected_at__lt=asked.end
    )
    for alert in found.order_by("detected_at", "pk")[: MAX_MOMENTS + 1]:
        yield Moment(
            at=alert.detected_at,
            vehicle_id=alert.sender_name,
            words=_alert_words(alert),
            link=reverse("alert-page", args=[alert.pk]),
            place=None if alert.lat is None or alert.lng is None else (alert.lat, alert.lng),
            tone=alert.severity,  # type: ignore[arg-type]  # the same words
        )


def _alert_words(alert: Alert) -> str:
    drill = "Exercise: " if alert.drill else ""
    said = f": {alert.message}" if alert.message else ""
    return _short(f"{drill}{alert.get_type_display()}, {alert.get_severity_display().lower()}{said}")


def _calls(asked: Asked) -> Iterator[Moment]:
    of_vehicles = Q(caller_vehicle__in=asked.vehicles) | Q(callee_vehicle__in=asked.vehicles)
    found = calls_where(asked.actor).filter(of_vehicles, started_at__gte=asked.start, started_at__lt=asked.end)
    chosen = {vehicle.pk for vehicle in asked.vehicles}
    for call in found.order_by("started_at", "pk")[: MAX_MOMENTS + 1]:
        yield Moment(
            at=call.started_at,
            vehicle_id=call.caller_id if call.caller_vehicle_id in chosen else call.callee_id,
            words=_call_words(call),
            link=f"{reverse('console')}?{urlencode({'tab': 'calls', 'call': str(call.pk)})}",
        )


def _call_words(call: CallSession) -> str:
    if call.caller_vehicle is None:
        who = f"Dispatch called {call.callee_id}"
    elif call.callee_vehicle is None:
        who = f"{call.caller_id} called dispatch"
    else:
        who = f"{call.caller_id} called {call.callee_id}"
    if call.answered_at is None:
        return f"{who}: {call.get_state_display().lower()}"
    if call.ended_at is None:
        return f"{who}: still talking"
    minutes, seconds = divmod(round((call.ended_at - call.answered_at).total_seconds()), 60)
    return f"{who}: answered, {minutes} min {seconds} s" if minutes else f"{who}: answered, {seconds} s"


def _messages(asked: Asked) -> Iterator[Moment]:
    to_all = Q(is_broadcast=True, fleet__in=asked.fleets)
    theirs = Q(sender_vehicle__in=asked.vehicles) | Q(recipient_vehicle__in=asked.vehicles) | to_all
    found = messages_where(asked.actor).filter(theirs, stored_at__gte=asked.start, stored_at__lt=asked.end)
    chosen = {vehicle.pk for vehicle in asked.vehicles}
    for message in found.order_by("stored_at", "pk")[: MAX_MOMENTS + 1]:
        parties = (message.sender_vehicle, message.recipient_vehicle)
        name = f"{message.fleet.slug}/{message.conversation.key}"
        yield Moment(
            at=message.stored_at,
            vehicle_id=next((party.vehicle_id for party in parties if party and party.pk in chosen), ""),
            words=_message_words(message),
            link=f"{reverse('console')}?{urlencode({'tab': 'messages', 'conversation': name})}",
        )


def _message_words(message: Message) -> str:
    sender = message.sender_vehicle.vehicle_id if message.sender_vehicle else message.sender_name or "Dispatch"
    if message.is_broadcast:
        recipient = "everybody"
    else:
        recipient = message.recipient_vehicle.vehicle_id if message.recipient_vehicle else "dispatch"
    return _short(f"{sender} to {recipient}: {message.content}")


def _geofences(asked: Asked) -> Iterator[Moment]:
    found = geofence_events_where(asked.actor).filter(
        vehicle__in=asked.vehicles, occurred_at__gte=asked.start, occurred_at__lt=asked.end
    )
    for event in found.order_by("occurred_at", "pk")[: MAX_MOMENTS + 1]:
        yield Moment(
            at=event.occurred_at,
            vehicle_id=event.vehicle.vehicle_id if event.vehicle else "",
            words=f"{event.get_type_display()}: {event.geofence.name}",
            link=f"{reverse('geofences')}?{urlencode({'geofence': event.geofence_id})}",
            place=None if event.lat is None or event.lng is None else (event.lat, event.lng),
            tone=event.severity,  # type: ignore[arg-type]  # the same words
        )


def _driving(asked: Asked) -> Iterator[Moment]:
    found = driving_events_where(asked.actor).filter(
        vehicle__in=asked.vehicles, occurred_at__gte=asked.start, occurred_at__lt=asked.end
    )
    for event in found.order_by("occurred_at", "pk")[: MAX_MOMENTS + 1]:
        shown = event.shown
        value = "" if shown.value is None else f", {shown.value:g} {shown.unit}"
        yield Moment(
            at=event.occurred_at,
            vehicle_id=event.vehicle.vehicle_id,
            words=f"{event.get_type_display()}{value} (limit {shown.limit:g} {shown.unit})",
            link=f"{reverse('driving-event-list')}?{urlencode({'vehicle': event.vehicle.vehicle_id})}",
            place=None if event.lat is None or event.lng is None else (event.lat, event.lng),
            tone="critical" if event.type == DrivingEvent.Type.CRASH else "",
        )


def _short(words: str) -> str:
    return words if len(words) <= _MAX_WORDS else f"{words[: _MAX_WORDS - 1]}…"


SOURCES: dict[str, Source] = {
    "alert": Source("Alert", "Alerts", "warning", _alerts),
    "call": Source("Call", "Calls", "phone", _calls),
    "message": Source("Message", "Messages", "message", _messages),
    "geofence": Source("Geofence", "Geofences", "polygon", _geofences),
    "driving": Source("Driving", "Driving", "gauge", _driving),
}
