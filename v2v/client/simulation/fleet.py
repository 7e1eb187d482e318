"""Many trucks on one event loop: connects them little by little, lets them drive and report, counts what comes."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from random import Random

from v2v.client.client import State
from v2v.client.errors import Stopped
from v2v.client.simulation.incidents import Drive, Incidents
from v2v.client.simulation.truck import Truck
from v2v.client.vehicle import VehicleClient
from v2v.protocol.events import Error, Event

CONNECT_TOGETHER = 50
SLOT_S = 0.02  # trucks report in turns, so that the server's work comes evenly


class SimulatedFleet:
    """Trucks with these ids and tokens, each reporting `hz` times a second to the server at `url`.

    Together they have `incidents_per_minute`: messages, alerts, calls.

    The counters only ever grow: `reports` handed to a client that was online, `peers_heard` positions of others,
    `errors` by code, `losses` of connections, `stopped` by the reason that the server gave.
    """

    def __init__(
        self, url: str, tokens: Mapping[str, str], *, hz: float = 1.0, incidents_per_minute: float = 0.0, seed: int = 0
    ) -> None:
        self.reports = 0
        self.peers_heard = 0
        self.losses = 0
        self.errors: Counter[str] = Counter()
        self.stopped: Counter[str] = Counter()
        self._period_s = 1 / hz
        self._connecting = asyncio.Semaphore(CONNECT_TOGETHER)
        self._drives = [
            (truck := Truck(vehicle_id, seed=seed), self._client(url, token, truck))
            for vehicle_id, token in tokens.items()
        ]
        self._incidents = (
            Incidents(self._pick, per_minute=incidents_per_minute, refused=self.errors, seed=seed)
            if incidents_per_minute > 0
            else None
        )

    def __len__(self) -> int:
        return len(self._drives)

    @property
    def online(self) -> int:
        """How many are connected now."""
        return sum(client.state is State.ONLINE for _, client in self._drives)

    async def run(self) -> None:
        """Connect, drive and report until cancelled; then every connection is closed."""
        async with asyncio.TaskGroup() as group:
            for _, client in self._drives:
                group.create_task(self._stay_connected(client))
            group.create_task(self._drive())
            if self._incidents is not None:
                group.create_task(self._incidents.run())

    def _client(self, url: str, token: str, truck: Truck) -> VehicleClient:
        return VehicleClient(
            url,
            vehicle_id=truck.vehicle_id,
            token=token,
            driver_name=truck.driver_name,
            vehicle_info=truck.info,
            on_state=self._on_state,
            on_event=self._on_event,
            on_positions=self._on_positions,
        )

    async def _stay_connected(self, client: VehicleClient) -> None:
        """One client's life; only CONNECT_TOGETHER may be on the way to their first `registered` at a time."""
        await self._connecting.acquire()
        try:
            await asyncio.gather(client.run(), self._let_next_connect(client))
        except Stopped as stopped:
            self.stopped[str(stopped)] += 1

    async def _let_next_connect(self, client: VehicleClient) -> None:
        try:
            with suppress(Stopped, TimeoutError):
                await client.wait_online()
        finally:
            self._connecting.release()

    async def _drive(self) -> None:
        """Let all trucks drive by the clock, each reporting in its turn of the period."""
        clock = asyncio.get_running_loop().time
        turns = max(1, round(self._period_s / SLOT_S))
        driven_at = [clock()] * len(self._drives)
        next_at = clock()
        while True:
            for turn in range(turns):
                for index in range(turn, len(self._drives), turns):
                    now = clock()
                    self._drive_one(*self._drives[index], now - driven_at[index])
                    driven_at[index] = now
                next_at = max(next_at + self._period_s / turns, clock())
                await asyncio.sleep(next_at - clock())

    def _drive_one(self, truck: Truck, client: VehicleClient, seconds: float) -> None:
        truck.advance(seconds)
        if client.state is State.ONLINE:
            lat, lng = truck.position
            client.report(
                round(lat, 6),
                round(lng, 6),
                speed=round(truck.speed, 1),
                heading=round(truck.heading, 1),
                battery=truck.battery.rounded,
                signal=truck.signal.rounded,
            )
            self.reports += 1

    def _pick(self, random_: Random) -> Drive | None:
        """One of those that are online; None when the first few tries find none."""
        tries = (random_.choice(self._drives) for _ in range(10))
        return next((drive for drive in tries if drive[1].state is State.ONLINE), None)

    def _on_state(self, state: State) -> None:
        self.losses += state is State.RECONNECTING

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Error):
            self.errors[event.data.code] += 1

    def _on_positions(self, frame: bytes) -> None:
        self.peers_heard += frame.count(b'"vehicleId"')
