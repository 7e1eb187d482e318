"""What happens on the road besides driving: messages, alerts that are taken back, calls that ring a while."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from v2v.client.errors import ClientError, CommandRefused
from v2v.client.simulation.truck import Truck
from v2v.client.vehicle import VehicleClient
from v2v.protocol import commands

MAX_AT_ONCE = 20
DISPATCH = "dispatch"
ALERT_RADIUS_M = 5_000.0
ALERT_S = (60.0, 240.0)
RING_S = (8.0, 20.0)

_ALERTS: tuple[tuple[commands.AlertType, commands.Severity, str], ...] = (
    ("breakdown", "medium", "Flat tire, standing on the hard shoulder"),
    ("breakdown", "high", "Engine stopped, blocking the right lane"),
    ("hazard", "medium", "Sand on the road"),
    ("hazard", "high", "Lost load on the middle lane"),
    ("medical", "critical", "Driver feels unwell, need help"),
    ("crash", "critical", "Collision, two vehicles, nobody hurt as far as I see"),
    ("security", "low", "Seal of the trailer is broken"),
    ("other", "low", "Weighbridge closed, turning round"),
)
_MESSAGES = (
    "Loaded, leaving now",
    "Ten minutes late, traffic at the interchange",
    "Waiting at the gate",
    "Delivered, all signed",
    "Which bay?",
    "Fuel at a quarter, filling up on the way",
    "Customs done",
    "Pallet count is 22, paper says 24",
)

Drive = tuple[Truck, VehicleClient]


class Incidents:
    """Starts `per_minute` incidents on average; at most MAX_AT_ONCE go on together, more are left out.

    `pick` gives a vehicle that is online, or None. What the server refuses is counted by code in `refused`.
    """

    def __init__(
        self,
        pick: Callable[[random.Random], Drive | None],
        *,
        per_minute: float,
        refused: Counter[str],
        seed: int,
    ) -> None:
        self._pick = pick
        self._per_minute = per_minute
        self._refused = refused
        self._random = random.Random(f"incidents {seed}")  # noqa: S311 - a seed is the point
        self._free = MAX_AT_ONCE

    async def run(self) -> None:
        """Let things happen until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(self._random.expovariate(self._per_minute / 60))
                drive = self._pick(self._random)
                if drive is not None and self._free > 0:
                    (happen,) = self._random.choices((self._message, self._alert, self._call), weights=(6, 2, 2))
                    group.create_task(self._bounded(happen(*drive)))

    async def _bounded(self, incident: Coroutine[Any, Any, None]) -> None:
        self._free -= 1
        try:
            await incident
        except CommandRefused as refusal:
            self._refused[refusal.code] += 1
        except (ClientError, TimeoutError):
            pass  # it was offline, or the server did not answer
        finally:
            self._free += 1

    async def _message(self, _: Truck, client: VehicleClient) -> None:
        data = commands.SendMessageData(recipient_id=DISPATCH, content=self._random.choice(_MESSAGES))
        await client.command(commands.SendMessage(data=data))

    async def _alert(self, truck: Truck, client: VehicleClient) -> None:
        kind, severity, words = self._random.choice(_ALERTS)
        lat, lng = truck.position
        data = commands.EmergencyAlertData(
            type=kind, severity=severity, message=words, lat=lat, lng=lng, radius_m=ALERT_RADIUS_M
        )
        ack = await client.command(commands.EmergencyAlert(data=data))
        await asyncio.sleep(self._random.uniform(*ALERT_S))
        if ack.data.alert_id is not None:
            await client.command(commands.AlertCancel(data=commands.AlertIdData(alert_id=ack.data.alert_id)))

    async def _call(self, _: Truck, client: VehicleClient) -> None:
        ack = await client.call(DISPATCH)
        await asyncio.sleep(self._random.uniform(*RING_S))
        if ack.call_id is not None:
            await client.hang_up(ack.call_id)
