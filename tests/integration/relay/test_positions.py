"""Vehicles on different processes see each other as if they were on one."""

import asyncio
import itertools

from tests.servers.v2v import V2VServer
from tests.sockets import dispatcher, vehicle

_places = itertools.count(1)


def place() -> tuple[float, float]:
    """A place to which no other test sends its vehicles."""
    return -50.0 + next(_places), 20.0


async def test_neighbors_on_two_processes_get_each_others_positions_and_meet_once(two: list[V2VServer]) -> None:
    lat, lng = place()
    async with vehicle(two[0]) as (one, one_id), vehicle(two[1]) as (other, other_id):
        await one.send("location_update", {"lat": lat, "lng": lng})
        await other.send("location_update", {"lat": lat + 0.001, "lng": lng})
        assert (await one.next("proximity_event"))["peerVehicleId"] == other_id
        assert (await other.next("proximity_event"))["peerVehicleId"] == one_id
        await one.send("location_update", {"lat": lat + 0.0001, "lng": lng})
        while True:
            peers = (await other.next("peer_locations"))["peers"]
            assert [peer["vehicleId"] for peer in peers] == [one_id]
            if peers[0]["lat"] == lat + 0.0001:
                break
        await one.send("nearby_refresh", id="n")
        snapshot = await one.next("nearby_snapshot")
        assert [peer["vehicleId"] for peer in snapshot["peers"]] == [other_id]
        await one.drain(1.0)
        await other.drain(1.0)
        for socket in (one, other):
            assert [m["data"]["type"] for m in socket.seen if m["event"] == "proximity_event"] == ["enter"]


async def test_a_dispatcher_sees_the_vehicles_of_all_processes(three: list[V2VServer]) -> None:
    lat, lng = place()
    async with dispatcher(three[2]) as (console, _), vehicle(three[0]) as (a, a_id), vehicle(three[1]) as (b, b_id):
        await a.send("location_update", {"lat": lat, "lng": lng})
        await b.send("location_update", {"lat": lat, "lng": lng + 1})
        seen: set[str] = set()
        while not {a_id, b_id} <= seen:
            seen |= {peer["vehicleId"] for peer in (await console.next("locations"))["peers"]}


async def test_what_happens_between_two_processes_is_stored_once(two: list[V2VServer]) -> None:
    lat, lng = place()
    async with vehicle(two[1]) as (one, one_id), vehicle(two[0]) as (other, other_id):
        await one.send("location_update", {"lat": lat, "lng": lng})
        await other.send("location_update", {"lat": lat, "lng": lng})
        await one.next("proximity_event", peerVehicleId=other_id)
        await other.next("proximity_event", peerVehicleId=one_id)
        await other.drain(2.5)  # what is near is stored once a second, by either process
        stored = await asyncio.to_thread(
            two[0].shell,
            "from v2v.proximity.models import ProximityEvent; "
            f"ids = ['{one_id}', '{other_id}']; "
            "print(ProximityEvent.objects.filter(vehicle__vehicle_id__in=ids, peer__vehicle_id__in=ids).count())",
        )
        assert stored == "1"
