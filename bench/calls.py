"""How soon a call is set up, and whether any is stuck under load.

Run it:  python -m bench.calls [--calls 20] [--load 200] [--vehicles 500] [--minutes 1]

First two WebRTC peers (aiortc) on this machine call each other, one call after the other: from `call_initiate` until it
rings, until the caller knows that it was answered, and until the first audio has been decoded. The callee answers at
once. Then pairs of vehicles make so many calls in so many minutes (ring, answer, offer, answer, five candidates each
way, hang up) while 500 others report their positions at 5 Hz. The server runs on core 0, all clients on core 1.
"""

import argparse
import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from bench.fan_out import Counts, connect, drive, say
from bench.server import MeasuredServer, measured_server, percentile
from tests.integration.calls.softphone import Softphone
from v2v.client import VehicleClient
from v2v.client.stream import EventStream
from v2v.protocol import events

PAIRS = 50  # so that a pair has 15 s for each call
CANDIDATES = [f"candidate:{n} 1 udp 2122260223 192.0.2.{n} 54400 typ host" for n in range(1, 6)]
SDP = "v=0\r\n" + "a=x-filler:0123456789\r\n" * 100  # as long as a browser's
WAIT_S = 30.0
_STATES = "from v2v.calls.models import *; print(*CallSession.objects.values_list('state', flat=True))"

Times = defaultdict[str, list[float]]  # milliseconds by step


def client_of(server: MeasuredServer, vehicle: tuple[str, str]) -> VehicleClient:
    """A client that is not connected yet."""
    vehicle_id, token = vehicle
    return VehicleClient(server.ws_url("vehicle"), vehicle_id=vehicle_id, token=token)


async def audio_call(server: MeasuredServer, pair: Sequence[tuple[str, str]], times: Times) -> None:
    """One call with sound; both come anew, so that no limit is in the way."""
    async with client_of(server, pair[0]) as a, client_of(server, pair[1]) as b:
        for client in (a, b):
            await client.wait_online()
        caller, callee = Softphone(a, 440), Softphone(b, 880)
        begin = time.perf_counter()
        taking = asyncio.create_task(callee.take())
        await caller.call(b.vehicle_id)
        async with asyncio.timeout(WAIT_S):
            await taking
            times["answered"].append((time.perf_counter() - begin) * 1000)
            await asyncio.gather(caller.first_heard.wait(), callee.first_heard.wait())
        times["first audio at both"].append((time.perf_counter() - begin) * 1000)
        await caller.hang_up()
        await callee.close()


async def until(stream: EventStream, kind: type[events.Event], call_id: str = "", state: str = "") -> str:
    """Wait for an event of the call; the call's id."""
    async with asyncio.timeout(WAIT_S):
        async for event in stream:
            data: Any = getattr(event, "data", None)
            if isinstance(event, kind) and call_id in ("", data.call_id) and state in ("", getattr(data, "state", "")):
                return str(data.call_id)
    raise RuntimeError("the client was closed")


async def load_call(a: VehicleClient, b: VehicleClient, times: Times) -> None:
    """One call without sound."""
    heard_a, heard_b = a.events(), b.events()
    begin = time.perf_counter()

    async def callee() -> None:
        call_id = await until(heard_b, events.CallIncoming)
        times["rings"].append((time.perf_counter() - begin) * 1000)
        await b.answer(call_id)

    ack, _ = await asyncio.gather(a.call(b.vehicle_id), callee())
    call_id = ack.call_id or ""
    await until(heard_a, events.CallState, call_id, "active")
    times["caller hears the answer"].append((time.perf_counter() - begin) * 1000)
    for sender, receiver, kind in ((a, heard_b, events.WebrtcOffer), (b, heard_a, events.WebrtcAnswer)):
        await (sender.send_offer if sender is a else sender.send_answer)(call_id, SDP)
        await until(receiver, kind, call_id)
        for candidate in CANDIDATES:
            await sender.send_candidate(call_id, candidate, sdp_mid="0")
    times["signalling done"].append((time.perf_counter() - begin) * 1000)
    await asyncio.sleep(0.5)
    await b.hang_up(call_id)
    await until(heard_a, events.CallState, call_id, "ended")


async def measure_load(server: MeasuredServer, tokens: dict[str, str], calls: int, seconds: float) -> list[str]:
    """The calls, beside vehicles that report; what to print."""
    vehicles = list(tokens.items())
    talkers, reporters = vehicles[: 2 * PAIRS], dict(vehicles[2 * PAIRS :])
    times: Times = defaultdict(list)
    counts = Counts()
    transports = await connect(server, reporters, counts)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(client_of(server, each)) for each in talkers]
        for client in clients:
            await client.wait_online()
        reporting = asyncio.create_task(drive(transports, 20, seconds + 5))
        cpu, begin = server.cpu_s(), time.monotonic()
        tasks = []
        for number in range(calls):
            await asyncio.sleep(max(0.0, begin + number * seconds / calls - time.monotonic()))
            pair = 2 * (number % PAIRS)
            tasks.append(asyncio.create_task(load_call(clients[pair], clients[pair + 1], times)))
        failed = [error for error in await asyncio.gather(*tasks, return_exceptions=True) if error is not None]
        took, cpu = time.monotonic() - begin, server.cpu_s() - cpu
        await reporting
    for transport in transports:
        transport.disconnect()
    states = Counter(server.manage("shell", "-v0", "-c", _STATES).split())
    stuck = states["ringing"] + states["active"]
    ended = f"{len(failed)} failed, {stuck} stuck, {dict(states)}"
    beside = f"beside {len(reporters)} vehicles at 5 Hz"
    used = f"server {cpu / took:.0%} of a core, {counts.refused} reports refused"
    return [*rows(times), f"\n{calls} calls in {took:.0f} s {beside}: {ended}; {used} {failed[:3] or ''}"]


def rows(times: Times) -> list[str]:
    """One row a step."""
    return [
        f"| {step} | {len(taken)} | {percentile(sorted(taken), 50):.0f} | {percentile(sorted(taken), 95):.0f} |"
        for step, taken in times.items()
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--load", type=int, default=200)
    parser.add_argument("--vehicles", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=1.0)
    options = parser.parse_args(argv)
    head = "| from `call_initiate` until | calls | p50 ms | p95 ms |\n|---|---:|---:|---:|"
    with measured_server() as server:
        tokens = list(server.tokens(2 * options.calls).items())
        times: Times = defaultdict(list)
        with asyncio.Runner() as runner:
            for number in range(options.calls):
                runner.run(audio_call(server, tokens[2 * number : 2 * number + 2], times))
        say("\n".join([head, *rows(times)]))
    with measured_server() as server:
        tokens_by_id = server.tokens(options.vehicles + 2 * PAIRS)
        with asyncio.Runner() as runner:
            lines = runner.run(measure_load(server, tokens_by_id, options.load, options.minutes * 60))
        say("\n".join([f"\n{head}", *lines]))


if __name__ == "__main__":
    main()
