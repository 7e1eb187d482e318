"""Calls on the sockets: ringing, answering, hanging up, signalling; and who of them is connected."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from django.conf import settings

from v2v.calls import services
from v2v.calls.ice import ice_servers
from v2v.calls.models import CallSession
from v2v.calls.parties import Party, Side, device_side_of
from v2v.calls.rules import State
from v2v.calls.selectors import calls_live
from v2v.calls.telling import call_part
from v2v.calls.upkeep import calls_seen
from v2v.protocol import commands, events
from v2v.protocol.commands import Command
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import moment
from v2v.protocol.fields import DISPATCH
from v2v.realtime.engine import Engine
from v2v.realtime.session import Answer, InTurn, Session

Present = tuple[uuid.UUID, Side]  # a side of a call that is connected here


class Calls:
    """The handlers of both sockets.

    Which connections take part in which calls is kept here, and noted in the database three times a grace: a side of
    which nothing was noted for a whole grace is lost, whatever became of its server.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._present: defaultdict[Session, set[Present]] = defaultdict(set)
        self._noting: set[asyncio.Task[None]] = set()
        self.handlers: Mapping[type[Command], InTurn] = {
            commands.CallInitiate: self.initiate,
            commands.CallAnswer: self.answer,
            commands.CallReject: self.reject,
            commands.CallEnd: self.end,
            commands.WebrtcOffer: self.offer,
            commands.WebrtcAnswer: self.answer_offer,
            commands.WebrtcIceCandidate: self.candidate,
        }
        engine.every("calls-seen", settings.CALL_GRACE_MS / 3000, self.note_present)
        engine.closed_listeners.append(self.closed)

    # ---- The call

    async def initiate(self, session: Session, command: commands.CallInitiate) -> Answer:
        """Takes `call_initiate`: answered once it is stored, with the servers that the caller needs."""
        await session.take("call", self._engine.config.call)
        data = command.data
        call = await self._engine.pool.run(
            services.call_initiate,
            party=party_of(session),
            callee_id=data.callee_id,
            media=data.media,
            client_id=command.id or uuid.uuid4().hex,
            now=self._now(),
        )
        return self._taken(session, command, call)

    async def answer(self, session: Session, command: commands.CallAnswer) -> Answer:
        """Takes `call_answer`."""
        session.take_other()
        return self._taken(session, command, await self._answer(session, command.data.call_id))

    async def _answer(self, session: Session, call_id: str) -> CallSession:
        return await self._engine.pool.run(
            services.call_answer, party=party_of(session), call_id=call_id, now=self._now()
        )

    async def reject(self, session: Session, command: commands.CallReject) -> Answer:
        """Takes `call_reject`."""
        session.take_other()
        data = command.data
        call = await self._engine.pool.run(
            services.call_reject, party=party_of(session), call_id=data.call_id, reason=data.reason, now=self._now()
        )
        return _ack(command, call)

    async def end(self, session: Session, command: commands.CallEnd) -> Answer:
        """Takes `call_end`."""
        session.take_other()
        data = command.data
        call = await self._engine.pool.run(
            services.call_end, party=party_of(session), call_id=data.call_id, reason=data.reason, now=self._now()
        )
        return _ack(command, call)

    def _taken(self, session: Session, command: Command, call: CallSession) -> Answer:
        """Note that the connection takes part; the ack, with the servers while there is something to connect."""
        if not call.is_live:
            return _ack(command, call)
        self._take_part(session, call)
        return _ack(command, call, ice_servers(identity=_identity(session), now=self._now()))

    # ---- Signalling

    async def offer(self, session: Session, command: commands.WebrtcOffer) -> Answer:
        """Takes `webrtc_offer`."""
        await self._signal(session, command.data.call_id, events.WebrtcOffer(data=_description(session, command.data)))
        return None

    async def answer_offer(self, session: Session, command: commands.WebrtcAnswer) -> Answer:
        """Takes `webrtc_answer`; from a device that the call rings it takes the call, too."""
        data = command.data
        party = party_of(session)
        if await self._engine.pool.run(services.call_rings, party=party, call_id=data.call_id):
            self._take_part(session, await self._answer(session, data.call_id))
        await self._signal(session, data.call_id, events.WebrtcAnswer(data=_description(session, data)))
        return None

    async def candidate(self, session: Session, command: commands.WebrtcIceCandidate) -> Answer:
        """Takes `webrtc_ice_candidate`."""
        data = command.data
        told = events.WebrtcIceCandidate.Data(
            call_id=data.call_id,
            sender_id=_identity(session),
            candidate=data.candidate,
            sdp_mid=data.sdp_mid,
            sdp_m_line_index=data.sdp_m_line_index,
            username_fragment=data.username_fragment,
        )
        await self._signal(session, data.call_id, events.WebrtcIceCandidate(data=told))
        return None

    async def _signal(self, session: Session, call_id: str, event: events.Event) -> None:
        await session.take("signalling", self._engine.config.signalling)
        await self._engine.pool.run(services.call_signal, party=party_of(session), call_id=call_id, event=event)

    # ---- Who is connected

    async def snapshot(self, session: Session) -> list[events.CallPart]:
        """The live calls that the client may see; it takes part again in those that are its own."""
        party = party_of(session)
        calls = await self._engine.pool.run(calls_live, party.actor)
        parts = []
        for call in calls:
            part = call_part(call)
            part.side = device_side_of(call, party)
            if part.side is not None:
                part.ice_servers = ice_servers(identity=_identity(session), now=self._now())
                self._take_part(session, call)
            parts.append(part)
        await self._note(self._present.get(session, set()))
        return parts

    def _take_part(self, session: Session, call: CallSession) -> None:
        side = device_side_of(call, party_of(session))
        talks = side == "caller" or (side == "callee" and call.state == State.ACTIVE)
        if side is not None and talks and not session.outbox.closed:
            self._present[session].add((call.pk, side))

    async def note_present(self) -> None:
        """Note who is connected, and forget the calls that are over."""
        present = set().union(*self._present.values())
        try:
            over = {pk for pk, _ in present} - await self._note(present)
        except Refusal:  # the database is away; the sweep waits for us after it
            return
        for session, sides in list(self._present.items()):
            sides.difference_update([each for each in sides if each[0] in over])
            if not sides:
                del self._present[session]

    def closed(self, session: Session) -> None:
        """A connection is gone: note the moment, from which on its grace counts."""
        sides = self._present.pop(session, None)
        if sides and self._engine.is_running:
            task = asyncio.get_running_loop().create_task(self._note_last(sides))
            self._noting.add(task)
            task.add_done_callback(self._noting.discard)

    async def _note_last(self, sides: set[Present]) -> None:
        with suppress(Refusal):  # the database is away: what was noted before counts
            await self._note(sides)

    async def _note(self, present: set[Present]) -> frozenset[uuid.UUID]:
        if not present:
            return frozenset()
        return await self._engine.pool.run(calls_seen, list(present), now=self._now())

    def _now(self) -> datetime:
        return moment(self._engine.clock.now_ms())


def party_of(session: Session) -> Party:
    """Who speaks on the connection."""
    return Party(actor=session.principal.actor, device_id=session.device_id)


def _identity(session: Session) -> str:
    return session.name if session.slot >= 0 else DISPATCH


def _description(session: Session, data: commands.SessionDescriptionData) -> events.SessionDescription:
    return events.SessionDescription(call_id=data.call_id, sender_id=_identity(session), sdp=data.sdp)


def _ack(command: Command, call: CallSession, servers: list[events.IceServer] | None = None) -> Answer:
    if command.id is None:
        return None
    data = events.Ack.Data(id=command.id, call_id=str(call.pk), outcome=str(call.state), ice_servers=servers)
    return events.Ack(data=data)
