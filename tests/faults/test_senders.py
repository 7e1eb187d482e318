"""Senders that die, repeat themselves, have a wrong clock: each thing that was sent is stored once, or refused."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.conftest import RecordFigure
from tests.faults.sender import commands_of
from tests.servers import postgres, v2v
from tests.servers.run import Run
from tests.servers.v2v import ROOT, V2VServer
from tests.sockets import Socket, dispatcher, vehicle, vehicle_socket

pytestmark = pytest.mark.timeout(180)  # with the start of servers on two busy cores

VEHICLES = 8
SKEW_MS = 5 * 60 * 1000
ALERT: tuple[str, dict[str, Any]] = ("emergency_alert", {})
MESSAGE = ("send_message", {"recipientId": "dispatch", "content": "Hi"})
STORED = """
import json
from v2v.alerts.models import Alert
from v2v.messaging.models import Message
rows = [(a.client_id, str(a.pk)) for a in Alert.objects.all()]
rows += [(m.client_id, str(m.message_id)) for m in Message.objects.all()]
print(json.dumps(rows))
"""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, run: Run) -> Iterator[V2VServer]:
    running = v2v.start(run, database_url=postgres.start(run).url if request.param == "postgres" else "")
    yield running
    running.stop()


def stored(server: V2VServer) -> dict[str, list[str]]:
    """What is in the database by the sender's id of it."""
    found: dict[str, list[str]] = {}
    for client_id, made in json.loads(server.shell(STORED)):
        found.setdefault(client_id, []).append(made)
    return found


def run_sender(server: V2VServer, vehicles: dict[str, str], *, kill_after: int | None) -> dict[str, str]:
    """Run the program, to its end or until so many acks were printed; what was acked by id."""
    acked: dict[str, str] = {}
    command = [sys.executable, "-m", "tests.faults.sender"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        json.dump({"url": server.url, "vehicles": vehicles}, process.stdin)
        process.stdin.close()
        for line in process.stdout:
            id_, made = line.split()
            acked[id_] = made
            if len(acked) == kill_after:
                process.kill()  # what it has printed already is still read
    assert kill_after is not None or process.returncode == 0
    return acked


def test_a_sender_that_is_killed_between_storing_and_ack_sends_again_and_nothing_is_twice(
    server: V2VServer, record_figure: RecordFigure
) -> None:
    vehicles = dict(server.vehicle() for _ in range(VEHICLES))
    sent = {id_ for vehicle_id in vehicles for id_ in commands_of(vehicle_id)}
    first = run_sender(server, vehicles, kill_after=6)
    time.sleep(0.5)  # what was on its way is stored meanwhile
    between = {id_: made[0] for id_, made in stored(server).items() if id_ in sent}
    assert 6 <= len(first) < len(sent)
    assert first.items() <= between.items()
    unacked = len(between) - len(first)
    assert unacked > 0, "nothing was stored whose ack was lost: the test proves nothing"
    second = run_sender(server, vehicles, kill_after=None)
    after = {id_: made for id_, made in stored(server).items() if id_ in sent}
    assert second.keys() == sent
    assert after == {id_: [made] for id_, made in second.items()}
    assert between.items() <= second.items()
    record_figure(
        "kill -9 a sender between storing and ack",
        "acked is stored, once",
        f"{len(first)} acked, {unacked} more stored before the kill; lost 0, twice 0 of {len(sent)}",
    )


@pytest.mark.parametrize("command", [ALERT, MESSAGE], ids=["alert", "message"])
async def test_the_same_id_three_times_over_three_connections_is_one(
    server: V2VServer, command: tuple[str, dict[str, Any]]
) -> None:
    vehicle_id, token = server.vehicle()
    id_ = f"{vehicle_id}-{command[0]}"
    made, told = set(), 0
    async with dispatcher(server) as (desk, _):
        for _ in range(3):
            async with vehicle_socket(server) as socket:
                await socket.register(vehicle_id, token)
                await socket.send(*command, id=id_)
                ack = await socket.next("ack", id=id_)
                made.add(ack.get("alertId") or ack["messageId"])
        for frame in await desk.drain(0.3):
            told += frame["data"].get("alertId" if command is ALERT else "messageId") in made
    assert (len(made), told) == (1, 1)
    assert (await asyncio.to_thread(stored, server))[id_] == list(made)


async def test_a_clock_that_is_off_by_more_than_five_minutes_is_told_so_and_nothing_is_stored(
    server: V2VServer, record_figure: RecordFigure
) -> None:
    refused: list[str] = []
    async with vehicle(server) as (sender, vehicle_id), dispatcher(server) as (desk, _):
        now = await _server_ms(sender)
        for event, data in (ALERT, MESSAGE):
            for skew in (-SKEW_MS - 60_000, SKEW_MS + 60_000):
                refused.append(id_ := f"{vehicle_id}-{event}-{skew}")
                await sender.send(event, data, id=id_, ts=now + skew, ttlMs=1_000)
                assert (await sender.next("error", id=id_))["code"] == ("expired" if skew < 0 else "clock_skew")
        for event, data in (ALERT, MESSAGE):
            good = f"{vehicle_id}-{event}-good"
            await sender.send(event, data, id=good, ts=now + SKEW_MS - 60_000)
            ack = await sender.next("ack", id=good)
        alert_id = (await desk.next("emergency_alert", senderId=vehicle_id))["alertId"]
        assert ack
        await desk.send("alert_ack", {"alertId": alert_id}, id="ahead", ts=now + SKEW_MS + 60_000)
        assert (await desk.next("error", id="ahead"))["code"] == "clock_skew"
        await desk.send("alert_ack", {"alertId": alert_id}, id="behind", ts=now - SKEW_MS + 60_000)
        await desk.next("ack", id="behind")
    found = await asyncio.to_thread(stored, server)
    assert [id_ for id_ in refused if id_ in found] == []
    assert f"{vehicle_id}-send_message-good" in found
    record_figure("clock off by 6 minutes", "refused, nothing stored", f"{len(refused)} refused, 0 stored")


async def _server_ms(socket: Socket) -> int:
    await socket.send("heartbeat")
    return int((await socket.next("heartbeat_ack"))["ts"])


async def test_of_two_dispatchers_who_take_it_at_once_from_two_windows_each_one_has_it(server: V2VServer) -> None:
    async with (
        dispatcher(server) as (a, _),
        dispatcher(server) as (b, _),
        dispatcher(server, "alpha_fleet_admin") as (c, _),
        dispatcher(server, "alpha_fleet_admin") as (d, _),
    ):
        desks = (a, b, c, d)
        taken = []
        for number in range(6):
            async with vehicle(server) as (sender, _):
                await sender.send("emergency_alert", {}, id="e")
                taken.append(alert_id := (await sender.next("ack", id="e"))["alertId"])
                await asyncio.gather(*(desk.send("alert_ack", {"alertId": alert_id}, id=f"{number}") for desk in desks))
                answers = [await _answer(desk, f"{number}") for desk in desks]
                winner = (await sender.next("alert_updated", alertId=alert_id, change="acknowledged"))["by"]
            mine = answers[:2] if winner == "alpha_dispatcher" else answers[2:]
            theirs = answers[2:] if winner == "alpha_dispatcher" else answers[:2]
            assert [answer["event"] for answer in mine] == ["ack", "ack"]  # the second time it was his already
            assert [answer["data"]["code"] for answer in theirs] == ["conflict", "conflict"]
            assert {answer["data"]["details"]["by"] for answer in theirs} == {winner}
    of_them = f"AlertEvent.objects.filter(alert__in={taken}, kind='acknowledged')"
    code = f"from v2v.alerts.models import AlertEvent; print({of_them}.count())"
    assert await asyncio.to_thread(server.shell, code) == "6"


async def _answer(desk: Socket, id_: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            for frame in desk.seen:
                if frame["event"] in ("ack", "error") and frame["data"].get("id") == id_:
                    return frame
            await desk.drain(0.1)
