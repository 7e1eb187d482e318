"""The dispatcher's socket: who may open it, what it begins with, what it looks at."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import msgspec
import structlog
from django.conf import settings
from django.contrib.auth import get_user

from v2v.alerts.ws import dispatcher_alerts
from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action, Actor, actor_of_user, can, fleets_visible, fleets_where
from v2v.protocol import events
from v2v.protocol.codes import CloseCode, ErrorCode
from v2v.protocol.commands import ViewSet
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import epoch_ms
from v2v.protocol.events import VehicleState
from v2v.protocol.fields import DeviceId
from v2v.realtime.engine import Engine
from v2v.realtime.session import Answer, Session
from v2v.realtime.socket import Welcome
from v2v.tracking.live import LiveState
from v2v.vehicles.models import Vehicle

log = structlog.get_logger(__name__)

Messages = Callable[[Session], Awaitable[list[events.MessagePart]]]  # what dispatch has not read
CallParts = Callable[[Session], Awaitable[list[events.CallPart]]]  # those that are live


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """A dispatcher's rights, and the log-in that they come from."""

    session_key: str
    actor: Actor
    fleets: frozenset[int] | None  # None: all


@dataclass(frozen=True, slots=True)
class _Stored:
    fleets: list[Fleet]
    vehicles: list[dict[str, Any]]


def dispatcher_of(session_key: str) -> Dispatcher:
    """Whose log-in this is. Raises Refusal: `auth_failed` for nobody's, `forbidden` for one who may see no fleet."""
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    actor = actor_of_user(get_user(SimpleNamespace(session=store)))  # type: ignore[arg-type]
    if not actor.id:
        raise Refusal(ErrorCode.AUTH_FAILED)
    fleets = None if actor.is_system_admin else frozenset(pk for pk in actor.roles if can(actor, Action.VIEW, pk))
    if fleets is not None and not fleets:
        raise Refusal(ErrorCode.FORBIDDEN, "You are a member of no fleet yet.")
    return Dispatcher(session_key, actor, fleets)


def may_see(session: Session, fleet: int) -> bool:
    """Whether the dispatcher of this session may view the fleet."""
    return isinstance(session.principal, Dispatcher) and can(session.principal.actor, Action.VIEW, fleet)


def dispatcher_welcome(engine: Engine, live: LiveState, messages: Messages, calls: CallParts) -> Welcome:
    """Lets a logged-in dispatcher in; the answer is the whole state of the fleets that he may see."""

    async def welcome(session: Session, scope: dict[str, Any]) -> None:
        dispatcher = await engine.pool.run(dispatcher_of, _session_key(scope))
        session.principal = dispatcher
        engine.hub.register_dispatcher(
            session,
            name=dispatcher.actor.name,
            fleets=dispatcher.fleets,
            works=fleets_where(dispatcher.actor, Action.DISPATCH),
            device_id=_device_id(scope) or session.id,
        )
        log.info("dispatcher registered", session=session.id, user=session.name, address=session.address)
        await session.snapshot(partial(snapshot, session))

    async def snapshot(session: Session) -> events.Event:
        stored = await engine.pool.run(_stored, session.principal.actor)
        data = events.Registered.Data(
            session_id=session.id,
            heartbeat_interval_ms=int(engine.config.heartbeat_interval_s * 1000),
            server_ts=engine.clock.now_ms(),
            limits={"radiusM": settings.NEARBY_RADIUS_M},
            calls=await calls(session),
            messages=await messages(session),
            fleets=[events.FleetPart(slug=fleet.slug, name=fleet.name) for fleet in stored.fleets],
            alerts=await dispatcher_alerts(session),
            vehicles=[vehicle_state(row, engine, live) for row in stored.vehicles],
        )
        return events.Registered(data=data)

    return welcome


def _session_key(scope: dict[str, Any]) -> str:
    cookies: SimpleCookie = SimpleCookie()
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                cookies.load(value.decode("latin-1"))
            except CookieError:
                continue
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel else ""


def _device_id(scope: dict[str, Any]) -> str | None:
    """The name that the page gives itself (`?deviceId=`): by it, it comes back to its call after a lost connection."""
    named = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("deviceId", [""])[0]
    try:
        return msgspec.convert(named, DeviceId)
    except msgspec.ValidationError:
        return None


def _stored(actor: Actor) -> _Stored:
    fleets = fleets_visible(actor)
    vehicles = Vehicle.objects.filter(fleet__in=fleets, deleted_at=None, disabled_at=None).values(
        "vehicle_id",
        "fleet__slug",
        "driver_name",
        "type",
        "status__last_seen",
        "status__lat",
        "status__lng",
        "status__fix_at",
        "status__speed",
        "status__heading",
        "status__battery",
        "status__signal",
    )
    return _Stored(fleets, [dict(row) for row in vehicles])


def vehicle_state(row: dict[str, Any], engine: Engine, live: LiveState) -> VehicleState:
    """A vehicle in the snapshot: what is live goes before what is stored."""
    vehicle_id = row["vehicle_id"]
    entry = engine.presence.entries.get(vehicle_id)
    track = live.by_vehicle.get(vehicle_id)
    fix = track.fix if track else None
    last_seen = engine.presence.last_seen(vehicle_id, engine.hub.by_vehicle.get(vehicle_id, []))
    stored_seen, stored_fix = (
        None if at is None else epoch_ms(at) for at in (row["status__last_seen"], row["status__fix_at"])
    )
    if fix is not None and fix.remote and fix.ts < (stored_fix or 0):  # nobody has listened to its process of late
        fix = None
    return VehicleState(
        vehicle_id=vehicle_id,
        fleet=row["fleet__slug"],
        status=entry.status if entry else "offline",
        last_seen=last_seen or stored_seen,
        driver_name=(entry.driver_name if entry else None) or row["driver_name"] or None,
        type=row["type"] or None,
        lat=fix.lat if fix else row["status__lat"],
        lng=fix.lng if fix else row["status__lng"],
        ts=fix.ts if fix else stored_fix,
        speed=fix.speed if fix else row["status__speed"],
        heading=fix.heading if fix else row["status__heading"],
        battery=row["status__battery"] if track is None or track.battery is None else track.battery,
        signal=row["status__signal"] if track is None or track.signal is None else track.signal,
    )


def view_set(session: Session, command: ViewSet) -> Answer:
    """Positions in this part of the map are sent at once from now on, and those of the vehicles that are followed.

    Without a part, all. Other vehicles come every 10 s at the most: see `v2v.proximity.ticker`.
    """
    session.take_other()
    box = command.data.bbox
    if box is not None and box[1] > box[3]:
        details = {"field": "bbox", "issue": "south is north of north"}
        raise Refusal(ErrorCode.VALIDATION_ERROR, details=details)
    session.view, session.followed = box, tuple(command.data.vehicle_ids)
    return None


async def dispatchers_check(engine: Engine) -> None:
    """Look again at the rights behind every open dispatcher's socket: a role or log-in that was taken away ends it."""
    for session in list(engine.hub.dispatchers):
        known = session.principal
        try:
            current = await engine.pool.run(dispatcher_of, known.session_key)
        except Refusal as refusal:
            if refusal.code is ErrorCode.UNAVAILABLE:  # the database is away: nobody loses a right by that
                return
            is_forbidden = refusal.code is ErrorCode.FORBIDDEN
            session.close(CloseCode.FORBIDDEN if is_forbidden else CloseCode.AUTH_FAILED, refusal)
            continue
        if current.actor.roles != known.actor.roles or current.fleets != known.fleets:
            session.close(CloseCode.RESTARTING)  # it comes back with a snapshot of what it may see now
