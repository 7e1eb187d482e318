"""How fast lists and snapshots are when there is much of everything: 10,000 alerts and 100,000 messages.

Run it:  python -m bench.lists [--alerts 10000] [--messages 100000] [--rounds 40] [--database sqlite|postgres]

A server of its own, on core 0, over a database that was filled before; one client, on core 1, that asks for one thing
after the other: pages and REST lists over HTTP with a dispatcher's session, snapshots by opening a socket and
registering. The time is that of the whole answer, as the client sees it. PostgreSQL is a private one.
"""

import argparse
import asyncio
import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from websockets.asyncio.client import connect
from websockets.typing import Origin

from bench.server import MeasuredServer, measured_server, percentile
from tests.servers import postgres
from tests.servers.run import Run

_WARM_UP = 3


@dataclass(frozen=True)
class Filled:
    """What the database holds for those who ask."""

    session: str
    vehicle_id: str
    token: str
    middle_alert: str
    told_alert: str


@dataclass(frozen=True)
class Measured:
    """One line of the table; `cpu_ms` is the server's, which other work on the machine does not lengthen."""

    name: str
    p50_ms: float
    p95_ms: float
    cpu_ms: float
    kb: float


PATHS = (
    ("history, first page", "/alerts/"),
    ("history, in the middle", "/alerts/?after={middle_alert}"),
    ("history, by answer time", "/alerts/?sort=-answer"),
    ("history, four filters", "/alerts/?severity=high&type=crash&state=over&since=2020-01-01"),
    ("history, rare word", "/alerts/?q=needle"),
    ("history, word that nobody used", "/alerts/?q=nowhere"),
    ("one alert, 400 told", "/alerts/{told_alert}/"),
    ("answer times, 30 days", "/alerts/answer-times/"),
    ("answer times, a year", "/alerts/answer-times/?days=365"),
    ("REST, alerts", "/api/v1/emergencies"),
    ("REST, alerts, rare word", "/api/v1/emergencies?search=needle"),
    ("REST, messages", "/api/v1/messages"),
    ("REST, conversations", "/api/v1/conversations"),
    ("REST, one conversation", "/api/v1/messages?conversation={vehicle_id}"),
    ("console page", "/"),
    ("console, list of alerts", "/?tab=alerts"),
    ("console, list of conversations", "/?tab=messages"),
    ("console, an alert in the drawer", "/drawer/?alert={told_alert}"),
    ("console, a conversation in the drawer", "/drawer/?conversation=bench/{vehicle_id}"),
)


def ask(server: MeasuredServer, filled: Filled, path: str) -> int:
    """Get a page; its size in bytes, 0 where there is no such page (yet)."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", path, headers={"Cookie": f"sessionid={filled.session}"})
    answer = connection.getresponse()
    size = len(answer.read())
    connection.close()
    return size if answer.status == http.client.OK else 0


async def register_dispatcher(server: MeasuredServer, filled: Filled) -> int:
    """Open a dispatcher's socket; the size of its snapshot."""
    headers = {"Cookie": f"sessionid={filled.session}"}
    origin = Origin(f"http://127.0.0.1:{server.port}")
    async with connect(
        server.ws_url("dispatch"),
        origin=origin,
        additional_headers=headers,
        max_size=None,
    ) as socket:
        return len(await socket.recv())


async def register_vehicle(server: MeasuredServer, filled: Filled) -> int:
    """Register a vehicle; the size of its snapshot."""
    data = {"vehicleId": filled.vehicle_id, "token": filled.token}
    async with connect(server.ws_url("vehicle"), max_size=None) as socket:
        await socket.send(json.dumps({"event": "register", "data": data}))
        return len(await socket.recv())


def measure(server: MeasuredServer, name: str, rounds: int, once: Callable[[], int]) -> Measured | None:
    """Do it many times, after a few that do not count; None when there is no such thing."""
    if not all(once() for _ in range(_WARM_UP)):
        return None
    size, took, cpu_s = 0, [], server.cpu_s()
    for _ in range(rounds):
        began = time.perf_counter()
        size = once()
        took.append((time.perf_counter() - began) * 1000)
    cpu_ms = (server.cpu_s() - cpu_s) * 1000 / rounds
    took.sort()
    return Measured(name, percentile(took, 50), percentile(took, 95), cpu_ms, size / 1000)


def measured(server: MeasuredServer, filled: Filled, rounds: int) -> Iterator[Measured | None]:
    """Every line of the table."""
    for name, path in PATHS:
        address = path.format(**vars(filled))
        yield measure(server, name, rounds, lambda address=address: ask(server, filled, address))  # type: ignore[misc]
    for name, register in (
        ("socket, a dispatcher registers", register_dispatcher),
        ("socket, a vehicle registers", register_vehicle),
    ):
        yield measure(server, name, rounds, lambda register=register: asyncio.run(register(server, filled)))  # type: ignore[misc]
    yield measure(server, "all alerts as CSV", 3, lambda: ask(server, filled, "/alerts/history.csv"))


@contextmanager
def database_url(kind: str) -> Iterator[str]:
    """A database to fill; an empty address is SQLite."""
    if kind == "sqlite":
        yield ""
        return
    with Run() as run:
        yield postgres.start(run, durable=True).url


def main() -> None:
    """Fill, measure, print as a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--alerts", type=int, default=10_000)
    options.add_argument("--messages", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=40)
    options.add_argument("--database", choices=("sqlite", "postgres"), action="append")
    given = options.parse_args()
    for kind in given.database or ("sqlite", "postgres"):
        with database_url(kind) as url, measured_server(DATABASE_URL=url, SECRET_KEY="x" * 60) as server:
            code = f"from bench.lists_fill import fill; fill(alerts={given.alerts}, messages={given.messages})"
            filled = Filled(**json.loads(server.manage("shell", "-v0", "-c", code).splitlines()[-1]))
            print(f"\n| {kind} | p50 ms | p95 ms | CPU ms | kB |\n|---|---:|---:|---:|---:|")  # noqa: T201 - a benchmark prints
            for line in measured(server, filled, given.rounds):
                if line is not None:
                    figures = f"{line.p50_ms:.0f} | {line.p95_ms:.0f} | {line.cpu_ms:.0f} | {line.kb:.0f}"
                    print(f"| {line.name} | {figures} |")  # noqa: T201


if __name__ == "__main__":
    main()
