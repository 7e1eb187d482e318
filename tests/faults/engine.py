"""The engine behind a real server and real sockets, inside the test's own process: its insides can be looked at."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import uvicorn

from tests.servers.run import free_port
from v2v.protocol import events
from v2v.protocol.commands import Heartbeat, Register
from v2v.protocol.decode import decode_vehicle_command
from v2v.realtime.config import EngineConfig
from v2v.realtime.engine import Engine
from v2v.realtime.server import server_config
from v2v.realtime.session import Answer, Kind, Session
from v2v.realtime.socket import RealtimeConsumer


@dataclass(frozen=True)
class EngineServer:
    """An engine that serves vehicles at `url`; it lets everybody in, and knows no database."""

    url: str
    engine: Engine

    def session(self, vehicle_id: str) -> Session:
        return self.engine.hub.by_vehicle[vehicle_id][0]


@asynccontextmanager
async def engine_server(**numbers: Any) -> AsyncIterator[EngineServer]:
    """Serve on the running loop; `numbers` are those of EngineConfig that differ."""
    engine = Engine(replace(EngineConfig(), **numbers), release=lambda: None)
    slots: dict[str, int] = {}

    async def register(session: Session, command: Register) -> Answer:
        name = command.data.vehicle_id
        slot = slots.setdefault(name, len(slots))
        engine.hub.register_vehicle(session, vehicle_id=name, device_id="main", fleet=1, slot=slot)
        engine.presence.came(session, fleet=1, driver_name=None)
        return events.Registered(
            data=events.Registered.Data(session_id=session.id, heartbeat_interval_ms=1, server_ts=1, limits={})
        )

    def heartbeat(session: Session, command: Heartbeat) -> Answer:
        return events.HeartbeatAck(data=events.HeartbeatAck.Data(ts=1))

    kind = Kind(
        name="vehicle",
        decode=decode_vehicle_command,
        frame=events.peer_locations,
        at_once={Heartbeat: heartbeat},
        in_turn={Register: register},
    )
    consumer = RealtimeConsumer(engine=engine, kind=kind)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await consumer(scope, receive, send)
            return
        await receive()
        engine.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await engine.stop()
        await send({"type": "lifespan.shutdown.complete"})

    port = free_port()
    server = uvicorn.Server(server_config(application, host="127.0.0.1", port=port))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield EngineServer(f"http://127.0.0.1:{port}", engine)
    finally:
        server.should_exit = True
        await serving
