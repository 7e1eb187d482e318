"""Calls through a running server: every way that one may go, and who may not take part."""

import asyncio
from typing import Any

import pytest

from tests.integration.calls.phone import (
    CANDIDATE,
    SDP,
    about,
    answered,
    command,
    refused,
    ring,
    some_id,
    state,
    talk,
)
from tests.servers.v2v import V2VServer
from tests.sockets import dispatcher, vehicle, vehicle_socket


async def test_a_vehicle_calls_another_they_talk_and_hang_up(server: V2VServer) -> None:
    async with vehicle(server) as (a, a_id), vehicle(server) as (b, b_id), dispatcher(server, "alpha_viewer") as (v, _):
        call_id = await ring(a, b_id)
        incoming = await b.next("call_incoming")
        assert (incoming["callId"], incoming["callerId"], incoming["calleeId"]) == (call_id, a_id, b_id)
        assert incoming["ringUntil"] - incoming["startedAt"] == 30_000
        assert incoming["iceServers"] == []
        for socket in (a, b, v):
            assert (await state(socket, call_id, "ringing"))["callerId"] == a_id
        assert (await command(b, "call_answer", callId=call_id))["outcome"] == "active"
        for socket in (a, b, v):
            assert (await state(socket, call_id, "active"))["answeredBy"] == "default"
        await command(a, "webrtc_offer", callId=call_id, sdp=SDP)
        assert await b.next("webrtc_offer") == {"callId": call_id, "senderId": a_id, "sdp": SDP}
        await command(b, "webrtc_answer", callId=call_id, sdp=SDP)
        assert (await a.next("webrtc_answer"))["senderId"] == b_id
        await command(b, "webrtc_ice_candidate", callId=call_id, candidate=CANDIDATE, sdpMid="0", sdpMLineIndex=0)
        assert (await a.next("webrtc_ice_candidate"))["candidate"] == CANDIDATE
        assert (await command(a, "call_end", callId=call_id))["outcome"] == "ended"
        for socket in (a, b, v):
            over = await state(socket, call_id, "ended")
            assert over["endReason"] == "hangup"
            assert over["startedAt"] <= over["answeredAt"] <= over["endedAt"]
        assert {"webrtc_offer", "webrtc_answer", "call_incoming"}.isdisjoint(about(v.seen, call_id))


async def test_a_dispatcher_calls_a_vehicle_which_declines(server: V2VServer) -> None:
    async with dispatcher(server) as (desk, _), vehicle(server) as (a, a_id):
        call_id = await ring(desk, a_id, media="video")
        incoming = await a.next("call_incoming")
        assert (incoming["callerId"], incoming["callerName"], incoming["media"]) == (
            "dispatch",
            "alpha_dispatcher",
            "video",
        )
        await command(a, "call_reject", callId=call_id)
        assert (await state(desk, call_id, "rejected"))["endReason"] == "declined"


async def test_of_several_dispatchers_the_first_has_the_call_and_the_others_hear_who(server: V2VServer) -> None:
    async with (
        vehicle(server) as (a, _),
        dispatcher(server) as (one, _),
        dispatcher(server, "alpha_fleet_admin") as (two, _),
    ):
        call_id = await ring(a, "dispatch")
        for desk in (one, two):
            await desk.next("call_incoming", callId=call_id)
        answers = await asyncio.gather(*(answered(desk, "call_answer", callId=call_id) for desk in (one, two)))
        winner, loser = (one, two) if "code" in answers[1] else (two, one)
        [error] = [answer for answer in answers if "code" in answer]
        name = (await state(a, call_id, "active"))["answeredBy"]
        assert name == ("alpha_dispatcher" if winner is one else "alpha_fleet_admin")
        assert (error["code"], error["details"]) == ("conflict", {"state": "active", "by": name})
        assert (await state(loser, call_id, "active"))["answeredBy"] == name
        for event, more in (("webrtc_offer", {"sdp": SDP}), ("call_end", {})):
            assert (await refused(loser, event, callId=call_id, **more))["code"] == "forbidden"
        await command(a, "webrtc_offer", callId=call_id, sdp=SDP)
        await winner.next("webrtc_offer")
        await command(winner, "call_end", callId=call_id)
        await state(loser, call_id, "ended")
        assert "webrtc_offer" not in about(loser.seen, call_id)


async def test_a_call_to_dispatch_rings_until_the_last_dispatcher_has_rejected_it(server: V2VServer) -> None:
    async with (
        vehicle(server) as (a, _),
        dispatcher(server) as (one, _),
        dispatcher(server, "alpha_fleet_admin") as (two, _),
    ):
        call_id = await ring(a, "dispatch")
        assert (await command(one, "call_reject", callId=call_id))["outcome"] == "ringing"
        assert (await command(one, "call_reject", callId=call_id))["outcome"] == "ringing"
        assert (await command(two, "call_reject", callId=call_id, reason="busy"))["outcome"] == "rejected"
        assert (await state(a, call_id, "rejected"))["endReason"] == "busy"


async def test_every_device_rings_the_first_answer_wins_and_signalling_goes_to_it_alone(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with vehicle(server) as (a, _), vehicle_socket(server) as cab, vehicle_socket(server) as phone:
        for socket, device in ((cab, "cab"), (phone, "phone")):
            await socket.register(vehicle_id, token, deviceId=device)
        call_id = await ring(a, vehicle_id)
        await command(a, "webrtc_offer", callId=call_id, sdp=SDP)
        for socket in (cab, phone):
            await socket.next("call_incoming", callId=call_id)
            await socket.next("webrtc_offer", callId=call_id)
        error = await refused(cab, "webrtc_ice_candidate", callId=call_id, candidate=CANDIDATE)
        assert (error["code"], error["details"]["state"]) == ("conflict", "ringing")
        await command(phone, "webrtc_answer", callId=call_id, sdp=SDP)  # answers, too
        assert (await state(cab, call_id, "active"))["answeredBy"] == "phone"
        await a.next("webrtc_answer", callId=call_id)
        assert (await refused(cab, "call_answer", callId=call_id))["details"]["by"] == "phone"
        assert (await refused(cab, "webrtc_offer", callId=call_id, sdp=SDP))["code"] == "forbidden"
        await command(a, "webrtc_ice_candidate", callId=call_id, candidate=CANDIDATE)
        await phone.next("webrtc_ice_candidate", callId=call_id)
        await command(cab, "call_end", callId=call_id)  # the driver hangs up with the other device
        await state(a, call_id, "ended")
        assert "webrtc_ice_candidate" not in about(cab.seen, call_id)


async def test_two_that_ring_each_other_are_connected_by_the_earlier_call(server: V2VServer) -> None:
    async with vehicle(server) as (a, a_id), vehicle(server) as (b, b_id):
        call_id = await ring(a, b_id)
        ack = await command(b, "call_initiate", calleeId=a_id, id_="glare")
        assert (ack["callId"], ack["outcome"]) == (call_id, "active")
        assert (await command(b, "call_initiate", calleeId=a_id, id_="glare"))["callId"] == call_id
        await state(a, call_id, "active")
        await command(a, "webrtc_offer", callId=call_id, sdp=SDP)
        await b.next("webrtc_offer", callId=call_id)
        await command(b, "call_end", callId=call_id)


async def test_two_that_ring_each_other_at_the_same_moment_have_one_call(server: V2VServer) -> None:
    for _ in range(5):
        async with vehicle(server) as (a, a_id), vehicle(server) as (b, b_id):
            acks = await asyncio.gather(
                command(a, "call_initiate", calleeId=b_id), command(b, "call_initiate", calleeId=a_id)
            )
            assert acks[0]["callId"] == acks[1]["callId"]
            assert {ack["outcome"] for ack in acks} == {"ringing", "active"}
            await command(a, "call_end", callId=acks[0]["callId"])


async def test_a_dispatcher_and_a_vehicle_that_ring_each_other_are_connected(server: V2VServer) -> None:
    async with vehicle(server) as (a, a_id), dispatcher(server) as (desk, _):
        call_id = await ring(a, "dispatch")
        assert (await command(desk, "call_initiate", calleeId=a_id))["callId"] == call_id
        await command(desk, "call_end", callId=call_id)
        call_id = await ring(desk, a_id)
        assert (await command(a, "call_initiate", calleeId="dispatch"))["callId"] == call_id
        await command(a, "call_end", callId=call_id)
        assert (await state(desk, call_id, "ended"))["endReason"] == "hangup"


async def test_who_is_in_a_call_is_busy_and_begins_no_other(server: V2VServer) -> None:
    async with vehicle(server) as (a, a_id), vehicle(server) as (b, b_id), vehicle(server) as (c, _):
        call_id = await talk(a, b, b_id)
        for callee_id in (a_id, b_id):
            ack = await command(c, "call_initiate", calleeId=callee_id)
            assert ack["outcome"] == "rejected"
            assert (await state(c, ack["callId"], "rejected"))["endReason"] == "busy"
        error = await refused(a, "call_initiate", calleeId="dispatch")
        assert (error["code"], error["details"]) == ("conflict", {"callId": call_id, "state": "active"})
        await command(b, "call_end", callId=call_id)
        assert [m for m in b.seen if m["event"] == "call_incoming"] == [m for m in b.seen if call_id in str(m)][:1]


async def test_a_dispatcher_answers_one_call_at_a_time(server: V2VServer) -> None:
    async with vehicle(server) as (a, _), vehicle(server) as (b, _), dispatcher(server) as (desk, _):
        first, second = await ring(a, "dispatch"), await ring(b, "dispatch")
        await command(desk, "call_answer", callId=first)
        error = await refused(desk, "call_answer", callId=second)
        assert (error["code"], error["details"]["callId"]) == ("conflict", first)
        await command(desk, "call_end", callId=first)
        await command(desk, "call_answer", callId=second)
        await command(desk, "call_end", callId=second)


async def test_nobody_is_there_and_the_missed_call_is_kept(server: V2VServer) -> None:
    away, _ = server.vehicle()
    async with vehicle(server) as (a, _), dispatcher(server, "beta_viewer"), vehicle(server, "beta") as (b, _):
        for caller, callee_id in ((a, away), (b, "dispatch")):  # a viewer does not count
            errors = [await refused(caller, "call_initiate", calleeId=callee_id, id_="same") for _ in range(2)]
            assert {error["code"] for error in errors} == {"target_offline"}
            [call_id] = {error["details"]["callId"] for error in errors}
            assert (await state(caller, call_id, "missed"))["endReason"] == "offline"
    count = f"CallSession.objects.filter(callee_vehicle__vehicle_id='{away}').count()"
    kept = await asyncio.to_thread(server.shell, f"from v2v.calls.models import CallSession; print({count})")
    assert kept == "1"


async def test_the_same_command_three_times_is_one_call_that_rings_once(server: V2VServer) -> None:
    async with vehicle(server) as (a, _), vehicle(server) as (b, b_id):
        acks = [await command(a, "call_initiate", calleeId=b_id, id_="same") for _ in range(3)]
        assert len({ack["callId"] for ack in acks}) == 1
        call_id = acks[0]["callId"]
        for _ in range(2):
            assert (await command(b, "call_answer", callId=call_id))["outcome"] == "active"
        for _ in range(2):
            assert (await command(a, "call_end", callId=call_id))["outcome"] == "ended"
        await state(b, call_id, "ended")
        assert about(b.seen, call_id).count("call_incoming") == 1
        states = [m["data"]["state"] for m in b.seen if m["event"] == "call_state"]
        assert states == ["ringing", "active", "ended"]


async def test_the_caller_gives_up_and_it_is_missed(server: V2VServer) -> None:
    async with vehicle(server) as (a, _), vehicle(server) as (b, b_id):
        call_id = await ring(a, b_id)
        await command(a, "call_end", callId=call_id)
        assert (await state(b, call_id, "missed"))["endReason"] == "cancelled"
        error = await refused(b, "call_answer", callId=call_id)
        assert (error["code"], error["details"]["state"]) == ("conflict", "missed")
        assert (await command(b, "call_reject", callId=call_id))["outcome"] == "missed"


async def test_no_sound_gets_through_and_the_call_has_failed(server: V2VServer) -> None:
    async with vehicle(server) as (a, _), vehicle(server) as (b, b_id):
        call_id = await talk(a, b, b_id)
        await command(b, "call_end", callId=call_id, reason="media_failure")
        assert (await state(a, call_id, "failed"))["endReason"] == "media_failure"


COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("call_answer", {}),
    ("call_reject", {}),
    ("call_end", {}),
    ("webrtc_offer", {"sdp": SDP}),
    ("webrtc_answer", {"sdp": SDP}),
    ("webrtc_ice_candidate", {"candidate": CANDIDATE}),
]


@pytest.mark.parametrize("is_answered", [False, True], ids=["ringing", "active"])
async def test_a_third_party_can_do_nothing_and_hears_nothing(server: V2VServer, is_answered: bool) -> None:
    async with (
        vehicle(server) as (a, _),
        vehicle(server) as (b, b_id),
        vehicle(server) as (third, _),
        vehicle(server, "beta") as (alien, _),
        dispatcher(server) as (desk, _),
        dispatcher(server, "alpha_viewer") as (viewer, _),
        dispatcher(server, "beta_dispatcher") as (other, _),
    ):
        call_id = await (talk(a, b, b_id) if is_answered else ring(a, b_id))
        who = {third: "not_found", alien: "not_found", other: "not_found", desk: "forbidden", viewer: "forbidden"}
        for socket, code in who.items():
            for event, more in COMMANDS:
                assert (await refused(socket, event, callId=call_id, **more))["code"] == code
        await command(a, "webrtc_offer", callId=call_id, sdp=SDP)
        await b.next("webrtc_offer", callId=call_id)
        for socket in (third, alien, other):
            assert about(await socket.drain(0.1), call_id) == []
            assert about(socket.seen, call_id) == []
        for socket in (desk, viewer):
            assert set(about(socket.seen, call_id)) <= {"call_state"}
        await command(a, "call_end", callId=call_id)


async def test_nobody_rings_another_fleet_itself_or_as_a_viewer(server: V2VServer) -> None:
    async with (
        vehicle(server) as (a, a_id),
        vehicle(server, "beta") as (_, b_id),
        dispatcher(server) as (desk, _),
        dispatcher(server, "alpha_viewer") as (viewer, _),
    ):
        for socket in (a, desk, viewer):
            assert (await refused(socket, "call_initiate", calleeId=b_id))["code"] == "not_found"
        for socket, callee_id in ((a, a_id), (desk, "dispatch")):
            assert (await refused(socket, "call_initiate", calleeId=callee_id))["details"]["field"] == "calleeId"
        assert (await refused(viewer, "call_initiate", calleeId=a_id))["code"] == "forbidden"


HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("call_initiate", {"calleeId": "dispatch", "media": "smell"}),
    ("call_answer", {"callId": ""}),
    ("call_end", {"callId": "c", "reason": "because"}),
    ("webrtc_offer", {"callId": "c", "sdp": "v=0\r\n" + "a" * 32 * 1024}),
    ("webrtc_offer", {"callId": "c", "sdp": "<script>"}),
    ("webrtc_offer", {"callId": "c", "sdp": "v=0\r\n\x00"}),
    ("webrtc_ice_candidate", {"callId": "c", "candidate": "candidate:1"}),
    ("webrtc_ice_candidate", {"callId": "c", "candidate": CANDIDATE + "\r\na=x"}),
    ("webrtc_ice_candidate", {"callId": "c", "candidate": CANDIDATE + " x" * 1024}),
    ("webrtc_ice_candidate", {"callId": "c", "candidate": CANDIDATE, "sdpMLineIndex": -1}),
]


async def test_wrong_input_is_refused_with_its_field(server: V2VServer) -> None:
    async with vehicle(server) as (a, _):
        for event, data in HOSTILE:
            error = await refused(a, event, **data)
            assert error["code"] == "validation_error", (event, data)
            assert error["details"]["field"] in data
        for call_id in (some_id(), "no uuid"):
            for event, more in COMMANDS:
                assert (await refused(a, event, callId=call_id, **more))["code"] == "not_found"


async def test_a_flood_of_candidates_is_limited_and_hanging_up_is_not(server: V2VServer) -> None:
    async with vehicle(server) as (a, _), vehicle(server) as (b, b_id):
        call_id = await talk(a, b, b_id)
        for _ in range(60):
            await a.send("webrtc_ice_candidate", {"callId": call_id, "candidate": CANDIDATE})
        assert (await a.next("error"))["details"]["retryAfterMs"] > 0
        await command(a, "call_end", callId=call_id)
        await state(b, call_id, "ended")
        assert 40 <= about(b.seen, call_id).count("webrtc_ice_candidate") <= 45


async def test_more_calls_than_the_limit_are_refused_with_the_time_to_wait(server: V2VServer) -> None:
    away, _ = server.vehicle()
    async with vehicle(server) as (a, _):
        codes = [(await refused(a, "call_initiate", calleeId=away))["code"] for _ in range(6)]
        assert codes == ["target_offline"] * 5 + ["rate_limited"]
