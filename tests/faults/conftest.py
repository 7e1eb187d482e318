"""Servers that the tests of faults share, and the table of what was measured."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import RUN
from tests.faults.peer import heartbeat_s, vehicle_peer
from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer

FIGURES = "figures.jsonl"
LONG = "V2V_LONG_FAULTS"  # in the environment: the longer variants, as `make faults` runs them

RecordFigure = Callable[[str, str, str], None]


@pytest.fixture(scope="session")
def record_figure(run: Run) -> RecordFigure:
    """Keeps `(fault, what must hold, figure)` for the table at the end of the run."""

    def record(fault: str, must_hold: str, figure: str) -> None:
        with (run.directory / FIGURES).open("a") as figures:
            figures.write(json.dumps([fault, must_hold, figure]) + "\n")

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    kept = config.stash[RUN].directory / FIGURES
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    if not rows:
        return
    rows.insert(0, ["fault", "must hold", "figure"])
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    terminalreporter.section("faults")
    for fault, must_hold, figure in rows:
        terminalreporter.write_line(f"{fault:<{widths[0]}} | {must_hold:<{widths[1]}} | {figure}")


@pytest.fixture(scope="package")
def target(run: Run) -> Iterator[V2VServer]:
    """The server, with the settings of a production one, that is abused."""
    running = v2v.start(run)
    yield running
    running.stop()


@pytest.fixture(scope="package")
def hasty(run: Run) -> Iterator[V2VServer]:
    """A server whose patience is short, so that tests of time-outs do not take minutes."""
    patience = {
        "HEARTBEAT_TIMEOUT_MS": "1500",
        "STALE_CONNECTION_MS": "3500",
        "SWEEP_INTERVAL_MS": "250",
        "REGISTER_TIMEOUT_MS": "2000",
    }
    running = v2v.start(run, **patience)
    yield running
    running.stop()


@pytest.fixture(scope="package")
def good_vehicle(target: V2VServer) -> tuple[str, str]:
    """Id and token of a vehicle that behaves."""
    return target.vehicle()


@pytest.fixture
def still_serves(target: V2VServer, good_vehicle: tuple[str, str]) -> Iterator[None]:
    """After the test the server lets a vehicle in and answers it, and has logged no traceback meanwhile."""
    logged = len(target.log())
    yield
    with vehicle_peer(target, good_vehicle) as peer:
        heartbeat_s(peer)
    assert "Traceback" not in target.log()[logged:]


def memory_mb(pid: int) -> float:
    """What the process holds in memory (resident, MB)."""
    return int(_status(pid, "VmRSS")) / 1024


def descriptors(pid: int) -> int:
    """How many files and sockets the process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _status(pid: int, name: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
