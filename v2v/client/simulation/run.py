"""Run a simulated fleet until it is told to stop, and say how it goes."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from v2v.client.simulation.fleet import SimulatedFleet

PROGRESS_S = 5.0


async def run_fleet(fleet: SimulatedFleet, *, seconds: float | None, say: Callable[[str], None]) -> None:
    """Run until `seconds` are over, if given, or SIGINT or SIGTERM comes; `say` gets a line every few seconds."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: Ctrl-C cancels the main task there
            loop.add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(fleet.run()), group.create_task(_report_progress(fleet, say))]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
        for task in tasks:
            task.cancel()


async def _report_progress(fleet: SimulatedFleet, say: Callable[[str], None]) -> None:
    at, cpu, reports, heard = time.monotonic(), time.process_time(), 0, 0
    while True:
        await asyncio.sleep(PROGRESS_S)
        elapsed = time.monotonic() - at
        line = (
            f"{fleet.online} of {len(fleet)} online, {(fleet.reports - reports) / elapsed:,.0f} reports/s, "
            f"{(fleet.peers_heard - heard) / elapsed:,.0f} peers heard/s, "
            f"{(time.process_time() - cpu) / elapsed:.0%} of a core"
        )
        troubles = {"connections lost": fleet.losses, **fleet.errors, **fleet.stopped}
        say("; ".join([line, *(f"{name}: {count}" for name, count in troubles.items() if count)]))
        at, cpu, reports, heard = time.monotonic(), time.process_time(), fleet.reports, fleet.peers_heard
