"""What it costs that an alert is stored before it is acknowledged.

Run it:  python -m bench.alerts [--alerts 200]

Vehicles raise one alert each, one after the other, and then send one heartbeat each, which is answered without a look
at any database. The time is from sending to the answer; processor time is the server's, over all alerts. Once on
SQLite, once on a PostgreSQL of its own that syncs to the disk. The server runs on core 0, the clients on core 1.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

from bench.fan_out import say
from bench.server import MeasuredServer, measured_server, percentile
from tests.servers import postgres
from tests.servers.run import Run
from v2v.client import VehicleClient
from v2v.protocol import commands


async def alert(client: VehicleClient) -> None:
    """Raise one, and wait for the word that it is stored."""
    await client.command(commands.EmergencyAlert(data=commands.EmergencyAlertData(type="breakdown", severity="high")))


async def heartbeat(client: VehicleClient) -> None:
    """One that is answered from memory."""
    await client.command(commands.Heartbeat(data=commands.HeartbeatData()))


async def measure(server: MeasuredServer, database: str, alerts: int) -> list[str]:
    """The rows of one database."""
    async with AsyncExitStack() as stack:
        clients = []
        for vehicle_id, token in server.tokens(alerts).items():
            client = VehicleClient(server.ws_url("vehicle"), vehicle_id=vehicle_id, token=token)
            clients.append(await stack.enter_async_context(client))
        for client in clients:
            await client.wait_online()
        return [
            await _row(f"{database}: alert", server, clients, alert),
            await _row(f"{database}: heartbeat", server, clients, heartbeat),
        ]


async def _row(
    name: str, server: MeasuredServer, clients: list[VehicleClient], ask: Callable[[VehicleClient], Awaitable[None]]
) -> str:
    times = []
    cpu = server.cpu_s()
    for client in clients:
        begin = time.perf_counter()
        await asyncio.wait_for(ask(client), 30)
        times.append((time.perf_counter() - begin) * 1e3)
    cpu_ms = (server.cpu_s() - cpu) * 1e3 / len(clients)
    times.sort()
    return f"| {name} | {percentile(times, 50):.1f} | {percentile(times, 99):.1f} | {cpu_ms:.1f} |"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=200)
    options = parser.parse_args(argv)
    say("| answered | p50 ms | p99 ms | CPU ms |\n|---|---:|---:|---:|")
    with Run() as run:
        for database, url in (("SQLite", ""), ("PostgreSQL", postgres.start(run, durable=True).url)):
            with measured_server(
                DATABASE_URL=url, SECRET_KEY="of-a-benchmark-" * 4, SECURE_COOKIES="0", LOG_LEVEL="ERROR"
            ) as server:
                for row in asyncio.run(measure(server, database, options.alerts)):
                    say(row)


if __name__ == "__main__":
    main()
