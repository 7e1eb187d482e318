"""The one place that hangs each app's handlers on the sockets."""

import asyncio
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from config.driving import add_driving
from config.live import EngineLive
from config.schedule import Scheduler
from radio.bridge import Bridge
from radio.setup import setup_of_settings
from v2v.alerts.services import Delivery, alert_recipients_store
from v2v.alerts.ws import DISPATCH_HANDLERS as ALERT_DISPATCH_HANDLERS
from v2v.alerts.ws import VEHICLE_HANDLERS as ALERT_VEHICLE_HANDLERS
from v2v.alerts.ws import told_writer, vehicle_alerts
from v2v.calls.ws import Calls
from v2v.console.ws import dispatcher_welcome, dispatchers_check, may_see, view_set
from v2v.geofences.store import Found
from v2v.geofences.watch import MAX_FOUND, REFRESH_EVERY_S, STEP_EVERY_S, GeofenceWatch, found_store
from v2v.messaging.ws import Messaging
from v2v.protocol import events
from v2v.protocol.commands import (
    Heartbeat,
    LocationUpdate,
    MessageDelivered,
    MessageRead,
    NearbyRefresh,
    Register,
    SendMessage,
    ViewSet,
)
from v2v.protocol.decode import decode_dispatch_command, decode_vehicle_command
from v2v.protocol.fields import MAX_FRAME_BYTES
from v2v.proximity.engine import ProximityEngine
from v2v.proximity.moves import LEAD_S, Moves
from v2v.proximity.nearby import distances_from, nearby_peers
from v2v.proximity.services import Crossing, proximity_events_store
from v2v.proximity.ticker import Ticker
from v2v.proximity.ws import nearby_refresh_handler
from v2v.realtime.batch import BatchWriter
from v2v.realtime.config import EngineConfig
from v2v.realtime.engine import Engine
from v2v.realtime.notices import Changed, RightLost
from v2v.realtime.redis import RedisAddress
from v2v.realtime.session import Kind, Session
from v2v.realtime.socket import RealtimeConsumer
from v2v.tracking.backends import queue_get
from v2v.tracking.holders import Holders
from v2v.tracking.intake import EnginePlace
from v2v.tracking.keeper import LastStateKeeper
from v2v.tracking.live import LiveState
from v2v.tracking.recorder import Recorder
from v2v.tracking.services import LastState, last_states_offline, last_states_store
from v2v.tracking.writer import Writer
from v2v.tracking.ws import heartbeat_handler, location_handler
from v2v.vehicles.live import engine_set
from v2v.vehicles.verified import verified
from v2v.vehicles.ws import Endings, RightsCheck, register_handler

_STORE_EVERY_S = 1.0
_LISTEN_EVERY_S = 1.0
_QUEUE_EVERY_S = 0.25
_MAX_CROSSINGS = 200_000
_MAX_STATES = 50_000
_STORE_GEOFENCES_EVERY_S = 0.5  # these are told once they are stored
_MAX_DELIVERIES = 10_000  # alerts, each with all that it reached


@dataclass(frozen=True, slots=True)
class Realtime:
    """The running parts that pages, API and health ask."""

    engine: Engine
    live: LiveState
    place: EnginePlace
    vehicle_socket: RealtimeConsumer
    dispatch_socket: RealtimeConsumer


def engine_config() -> EngineConfig:
    """The engine's numbers from the settings."""
    return EngineConfig(
        heartbeat_interval_s=settings.HEARTBEAT_INTERVAL_MS / 1000,
        heartbeat_timeout_s=settings.HEARTBEAT_TIMEOUT_MS / 1000,
        stale_s=settings.STALE_CONNECTION_MS / 1000,
        sweep_interval_s=settings.SWEEP_INTERVAL_MS / 1000,
        register_timeout_s=settings.REGISTER_TIMEOUT_MS / 1000,
        unregistered_per_address=settings.CONNECTIONS_PER_ADDRESS,
        origins=frozenset(settings.ALLOWED_ORIGINS),
    )


def build() -> Realtime:
    """Put the parts together; nothing runs before the engine is started."""
    redis = RedisAddress(settings.REDIS_URL, settings.REDIS_PREFIX) if settings.REDIS_URL else None
    engine = Engine(
        engine_config(), release=close_old_connections, away=(OperationalError, InterfaceError), redis=redis
    )
    live = LiveState(coalesce_s=settings.COALESCE_MS / 1000)
    endings = Endings(engine)
    engine.relay.on(RightLost, endings)
    engine.relay.on(RightLost, verified.forget)
    holders = _add_others(engine, live)
    ticker = _add_ticker(engine, live, holders)  # what follows the vehicles' moves joins its `moved_listeners`
    place = _add_recorder(engine, live, ticker)
    _add_geofences(engine, live, ticker)
    add_driving(engine, live, ticker)
    _add_keeper(engine, live, holders)
    _add_alerts(engine, live)
    _add_radio(engine)
    messaging = Messaging(engine)
    calls = Calls(engine)
    engine.every("dispatchers", settings.RIGHTS_CHECK_MS / 1000, partial(dispatchers_check, engine))
    nearby_refresh = nearby_refresh_handler(live, radius_m=settings.NEARBY_RADIUS_M, may_see=may_see)
    heartbeat = heartbeat_handler(live)
    vehicle = Kind(
        name="vehicle",
        decode=decode_vehicle_command,
        frame=events.peer_locations,
        at_once={
            LocationUpdate: location_handler(live),
            Heartbeat: heartbeat,
            NearbyRefresh: nearby_refresh,
            MessageDelivered: messaging.delivered,
        },
        in_turn={
            Register: register_handler(engine, live, endings, partial(registered, live, messaging, calls)),
            **ALERT_VEHICLE_HANDLERS,
            **calls.handlers,
            SendMessage: messaging.send,
            MessageRead: messaging.read,
        },
    )
    dispatch = Kind(
        name="dispatch",
        decode=decode_dispatch_command,
        frame=events.locations,
        at_once={
            Heartbeat: heartbeat,
            NearbyRefresh: nearby_refresh,
            ViewSet: view_set,
            MessageDelivered: messaging.delivered,
        },
        in_turn={
            **ALERT_DISPATCH_HANDLERS,
            **calls.handlers,
            SendMessage: messaging.send,
            MessageRead: messaging.read,
        },
    )
    welcome = dispatcher_welcome(engine, live, messaging.snapshot, calls.snapshot)
    engine_set(EngineLive(engine, live, holders))
    return Realtime(
        engine=engine,
        live=live,
        place=place,
        vehicle_socket=RealtimeConsumer(engine=engine, kind=vehicle),
        dispatch_socket=RealtimeConsumer(engine=engine, kind=dispatch, welcome=welcome),
    )


def _add_radio(engine: Engine) -> None:
    if not settings.RADIO_PORT:
        return
    bridge = Bridge(setup_of_settings())
    engine.starting.append(bridge.start)
    engine.closing.append(partial(asyncio.to_thread, bridge.stop))


def _add_others(engine: Engine, live: LiveState) -> Holders | None:
    """What a process needs that is one of several."""
    if engine.members is None:
        return None
    check = RightsCheck(engine)
    engine.members.relay.up_listeners.append(check.ask)
    engine.every("vehicles", _LISTEN_EVERY_S, check.step)
    return Holders(engine, live, engine.members)


def _add_ticker(engine: Engine, live: LiveState, holders: Holders | None) -> Ticker:
    crossings: BatchWriter[Crossing] = BatchWriter("proximity-events", proximity_events_store, limit=_MAX_CROSSINGS)
    proximity = ProximityEngine(radius_m=settings.NEARBY_RADIUS_M, hold_s=settings.PROXIMITY_HOLD_MS / 1000)
    ticker = Ticker(engine, live, proximity, crossings)
    engine.presence_listeners.append(ticker.presence_changed)
    tick_s = settings.TICK_MS / 1000
    if engine.members is None or holders is None:
        engine.every("tick", tick_s, ticker.step)
    else:
        ticker.stores = holders.stores
        moves = Moves(engine, live, engine.members, proximity)
        engine.every("moves", tick_s, moves.publish, phase_s=tick_s - LEAD_S)
        engine.every("tick", tick_s, ticker.step, phase_s=0.0)
        engine.every("channels", _LISTEN_EVERY_S, moves.listen)
    engine.every("proximity-events", _STORE_EVERY_S, crossings.flush)
    engine.closing += [ticker.close, crossings.close]
    return ticker


def _add_recorder(engine: Engine, live: LiveState, ticker: Ticker) -> EnginePlace:
    queue = queue_get()
    recorder = Recorder(engine, live, queue, every_ms=settings.POSITIONS_EVERY_MS)
    place = EnginePlace(engine, live, recorder)
    ticker.moved_listeners.append(recorder.moved)
    engine.every("positions", _QUEUE_EVERY_S, recorder.storage.flush)
    engine.every("positions-depth", _STORE_EVERY_S, recorder.watch)
    engine.starting.append(place.open)
    engine.closing += [place.close, recorder.close]
    if settings.RUN_WRITER:
        writer = Writer(queue)
        engine.starting.append(writer.start)
        # What is in memory is gone with this process; what is in Redis waits for the next one.
        engine.closing.append(partial(asyncio.to_thread, writer.stop, drain=not settings.REDIS_URL))
    return place


def _add_geofences(engine: Engine, live: LiveState, ticker: Ticker) -> None:
    found: BatchWriter[Found] = BatchWriter("geofence-events", found_store, limit=MAX_FOUND, batch=500)
    watch = GeofenceWatch(engine, live, found)
    engine.relay.on(Changed, watch.changed)
    ticker.moved_listeners.append(watch.moved)
    engine.presence_listeners.append(watch.presence_changed)
    engine.every("geofences", STEP_EVERY_S, watch.step)
    engine.every("geofence-state", REFRESH_EVERY_S, watch.refresh)
    engine.every("geofence-events", _STORE_GEOFENCES_EVERY_S, found.flush)
    engine.closing.append(found.close)


def _add_keeper(engine: Engine, live: LiveState, holders: Holders | None) -> None:
    states: BatchWriter[LastState] = BatchWriter("last-states", last_states_store, limit=_MAX_STATES)
    if holders is None:
        keeper = LastStateKeeper(engine, live, states, begin=last_states_offline)
    else:
        begin = partial(_others_stay_online, engine, holders)
        keeper = LastStateKeeper(engine, live, states, begin=begin, keeps=holders.keeps)
    engine.every("last-states", settings.LAST_STATES_MS / 1000, keeper.step)
    engine.closing += [keeper.step, states.close]


def _others_stay_online(engine: Engine, holders: Holders) -> None:
    if engine.members is not None and engine.members.relay.is_up:  # else nobody knows whom the others hold
        last_states_offline(but=holders.held_elsewhere())


def _add_alerts(engine: Engine, live: LiveState) -> None:
    deliveries: BatchWriter[Delivery] = BatchWriter("alert-recipients", alert_recipients_store, limit=_MAX_DELIVERIES)
    engine.hub.distances = partial(distances_from, live)
    engine.hub.told = told_writer(deliveries, engine.clock)
    engine.every("alert-recipients", _STORE_EVERY_S, deliveries.flush)
    engine.closing.append(deliveries.close)
    if settings.RUN_SCHEDULER:
        scheduler = Scheduler()
        engine.starting.append(scheduler.start)
        engine.closing.append(partial(asyncio.to_thread, scheduler.stop))


async def registered(live: LiveState, messaging: Messaging, calls: Calls, session: Session) -> events.Event:
    """A vehicle's snapshot."""
    engine = session.engine
    config = engine.config
    data = events.Registered.Data(
        vehicle_id=session.name,
        device_id=session.device_id,
        session_id=session.id,
        heartbeat_interval_ms=int(config.heartbeat_interval_s * 1000),
        server_ts=engine.clock.now_ms(),
        limits={
            "locationHz": config.location.rate,
            "locationBurst": config.location.burst,
            "messageHz": config.message.rate,
            "signallingHz": config.signalling.rate,
            "emergencyEveryMs": int(1000 / config.emergency.rate),
            "maxFrameBytes": MAX_FRAME_BYTES,
            "radiusM": settings.NEARBY_RADIUS_M,
            # When a report is worth sending (ETSI EN 302 637-2): any of these has changed by so much.
            "report": {"minIntervalMs": 200, "headingDeg": 4, "distanceM": 4, "speedMps": 0.5, "maxIntervalMs": 15_000},
        },
        alerts=await vehicle_alerts(session),
        calls=await calls.snapshot(session),
        messages=await messaging.snapshot(session),
        nearby=nearby_peers(engine, live, live.tracks[session.slot], radius_m=settings.NEARBY_RADIUS_M),
    )
    return events.Registered(data=data)


realtime = build()
