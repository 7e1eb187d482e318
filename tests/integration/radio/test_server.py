"""Vehicles that are on the radio only, from the air through a real server to sockets and back."""

from radio.link.payloads import Control, Emergency, Position, Status, Text
from tests.integration.radio.stations import Station, Waves
from tests.servers.v2v import V2VServer
from tests.sockets import Socket, dispatcher, vehicle

PLACE = (25.2048, 55.2708)


def on_air(server: V2VServer, waves: Waves) -> tuple[Station, str]:
    """The radio of a fresh vehicle, which has said its name."""
    vehicle_id, _ = server.vehicle()
    station = waves.station()
    station.hello(vehicle_id)
    return station, vehicle_id


async def position_of(desk: Socket, vehicle_id: str) -> dict:
    while True:
        for peer in (await desk.next("locations"))["peers"]:
            if peer["vehicleId"] == vehicle_id:
                return peer


async def test_a_position_by_radio_shows_on_the_map(radio_server: V2VServer, waves: Waves) -> None:
    station, vehicle_id = on_air(radio_server, waves)
    async with dispatcher(radio_server) as (desk, _):
        station.send(Position(lat=PLACE[0], lng=PLACE[1], speed=12.0), recipient=None, wants_ack=False)
        peer = await position_of(desk, vehicle_id)
    assert (round(peer["lat"], 6), round(peer["lng"], 6), peer["speed"]) == (*PLACE, 12.0)


async def test_a_text_by_radio_reaches_the_console(radio_server: V2VServer, waves: Waves) -> None:
    station, vehicle_id = on_air(radio_server, waves)
    async with dispatcher(radio_server) as (desk, _):
        key = station.send(Text(content="At the gate"))
        message = await desk.next("message", senderId=vehicle_id)
        text = await desk.next("radio_text", senderShort=station.address)
    assert (message["content"], message["via"], message["recipientId"]) == ("At the gate", "radio", "dispatch")
    assert (text["content"], text["vehicleId"]) == ("At the gate", vehicle_id)
    assert -110 <= text["rssi"] <= -70
    assert station.acked(key)


async def test_an_emergency_by_radio_is_told_acknowledged_on_air_and_followed(
    radio_server: V2VServer, waves: Waves
) -> None:
    station, vehicle_id = on_air(radio_server, waves)
    async with dispatcher(radio_server) as (desk, _), vehicle(radio_server) as (neighbor, _):
        key = station.send(Emergency(type="crash", lat=PLACE[0], lng=PLACE[1], content="Two cars"))
        alert = await desk.next("emergency_alert", senderId=vehicle_id)
        assert (alert["via"], alert["type"], alert["message"]) == ("radio", "crash", "Two cars")
        await neighbor.next("emergency_alert", alertId=alert["alertId"])
        assert station.acked(key)
        await desk.send("alert_ack", {"alertId": alert["alertId"]}, id="a")
        await desk.next("ack", id="a")
    assert station.next(Control).status is Status.ACKNOWLEDGED


async def test_a_message_to_a_vehicle_on_the_radio_only_is_delivered_there_and_says_so(
    radio_server: V2VServer, waves: Waves
) -> None:
    station, vehicle_id = on_air(radio_server, waves)
    async with dispatcher(radio_server) as (desk, _):
        await desk.send("send_message", {"recipientId": vehicle_id, "content": "Come home"}, id="m")
        message_id = (await desk.next("ack", id="m"))["messageId"]
        queued = await desk.next("message_status", messageId=message_id)
        delivered = await desk.next("message_status", messageId=message_id, status="delivered")
    assert (queued["status"], queued["via"]) == ("queued", "radio")
    assert (delivered["via"], delivered["recipientId"]) == ("radio", vehicle_id)
    assert station.next(Text).content == "Come home"


async def test_an_alert_of_a_neighbor_reaches_a_vehicle_on_the_radio_only(
    radio_server: V2VServer, waves: Waves
) -> None:
    station, _ = on_air(radio_server, waves)
    async with vehicle(radio_server) as (neighbor, neighbor_id):
        await neighbor.send("emergency_alert", {"type": "hazard", "message": "Rocks"}, id="e")
        await neighbor.next("ack", id="e")
        received = station.next(Emergency)
        while received.content != f"{neighbor_id}: Rocks":
            received = station.next(Emergency)
    assert (received.type, received.severity) == ("hazard", "critical")
