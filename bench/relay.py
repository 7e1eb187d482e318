"""What it costs that several server processes behave as one.

Run it:  python -m bench.relay [--processes 1 2 4] [--vehicles 200] [--seconds 10]

Vehicles stand in pairs, 40 m apart, pairs 1.3 km from each other in a grid; the two of a pair are on different processes wherever
there are several. Each reports 5 times a second. Latency of positions: from a report to the frame with it at the other
of the pair, with the wait for the tick in it. Latency of messages: from `send_message` to `message` at the other, one
after the other, with the storing in it. With one process there is no Redis. Everything shares this machine's cores, so
look at the processor time of the servers rather than at latencies when there are more processes than cores.
"""

import argparse
import asyncio
import json
import time
import urllib.request
from collections.abc import Sequence

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from bench.server import MeasuredServer, measured_servers, percentile

HZ = 5
WARM_UP_S = 3.0
MESSAGES = 60
PUBLISHED = "v2v_pubsub_messages_published_total "
COLUMNS = (
    "processes", "positions p50 ms", "p95 ms", "messages p50 ms", "p95 ms",
    "Redis messages a vehicle and second", "CPU us a delivery",
)  # fmt: skip


class Vehicle:
    """One connection, and what it has heard."""

    def __init__(self, vehicle_id: str, socket: ClientConnection) -> None:
        self.vehicle_id = vehicle_id
        self.socket = socket
        self.heard = 0
        self.latencies_ms: list[float] = []
        self.messages: asyncio.Queue[float] = asyncio.Queue()
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for text in self.socket:
            event = msgspec.json.decode(text)
            now = time.time() * 1000
            if event["event"] == "peer_locations":
                self.heard += len(event["data"]["peers"])
                self.latencies_ms += [now - peer["ts"] for peer in event["data"]["peers"]]
            elif event["event"] == "message":
                self.messages.put_nowait(time.perf_counter())

    async def report(self, number: int) -> None:
        """Say where it is."""
        pair, side = divmod(number, 2)
        row, column = divmod(pair, 10)
        data = {
            "lat": -40 + row * 0.012,
            "lng": column * 0.016 + side * 0.0005,
            "ts": time.time_ns() // 1_000_000,
            "heading": side,
        }
        await self.socket.send(json.dumps({"event": "location_update", "data": data}))


async def join(servers: Sequence[MeasuredServer], tokens: dict[str, str]) -> list[Vehicle]:
    """The vehicles, registered, in turns on the processes."""
    vehicles = []
    for number, (vehicle_id, token) in enumerate(tokens.items()):
        socket = await connect(servers[number % len(servers)].ws_url("vehicle"), max_queue=None)
        data = {"vehicleId": vehicle_id, "token": token}
        await socket.send(json.dumps({"event": "register", "data": data}))
        while msgspec.json.decode(await socket.recv())["event"] != "registered":
            pass
        vehicles.append(Vehicle(vehicle_id, socket))
    return vehicles


async def drive(vehicles: list[Vehicle], seconds: float) -> None:
    """All report at 5 Hz, one after the other within each 200 ms."""
    begin = time.monotonic()
    for turn in range(round(seconds * HZ)):
        for number, vehicle in enumerate(vehicles):
            due = begin + (turn + number / len(vehicles)) / HZ
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            await vehicle.report(number)


async def talk(vehicles: list[Vehicle]) -> list[float]:
    """Messages to the other of the pair, one after the other: milliseconds of each."""
    took = []
    for turn in range(MESSAGES):
        sender, receiver = vehicles[2 * (turn % (len(vehicles) // 2))], vehicles[2 * (turn % (len(vehicles) // 2)) + 1]
        data = {"recipientId": receiver.vehicle_id, "content": "x"}
        began = time.perf_counter()
        await sender.socket.send(json.dumps({"event": "send_message", "data": data, "id": f"m{turn}"}))
        took.append((await asyncio.wait_for(receiver.messages.get(), 10) - began) * 1000)
    return sorted(took)


def published(servers: Sequence[MeasuredServer]) -> float:
    """How many messages and commands the servers have sent to Redis."""
    total = 0.0
    for server in servers:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        total += sum(float(line.split()[1]) for line in lines if line.startswith(PUBLISHED))
    return total


async def measure(servers: Sequence[MeasuredServer], count: int, seconds: float) -> tuple[object, ...]:
    """One line of the table."""
    vehicles = await join(servers, servers[0].tokens(count))
    await drive(vehicles, WARM_UP_S)
    for vehicle in vehicles:
        vehicle.heard, vehicle.latencies_ms = 0, []
    cpu, sent = sum(server.cpu_s() for server in servers), await asyncio.to_thread(published, servers)
    await drive(vehicles, seconds)
    cpu = sum(server.cpu_s() for server in servers) - cpu
    sent = await asyncio.to_thread(published, servers) - sent
    latencies = sorted(latency for vehicle in vehicles for latency in vehicle.latencies_ms)
    heard = sum(vehicle.heard for vehicle in vehicles)
    messages = await talk(vehicles)
    for vehicle in vehicles:
        vehicle.reader.cancel()
        await vehicle.socket.close()
    return (
        len(servers),
        f"{percentile(latencies, 50):.0f}", f"{percentile(latencies, 95):.0f}",
        f"{percentile(messages, 50):.1f}", f"{percentile(messages, 95):.1f}",
        f"{sent / count / seconds:.2f}", f"{cpu / max(heard, 1) * 1e6:.0f}",
    )  # fmt: skip


def main() -> None:
    """Measure with as many processes as was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--vehicles", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))  # noqa: T201
    for count in options.processes:
        with measured_servers(count) as servers:
            row = asyncio.run(measure(servers, options.vehicles, options.seconds))
        print("| " + " | ".join(map(str, row)) + " |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
