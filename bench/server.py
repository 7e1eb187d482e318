"""A server to measure: a process of its own on core 0 with a database of its own; the load runs on core 1."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.run import free_port

ROOT = Path(__file__).resolve().parents[1]
SERVER_CORE, CLIENT_CORE = 0, 1


@dataclass
class MeasuredServer:
    """Where it answers, and what it needs."""

    port: int
    pid: int
    environment: dict[str, str]

    def ws_url(self, kind: str) -> str:
        """The address of the sockets of vehicles or of dispatchers."""
        return f"ws://127.0.0.1:{self.port}/ws/{kind}/"

    def manage(self, *arguments: str) -> str:
        """What a management command prints."""
        return _manage(self.environment, *arguments)

    def tokens(self, count: int) -> dict[str, str]:
        """Tokens by vehicle."""
        return dict(json.loads(self.manage("token", "--count", str(count))))

    def cpu_s(self) -> float:
        """Processor time that it has used so far, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def measured_server(**settings: str) -> Iterator[MeasuredServer]:
    """Run a server with these environment variables, and this process on the other core."""
    with tempfile.TemporaryDirectory(prefix="v2v-bench-") as folder:
        port = free_port()
        environment = {
            **os.environ,
            "VAR_DIR": folder,
            "DATABASE_URL": "",
            "PORT": str(port),
            "LOG_LEVEL": "WARNING",
            "CONNECTIONS_PER_ADDRESS": "100000",
            **settings,
        }
        _manage(environment, "migrate", "-v0")
        process = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment)
        try:
            os.sched_setaffinity(process.pid, {SERVER_CORE})
            os.sched_setaffinity(0, {CLIENT_CORE})
            _wait_until_ready(port)
            yield MeasuredServer(port, process.pid, environment)
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def measured_servers(count: int) -> Iterator[list[MeasuredServer]]:
    """As many processes, which have one database and, when they are several, one Redis of their own."""
    with ExitStack() as stack:
        settings: dict[str, str] = {}
        if count > 1:
            settings["REDIS_URL"] = stack.enter_context(_redis())
        first = stack.enter_context(measured_server(**settings))
        yield [first, *(stack.enter_context(_beside(first)) for _ in range(count - 1))]


@contextmanager
def _beside(first: MeasuredServer) -> Iterator[MeasuredServer]:
    port = free_port()
    environment = {**first.environment, "PORT": str(port)}
    process = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment)
    try:
        _wait_until_ready(port)
        yield MeasuredServer(port, process.pid, environment)
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def _redis() -> Iterator[str]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--loglevel", "warning"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - as above
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


def percentile(sorted_values: Sequence[float], percent: float) -> float:
    """The value below which so many percent are; nan of nothing."""
    if not sorted_values:
        return float("nan")
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * percent / 100))]


def _manage(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(  # noqa: S603 - our own program
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def _wait_until_ready(port: int) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server did not start")
