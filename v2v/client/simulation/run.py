"""Run a simulated fleet until it is told to stop, and say how it goes."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from v2v.client.simulation.fleet import SimulatedFleet

PROGRESS_S = 5.0


async def run_fleet(fleet: SimulatedFleet, *, seconds: float | None, say: Callable[[str], None]) -> None:
    """Run until `seconds` are over, if given, or SIGINT or SIGTERM comes; `say` gets a line every few seconds."""
    with _stop_signals() as stop:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(fleet.run()), group.create_task(_report_progress(fleet, say))]
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await stop.wait()
            for task in tasks:
                task.cancel()
    say(f"In all {fleet.reports:,} reports, {fleet.peers_heard:,} peers heard; every connection is closed.")


@contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows: Ctrl-C cancels the main task there
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        with suppress(NotImplementedError):
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


async def _report_progress(fleet: SimulatedFleet, say: Callable[[str], None]) -> None:
    before = (time.monotonic(), time.process_time(), 0, 0)
    while True:
        await asyncio.sleep(PROGRESS_S)
        now = (time.monotonic(), time.process_time(), fleet.reports, fleet.peers_heard)
        elapsed, cpu, reports, heard = (after - earlier for after, earlier in zip(now, before, strict=True))
        before = now
        line = (
            f"{fleet.online} of {len(fleet)} online, {reports / elapsed:,.0f} reports/s, "
            f"{heard / elapsed:,.0f} peers heard/s, {cpu / elapsed:.0%} of a core"
        )
        troubles = {"connections lost": fleet.losses, **fleet.errors, **fleet.stopped}
        say("; ".join([line, *(f"{name}: {count}" for name, count in troubles.items() if count)]))
