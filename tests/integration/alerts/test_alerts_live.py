"""Alerts from the vehicle to everybody concerned and back, through a running server."""

import asyncio
from typing import Any

from tests.servers.v2v import V2VServer
from tests.sockets import Socket, dispatcher, vehicle, vehicle_socket

LNG = 20.0
METERS = 1 / 111_195  # in degrees of latitude


async def raise_alert(socket: Socket, id_: str = "e1", **data: Any) -> str:
    await socket.send("emergency_alert", {"type": "crash", **data}, id=id_)
    return str((await socket.next("ack", id=id_))["alertId"])


async def at(socket: Socket, lat: float) -> None:
    await socket.send("location_update", {"lat": lat, "lng": LNG}, id=f"at{lat}")
    await socket.next("ack")


async def sql(server: V2VServer, expression: str) -> str:
    code = f"from v2v.alerts.models import *; print({expression})"
    return (await asyncio.to_thread(server.manage, "shell", "-v0", "-c", code)).strip()


def alerts_in(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [frame for frame in frames if "alert" in frame["event"]]


async def test_an_alert_reaches_every_vehicle_and_dispatcher_and_its_end_does_too(server: V2VServer) -> None:
    async with (
        vehicle(server) as (sender, sender_id),
        vehicle(server) as (peer, peer_id),
        dispatcher(server) as (desk, _),
        dispatcher(server, "alpha_viewer") as (viewer, _),
    ):
        alert_id = await raise_alert(sender, message="Two trucks", severity="high")
        for receiver in (peer, desk, viewer):
            heard = await receiver.next("emergency_alert", alertId=alert_id)
            assert (heard["senderId"], heard["type"], heard["severity"]) == (sender_id, "crash", "high")
            assert (heard["via"], heard["state"], heard["acknowledged"], heard["causeCode"]) == ("ws", "open", False, 2)
            assert "lat" not in heard  # it works before the first location
        await desk.send("alert_displayed", {"alertId": alert_id}, id="d1")
        shown = await sender.next("alert_updated", alertId=alert_id)
        assert (shown["change"], shown["state"], shown["by"]) == ("displayed", "open", "alpha_dispatcher")
        await desk.send("alert_ack", {"alertId": alert_id}, id="d2")
        assert (await desk.next("ack", id="d2"))["alertId"] == alert_id
        for receiver in (sender, peer, viewer):
            taken = await receiver.next("alert_updated", alertId=alert_id, change="acknowledged")
            assert taken["by"] == "alpha_dispatcher"
        await desk.send("alert_assign", {"alertId": alert_id, "assignee": "Ambulance 3"}, id="d3")
        assert (await peer.next("alert_updated", change="assigned"))["assignee"] == "Ambulance 3"
        await desk.send("alert_note", {"alertId": alert_id, "note": "Police informed"}, id="d4")
        assert (await viewer.next("alert_updated", change="noted"))["note"] == "Police informed"
        await desk.send("alert_resolve", {"alertId": alert_id, "disposition": "false"}, id="d5")
        assert (await desk.next("error", id="d5"))["code"] == "validation_error"
        await desk.send("alert_resolve", {"alertId": alert_id, "disposition": "valid"}, id="d6")
        ended = await peer.next("alert_updated", alertId=alert_id, change="resolved")
        assert (ended["state"], ended["disposition"]) == ("resolved", "valid")
        await asyncio.sleep(1.2)
    recipients = await sql(
        server, f"list(AlertRecipient.objects.filter(alert='{alert_id}').values_list('vehicle__vehicle_id', flat=True))"
    )
    assert peer_id in recipients
    assert sender_id not in recipients


async def test_one_within_the_radius_hears_how_far_and_one_outside_hears_nothing(server: V2VServer) -> None:
    async with (
        vehicle(server) as (sender, _),
        vehicle(server) as (near, _),
        vehicle(server) as (far, _),
        dispatcher(server) as (desk, _),
    ):
        await at(sender, 1.0)
        await at(near, 1.0 + 300 * METERS)
        await at(far, 1.0 + 900 * METERS)
        alert_id = await raise_alert(sender, radiusM=500)
        heard = await near.next("emergency_alert", alertId=alert_id)
        assert abs(heard["distanceM"] - 300) < 1
        assert (heard["lat"], heard["radiusM"]) == (1.0, 500)
        assert "distanceM" not in await desk.next("emergency_alert", alertId=alert_id)
        await at(near, 1.0 + 5000 * METERS)  # who was told is told the end, wherever it is
        await sender.send("alert_cancel", {"alertId": alert_id}, id="c1")
        await sender.next("ack", id="c1")
        assert (await near.next("alert_updated", alertId=alert_id))["state"] == "cancelled"
        assert alerts_in(await far.drain(0.3)) == []


async def test_the_same_id_three_times_is_one_alert_and_costs_no_limit(server: V2VServer) -> None:
    async with vehicle(server) as (sender, sender_id), vehicle(server) as (peer, _):
        ids = {await raise_alert(sender, "same", message=f"try {n}") for n in range(3)}
        assert len(ids) == 1
        await sender.send("emergency_alert", {}, id="another")
        error = await sender.next("error", id="another")
        assert error["code"] == "rate_limited"
        assert 0 < error["details"]["retryAfterMs"] <= 10_000
        heard = [frame for frame in await peer.drain(0.3) if frame["event"] == "emergency_alert"]
        assert [frame["data"]["message"] for frame in heard if frame["data"]["senderId"] == sender_id] == ["try 0"]


async def test_of_two_dispatchers_at_once_one_wins_and_the_other_is_told_who(server: V2VServer) -> None:
    async with dispatcher(server) as (one, _), dispatcher(server, "alpha_fleet_admin") as (two, _):
        for n in range(8):
            async with vehicle(server) as (sender, _):
                alert_id = await raise_alert(sender)
                for desk in (one, two):
                    await desk.next("emergency_alert", alertId=alert_id)
                await asyncio.gather(
                    *(desk.send("alert_ack", {"alertId": alert_id}, id=f"a{n}") for desk in (one, two))
                )
                answers = []
                for desk in (one, two):
                    frames = await desk.drain(0.4)
                    answers += [f for f in frames if f["event"] in ("ack", "error") and f["data"].get("id") == f"a{n}"]
                assert sorted(answer["event"] for answer in answers) == ["ack", "error"]
                (error,) = [answer["data"] for answer in answers if answer["event"] == "error"]
                taken = await sender.next("alert_updated", alertId=alert_id, change="acknowledged")
                assert (error["code"], error["details"]["by"]) == ("conflict", taken["by"])


async def test_a_viewer_and_another_fleet_may_do_nothing(server: V2VServer) -> None:
    async with (
        vehicle(server) as (sender, _),
        vehicle(server, "beta") as (stranger, _),
        dispatcher(server, "alpha_viewer") as (viewer, _),
        dispatcher(server, "beta_dispatcher") as (other, _),
    ):
        alert_id = await raise_alert(sender)
        for desk, code in ((viewer, "forbidden"), (other, "not_found")):
            for event, more in (("alert_ack", {}), ("alert_displayed", {}), ("alert_note", {"note": "x"})):
                await desk.send(event, {"alertId": alert_id, **more}, id=event)
                assert (await desk.next("error", id=event))["code"] == code
        await stranger.send("alert_cancel", {"alertId": alert_id}, id="c")
        assert (await stranger.next("error", id="c"))["code"] == "not_found"
        await stranger.send("alert_cancel", {"alertId": "no uuid"}, id="d")
        assert (await stranger.next("error", id="d"))["code"] == "not_found"
        assert alerts_in(await stranger.drain(0.2)) == alerts_in(await other.drain(0.1)) == []


async def test_worse_after_the_acknowledgement_opens_it_again(server: V2VServer) -> None:
    async with vehicle(server) as (sender, _), vehicle(server) as (peer, _), dispatcher(server) as (desk, _):
        alert_id = await raise_alert(sender, severity="medium")
        await desk.send("alert_ack", {"alertId": alert_id}, id="d")
        await peer.next("alert_updated", alertId=alert_id)
        await sender.send("emergency_alert", {"alertId": alert_id, "severity": "critical", "message": "Fire"}, id="w")
        assert (await sender.next("ack", id="w"))["alertId"] == alert_id
        for receiver in (peer, desk):
            heard = await receiver.next("emergency_alert", alertId=alert_id, severity="critical")
            assert (heard["state"], heard["message"], heard["type"]) == ("open", "Fire", "crash")


async def test_the_snapshot_after_a_reconnect_has_what_is_active_untaken_first(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with vehicle(server) as (sender, _), vehicle(server) as (other, _), dispatcher(server) as (desk, _):
        taken, open_ = await raise_alert(sender), await raise_alert(other, drill=True)
        await desk.send("alert_ack", {"alertId": taken}, id="d")
        await desk.next("ack", id="d")
        async with vehicle_socket(server) as late, dispatcher(server) as (_, snapshot):
            registered = await late.register(vehicle_id, token)
            for alerts in (registered["alerts"], snapshot["alerts"]):
                found = {alert["alertId"]: alert for alert in alerts}
                ids = list(found)
                assert ids.index(open_) < ids.index(taken)
                assert found[open_]["drill"] is True
                assert (found[taken]["state"], found[taken]["acknowledgedBy"]) == ("acknowledged", "alpha_dispatcher")
            await sender.send("alert_cancel", {"alertId": taken}, id="c")
            assert (await late.next("alert_updated", alertId=taken))["state"] == "cancelled"


async def test_nobody_acknowledges_and_it_is_told_again(start_server: Any) -> None:
    server = start_server(ALERT_ESCALATE_MS="300")
    async with vehicle(server) as (sender, _), vehicle(server) as (peer, _), dispatcher(server) as (desk, _):
        alert_id = await raise_alert(sender)
        for level in (1, 2):
            for receiver in (peer, desk):
                heard = await receiver.next("alert_updated", alertId=alert_id, escalationLevel=level)
                assert (heard["change"], heard["state"]) == ("escalated", "open")
        await desk.send("alert_ack", {"alertId": alert_id}, id="d")
        await peer.next("alert_updated", change="acknowledged")
        assert alerts_in(await peer.drain(1.5)) == []


async def test_an_alert_that_comes_too_late_or_from_a_wrong_clock_is_refused(server: V2VServer) -> None:
    async with vehicle(server) as (sender, _):
        await sender.send("heartbeat")
        now = (await sender.next("heartbeat_ack"))["ts"]
        await sender.send("emergency_alert", {}, id="late", ts=now - 400_000, ttlMs=1000)
        assert (await sender.next("error", id="late"))["code"] == "expired"
        await sender.send("emergency_alert", {}, id="ahead", ts=now + 400_000)
        assert (await sender.next("error", id="ahead"))["code"] == "clock_skew"
        assert await raise_alert(sender, "skewed a little")
