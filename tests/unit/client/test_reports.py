import asyncio
from collections.abc import Callable
from typing import Any

from tests.unit.client.peer import Peer, Side
from v2v.client import VehicleClient
from v2v.client.pending import MAX_PENDING
from v2v.client.reports import MAX_WAITING, Reports
from v2v.client.vehicle import REPORT_INTERVAL_S
from v2v.protocol.commands import LocationData, SessionDescriptionData, WebrtcOffer
from v2v.protocol.fields import MAX_SDP_CHARS

Make = Callable[..., VehicleClient]


def fix(number: int, **more: Any) -> LocationData:
    return LocationData(lat=25.0, lng=55.0, ts=number, **more)


async def drain(reports: Reports) -> list[int | None]:
    """The times of all fixes that wait, as they would be sent."""
    times: list[int | None] = []
    while True:
        try:
            async with asyncio.timeout(0.01):
                oldest = await reports.oldest()
        except TimeoutError:
            return times
        reports.sent(oldest)
        times.append(oldest.ts)


async def test_the_newest_fix_takes_the_place_of_those_that_waited() -> None:
    reports = Reports()
    for number in range(10):
        reports.add(fix(number))
    assert await drain(reports) == [9]


async def test_a_fix_that_carries_news_is_kept() -> None:
    reports = Reports()
    reports.add(fix(1, ignition=True))
    reports.add(fix(2, ignition=True))
    reports.add(fix(3, alarm="crash"))
    reports.add(fix(4))
    reports.add(fix(5, ignition=False))
    reports.add(fix(6, ignition=False))
    assert await drain(reports) == [1, 3, 5, 6]


async def test_of_too_much_news_the_oldest_goes() -> None:
    reports = Reports()
    for number in range(MAX_WAITING + 3):
        reports.add(fix(number, alarm="hazard"))
    assert await drain(reports) == list(range(3, MAX_WAITING + 3))


async def test_a_fix_that_came_while_another_was_on_its_way_is_not_lost() -> None:
    reports = Reports()
    reports.add(fix(1))
    under_way = await reports.oldest()
    reports.add(fix(2))
    reports.sent(under_way)
    assert await drain(reports) == [2]


async def location(side: Side) -> dict[str, Any]:
    data: dict[str, Any] = (await side.read("location_update"))["data"]
    return data


async def test_only_what_is_known_is_reported(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        client.report(25.1, 55.2, ts=5, speed=13.5)
        assert await location(side) == {"lat": 25.1, "lng": 55.2, "ts": 5, "speed": 13.5}


async def test_a_report_without_a_time_gets_that_of_the_clock(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        client.report(25.1, 55.2)
        assert (await location(side))["ts"] > 1_700_000_000_000


async def test_of_a_burst_the_first_and_the_newest_are_sent(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        client.report(25.0, 55.0, ts=0)
        assert (await location(side))["ts"] == 0
        for number in range(1, 20):
            client.report(25.0, 55.0, ts=number)
        assert (await location(side))["ts"] == 19


async def test_after_an_outage_the_newest_report_is_sent_and_the_news(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        client.report(25.0, 55.0, ts=1, alarm="breakdown")
        client.report(25.0, 55.0, ts=2)
        client.report(25.0, 55.0, ts=3)
        side = await peer.accept_registered()
        assert [(await location(side))["ts"] for _ in range(2)] == [1, 3]


async def test_while_the_server_does_not_read_newer_reports_take_the_place_of_older(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        side.socket.transport.pause_reading()
        offer = WebrtcOffer(data=SessionDescriptionData(call_id="c1", sdp="€" * MAX_SDP_CHARS))
        offers = [asyncio.create_task(client.command(offer)) for _ in range(MAX_PENDING)]  # more than sockets hold
        await asyncio.sleep(0)
        for number in range(3):
            client.report(25.0, 55.0, ts=number)
            await asyncio.sleep(1.5 * REPORT_INTERVAL_S)
        side.socket.transport.resume_reading()
        for _ in offers:
            await side.read("webrtc_offer")
        assert [(await location(side))["ts"] for _ in range(2)] == [0, 2]
    await asyncio.gather(*offers, return_exceptions=True)
