"""How long one event takes to the last of 1,000 dispatchers.

Run it:  python -m bench.broadcast [--sockets 1000] [--rounds 20]

Dispatchers hold their sockets open on core 1; a vehicle connects and goes again and again, and the server, on core 0,
tells all of them each time. The time is from sending the vehicle's `register` (which the server looks up in its
database) or its close to the moment when the last dispatcher has the `presence_update`.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.fan_out import AT_ONCE, Counts, Vehicle, say
from bench.server import MeasuredServer, measured_server

LOG_IN = (
    "from django.contrib.auth.models import User; from django.test import Client; client = Client();"
    "client.force_login(User.objects.create_superuser('bench')); print(client.cookies['sessionid'].value)"
)


class Room:
    """All dispatchers, and how many of them have heard of the present event."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.heard = 0
        self.all_heard = asyncio.Event()

    def ask(self) -> None:
        """From now on the next event counts."""
        self.heard = 0
        self.all_heard.clear()


class Dispatcher(WSListener):
    """One connection."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self.room = room
        self.registered = asyncio.Event()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Count the presence updates."""
        payload = frame.get_payload_as_bytes()
        if payload.startswith(b'{"event":"presence_update"'):
            self.room.heard += 1
            if self.room.heard == self.room.size:
                self.room.all_heard.set()
        elif payload.startswith(b'{"event":"registered"'):
            self.registered.set()


async def measure(
    server: MeasuredServer, cookie: str, vehicle: tuple[str, str], sockets: int, rounds: int
) -> list[str]:
    """The two lines of the table."""
    room, free = Room(sockets), asyncio.Semaphore(AT_ONCE)
    headers = {"Cookie": f"sessionid={cookie}", "Origin": f"http://127.0.0.1:{server.port}"}

    async def one() -> WSTransport:
        async with free:
            dispatcher = Dispatcher(room)
            url = server.ws_url("dispatch")
            transport, _ = await ws_connect(lambda: dispatcher, url, extra_headers=headers)
            await asyncio.wait_for(dispatcher.registered.wait(), 30)
            return transport

    dispatchers = await asyncio.gather(*(one() for _ in range(sockets)))
    vehicle_id, token = vehicle
    register = msgspec.json.encode({"event": "register", "data": {"vehicleId": vehicle_id, "token": token}})
    came, went = [], []
    for _ in range(rounds):
        transport, _ = await ws_connect(lambda: Vehicle(Counts()), server.ws_url("vehicle"))
        room.ask()
        begin = time.perf_counter()
        transport.send(WSMsgType.TEXT, register)
        await asyncio.wait_for(room.all_heard.wait(), 30)
        came.append((time.perf_counter() - begin) * 1e3)
        room.ask()
        begin = time.perf_counter()
        transport.disconnect()
        await asyncio.wait_for(room.all_heard.wait(), 30)
        went.append((time.perf_counter() - begin) * 1e3)
    for transport in dispatchers:
        transport.disconnect()
    return [
        f"| {event} | {sockets:,} | {statistics.median(times):.1f} | {max(times):.1f} |"
        for event, times in (("register to online", came), ("close to offline", went))
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args(argv)
    say("| event | sockets | median ms to the last | slowest ms |\n|---|---:|---:|---:|")
    with measured_server(SECURE_COOKIES="0") as server:
        cookie = server.manage("shell", "-v0", "-c", LOG_IN).strip()
        [vehicle] = server.tokens(1).items()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for line in runner.run(measure(server, cookie, vehicle, options.sockets, options.rounds)):
                say(line)


if __name__ == "__main__":
    main()
