"""Messages on the sockets: sending, the word that they came, reading, and what waited for a client that comes."""

import asyncio
from datetime import datetime

import structlog

from v2v.fleets.policy import Action, Actor, fleets_where
from v2v.messaging.selectors import message_parts, unread_pks
from v2v.messaging.services import Delivery, message_read, message_send, messages_delivered
from v2v.protocol import events
from v2v.protocol.commands import MessageDelivered, MessageRead, SendMessage
from v2v.protocol.epoch import moment
from v2v.realtime.batch import BatchWriter
from v2v.realtime.engine import Engine
from v2v.realtime.session import Answer, Session

log = structlog.get_logger(__name__)

PAGE = 200
DELIVERIES_EVERY_S = 0.25
_MAX_DELIVERIES = 50_000
_DELIVERIES_AT_ONCE = 1_000
_LOOK_AGAIN_S = 0.2


class Messaging:
    """The handlers of both sockets.

    The word that a message came is not stored at once: thousands of vehicles say it within a moment after a broadcast.
    What a crash loses of it is said again, since the message is brought again.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._deliveries: BatchWriter[Delivery] = BatchWriter(
            "deliveries", messages_delivered, limit=_MAX_DELIVERIES, batch=_DELIVERIES_AT_ONCE
        )
        self._following: set[asyncio.Task[None]] = set()
        engine.every("deliveries", DELIVERIES_EVERY_S, self._deliveries.flush)
        engine.closing.append(self._deliveries.close)

    async def send(self, session: Session, command: SendMessage) -> Answer:
        """Takes `send_message`: answered once it is stored."""
        await session.take("message", self._engine.config.message)
        data = command.data
        sent = await self._engine.pool.run(
            message_send,
            actor=session.principal.actor,
            device_pk=getattr(session.principal, "device_pk", None),
            content=data.content,
            content_type=data.content_type,
            recipient_id=data.recipient_id,
            broadcast=data.broadcast,
            fleet=data.fleet,
            client_id=command.id,
            sent_ms=command.ts,
            ttl_ms=command.ttl_ms,
            via="ws",
            now=self._now(),
        )
        if command.id is None:
            return None
        return events.Ack(data=events.Ack.Data(id=command.id, message_id=str(sent.message.message_id)))

    def delivered(self, session: Session, command: MessageDelivered) -> Answer:
        """Takes `message_delivered`. Whoever may not speak for dispatch is not listened to, and not told off."""
        at_ms = self._engine.clock.now_ms()
        actor: Actor = session.principal.actor
        vehicle_pk = actor.id if actor.kind == "vehicle" else None
        fleets = frozenset() if vehicle_pk is not None else fleets_where(actor, Action.DISPATCH)
        for message_id in command.data.message_ids:
            self._deliveries.add(Delivery(message_id, at_ms, vehicle_pk, fleets))
        return None

    async def read(self, session: Session, command: MessageRead) -> Answer:
        """Takes `message_read`."""
        session.take_other()
        await self._engine.pool.run(
            message_read, actor=session.principal.actor, message_id=command.data.message_id, now=self._now()
        )
        return None

    async def snapshot(self, session: Session) -> list[events.MessagePart]:
        """The oldest 200 messages that the client's side has not read; the rest follows as fast as it reads."""
        actor: Actor = session.principal.actor
        is_vehicle = actor.kind == "vehicle"
        fleets = actor.roles.keys() if is_vehicle else fleets_where(actor, Action.DISPATCH)
        vehicle_pk = actor.id if is_vehicle else None
        pks = await self._engine.pool.run(unread_pks, fleets=fleets, vehicle_pk=vehicle_pk, now=self._now())
        if len(pks) > PAGE:
            task = asyncio.get_running_loop().create_task(self._follow(session, pks[PAGE:]))
            self._following.add(task)
            task.add_done_callback(self._following.discard)
        return await self._engine.pool.run(message_parts, pks[:PAGE])

    async def _follow(self, session: Session, pks: list[int]) -> None:
        """Send the rest behind the snapshot, a page whenever the client has taken the one before."""
        try:
            while pks and not session.outbox.closed:
                if session.outbox.is_waiting:
                    await asyncio.sleep(_LOOK_AGAIN_S)
                    continue
                page, pks = pks[:PAGE], pks[PAGE:]
                for part in await self._engine.pool.run(message_parts, page):
                    session.send(events.Message(data=part))
        except Exception:
            # Whoever did not get all of them must come back for them.
            log.exception("unread messages were not sent", session=session.id, client=session.name)
            session.server_stopping()

    def _now(self) -> datetime:
        return moment(self._engine.clock.now_ms())
