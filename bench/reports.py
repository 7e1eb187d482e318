"""How many positions a second one server process takes over HTTP, and how long each takes.

Run it:  python -m bench.reports [--rate 1000] [--seconds 10] [--database sqlite|postgres] [--only rate|ramp|spike]

One server process on core 0, the load on core 1: 200 devices, each with a connection of its own that it keeps, one
position a request, sent at times that were fixed before (open loop): a slow server does not slow down the load, and the
time of a request counts from when it was due. All checks are on: token, limits, validation, live state, storing.

- rate: so many requests a second;
- ramp: more and more, until the 99th percentile passes 500 ms, answers fail, or fall behind;
- spike: five times as much for 2 s amid a steady load, and how long until it is as before.
"""

import argparse
import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.server import MeasuredServer, measured_server, percentile
from tests.servers import postgres
from tests.servers.run import Run

DEVICES = 200
RAMP_STEP, RAMP_SECONDS = 500, 4.0
TOO_SLOW_MS = 500.0
_LEAD_S = 0.2  # before the first request of a load is due
_GRACE_S = 15.0  # for answers that are late


@dataclass
class Load:
    """What came back: for each answer when it was due and how long it took, in seconds."""

    sent: int = 0
    answers: list[tuple[float, float]] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    cpu: float = 0.0  # of one core
    elapsed_s: float = 0.0

    def milliseconds(self, percent: float) -> float:
        """That percentile of the times."""
        return percentile(sorted(took for _, took in self.answers), percent) * 1000

    @property
    def taken(self) -> int:
        """How many were answered with 202."""
        return self.statuses[202]


class Device(asyncio.Protocol):
    """One connection that is kept. It sends what is due once it has the answer to what it sent before."""

    def __init__(self, load: Load, number: int, token: str) -> None:
        self.load = load
        self._number = number
        self._token = token
        self._due: deque[float] = deque()
        self._under_way: float | None = None
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP
        self._transport = transport

    def send(self, due: float) -> None:
        """Send a position that is due at that time, or as soon as it may."""
        self.load.sent += 1
        self._due.append(due)
        self._next()

    def _next(self) -> None:
        if self._under_way is not None or not self._due or self._transport is None:
            return
        self._under_way = self._due.popleft()
        ts = int(time.time() * 1000)
        body = f'{{"lat":25.{ts % 10_000:04d},"lng":55.{self._number:04d},"ts":{ts},"speed":12.5,"heading":90}}'
        head = (
            "POST /api/v1/locations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self._token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._transport.write((head + body).encode())

    def data_received(self, data: bytes) -> None:
        """Look whether the answer is whole."""
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end or len(body) < _content_length(head) or self._under_way is None:
            return
        now = asyncio.get_running_loop().time()
        self.load.answers.append((self._under_way, now - self._under_way))
        self.load.statuses[int(head[9:12])] += 1
        self._buffer, self._under_way = b"", None
        self._next()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def connect(server: MeasuredServer, tokens: dict[str, str]) -> list[Device]:
    """All devices, each of which has reported once: what the server has to find out of a token, it has."""
    loop, warm_up = asyncio.get_running_loop(), Load()
    devices = []
    for number, token in enumerate(tokens.values()):
        _, device = await loop.create_connection(
            lambda number=number, token=token: Device(warm_up, number, token),  # type: ignore[misc]
            "127.0.0.1",
            server.port,
        )
        device.send(loop.time())
        devices.append(device)
    await _answered(warm_up)
    return devices


async def run_load(server: MeasuredServer, devices: list[Device], phases: list[tuple[float, float]]) -> Load:
    """Phases of (requests a second, seconds), one after the other."""
    loop, load = asyncio.get_running_loop(), Load()
    for device in devices:
        device.load = load
    cpu_s, began = server.cpu_s(), loop.time() + _LEAD_S
    for number, due in enumerate(_times(began, phases)):
        if (wait := due - loop.time()) > 0:
            await asyncio.sleep(wait)
        devices[number % len(devices)].send(due)
    load.elapsed_s = sum(seconds for _, seconds in phases)
    load.cpu = (server.cpu_s() - cpu_s) / (loop.time() - began)
    await _answered(load)
    return load


async def _answered(load: Load) -> None:
    """Until all is answered, but not for ever."""
    for _ in range(int(_GRACE_S / 0.05)):
        if len(load.answers) >= load.sent:
            return
        await asyncio.sleep(0.05)


def _times(began: float, phases: list[tuple[float, float]]) -> Iterator[float]:
    for rate, seconds in phases:
        yield from (began + n / rate for n in range(int(rate * seconds)))
        began += seconds


def line(name: str, load: Load) -> str:
    """A line of the table."""
    times = " | ".join(f"{load.milliseconds(percent):.1f}" for percent in (50, 95, 99))
    other = {status: count for status, count in load.statuses.items() if status != 202}
    lost = load.sent - len(load.answers)
    return f"| {name} | {load.sent} | {load.taken} | {other or ''} {lost or ''} | {times} | {load.cpu:.0%} |"


async def measure_ramp(server: MeasuredServer, devices: list[Device], first: float) -> None:
    """More and more a second, to the breaking point."""
    rate = first
    while True:
        load = await run_load(server, devices, [(rate, RAMP_SECONDS)])
        print(line(f"{rate:.0f}/s", load), flush=True)  # noqa: T201 - a benchmark prints
        if load.taken < load.sent or load.milliseconds(99) > TOO_SLOW_MS:
            return
        rate += RAMP_STEP


async def measure_spike(server: MeasuredServer, devices: list[Device], rate: float) -> None:
    """Five times as much for 2 s, and how long after it a second of answers is as before."""
    steady_s, spike_s = 4.0, 2.0
    load = await run_load(server, devices, [(rate, steady_s), (5 * rate, spike_s), (rate, 8.0)])
    print(line(f"{rate:.0f}/s, {5 * rate:.0f}/s for 2 s", load), flush=True)  # noqa: T201
    began = min(due for due, _ in load.answers)
    seconds: dict[int, list[float]] = {}
    for due, took in load.answers:
        seconds.setdefault(int(due - began), []).append(took)
    p95 = {second: percentile(sorted(times), 95) for second, times in sorted(seconds.items())}
    before = max(took for second, took in p95.items() if second < steady_s)
    after = [second for second, took in p95.items() if second >= steady_s + spike_s and took <= max(2 * before, 0.02)]
    recovered = f"{min(after) - steady_s - spike_s:.0f} s after it" if after else "not within 8 s"
    print(f"\nAs before: {recovered}. 95th percentile by the second, ms: {[round(t * 1000) for t in p95.values()]}")  # noqa: T201


async def measure(server: MeasuredServer, given: argparse.Namespace) -> None:
    """What was asked for."""
    devices = await connect(server, server.tokens(DEVICES))
    print("\n| load | sent | taken | else | p50 ms | p95 ms | p99 ms | of one core |")  # noqa: T201 - a benchmark prints
    print("|---|---:|---:|---|---:|---:|---:|---:|")  # noqa: T201
    if given.only in (None, "rate"):
        load = await run_load(server, devices, [(given.rate, given.seconds)])
        print(line(f"{given.rate:.0f}/s for {given.seconds:.0f} s", load), flush=True)  # noqa: T201
    if given.only in (None, "ramp"):
        await measure_ramp(server, devices, given.rate)
    if given.only in (None, "spike"):
        await measure_spike(server, devices, given.spike)


@contextmanager
def database_url(kind: str) -> Iterator[str]:
    """The database to store in; an empty address is SQLite."""
    if kind == "sqlite":
        yield ""
        return
    with Run() as run:
        yield postgres.start(run, durable=True).url


def main() -> None:
    """Measure, print as tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rate", type=float, default=1000)
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--spike", type=float, default=400)
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    options.add_argument("--only", choices=("rate", "ramp", "spike"))
    given = options.parse_args()
    settings = {"API_REQUESTS_PER_MINUTE": "1000000", "API_ANONYMOUS_PER_MINUTE": "1000000", "SECRET_KEY": "x" * 60}
    with database_url(given.database) as url, measured_server(DATABASE_URL=url, **settings) as server:
        asyncio.run(measure(server, given))


if __name__ == "__main__":
    main()
