import asyncio
from collections.abc import Callable
from http import HTTPStatus

import pytest

from tests.unit.client.peer import DEADLINE_S, Peer
from v2v.client import DispatchClient, NotConnected, State, Stopped, VehicleClient
from v2v.client.backoff import Backoff
from v2v.protocol.codes import CLOSES, CloseCode
from v2v.protocol.commands import Heartbeat, HeartbeatData, VehicleInfo
from v2v.protocol.events import Registered

Make = Callable[..., VehicleClient]
COMES_BACK = [*(code for code, words in CLOSES.items() if words.reconnect), 1001, 1011, 4999]
STAYS_AWAY = [code for code, words in CLOSES.items() if not words.reconnect]


async def stopped(client: VehicleClient) -> Stopped:
    """Why the client has stopped, once it has."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            async for _ in client.events():
                pass
    except Stopped as reason:
        return reason
    raise AssertionError("it was closed from this side")


async def test_a_vehicle_says_who_it_is(peer: Peer, vehicle: Make) -> None:
    info = VehicleInfo(type="truck", plate="Dubai K 12345")
    async with vehicle(device_id="cab", driver_name="Amina Khan", vehicle_info=info):
        side = await peer.accept()
        assert await side.register() == {
            "event": "register",
            "data": {
                "vehicleId": "truck-1",
                "token": "secret",
                "deviceId": "cab",
                "driverName": "Amina Khan",
                "vehicleInfo": {"type": "truck", "plate": "Dubai K 12345"},
            },
        }


async def test_what_is_not_known_is_not_sent(peer: Peer, vehicle: Make) -> None:
    async with vehicle(token=None, headers={"Authorization": "Bearer of-the-header"}):
        side = await peer.accept()
        assert (await side.register())["data"] == {"vehicleId": "truck-1"}
    assert peer.upgrades[0].headers["Authorization"] == "Bearer of-the-header"


async def test_the_snapshot_is_there_once_the_client_is_online(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        neighbor = {"vehicleId": "truck-2", "lat": 25.1, "lng": 55.2, "ts": 5, "distanceM": 12.5, "bearing": 90}
        await peer.accept_registered(nearby=[{**neighbor, "lastSeen": 7}])
        snapshot = await client.wait_online()
        assert snapshot.nearby is not None
        assert snapshot.nearby[0].distance_m == 12.5
        assert client.state is State.ONLINE


async def test_a_lost_connection_comes_back_with_a_new_snapshot(peer: Peer, vehicle: Make) -> None:
    states: list[State] = []
    async with vehicle(on_state=states.append) as client:
        side = await peer.accept_registered(sessionId="first")
        events = client.events()
        await side.drop()
        await peer.accept_registered(sessionId="second")
        async for event in events:
            if isinstance(event, Registered) and event.data.session_id == "second":
                break
        assert client.registered is not None
        assert client.registered.session_id == "second"
    assert states == [State.ONLINE, State.RECONNECTING, State.ONLINE, State.STOPPED]


async def test_after_three_failed_tries_the_client_is_offline(peer: Peer, vehicle: Make) -> None:
    states: list[State] = []
    peer.statuses = [HTTPStatus.SERVICE_UNAVAILABLE] * 4
    async with vehicle(on_state=states.append) as client:
        await peer.accept_registered()
        await client.wait_online()
    assert states == [State.RECONNECTING, State.OFFLINE, State.ONLINE, State.STOPPED]


@pytest.mark.parametrize("code", COMES_BACK)
async def test_the_client_comes_back_after(code: int, peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        await side.close(code)
        await peer.accept_registered()


@pytest.mark.parametrize("code", STAYS_AWAY)
async def test_the_client_stays_away_after(code: CloseCode, peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        await side.close(code)
        reason = await stopped(client)
        assert reason.code == code
        assert reason.reason == CLOSES[code].reason
        with pytest.raises(Stopped):
            await client.wait_online()
        assert client.state is State.STOPPED


async def test_refused_credentials_end_it_in_the_servers_words(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept()
        await side.read("register")
        await side.send("error", code="auth_failed", message="The token was revoked.", ts=1)
        reason = await stopped(client)
    assert (reason.code, reason.reason) == ("auth_failed", "The token was revoked.")


async def test_run_raises_why_it_stopped(peer: Peer, vehicle: Make) -> None:
    peer.statuses = [HTTPStatus.FORBIDDEN]
    with pytest.raises(Stopped, match="403"):
        await vehicle().run()


async def test_a_registration_that_came_too_often_is_repeated_when_the_server_says(peer: Peer, vehicle: Make) -> None:
    # Left to its backoff the client would wait for longer than the test may take.
    async with vehicle(backoff=Backoff(draw=lambda: 100.0)):
        side = await peer.accept()
        await side.read("register")
        await side.send("error", code="rate_limited", message="Slow.", ts=1, details={"retryAfterMs": 5})
        await peer.accept_registered()


async def test_after_a_shutdown_the_client_comes_back_when_it_was_told(peer: Peer, vehicle: Make) -> None:
    async with vehicle(backoff=Backoff(draw=lambda: 100.0)):
        side = await peer.accept_registered()
        await side.send("server_shutdown", reconnectInMs=5)
        await side.close(CloseCode.RESTARTING)
        await peer.accept_registered()


async def test_a_missing_number_makes_the_client_ask_for_a_new_snapshot(peer: Peer, vehicle: Make) -> None:
    async with vehicle():
        side = await peer.accept_registered()
        side.seq += 1
        await side.send("presence_update", vehicleId="truck-2", status="online", lastSeen=1)
        await peer.accept_registered()


async def test_positions_have_no_number_and_are_no_gap(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        events = client.events()
        await side.socket.send('{"event":"peer_locations","data":{"peers":[]}}')
        await side.send("presence_update", vehicleId="truck-2", status="online", lastSeen=1)
        tags = [(await anext(events)).__struct_config__.tag for _ in range(3)]
    assert tags == ["registered", "peer_locations", "presence_update"]


@pytest.mark.parametrize("rubbish", ["no JSON", "[]", '{"data":{}}', '{"event":1,"data":{}}'])
async def test_a_server_that_talks_rubbish_is_left_and_tried_again(rubbish: str, peer: Peer, vehicle: Make) -> None:
    async with vehicle():
        side = await peer.accept_registered()
        await side.socket.send(rubbish)
        await peer.accept_registered()


async def test_heartbeats_come_in_the_servers_interval(peer: Peer, vehicle: Make) -> None:
    async with vehicle():
        side = await peer.accept_registered(heartbeatIntervalMs=200)
        for _ in range(2):
            assert await side.read("heartbeat") == {"event": "heartbeat", "data": {}}
            await side.send("heartbeat_ack", ts=1)


async def test_a_silent_server_is_left_and_tried_again(peer: Peer, vehicle: Make) -> None:
    async with vehicle():
        await peer.accept_registered(heartbeatIntervalMs=10)
        await peer.accept_registered()


async def test_closing_in_the_middle_of_connecting_leaves_nothing_behind(vehicle: Make, peer: Peer) -> None:
    async with vehicle() as client:
        await peer.accept()  # and no answer to the register
    assert client.state is State.STOPPED
    with pytest.raises(Stopped, match="closed"):
        await client.wait_online()


async def test_a_dispatcher_is_known_by_the_upgrade_and_does_not_register(peer: Peer) -> None:
    async with DispatchClient(peer.url, headers={"Cookie": "sessionid=abc", "Origin": "http://localhost"}) as client:
        side = await peer.accept()
        await side.welcome(fleets=[{"slug": "demo", "name": "Demo"}])
        snapshot = await client.wait_online()
        assert snapshot.fleets is not None
        assert snapshot.fleets[0].slug == "demo"
    assert peer.upgrades[0].headers["Cookie"] == "sessionid=abc"


async def test_without_a_server_the_client_goes_on_trying(unused_tcp_port: int) -> None:
    states: list[State] = []
    offline = asyncio.Event()

    def note(state: State) -> None:
        states.append(state)
        if state is State.OFFLINE:
            offline.set()

    url = f"ws://127.0.0.1:{unused_tcp_port}/"
    client = VehicleClient(url, vehicle_id="truck-1", on_state=note, backoff=Backoff(draw=lambda: 0.0))
    async with client, asyncio.timeout(DEADLINE_S):
        await offline.wait()
        with pytest.raises(TimeoutError):
            await client.wait_online(deadline_s=0.01)
        with pytest.raises(NotConnected):
            await client.command(Heartbeat(data=HeartbeatData()))


async def test_a_new_token_is_used_on_the_open_connection_and_on_the_next(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        renewing = asyncio.create_task(client.renew("fresh"))
        again = await side.read("register")
        assert again["data"] == {"vehicleId": "truck-1", "token": "fresh"}
        await side.welcome(sessionId="renewed")
        await side.send("ack", id=again["id"])
        await renewing
        assert client.registered is not None
        assert client.registered.session_id == "renewed"
        await side.drop()
        side = await peer.accept()
        assert (await side.register())["data"]["token"] == "fresh"
