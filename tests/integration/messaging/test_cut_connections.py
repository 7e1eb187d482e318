"""Two vehicles and a dispatcher talk while a connection is cut at each step in turn: nothing is lost or doubled."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cutting import Cut, CuttingProxy, cutting_proxy
from tests.servers.v2v import V2VServer
from v2v.client import DispatchClient, VehicleClient
from v2v.client.backoff import Backoff
from v2v.client.client import Client
from v2v.client.inbox import MessageStream
from v2v.protocol.events import MessagePart

PARTIES = ("a", "b", "desk")
WORLDS = 110
AT_ONCE = 4
WAIT_S = 30.0

# Each run has a fleet of its own, and with it a dispatcher who hears nothing of the other runs.
PREPARE = f"""
import json
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from v2v.fleets.models import Fleet, Membership, Role
from v2v.vehicles.services import vehicle_tokens_issue
worlds = []
for n in range({WORLDS}):
    fleet = Fleet.objects.create(slug=f"cut-{{n}}", name="Cut")
    user = User.objects.create(username=f"cut-{{n}}", password="!")
    Membership.objects.create(user=user, fleet=fleet, role=Role.DISPATCHER)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    tokens = vehicle_tokens_issue(prefix=f"cut-{{n}}-", count=2, fleet=fleet, now=timezone.now())
    worlds.append([session.session_key, list(tokens.items())])
print(json.dumps(worlds))
"""


@dataclass(frozen=True)
class World:
    """Who talks: a session of a dispatcher, and two vehicles with their tokens."""

    session: str
    vehicles: list[tuple[str, str]]


@pytest.fixture(scope="module")
def worlds(server: V2VServer) -> Iterator[World]:
    made = json.loads(server.manage("shell", "-v0", "-c", PREPARE))
    return (World(session, vehicles) for session, vehicles in made)


async def receive(stream: MessageStream) -> MessagePart:
    async with asyncio.timeout(WAIT_S):
        return await anext(stream)


async def conversation(server: V2VServer, world: World, party: str, cut: Cut | None) -> CuttingProxy:
    """The conversation, in which the connection of one party is cut; each says what the others wait for."""
    (a_id, a_token), (b_id, b_token) = world.vehicles
    async with AsyncExitStack() as stack:
        proxies = {
            name: await stack.enter_async_context(cutting_proxy(server.ws_url, cut if name == party else None))
            for name in PARTIES
        }
        at_once: dict[str, Any] = {"backoff": Backoff(draw=lambda: 0.0)}
        a: Client = VehicleClient(f"{proxies['a'].url}/ws/vehicle/", vehicle_id=a_id, token=a_token, **at_once)
        b: Client = VehicleClient(f"{proxies['b'].url}/ws/vehicle/", vehicle_id=b_id, token=b_token, **at_once)
        headers = {"Cookie": f"sessionid={world.session}", "Origin": proxies["desk"].url.replace("ws", "http")}
        desk: Client = DispatchClient(f"{proxies['desk'].url}/ws/dispatch/", headers=headers, **at_once)
        clients = [await stack.enter_async_context(client) for client in (a, b, desk)]
        inboxes = [client.messages() for client in clients]
        to_a, to_b, to_desk = inboxes
        # b is not waited for: what is sent to it may find it away.
        await a.wait_online()
        sent: list[tuple[Client, str]] = []

        async def say(sender: Client, content: str, to: str | None) -> None:
            sent.append((sender, await sender.send_message(content, to=to, deadline_s=WAIT_S)))

        await say(a, "1 a to b", b_id)
        first = await receive(to_b)
        await b.message_read(first.message_id, deadline_s=WAIT_S)
        await say(b, "2 b to dispatch", "dispatch")
        second = await receive(to_desk)
        await desk.message_read(second.message_id, deadline_s=WAIT_S)
        await say(desk, "3 dispatch to all", None)
        await say(desk, "4 dispatch to a", a_id)
        got_a = [await receive(to_a), await receive(to_a)]
        got_b = [await receive(to_b)]
        await say(a, "5 a to all", None)
        got_b.append(await receive(to_b))
        got_desk = [await receive(to_desk)]
        # Whatever would come twice comes by now: everybody has the whole state once more.
        for client in (a, b):
            await client.send_message("last", to="dispatch", deadline_s=WAIT_S)
        last = [await receive(to_desk), await receive(to_desk)]
        assert [first.content, *(m.content for m in got_b)] == ["1 a to b", "3 dispatch to all", "5 a to all"]
        assert sorted(m.content for m in got_a) == ["3 dispatch to all", "4 dispatch to a"]
        assert [second.content, *(m.content for m in got_desk)] == ["2 b to dispatch", "5 a to all"]
        assert [m.content for m in last] == ["last", "last"]
        came = [first, second, *got_a, *got_b, *got_desk]
        assert {message.message_id for message in came} == {message_id for _, message_id in sent}
        await asyncio.sleep(0.05)
        for client in clients:
            await client.close()
        for inbox in inboxes:
            with pytest.raises(StopAsyncIteration):
                await anext(inbox)
        return proxies[party]


@pytest.mark.timeout(180)
async def test_nothing_is_lost_or_doubled_wherever_a_connection_is_cut(
    server: V2VServer, worlds: Iterator[World]
) -> None:
    cuts: list[tuple[str, Cut]] = []
    for party in PARTIES:
        whole = await conversation(server, next(worlds), party, None)
        cuts += [(party, Cut("up", n, where)) for n in range(whole.frames["up"]) for where in ("lost", "taken")]
        cuts += [(party, Cut("down", n, "lost")) for n in range(whole.frames["down"])]
    assert len(cuts) > 30, "the conversation has become too short to prove anything"
    missed: list[tuple[str, Cut]] = []
    for begin in range(0, len(cuts), AT_ONCE):
        some = cuts[begin : begin + AT_ONCE]
        proxies = await asyncio.gather(*(conversation(server, next(worlds), *each) for each in some))
        # The last frames of a conversation, of which it does not wait for all, may not have come to be cut.
        missed.extend(each for each, proxy in zip(some, proxies, strict=True) if not proxy.has_cut)
    assert len(missed) <= len(cuts) // 10
