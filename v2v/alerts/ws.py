"""Alerts on both sockets: what vehicles and dispatchers send, and what their snapshots hold."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from v2v.alerts import services
from v2v.alerts.models import Alert
from v2v.alerts.selectors import alert_of_vehicle, alert_to_work, alerts_active, alerts_concerning, distance_to
from v2v.alerts.services import Delivery, Origin, Report
from v2v.alerts.telling import alert_part
from v2v.protocol import commands, events
from v2v.protocol.commands import Command
from v2v.protocol.epoch import moment
from v2v.protocol.events import AlertPart
from v2v.realtime.batch import BatchWriter
from v2v.realtime.clock import Clock
from v2v.realtime.hub import Told
from v2v.realtime.session import Answer, InTurn, Session, rate_limited
from v2v.vehicles.live import live


def told_writer(writer: BatchWriter[Delivery], clock: Clock) -> Told:
    """Has it stored whom an alert reached."""

    def told(topic: str, vehicle_ids: Sequence[str]) -> None:
        writer.add(Delivery(topic, tuple(vehicle_ids), moment(clock.now_ms())))

    return told


# ---- Snapshots


async def vehicle_alerts(session: Session) -> list[AlertPart]:
    """The active alerts that concern the vehicle; it follows them from now on, and counts as told."""
    who = session.principal
    now = moment(session.engine.clock.now_ms())
    parts = await session.engine.pool.run(_vehicle_alerts, who.vehicle_pk, who.vehicle_id, who.fleet_pk, now)
    for part in parts:
        session.topics.add(part.alert_id)
        if part.sender_id != session.name:
            session.engine.hub.told(part.alert_id, (session.name,))
    return parts


def _vehicle_alerts(vehicle_pk: int, vehicle_id: str, fleet_pk: int, now: datetime) -> list[AlertPart]:
    position = live().position(vehicle_id)
    parts = []
    for alert in alerts_concerning(vehicle_pk=vehicle_pk, fleet_pk=fleet_pk, position=position):
        part = alert_part(alert, now=now)
        if alert.sender_id != vehicle_pk and (distance := distance_to(alert, position)) is not None:
            part.distance_m = round(distance, 1)
        parts.append(part)
    return parts


async def dispatcher_alerts(session: Session) -> list[AlertPart]:
    """The active alerts of the fleets that the dispatcher may view."""
    now = moment(session.engine.clock.now_ms())
    return await session.engine.pool.run(
        lambda: [alert_part(alert, now=now) for alert in alerts_active(session.principal.actor)]
    )


# ---- From vehicles


async def emergency_alert(session: Session, command: commands.EmergencyAlert) -> Answer:
    """Store it, tell all whom it concerns, ack. What is stored already is acked again and costs nothing."""
    data, engine, who = command.data, session.engine, session.principal
    now = moment(engine.clock.now_ms())
    report = _report(command, now)
    if data.alert_id is not None:
        await session.take("alert-update", engine.config.alert_update)
        await engine.pool.run(_update, session.principal, data.alert_id, report, command.id or "", now)
        return _ack(command, data.alert_id)
    client_id = command.id or uuid.uuid4().hex
    origin = Origin(
        fleet_pk=who.fleet_pk,
        via=Alert.Via.WS,
        client_id=client_id,
        vehicle_pk=who.vehicle_pk,
        vehicle_id=who.vehicle_id,
    )
    alert_id = await engine.pool.run(services.alert_stored, origin) if command.id is not None else None
    if alert_id is not None:
        session.take_other()
        return _ack(command, str(alert_id))
    if wait_s := await engine.limiter.take(f"emergency:{session.name}", engine.config.emergency):
        raise rate_limited("emergency", wait_s)
    alert_id, _ = await engine.pool.run(services.alert_raise, origin=origin, report=report, now=now)
    return _ack(command, str(alert_id))


def _report(command: commands.EmergencyAlert, now: datetime) -> Report:
    data = command.data
    at = now if command.ts is None else min(moment(command.ts), now)
    return Report(
        type=data.type,
        severity=data.severity,
        message=data.message,
        lat=data.lat,
        lng=data.lng,
        fix_at=at,
        radius_m=data.radius_m,
        drill=data.drill,
        detected_at=at,
    )


def _update(who: object, alert_id: str, report: Report, client_id: str, now: datetime) -> None:
    alert = alert_of_vehicle(who.vehicle_pk, alert_id)  # type: ignore[attr-defined]
    by = who.vehicle_id  # type: ignore[attr-defined]
    services.alert_update(alert=alert, by=by, report=report, client_id=client_id, now=now)


async def alert_cancel(session: Session, command: commands.AlertCancel) -> Answer:
    """The sender takes its alert back."""
    session.take_other()
    who, now = session.principal, moment(session.engine.clock.now_ms())

    def cancel() -> None:
        alert = alert_of_vehicle(who.vehicle_pk, command.data.alert_id)
        services.alert_cancel(alert=alert, by=who.vehicle_id, now=now)

    await session.engine.pool.run(cancel)
    return _ack(command, command.data.alert_id)


# ---- From dispatchers


def _worked(work: Callable[..., object]) -> InTurn:
    """A handler that has the alert of the command worked on by the dispatcher, if he may."""

    async def handle(session: Session, command: Command) -> Answer:
        session.take_other()
        data = command.data  # type: ignore[attr-defined]
        actor, now = session.principal.actor, moment(session.engine.clock.now_ms())
        await session.engine.pool.run(
            lambda: work(command, alert=alert_to_work(actor, data.alert_id), by=actor.name, now=now)
        )
        return _ack(command, data.alert_id)

    return handle


def _assign(command: commands.AlertAssign, **who: object) -> None:
    data = command.data
    services.alert_assign(assignee=data.assignee, replaces=data.replaces or "", **who)  # type: ignore[arg-type]


def _resolve(command: commands.AlertResolve, **who: object) -> None:
    data = command.data
    services.alert_resolve(disposition=data.disposition, note=data.note or "", **who)  # type: ignore[arg-type]


def _negate(command: commands.AlertNegate, **who: object) -> None:
    services.alert_negate(note=command.data.note or "", **who)  # type: ignore[arg-type]


def _note(command: commands.AlertNote, **who: object) -> None:
    services.alert_note(note=command.data.note, client_id=command.id or "", **who)  # type: ignore[arg-type]


VEHICLE_HANDLERS: dict[type[Command], InTurn] = {
    commands.EmergencyAlert: emergency_alert,
    commands.AlertCancel: alert_cancel,
}
DISPATCH_HANDLERS: dict[type[Command], InTurn] = {
    commands.AlertDisplayed: _worked(lambda _, **who: services.alert_display(**who)),
    commands.AlertAck: _worked(lambda _, **who: services.alert_ack(**who)),
    commands.AlertAssign: _worked(_assign),
    commands.AlertResolve: _worked(_resolve),
    commands.AlertNegate: _worked(_negate),
    commands.AlertNote: _worked(_note),
}


def _ack(command: Command, alert_id: str) -> Answer:
    return None if command.id is None else events.Ack(data=events.Ack.Data(id=command.id, alert_id=alert_id))
