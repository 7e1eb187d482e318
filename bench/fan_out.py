"""How many positions one server core delivers, and how soon.

Run it:  python -m bench.fan_out [--vehicles 500 1000 2000] [--neighbors 20] [--seconds 10]

The server runs on core 0 as it does in production (checks, limits, presence, logs) and the vehicles on core 1. They
stand in groups, so that each has exactly so many neighbors within the radius, and report 5 times a second, one after
the other within each 200 ms. A delivery is one position of one vehicle that has arrived at one other. The latency
is from the moment a position is sent, by its `ts`, to the moment the frame with it has arrived, and so it contains
the wait for the next tick (200 ms, so 100 on average). The last line has no neighbors: it shows what coming in costs.
"""

import argparse
import asyncio
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.server import MeasuredServer, measured_server, percentile

HZ = 5
STEPS = 40  # parts of each 200 ms in which a part of the vehicles reports
WARM_UP_S = 4.0  # limits, proximity's first comings
SAMPLE_EVERY = 50  # frames, of which one is decoded for its latency
AT_ONCE = 50  # connections that are being opened
GROUP_APART_DEG = 0.05  # 5.5 km
COLUMNS = (
    "vehicles", "neighbors", "in /s", "in /s and core", "deliveries /s", "CPU", "CPU us a delivery",
    "p50 ms", "p95 ms", "p99 ms", "refused",
)  # fmt: skip


@dataclass
class Counts:
    """What came back to all vehicles."""

    frames: int = 0
    deliveries: int = 0
    refused: int = 0
    latencies_ms: list[float] = field(default_factory=list)


class Vehicle(WSListener):
    """One connection."""

    def __init__(self, counts: Counts) -> None:
        super().__init__()
        self.counts = counts
        self.registered = asyncio.Event()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Count what came; look into few of them."""
        payload = frame.get_payload_as_bytes()
        counts = self.counts
        if payload.startswith(b'{"event":"peer_locations"'):
            counts.frames += 1
            counts.deliveries += payload.count(b'"vehicleId"')
            if counts.frames % SAMPLE_EVERY == 0:
                now_ms = time.time() * 1000
                counts.latencies_ms += [now_ms - peer["ts"] for peer in msgspec.json.decode(payload)["data"]["peers"]]
        elif payload.startswith(b'{"event":"error"'):
            counts.refused += 1
        elif payload.startswith(b'{"event":"registered"'):
            self.registered.set()


@dataclass(frozen=True)
class Figures:
    """One run, per second."""

    sent: float
    deliveries: float
    refused: int
    cpu: float  # share of the server's core
    latencies_ms: list[float]


def place(number: int, neighbors: int) -> tuple[float, float]:
    """Where a vehicle stands: groups of neighbors + 1, on a grid."""
    group, _ = divmod(number, neighbors + 1)
    row, column = divmod(group, 100)
    return -40 + row * GROUP_APART_DEG, column * GROUP_APART_DEG


async def connect(server: MeasuredServer, tokens: dict[str, str], counts: Counts) -> list[WSTransport]:
    """Every vehicle, registered."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(vehicle_id: str, token: str) -> WSTransport:
        async with room:
            vehicle = Vehicle(counts)
            transport, _ = await ws_connect(lambda: vehicle, server.ws_url("vehicle"))
            data = {"event": "register", "data": {"vehicleId": vehicle_id, "token": token}}
            transport.send(WSMsgType.TEXT, msgspec.json.encode(data))
            await asyncio.wait_for(vehicle.registered.wait(), 30)
            return transport

    return list(await asyncio.gather(*(one(*item) for item in tokens.items())))


async def drive(transports: list[WSTransport], neighbors: int, seconds: float) -> int:
    """Report at 5 Hz for so long; how many reports were sent."""
    places = [place(number, neighbors) for number in range(len(transports))]
    heads = [f'{{"event":"location_update","data":{{"lat":{lat:.6f},"lng":{lng:.6f}' for lat, lng in places]
    parts = [list(range(step, len(transports), STEPS)) for step in range(STEPS)]
    begin, sent = time.monotonic(), 0
    for turn in range(round(seconds * HZ) * STEPS):
        await asyncio.sleep(max(0.0, begin + turn / (HZ * STEPS) - time.monotonic()))
        ts = time.time_ns() // 1_000_000
        tail = f',"speed":12.5,"heading":{turn % 360},"ts":{ts}}}}}'
        for number in parts[turn % STEPS]:
            transports[number].send(WSMsgType.TEXT, (heads[number] + tail).encode())
        sent += len(parts[turn % STEPS])
    return sent


async def measure(server: MeasuredServer, tokens: dict[str, str], neighbors: int, seconds: float) -> Figures:
    """One run."""
    counts = Counts()
    transports = await connect(server, tokens, counts)
    await drive(transports, neighbors, WARM_UP_S)
    counts.frames = counts.deliveries = counts.refused = 0
    counts.latencies_ms.clear()
    cpu, begin = server.cpu_s(), time.monotonic()
    sent = await drive(transports, neighbors, seconds)
    took, cpu = time.monotonic() - begin, server.cpu_s() - cpu
    figures = Figures(sent / took, counts.deliveries / took, counts.refused, cpu / took, sorted(counts.latencies_ms))
    for transport in transports:
        transport.disconnect()
    return figures


def line(vehicles: int, neighbors: int, figures: Figures) -> str:
    """A row of the table."""
    told = ["-"] * 4
    if figures.deliveries:
        latencies = [f"{percentile(figures.latencies_ms, percent):.0f}" for percent in (50, 95, 99)]
        told = [f"{figures.cpu / figures.deliveries * 1e6:.1f}", *latencies]
    counted = (vehicles, neighbors, figures.sent, figures.sent / figures.cpu, figures.deliveries)
    cells = [*(f"{value:,.0f}" for value in counted), f"{figures.cpu:.0%}", *told, str(figures.refused)]
    return f"| {' | '.join(cells)} |"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vehicles", type=int, nargs="+", default=[500, 1_000, 2_000])
    parser.add_argument("--neighbors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args(argv)
    say(f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}\n")
    say(f"| {' | '.join(COLUMNS)} |\n|{'---:|' * len(COLUMNS)}")
    runs = [(vehicles, options.neighbors) for vehicles in options.vehicles] + [(max(options.vehicles), 0)]
    for vehicles, neighbors in runs:
        with measured_server() as server:
            tokens = server.tokens(vehicles)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                figures = runner.run(measure(server, tokens, neighbors, options.seconds))
        say(line(vehicles, neighbors, figures))


def say(text: str) -> None:
    """One line of the report, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
