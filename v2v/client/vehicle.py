"""The client of a vehicle."""

import asyncio
import time
from collections.abc import Callable, Mapping

import msgspec

from v2v.client.backoff import Backoff
from v2v.client.client import Client, Duty, State
from v2v.client.connection import Connection
from v2v.client.reports import Reports
from v2v.protocol import commands
from v2v.protocol.events import Event, Registered

REPORT_INTERVAL_S = 0.2  # the server takes 5 a second
_encode = msgspec.json.Encoder().encode


class VehicleClient(Client):
    """A vehicle's connection to `/ws/vehicle/`. `token` may be left out when `headers` hold an Authorization."""

    def __init__(
        self,
        url: str,
        *,
        vehicle_id: str,
        token: str | None = None,
        device_id: str | None = None,
        driver_name: str | None = None,
        vehicle_info: commands.VehicleInfo | None = None,
        headers: Mapping[str, str] | None = None,
        on_state: Callable[[State], None] | None = None,
        on_event: Callable[[Event], None] | None = None,
        on_positions: Callable[[bytes], None] | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        super().__init__(
            url, headers=headers, on_state=on_state, on_event=on_event, on_positions=on_positions, backoff=backoff
        )
        self.vehicle_id = vehicle_id
        self._register_data = commands.RegisterData(
            vehicle_id=vehicle_id,
            token=token,
            device_id=device_id,
            driver_name=driver_name,
            vehicle_info=vehicle_info,
        )
        self._reports = Reports()

    def report(
        self,
        lat: float,
        lng: float,
        *,
        ts: int | None = None,
        speed: float | None = None,
        heading: float | None = None,
        accuracy: float | None = None,
        altitude: float | None = None,
        battery: float | None = None,
        signal: float | None = None,
        ignition: bool | None = None,
        alarm: commands.AlertType | None = None,
    ) -> None:
        """Say where the vehicle is: degrees, meters, meters per second, percent; `ts` in epoch milliseconds, or now.

        Never waits. One fix is sent every 200 ms; while it has to wait, or there is no connection, a newer fix
        takes its place, unless it carries an alarm or a change of the ignition: up to 64 of those are kept.
        """
        self._reports.add(
            commands.LocationData(
                lat=lat,
                lng=lng,
                ts=time.time_ns() // 1_000_000 if ts is None else ts,
                speed=speed,
                heading=heading,
                accuracy=accuracy,
                altitude=altitude,
                battery=battery,
                signal=signal,
                ignition=ignition,
                alarm=alarm,
            )
        )

    async def renew(self, token: str) -> None:
        """Use another token from now on: on this connection too, so that it outlives the old one's end."""
        self._register_data = msgspec.structs.replace(self._register_data, token=token)
        if self._connection is not None:
            await self.command(self._greeting())

    def _greeting(self) -> commands.Command:
        return commands.Register(data=self._register_data)

    def _duties(self, registered: Registered.Data) -> list[Duty]:
        return [*super()._duties(registered), self._send_reports]

    async def _send_reports(self, connection: Connection) -> None:
        while True:
            fix = await self._reports.oldest()
            await connection.send(_encode(commands.LocationUpdate(data=fix)))
            self._reports.sent(fix)
            await asyncio.sleep(REPORT_INTERVAL_S)
