"""A vehicle's way in on the socket: token, limits, snapshot; and its way out when a right is taken away."""

from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

import structlog

from v2v.protocol import events
from v2v.protocol.codes import CloseCode, ErrorCode
from v2v.protocol.commands import Register, RegisterData, VehicleInfo
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import epoch_ms, moment
from v2v.realtime import metrics
from v2v.realtime.engine import Engine
from v2v.realtime.notices import RightLost
from v2v.realtime.session import Answer, InTurn, Session
from v2v.tracking.live import LiveState
from v2v.vehicles.attempts import Attempts
from v2v.vehicles.identity import Authenticated, AuthRefusal, vehicle_authenticate
from v2v.vehicles.selectors import devices_with_rights
from v2v.vehicles.services import vehicle_describe

log = structlog.get_logger(__name__)

Snapshot = Callable[[Session], Awaitable[events.Event]]  # the session's `registered`

_ENDINGS_KEPT = 1_000


class Endings:
    """Ends the sessions of whoever lost a right.

    A right may be lost while its register is under way: after the token was looked up, before the hub knows the
    session. So the last endings are kept, and a fresh session is held against those that came since it began.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._last: deque[tuple[float, int | None, int | None]] = deque(maxlen=_ENDINGS_KEPT)

    def __call__(self, lost: RightLost) -> None:
        """Takes the notice, on the event loop."""
        self._last.append((self._engine.clock.monotonic(), lost.vehicle_pk, lost.device_pk))
        for session in list(self._engine.hub.sessions):
            if concerns(session.principal, lost.vehicle_pk, lost.device_pk):
                self._engine.end(session, CloseCode.REMOVED)
        log.info("sessions ended", vehicle_pk=lost.vehicle_pk, device_pk=lost.device_pk, reason=lost.reason)

    def since(self, began: float, principal: Authenticated) -> bool:
        """Whether the principal lost its right at or after `began` (monotonic seconds)."""
        return any(at >= began and concerns(principal, vehicle, device) for at, vehicle, device in list(self._last))


class RightsCheck:
    """Looks again at the rights behind all vehicles' connections: a word that one was lost may have been missed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_due = False

    def ask(self) -> None:
        """Have it done at the next step."""
        self._is_due = True

    async def step(self) -> None:
        """Do it, if it was asked for; once the database is there."""
        if not self._is_due:
            return
        sessions = [each for each in self._engine.hub.sessions if isinstance(each.principal, Authenticated)]
        devices = {pk for each in sessions for pk in (each.principal.device_pk, each.principal.granted_by)}
        self._is_due = False
        try:
            fleets = await self._engine.pool.run(devices_with_rights, devices)
        except Refusal:
            self._is_due = True
            return
        for session in sessions:
            who = session.principal
            if fleets.get(who.device_pk) != who.fleet_pk or fleets.get(who.granted_by) != who.fleet_pk:
                self._engine.end(session, CloseCode.REMOVED)


def concerns(principal: object, vehicle_pk: int | None, device_pk: int | None) -> bool:
    """Whether the principal is that vehicle, or came in by that device."""
    if not isinstance(principal, Authenticated):
        return False
    by_device = device_pk is not None and device_pk in (principal.device_pk, principal.granted_by)
    return by_device or (vehicle_pk is not None and principal.vehicle_pk == vehicle_pk)


def register_handler(engine: Engine, live: LiveState, endings: Endings, snapshot: Snapshot) -> InTurn:
    """Takes `register`: the first of a connection, or one with a fresh token for the same vehicle."""
    attempts = Attempts(engine)

    async def register(session: Session, command: Register) -> Answer:
        data = command.data
        session.take_other()
        if session.registered and session.name != data.vehicle_id:
            raise Refusal(ErrorCode.CONFLICT, "This connection is another vehicle's.")
        began = engine.clock.monotonic()
        principal = await _authenticate(session, command, attempts)
        if endings.since(began, principal):
            raise _turned_away(session, AuthRefusal("ended_meanwhile"))
        track = live.track_of(
            vehicle_id=principal.vehicle_id, vehicle_pk=principal.vehicle_pk, fleet=principal.fleet_pk
        )
        session.principal = principal
        session.warned_of_expiry = False
        expires_at = principal.token_expires_at
        session.expires_at_ms = None if expires_at is None else epoch_ms(expires_at)
        engine.hub.register_vehicle(
            session,
            vehicle_id=principal.vehicle_id,
            device_id=principal.device_id,
            fleet=principal.fleet_pk,
            slot=track.slot,
        )
        engine.device_came(session)
        engine.presence.came(
            session, fleet=principal.fleet_pk, driver_name=data.driver_name or principal.driver_name or None
        )
        log.info(
            "vehicle registered",
            session=session.id,
            vehicle=session.name,
            device=session.device_id,
            fleet=principal.fleet_slug,
            address=session.address,
        )
        await session.snapshot(partial(snapshot, session))
        return None

    return register


async def _authenticate(session: Session, command: Register, attempts: Attempts) -> Authenticated:
    """The principal; a session whose token is no good is closed, and its address slowed down."""
    engine, data = session.engine, command.data
    token = data.token or session.bearer
    try:
        async with attempts.one(session.network):
            if token is None:
                raise AuthRefusal("no_token")
            return await engine.pool.run(_admit, data, token, moment(engine.clock.now_ms()))
    except AuthRefusal as refusal:
        metrics.AUTH_FAILURES.labels(refusal.reason).inc()
        refusal.command_id = command.id
        raise _turned_away(session, refusal) from None
    except Refusal as refusal:
        refusal.command_id = command.id
        if refusal.code is ErrorCode.RATE_LIMITED:
            session.close(CloseCode.ABUSE, refusal)
        raise


def _turned_away(session: Session, refusal: Refusal) -> Refusal:
    session.close(CloseCode.AUTH_FAILED, refusal)
    return refusal


def _admit(data: RegisterData, token: str, now: datetime) -> Authenticated:
    principal = vehicle_authenticate(vehicle_id=data.vehicle_id, device_id=data.device_id, token=token, now=now)
    vehicle_describe(
        vehicle_pk=principal.vehicle_pk, driver_name=data.driver_name, info=_described(data.vehicle_info), now=now
    )
    return principal


def _described(info: VehicleInfo | None) -> dict[str, str] | None:
    if info is None:
        return None
    return {"type": info.type, "plate": info.plate, "make": info.make, "model": info.model, "color": info.color}
